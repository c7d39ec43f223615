//! Webhooks that no message can carry.

use ordersync::ledger::{Payload, Status};
use serde_json::json;

use crate::support::noise;
use crate::support::shop::{example, generic, order};
use crate::support::stack::{Stack, json as body};

#[tokio::test]
async fn a_webhook_over_the_queues_limit_goes_through_the_bucket() {
    let stack = Stack::get();
    let mut large = order("7101");
    // Does not compress, so that the payload is too large for a row as well.
    large["attachment"] = json!(noise(1_500_000, 0));
    let webhook = generic(&large);
    stack.accept("it-large", &webhook).await;
    let row = stack.export("it-large", "7101", "large", Status::Exported).await;
    assert_eq!(row.attempts, 1);
    let payload = row.payload.unwrap();
    assert!(matches!(&payload, Payload::Stored(key) if key.starts_with("payloads/orders/it-large/7101/")));
    assert_eq!(stack.payloads.fetch(&payload).await.unwrap(), webhook.body);
}

#[tokio::test]
async fn characters_that_a_message_cannot_hold_go_through_the_bucket() {
    let stack = Stack::get();
    let mut odd = order("7102");
    odd["note"] = json!("a noncharacter: \u{FFFF}");
    stack.accept("it-large", &generic(&odd)).await;
    stack.export("it-large", "7102", "large", Status::Exported).await;
}

#[tokio::test]
async fn what_is_larger_than_a_function_takes_is_refused() {
    let stack = Stack::get();
    let mut huge = order("7103");
    huge["attachment"] = json!("x".repeat(6_000_000));
    let answer = stack.post("it-skip", &generic(&huge)).await;
    assert_eq!(answer.status(), 413);
    assert_eq!(body(answer).await["error"], "body_too_large");
    stack.accept("demo-generic", &example("generic", "7104")).await;
}
