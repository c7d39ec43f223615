//! Rows as other functions would have left them, an hour or more ago, and runs of the function.

use std::collections::HashMap;
use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;
use ordersync::ledger::{
    Claim, Completion, ExportKey, Facts, Fault, FindBy, Keep, Kept, Lease, NextStep, Origin, Row, Status, Told,
};
use ordersync::queue::Fields;
use ordersync::webhook::Event;
use ordersync::{aws, clock};
use serde_json::{Value, json};

use crate::support::eventually;
use crate::support::receiver::{Receiver, Reply};
use crate::support::shop::order;
use crate::support::stack::Stack;

/// The shop and the pipeline of rows that are exported by HTTP.
pub(crate) const SHOP: &str = "it-reset";
pub(crate) const PIPELINE: &str = "reset";

/// The back office of [`PIPELINE`], which takes everything.
pub(crate) fn back_office() -> Receiver {
    Receiver::start(19500, |_, _| Reply::ok(""))
}

pub(crate) fn key(order_id: &str) -> ExportKey {
    ExportKey::new(SHOP, order_id, PIPELINE)
}

/// A time this many minutes ago.
pub(crate) fn ago(minutes: u64) -> Timestamp {
    clock::now() - Duration::from_secs(minutes * 60)
}

/// What a webhook of that time said.
pub(crate) async fn facts(stack: &Stack, key: &ExportKey, at: Timestamp) -> Facts {
    let body = order(&key.order_id).to_string();
    let received = [("shop", key.shop.clone()), ("received_at", at.to_string())];
    let envelope: Fields = received.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    let payload = stack.payloads.keep(&key.shop, &key.order_id, body.as_bytes()).await.unwrap();
    Facts {
        number: format!("N-{}", key.order_id),
        placed_at: None,
        order_state: None,
        payment_state: None,
        payment_method: None,
        is_unpaid: false,
        told: Told::by(&[Event::Placed], at),
        customer: None,
        origin: Origin::of(&envelope),
        kept: Some(Kept { payload, envelope }),
        find_by: FindBy::default(),
    }
}

/// The export in the hands of an attempt that began at a time, after others that failed.
pub(crate) async fn begun(stack: &Stack, key: &ExportKey, attempts: u32, at: Timestamp) -> Lease {
    let facts = facts(stack, key, at).await;
    for attempt in 1.. {
        let owner = format!("owner-{attempt}");
        let until = at + Duration::from_secs(10);
        let Claim::Granted(lease) = stack.ledger.claim(key, &facts, &owner, at, until).await.unwrap() else {
            panic!("the claim is refused");
        };
        if attempt == attempts {
            // Its message is gone, which happens at its last delivery only.
            stack.ledger.keep(key, facts.kept.as_ref().unwrap()).await.unwrap();
            return lease;
        }
        let next = NextStep::Retry { not_before: at };
        stack.ledger.fail(&lease, "HTTP 503", None, next, None, at).await.unwrap();
    }
    unreachable!("there is a last attempt")
}

/// An export in error since a time.
pub(crate) async fn failed(stack: &Stack, order_id: &str, fault: Fault, attempts: u32, at: Timestamp) -> ExportKey {
    let key = key(order_id);
    fail(stack, &key, fault, attempts, at).await;
    key
}

pub(crate) async fn fail(stack: &Stack, key: &ExportKey, fault: Fault, attempts: u32, at: Timestamp) {
    let lease = begun(stack, key, attempts, at).await;
    stack.ledger.fail(&lease, "HTTP 503", None, NextStep::GiveUp(fault), None, at).await.unwrap();
}

/// An export that was made at a time, to be acknowledged by another.
pub(crate) async fn exported(stack: &Stack, key: &ExportKey, at: Timestamp, acknowledge_by: Option<Timestamp>) {
    let lease = begun(stack, key, 1, at).await;
    let completion = Completion { destination: "s3://bucket/key".into(), external_id: None, acknowledge_by };
    stack.ledger.complete(&lease, &completion, Keep::AsItIs, at).await.unwrap();
}

/// Runs the function.
pub(crate) async fn run(stack: &Stack, input: &Value) -> Value {
    let report = stack.invoke(&aws::variable("FN_RESET_ERRORS").unwrap(), input).await;
    assert_eq!((&report["failed"], &report["left"]), (&json!(0), &json!(0)), "{report}");
    report
}

/// Runs one task of it.
pub(crate) async fn run_only(stack: &Stack, task: &str) -> Value {
    run(stack, &json!({ "only": [task] })).await
}

/// A count of a report, such as `/changed/reset`.
pub(crate) fn count(report: &Value, pointer: &str) -> u64 {
    report.pointer(pointer).map_or(0, |count| count.as_u64().unwrap())
}

/// The row of an export as it is now.
pub(crate) async fn now(stack: &Stack, key: &ExportKey) -> Row {
    stack.ledger.export(key).await.unwrap().unwrap()
}

/// The export as soon as it is exported.
pub(crate) async fn arrived(stack: &Stack, key: &ExportKey) -> Row {
    stack.export(&key.shop, &key.order_id, &key.pipeline, Status::Exported).await
}

/// A client that writes what no function writes.
pub(crate) fn table() -> (aws_sdk_dynamodb::Client, String) {
    (aws::dynamodb_client(&aws::sdk_config().unwrap()), aws::variable("TABLE").unwrap())
}

/// The table's key of an export.
pub(crate) fn primary(key: &ExportKey) -> HashMap<String, AttributeValue> {
    let text = |value: String| AttributeValue::S(value);
    HashMap::from([
        ("pk".to_owned(), text(format!("{}#{}", key.shop, key.order_id))),
        ("sk".to_owned(), text(key.pipeline.clone())),
    ])
}

/// Changes one attribute of a row by hand.
pub(crate) async fn set(key: &ExportKey, name: &str, value: AttributeValue) {
    let (client, table) = table();
    let update =
        client.update_item().table_name(table).set_key(Some(primary(key))).update_expression("SET #name = :value");
    let update = update.expression_attribute_names("#name", name).expression_attribute_values(":value", value);
    update.send().await.unwrap();
}

/// A time as the table keeps it.
pub(crate) fn time(at: Timestamp) -> AttributeValue {
    AttributeValue::S(at.strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string())
}

/// Returns when the queue has nothing to deliver: what was sent twice has come twice. What other tests have in it for a
/// later time is not waited for.
pub(crate) async fn drained(stack: &Stack) {
    use aws_sdk_sqs::types::QueueAttributeName::{ApproximateNumberOfMessages, ApproximateNumberOfMessagesDelayed};
    eventually("the queue to be empty", async || {
        let get = stack.sqs.get_queue_attributes().queue_url(&stack.queue_url);
        let names = [ApproximateNumberOfMessages, ApproximateNumberOfMessagesDelayed];
        let attributes = get.set_attribute_names(Some(names.to_vec())).send().await.unwrap().attributes.unwrap();
        attributes.values().all(|count| count == "0").then_some(())
    })
    .await;
}
