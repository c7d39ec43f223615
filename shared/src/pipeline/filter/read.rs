//! A filter's settings.

use std::time::Duration;

use super::{Filter, PaymentStatus};
use crate::config::document::Node;
use crate::config::value;
use crate::template::Condition;

const TEN_YEARS: Duration = Duration::from_hours(3653 * 24);

/// Reads a pipeline's `filter = { … }`. Without one, and where problems were recorded, every order is taken.
pub fn read(node: Option<&Node<'_>>) -> Filter {
    let Some(table) = node.and_then(Node::table) else { return Filter::default() };
    let filter = Filter {
        placed_after: table.read("placed_after", value::timestamp),
        placed_before: table.read("placed_before", value::timestamp),
        max_age: table.read("max_age", value::duration(TEN_YEARS)),
        stores: table.list("stores", value::text),
        payments: table.get("payments").map(|pairs| pairs.each(|pair| read_pair(&pair))).unwrap_or_default(),
        states: table.list("states", value::text),
        when: table.get("when").and_then(|node| read_condition(&node)),
    };
    if let (Some(start), Some(end)) = (filter.placed_after, filter.placed_before)
        && start >= end
    {
        table.problem("placed_after is not before placed_before: no order can fit");
    }
    table.finish();
    filter
}

fn read_pair(node: &Node<'_>) -> Option<PaymentStatus> {
    let table = node.table()?;
    let pair = PaymentStatus { method: table.read("method", value::text), status: table.read("status", value::text) };
    if table.get("method").is_none() && table.get("status").is_none() {
        table.problem("expected a method, a status, or both");
    }
    table.finish();
    Some(pair)
}

fn read_condition(node: &Node<'_>) -> Option<Condition> {
    let source = node.parse(value::text)?;
    Condition::over_order("when", &source).inspect_err(|error| node.problem(error.message.clone())).ok()
}
