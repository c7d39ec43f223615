//! The settings of the scheduled functions.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::document::{Node, Table};
use super::parse::{ShopCodes, known_code};
use super::value;
use crate::ledger::{Fault, Status};

/// Which exports in error are set back by themselves, `[reset_errors]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResetErrors {
    /// How long an export is in error before it is reset.
    pub after: Duration,
    /// How often one export is reset by itself; then it stays, and a metric says so.
    pub max_resets: u32,
    /// The faults that are reset.
    pub faults: BTreeSet<Fault>,
}

impl Default for ResetErrors {
    fn default() -> Self {
        let faults = BTreeSet::from([Fault::Exhausted, Fault::Orphaned]);
        Self { after: Duration::from_hours(1), max_resets: 3, faults }
    }
}

/// Unpaid orders that are cancelled, `[cancel_stale]`: all conditions must hold.
#[derive(Debug, Clone)]
pub struct StaleRule {
    /// Codes of the shops that it is for; empty for every shop.
    pub shops: BTreeSet<String>,
    /// The platform's code of the payment method.
    pub method: String,
    /// Order states, any of which fits.
    pub statuses: BTreeSet<String>,
    /// Whether the order must have been exported.
    pub only_exported: bool,
    /// Its age: a calendar span such as `7 days` or `1 month`.
    pub older_than: jiff::Span,
    /// Only says what it would cancel.
    pub report: bool,
}

/// How long finished exports are kept, `[cleanup]`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Cleanup {
    /// By status, where the document says so. Where it does not, the table's own retention counts; exports in error are
    /// kept.
    pub retention: BTreeMap<Status, Duration>,
    /// Codes of the pipelines whose exported objects stay in the stack's bucket when their rows go.
    pub keep_documents: BTreeSet<String>,
}

pub(super) fn read_reset_errors(node: Option<Node<'_>>) -> ResetErrors {
    let defaults = ResetErrors::default();
    let Some(table) = node.and_then(|node| node.table()) else { return defaults };
    let after = table.read("after", value::duration(Duration::from_hours(24 * 366)));
    let max_resets = table.read("max_resets", value::integer(0..=1000)).and_then(|number| u32::try_from(number).ok());
    let faults = table.get("faults").map(|node| node.each(|fault| fault.parse(value::one_of(&Fault::NAMES))));
    table.check();
    ResetErrors {
        after: after.unwrap_or(defaults.after),
        max_resets: max_resets.unwrap_or(defaults.max_resets),
        faults: faults.map_or(defaults.faults, |faults| faults.into_iter().collect()),
    }
}

pub(super) fn read_cancel_stale(node: Option<Node<'_>>, shops: &ShopCodes) -> Vec<StaleRule> {
    let Some(table) = node.and_then(|node| node.table()) else { return Vec::new() };
    let rules = table.required("rules").map(|node| node.each(|rule| read_stale_rule(&rule.table()?, shops)));
    table.check();
    rules.unwrap_or_default()
}

fn read_stale_rule(table: &Table<'_>, codes: &ShopCodes) -> Option<StaleRule> {
    let shops = table.list("shops", known_code("shop", &codes.all));
    check_can_cancel(table, &shops, codes);
    let method = table.require("method", value::text);
    let statuses = table.required("statuses").map(|node| node.each(|status| status.parse(value::text)));
    let only_exported = table.read("only_exported", value::boolean);
    let older_than = table.require("older_than", value::calendar_span);
    let report = table.read("report", value::boolean);
    table.check();
    Some(StaleRule {
        shops: shops.into_iter().collect(),
        method: method?,
        statuses: statuses?.into_iter().collect(),
        only_exported: only_exported.unwrap_or(false),
        older_than: older_than?,
        report: report.unwrap_or(false),
    })
}

/// A rule that no order can ever be cancelled by is a mistake. One for every shop passes over those that cannot cancel.
fn check_can_cancel(rule: &Table<'_>, shops: &[String], codes: &ShopCodes) {
    let how = "give the shop an api that can cancel";
    if rule.get("shops").is_none_or(|node| node.each(|_| Some(())).is_empty()) {
        if !codes.all.is_empty() && codes.all == codes.without_cancel {
            rule.problem(format!("orders of no shop can be cancelled: {how}"));
        }
        return;
    }
    if let Some(node) = rule.get("shops") {
        for shop in shops.iter().filter(|shop| codes.without_cancel.contains(*shop)) {
            node.problem(format!("orders of the shop {shop:?} cannot be cancelled: {how}"));
        }
    }
}

pub(super) fn read_cleanup(node: Option<Node<'_>>, pipelines: &BTreeSet<String>) -> Cleanup {
    let Some(table) = node.and_then(|node| node.table()) else { return Cleanup::default() };
    let retention = table.get("retention").and_then(|node| node.table()).map(|table| read_retention(&table));
    let keep_documents = table.list("keep_documents", known_code("pipeline", pipelines)).into_iter().collect();
    table.check();
    Cleanup { retention: retention.unwrap_or_default(), keep_documents }
}

fn read_retention(table: &Table<'_>) -> BTreeMap<Status, Duration> {
    const CLASSES: [(&str, Status); 5] = [
        ("exported", Status::Exported),
        ("acknowledged", Status::Acknowledged),
        ("skipped", Status::Skipped),
        ("canceled", Status::Canceled),
        ("error", Status::Error),
    ];
    let age = |name| table.read(name, value::duration(Duration::from_hours(24 * 3660)));
    let retention = CLASSES.into_iter().filter_map(|(name, status)| Some((status, age(name)?))).collect();
    table.check();
    retention
}
