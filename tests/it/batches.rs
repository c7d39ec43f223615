//! Batches handed to the processor directly, as `aws lambda invoke` and `sam local invoke` do.

use std::time::Duration;

use ordersync::aws;
use ordersync::ledger::{Claim, ExportKey, Facts, FindBy, NextStep, Origin, Status, Told};
use ordersync::webhook::Event;
use serde_json::{Value, json};

use crate::support::receiver::{Receiver, Reply};
use crate::support::shop::order;
use crate::support::stack::Stack;

async fn process(stack: &Stack, event: &Value) -> Vec<String> {
    let name = aws::variable("FN_PROCESSOR").expect("FN_PROCESSOR of stack.env");
    let answer = stack.invoke(&name, event).await;
    let failures = answer["batchItemFailures"].as_array().unwrap_or_else(|| panic!("a batch answer: {answer}"));
    failures.iter().map(|failure| failure["itemIdentifier"].as_str().unwrap().to_owned()).collect()
}

fn record(id: &str, body: &str) -> Value {
    let text = |value: &str| json!({ "stringValue": value, "dataType": "String" });
    json!({
        "messageId": id, "receiptHandle": "none", "body": body, "eventSource": "aws:sqs",
        "attributes": { "ApproximateReceiveCount": "1" },
        "messageAttributes": { "shop": text("it-late"), "received_at": text("2026-03-01T00:00:00Z") }
    })
}

#[tokio::test]
async fn an_empty_batch_is_answered_too() {
    assert_eq!(process(&Stack::get(), &json!({ "Records": [] })).await, Vec::<String>::new());
}

#[tokio::test]
async fn the_sample_event_is_exported() {
    let stack = Stack::get();
    let event: Value = serde_json::from_str(include_str!("../../events/processor.json")).unwrap();
    process(&stack, &event).await;
    for record in event["Records"].as_array().unwrap() {
        let shop = record["messageAttributes"]["shop"]["stringValue"].as_str().unwrap();
        let order: Value = serde_json::from_str(record["body"].as_str().unwrap()).unwrap();
        let id = ["id", "entity_id"].iter().find_map(|name| order.get(name)).unwrap().to_string();
        stack.export(shop, &id, "json", Status::Exported).await;
    }
}

#[tokio::test]
async fn a_bad_record_fails_alone() {
    let stack = Stack::get();
    let mut event: Value = serde_json::from_str(include_str!("../../events/processor.json")).unwrap();
    event["Records"] = json!([
        record("no-json", "not JSON"),
        { "messageId": "no-attributes", "body": "{}", "attributes": {}, "messageAttributes": {} },
        { "messageId": "nothing-at-all" },
        record("no-order", "{\"id\": \"bad-record\"}"),
    ]);
    let mut failures = process(&stack, &event).await;
    failures.sort();
    assert_eq!(failures, ["no-attributes", "no-json", "nothing-at-all"]);
    let row = stack.row("it-late", "bad-record", "late").await.unwrap();
    assert_eq!((row.status, row.attempts), (Status::Error, 0), "recorded, and done with");
}

#[tokio::test]
async fn what_does_not_fit_into_the_time_is_handed_back() {
    let stack = Stack::get();
    let slow = Reply::After(Duration::from_millis(2500), Box::new(Reply::ok("")));
    let _receiver = Receiver::start(19422, move |_, _| slow.clone());
    let ids: Vec<String> = (0..30).map(|n| format!("late-{n}")).collect();
    let records: Vec<Value> = ids.iter().map(|id| record(id, &order(id).to_string())).collect();
    let handed_back = process(&stack, &json!({ "Records": records })).await;
    assert!((1..=20).contains(&handed_back.len()), "ten at a time, two and a half seconds each: {handed_back:?}");
    for id in &ids {
        let status = stack.row("it-late", id, "late").await.map(|row| row.status);
        let expected =
            if handed_back.contains(id) { [None, Some(Status::Pending)] } else { [Some(Status::Exported); 2] };
        assert!(expected.contains(&status), "{id} is {status:?}");
    }
}

#[tokio::test]
async fn an_export_whose_pipeline_is_gone_ends_in_error() {
    let stack = Stack::get();
    let _receiver = Receiver::start(19423, |_, _| Reply::ok(""));
    let key = ExportKey { shop: "it-orphan".into(), order_id: "orphan-1".into(), pipeline: "gone".into() };
    let facts = Facts {
        number: "N-orphan-1".into(),
        placed_at: None,
        order_state: None,
        payment_state: None,
        payment_method: None,
        is_unpaid: false,
        told: Told::by(&[Event::Placed], ordersync::clock::now()),
        customer: None,
        origin: Origin::default(),
        kept: None,
        find_by: FindBy::default(),
    };
    let now = ordersync::clock::now();
    let Claim::Granted(lease) = stack.ledger.claim(&key, &facts, "a", now, now).await.unwrap() else {
        panic!("granted")
    };
    stack.ledger.fail(&lease, "HTTP 503", None, NextStep::Retry { not_before: now }, None, now).await.unwrap();
    let mut record = record("orphan", &order("orphan-1").to_string());
    record["messageAttributes"]["shop"]["stringValue"] = json!("it-orphan");
    record["attributes"]["ApproximateReceiveCount"] = json!("2");
    assert_eq!(process(&stack, &json!({ "Records": [record] })).await, Vec::<String>::new());
    let row = stack.row("it-orphan", "orphan-1", "gone").await.unwrap();
    assert_eq!(row.status, Status::Error);
    assert!(row.last_error.unwrap().contains("no longer configured"));
    assert!(row.payload.is_some(), "the message was the last that had the order");
    stack.export("it-orphan", "orphan-1", "orphan", Status::Exported).await;
}
