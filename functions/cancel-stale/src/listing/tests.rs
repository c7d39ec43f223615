//! Which orders of the index are found, and in which order they are taken.

use std::collections::HashMap;
use std::path::Path;
use std::time::Duration;

use aws_sdk_dynamodb::operation::query::QueryOutput;
use aws_sdk_dynamodb::types::AttributeValue;
use aws_smithy_mocks::{RuleMode, mock, mock_client};
use ordersync::clock;
use ordersync::config::{Live, Source};
use ordersync::ledger::ExportKey;
use serde_json::json;

use super::*;

type Item = HashMap<String, AttributeValue>;

/// A row of an unpaid order of a shop with a rule, as a table may have it.
fn item(order_id: &str, status: &str) -> Item {
    let shop = "it-stale-busy";
    let pk = format!("{shop}#{order_id}");
    let texts = [
        ("pk", pk.as_str()),
        ("sk", "erp"),
        ("number", order_id),
        ("status", status),
        ("unpaid_key", "unpaid#0"),
        ("payment_method", "invoice"),
        ("order_state", "open"),
        ("placed_at", "2020-01-01T00:00:00.000Z"),
        ("created_at", "2020-01-01T00:00:00.000Z"),
        ("updated_at", "2020-01-01T00:00:00.000Z"),
        ("observed_at", "2020-01-01T00:00:00.000Z"),
    ];
    texts.map(|(name, value)| (name.to_owned(), AttributeValue::S(value.to_owned()))).into()
}

#[tokio::test]
async fn an_order_whose_row_cannot_be_read_keeps_no_other_from_its_turn() {
    let rows = || [item("1", "of a later version"), item("2", "exported")];
    let query = mock!(aws_sdk_dynamodb::Client::query).then_compute_output(move |input| {
        let asked = input.expression_attribute_values().unwrap();
        let asked = asked.values().filter_map(|value| value.as_s().ok()).collect::<Vec<_>>();
        let is_asked =
            |item: &Item| ["pk", "unpaid_key"].iter().any(|name| asked.contains(&item[*name].as_s().unwrap()));
        QueryOutput::builder().set_items(Some(rows().into_iter().filter(is_asked).collect())).build()
    });
    let client = mock_client!(aws_sdk_dynamodb, RuleMode::MatchAny, [&query]);
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/config");
    let live = Live::start(Source::Directory(directory), 10).await.unwrap();
    let config = live.current().await;
    let now = clock::now();
    let run = Run::of(&json!({}), u64::try_from(now.as_millisecond()).unwrap() + 60_000).unwrap();
    let listing = Listing {
        run: &run,
        config: &config,
        ledger: &Ledger::new(client, "ledger".into(), Duration::from_hours(24)),
        memory: &Memory::default(),
        until: now,
        now,
        ends: run.deadline(),
        found: Mutex::default(),
    };
    let report = serde_json::to_value(listing.read().await).unwrap();
    assert_eq!((&report["seen"], &report["failed"]), (&json!(2), &json!(1)), "{report}");
    let found = listing.into_found();
    let found: Vec<_> = found.values().flatten().map(|order| order.key.order_id.as_str()).collect();
    assert_eq!(found, ["2"]);
}

#[test]
fn the_rows_of_a_page_are_taken_order_by_order() {
    let row = |shop: &str, order_id: &str, pipeline: &str| Unpaid {
        key: ExportKey::new(shop, order_id, pipeline),
        placed_at: Timestamp::UNIX_EPOCH,
        payment_method: None,
        order_state: None,
        cancel_after: None,
    };
    let page = vec![row("a", "1", "erp"), row("b", "1", "erp"), row("a", "1", "wms"), row("a", "2", "erp")];
    let sizes: Vec<usize> = by_order(page).values().map(Vec::len).collect();
    assert_eq!(sizes, [2, 1, 1]);
}

#[test]
fn the_oldest_comes_first_but_after_those_that_never_failed() {
    let order = |order_id: &str, tries, second| Standing {
        key: ExportKey::new("a", order_id, "erp"),
        number: order_id.to_owned(),
        placed_at: Timestamp::from_second(second).unwrap(),
        payment_method: None,
        order_state: None,
        payment_state: None,
        is_unpaid: true,
        is_canceled: false,
        told: None,
        exports: Vec::new(),
        tries,
        after: None,
    };
    let mut orders = [order("1", 6, 1), order("4", 0, 4), order("3", 0, 3), order("2", 1, 2)];
    orders.sort_by_key(turn);
    assert_eq!(orders.each_ref().map(|order| order.key.order_id.as_str()), ["3", "4", "2", "1"]);
}

#[test]
fn the_row_that_comes_closest_speaks_for_its_order() {
    let verdicts = |reasons: &[Reason]| none_fits(reasons.iter().copied().map(Verdict::Not));
    assert_eq!(verdicts(&[Reason::OtherMethod, Reason::TooYoung, Reason::OtherState]), Some(Reason::TooYoung));
    assert_eq!(verdicts(&[]), Some(Reason::NoRule));
}
