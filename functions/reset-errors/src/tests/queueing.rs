//! Exports that are taken, sent and settled, in this order.

use serde_json::json;

use super::world::{Item, World, in_time, item, minutes, only, text};
use crate::dead_letters::DeadLetters;
use crate::round::Round;

/// A row that waits in the ledger until this many minutes from now.
fn due(order: &str, shard: u64, from_now: i64) -> Item {
    let key = format!("due#{shard}");
    item(order, [("status", text("pending")), ("due_key", text(&key)), ("due_at", minutes(from_now))])
}

fn in_error(order: &str, attributes: &[(&'static str, &str)]) -> Item {
    let number = |value: &str| aws_sdk_dynamodb::types::AttributeValue::N(value.to_owned());
    let status = [("status", text("error")), ("status_key", text("error#1")), ("attempts", number("10"))];
    let further = attributes.iter().map(|(name, value)| match *name {
        "attempts" | "resets" => (*name, number(value)),
        _ => (*name, text(value)),
    });
    item(order, status.into_iter().chain(further))
}

/// What was asked of one order.
fn about<'a>(calls: &'a [String], order: &str) -> Vec<&'a str> {
    let is_its = |call: &&String| call.split(' ').nth(1) == Some(order);
    calls.iter().filter(is_its).map(|call| call.split(' ').next().unwrap()).collect()
}

#[tokio::test]
async fn an_export_is_taken_then_sent_then_settled() {
    let world = World { items: vec![due("1", 0, -1), due("2", 7, -1)], ..World::default() };
    let (report, calls) = world.run(only("due")).await;
    assert_eq!((&report["changed"], &report["seen"]), (&json!({ "released": 2 }), &json!(2)));
    for order in ["1", "2"] {
        assert_eq!(about(&calls, order), ["take", "send", "settle"], "{calls:?}");
    }
}

#[tokio::test]
async fn what_another_run_has_taken_is_not_sent() {
    let items = vec![due("1", 0, -1), due("2", 0, -1)];
    let world = World { items, changed: ["1"].into(), ..World::default() };
    let (report, calls) = world.run(only("due")).await;
    assert_eq!(report["changed"], json!({ "released": 1 }));
    assert_eq!(report["skipped"], json!({ "changed_meanwhile": 1 }));
    assert_eq!((about(&calls, "1"), about(&calls, "2")), (vec!["take"], vec!["take", "send", "settle"]));
}

#[tokio::test]
async fn what_the_queue_does_not_take_stays_due() {
    let items = vec![due("1", 0, -1), due("2", 0, -1)];
    let world = World { items, unsent: ["1"].into(), ..World::default() };
    let (report, calls) = world.run(only("due")).await;
    assert_eq!((&report["changed"], &report["failed"]), (&json!({ "released": 1 }), &json!(1)));
    assert_eq!((about(&calls, "1"), about(&calls, "2")), (vec!["take", "send"], vec!["take", "send", "settle"]));
}

#[tokio::test]
async fn a_write_that_fails_keeps_no_other_export() {
    let items = vec![due("1", 0, -1), due("2", 0, -1)];
    let world = World { items, unavailable: ["1"].into(), ..World::default() };
    let (report, calls) = world.run(only("due")).await;
    assert_eq!((&report["changed"], &report["failed"]), (&json!({ "released": 1 }), &json!(1)));
    assert_eq!((about(&calls, "1"), about(&calls, "2")), (vec!["take"], vec!["take", "send", "settle"]));
}

#[tokio::test]
async fn a_row_that_cannot_be_read_keeps_no_other_export() {
    let mut bad = due("1", 0, -1);
    bad.insert("due_at".into(), text("soon"));
    let world = World { items: vec![bad, due("2", 0, -1)], ..World::default() };
    let (report, calls) = world.run(only("due")).await;
    assert_eq!((&report["changed"], &report["failed"]), (&json!({ "released": 1 }), &json!(1)));
    assert_eq!(about(&calls, "2"), ["take", "send", "settle"]);
}

