//! Dead letters, from the queue to what becomes of them.

use aws_sdk_sqs::types::{Message, MessageAttributeValue, MessageSystemAttributeName};
use ordersync::clock;
use ordersync::ledger::ExportKey;
use ordersync::queue::{Fields, export_fields};
use serde_json::json;

use super::world::{Item, World, item, minutes, only, text};

fn letter(handle: &str, body: &str, fields: &Fields) -> Message {
    let attribute = |value: &str| MessageAttributeValue::builder().data_type("String").string_value(value).build();
    let attributes = fields.iter().map(|(name, value)| (name.clone(), attribute(value).unwrap())).collect();
    let sent_at = clock::now().as_millisecond() - 3_600_000;
    Message::builder()
        .message_id(format!("id-{handle}"))
        .receipt_handle(handle)
        .body(body)
        .set_message_attributes(Some(attributes))
        .attributes(MessageSystemAttributeName::SentTimestamp, sent_at.to_string())
        .attributes(MessageSystemAttributeName::MessageGroupId, "it-flaky")
        .build()
}

fn export(order: &str) -> Fields {
    export_fields(&ExportKey::new("it-flaky", order, "flaky"))
}

fn webhook() -> Fields {
    [("shop", "it-flaky"), ("received_at", "2026-03-01T00:00:00Z")]
        .map(|(name, value)| (name.into(), value.into()))
        .into()
}

fn order(id: &str) -> String {
    let placed_at = "2026-03-01T08:30:00Z";
    json!({ "id": id, "number": id, "placed_at": placed_at, "currency": "EUR", "total": "1.00", "items": [] })
        .to_string()
}

fn row(order: &str, status: &str) -> Item {
    let attempts = aws_sdk_dynamodb::types::AttributeValue::N("1".into());
    item(order, [("status", text(status)), ("attempts", attempts)])
}

#[tokio::test]
async fn what_is_over_is_removed_and_what_is_needed_is_put_back_with_all_it_had() {
    let world = World {
        items: vec![row("1", "exported"), row("2", "pending"), row("4", "error")],
        dead_letters: vec![
            letter("over", "a", &export("1")),
            letter("open", "b", &export("2")),
            letter("unseen", &order("3"), &webhook()),
            letter("failed", "d", &export("4")),
            letter("removed", "e", &export("5")),
            letter("foreign", "f", &Fields::new()),
        ],
        ..World::default()
    };
    let (report, mut calls) = world.run(only("dead_letters")).await;
    assert_eq!(report["changed"], json!({ "dead_letters_put_back": 2, "dead_letters_removed": 2 }));
    assert_eq!(report["skipped"], json!({ "not_ours": 1, "waits_for_reset": 1 }));
    assert_eq!(report["seen"], json!(6));
    let place =
        |call: &str| calls.iter().position(|known| known == call).unwrap_or_else(|| panic!("{call}: {calls:?}"));
    let again = r#"send b Some("it-flaky") {"order_id": Some("2"), "pipeline": Some("flaky"), "redriven": Some("1"), "shop": Some("it-flaky")}"#;
    assert!(place(again) < place("remove open"), "first sent, then removed: {calls:?}");
    let unseen = format!(
        r#"send {} Some("it-flaky") {{"received_at": Some("2026-03-01T00:00:00Z"), "redriven": Some("1"), "shop": Some("it-flaky")}}"#,
        order("3")
    );
    assert!(place(&unseen) < place("remove unseen"), "first sent, then removed: {calls:?}");
    let last = calls.split_off(calls.len() - 2);
    assert_eq!(
        last.iter().map(String::as_str).collect::<std::collections::BTreeSet<_>>(),
        ["show failed", "show foreign"].into()
    );
    assert!(calls.contains(&"remove over".to_owned()) && calls.contains(&"remove removed".to_owned()), "{calls:?}");
}

#[tokio::test]
async fn a_message_is_put_back_once() {
    let mut fields = export("1");
    fields.insert("redriven".into(), "1".into());
    let world = World {
        items: vec![row("1", "pending")],
        dead_letters: vec![letter("again", "a", &fields)],
        ..World::default()
    };
    let (report, calls) = world.run(only("dead_letters")).await;
    assert_eq!(report["skipped"], json!({ "redriven_before": 1 }));
    assert_eq!(calls, ["show again"]);
}

#[tokio::test]
async fn an_export_that_was_queued_since_needs_its_dead_letter_no_more() {
    let mut requeued = row("1", "pending");
    requeued.insert("requeued_at".into(), minutes(-5));
    let world =
        World { items: vec![requeued], dead_letters: vec![letter("old", "a", &export("1"))], ..World::default() };
    let (report, calls) = world.run(only("dead_letters")).await;
    assert_eq!((&report["changed"], calls), (&json!({ "dead_letters_removed": 1 }), vec!["remove old".to_owned()]));
}

#[tokio::test]
async fn an_export_whose_pipeline_is_gone_ends_with_its_message() {
    let mut orphan = row("1", "pending");
    orphan.insert("sk".into(), text("gone"));
    let world = World {
        items: vec![row("1", "exported"), orphan],
        dead_letters: vec![letter("late", &order("1"), &webhook())],
        ..World::default()
    };
    let (report, calls) = world.run(only("dead_letters")).await;
    assert_eq!(report["changed"], json!({ "dead_letters_removed": 1, "orphaned": 1 }));
    assert_eq!(calls, ["take 1", "remove late"]);
}

#[tokio::test]
async fn a_dry_run_lets_go_of_all_that_it_has_judged() {
    let world = World {
        items: vec![row("1", "exported"), row("2", "pending")],
        dead_letters: vec![letter("over", "a", &export("1")), letter("open", "b", &export("2"))],
        ..World::default()
    };
    let (report, mut calls) = world.run(json!({ "only": ["dead_letters"], "dry_run": true })).await;
    assert_eq!(report["changed"], json!({ "dead_letters_put_back": 1, "dead_letters_removed": 1 }));
    calls.sort();
    assert_eq!(calls, ["show open", "show over"]);
}

#[tokio::test]
async fn many_are_worked_through_and_each_once() {
    let orders: Vec<String> = (0..35).map(|number| number.to_string()).collect();
    let world = World {
        items: orders.iter().map(|order| row(order, "exported")).collect(),
        dead_letters: orders.iter().map(|order| letter(order, "a", &export(order))).collect(),
        ..World::default()
    };
    let (report, calls) = world.run(only("dead_letters")).await;
    assert_eq!((&report["changed"], calls.len()), (&json!({ "dead_letters_removed": 35 }), 35));
}
