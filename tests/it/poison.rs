//! Messages that are none of ours, and orders that cannot be read: neither harms what is beside them.

use aws_sdk_sqs::types::MessageAttributeValue;
use ordersync::ledger::Status;
use serde_json::json;

use crate::support::receiver::{Receiver, Reply};
use crate::support::shop::{generic, order};
use crate::support::stack::Stack;

#[tokio::test]
async fn poison_ends_in_the_dead_letter_queue_and_orders_beside_it_are_exported_once() {
    let stack = Stack::get();
    let receiver = Receiver::start(19412, |_, _| Reply::ok(""));
    let text = |value: &str| MessageAttributeValue::builder().data_type("String").string_value(value).build().unwrap();
    let send = async |body: &str, shop: Option<&str>| {
        let message = stack.sqs.send_message().queue_url(&stack.queue_url).message_body(body);
        let message = match shop {
            Some(shop) => message
                .message_attributes("shop", text(shop))
                .message_attributes("received_at", text("2026-03-01T00:00:00Z")),
            None => message,
        };
        message.send().await.unwrap();
    };
    send("poison-1: not ours, not JSON", None).await;
    send("poison-2: ours, not JSON", Some("it-poison")).await;
    send(r#"{"poison-3": "a shop that nobody configured"}"#, Some("it-nobody")).await;
    for number in 0..20 {
        stack.accept("it-poison", &generic(&order(&format!("poisoned-{number}")))).await;
    }
    for number in 0..20 {
        let row = stack.export("it-poison", &format!("poisoned-{number}"), "poison", Status::Exported).await;
        assert_eq!(row.attempts, 1);
    }
    assert_eq!(receiver.requests().len(), 20);
    stack.dead_letter("poison-1").await;
    stack.dead_letter("poison-2").await;
}

#[tokio::test]
async fn an_order_that_cannot_be_read_is_an_error_with_its_payload() {
    let stack = Stack::get();
    let mut bad = order("unreadable-1");
    bad["total"] = json!("a lot");
    let webhook = generic(&bad);
    stack.accept("it-poison", &webhook).await;
    let row = stack.export("it-poison", "unreadable-1", "poison", Status::Error).await;
    let error = row.last_error.unwrap();
    assert!(error.contains("total") && !error.contains("a lot"), "{error}");
    assert_eq!(stack.payloads.fetch(&row.payload.unwrap()).await.unwrap(), webhook.body);
}

#[tokio::test]
async fn a_readable_webhook_takes_over_from_one_that_was_not() {
    let stack = Stack::get();
    let mut bad = order("mended-1");
    bad["currency"] = json!(null);
    stack.accept("it-large", &generic(&bad)).await;
    stack.export("it-large", "mended-1", "large", Status::Error).await;
    stack.accept("it-large", &generic(&order("mended-1"))).await;
    let row = stack.export("it-large", "mended-1", "large", Status::Exported).await;
    assert_eq!((row.attempts, row.number.as_str(), row.last_error), (1, "N-mended-1", None));
}