#[tokio::test]
async fn what_is_due_within_the_minute_is_sent_to_come_in_time() {
    let world = World { items: vec![due("1", 0, -5), due("2", 0, 1)], ..World::default() };
    let (_, calls) = world.run(only("due")).await;
    let delay = |order: &str| -> i64 {
        let call = calls.iter().find(|call| call.starts_with(&format!("send {order} after"))).unwrap();
        call.split(' ').nth(3).unwrap().parse().unwrap()
    };
    assert_eq!(delay("1"), 0);
    assert!((31..=61).contains(&delay("2")), "a minute, less what the test took, and a second more: {calls:?}");
}

#[tokio::test]
async fn a_hundred_are_sent_ten_at_a_time() {
    let orders: Vec<String> = (0..100).map(|number| number.to_string()).collect();
    let items = orders.iter().map(|order| due(order, 3, -1)).collect();
    let (report, calls) = World { items, ..World::default() }.run(only("due")).await;
    assert_eq!(report["changed"], json!({ "released": 100 }));
    for order in &orders {
        assert_eq!(about(&calls, order), ["take", "send", "settle"]);
    }
}

#[tokio::test]
async fn errors_are_set_back_or_stay_with_the_reason() {
    let items = vec![
        in_error("1", &[("fault", "exhausted")]),
        in_error("2", &[("fault", "exhausted"), ("attempts", "9")]),
        in_error("3", &[("fault", "permanent")]),
        in_error("4", &[("fault", "exhausted"), ("resets", "3")]),
        in_error("5", &[("fault", "exhausted"), ("sk", "gone")]),
    ];
    let (report, calls) = World { items, ..World::default() }.run(only("errors")).await;
    assert_eq!(report["changed"], json!({ "reset": 1, "rerun": 1 }));
    assert_eq!(report["skipped"], json!({ "not_resettable": 1, "pipeline_gone": 1, "resets_used_up": 1 }));
    for order in ["1", "2"] {
        assert_eq!(about(&calls, order), ["take", "send", "settle"], "{calls:?}");
    }
    assert_eq!(calls.len(), 6, "{calls:?}");
}

#[tokio::test]
async fn a_dry_run_writes_and_sends_nothing() {
    let mut items = vec![due("1", 0, -1), in_error("2", &[("fault", "exhausted")])];
    items.push(item("3", [("status", text("exported")), ("due_key", text("ack#1")), ("due_at", minutes(-1))]));
    let held = [("status", text("processing")), ("status_key", text("processing#2")), ("lease_until", minutes(-9))];
    items.push(item("4", held));
    let (report, calls) = World { items, ..World::default() }.run(json!({ "dry_run": true })).await;
    let expected = json!({ "released": 1, "deadlines_dropped": 1, "leases_expired": 1, "reset": 1 });
    assert_eq!(report["changed"], expected);
    assert_eq!(calls, Vec::<String>::new());
}

#[tokio::test]
async fn tasks_that_are_not_asked_for_are_not_done() {
    let items = vec![due("1", 0, -1), in_error("2", &[("fault", "exhausted")])];
    let (report, _) = World { items, ..World::default() }.run(json!({ "only": ["errors", "leases"] })).await;
    assert_eq!((&report["changed"], &report["seen"]), (&json!({ "reset": 1 }), &json!(1)));
}

#[tokio::test]
async fn a_run_without_time_begins_nothing_and_says_what_it_left() {
    let world = World { items: vec![due("1", 0, -1), due("2", 5, -1)], ..World::default() };
    let ((function, calls), run) = (world.function().await, in_time(&json!({}), 0));
    let report = serde_json::to_value(function.handle(&run).await.unwrap()).unwrap();
    assert_eq!((&report["tasks_left"], &report["seen"]), (&json!(5), &json!(0)));
    // Of a task whose time is over in the middle.
    let config = function.config.current().await;
    let left = Round::new(&function, &config, &run).due(false).await;
    let left = serde_json::to_value(left).unwrap();
    assert_eq!((&left["left"], &left["seen"], &left["changed"]), (&json!(2), &json!(0), &json!({})));
    let letters = DeadLetters::new(&function, &config, &run).work_through().await;
    assert_eq!(serde_json::to_value(letters).unwrap()["left"], json!(7));
    assert_eq!(*calls.lock().unwrap(), Vec::<String>::new());
}
