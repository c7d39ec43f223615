//! Delays, and a time before which nothing is exported.

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::SignedDuration;
use ordersync::aws;
use ordersync::ledger::Why;

use super::*;
use crate::support::receiver::Reply;

const HOUR: SignedDuration = SignedDuration::from_hours(1);

#[tokio::test]
async fn a_delay_of_seconds_is_kept_by_the_queue() {
    let stack = Stack::get();
    let receiver = Receiver::start(19573, |n, _| if n == 1 { Reply::status("503 Busy") } else { Reply::ok("") });
    let began = tokio::time::Instant::now();
    for _ in 0..3 {
        stack.accept("it-soon", &generic(&order("soon-1"))).await;
    }
    let row = stack.export("it-soon", "soon-1", "soon", Status::Exported).await;
    let requests = receiver.requests();
    assert!(requests[0].at.duration_since(began.into()) >= Duration::from_secs(4), "not before its time");
    assert_eq!((row.attempts, requests.len(), row.due), (2, 2, None), "the one that failed, and one more");
}

#[tokio::test]
async fn a_delay_beyond_the_queues_reach_is_kept_by_the_ledger() {
    let stack = Stack::get();
    let receiver = Receiver::start(19574, |_, _| Reply::ok(""));
    stack.accept("it-far", &generic(&order("far-1"))).await;
    let ids = ["far-1".to_owned()];
    let row = rows(&stack, "it-far", &ids, "far", |row| row.waits_for == Some(Why::Delay)).await.remove(0);
    let received_at: Timestamp = row.envelope["received_at"].parse().unwrap();
    let (not_before, due_at) = (row.not_before.unwrap(), row.due.as_ref().unwrap().at);
    let cut_off = (received_at + HOUR).duration_since(not_before);
    assert!(cut_off.as_millis() == 0 && !cut_off.is_negative(), "an hour after the webhook, to the millisecond");
    assert_eq!(due_at, not_before);
    assert_eq!((row.attempts, row.last_error.as_deref(), receiver.requests().len()), (0, None, 0));
    assert_eq!(release_due(&stack, clock::now()).await, 0, "its time has not come");

    set_back(&row, HOUR).await;
    release_due(&stack, clock::now()).await;
    let row = stack.export("it-far", "far-1", "far", Status::Exported).await;
    assert_eq!((row.attempts, row.last_error), (1, None));
    release_due(&stack, clock::now()).await;
    stack.accept("it-far", &generic(&order("far-1"))).await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    delivered_once(&receiver, &ids);
}

#[tokio::test]
async fn nothing_is_exported_before_the_time_of_its_pipeline_and_a_cancellation_ends_the_wait() {
    let stack = Stack::get();
    stack.accept("it-never-yet", &generic(&order("never-yet-1"))).await;
    let ids = ["never-yet-1".to_owned()];
    let row = rows(&stack, "it-never-yet", &ids, "never-yet", |row| row.due.is_some()).await.remove(0);
    let time: Timestamp = "2999-01-01T00:00:00Z".parse().unwrap();
    assert_eq!((row.status, row.not_before, row.due.unwrap().at), (Status::Pending, Some(time), time));
    assert_eq!(stack.post("it-never-yet?topic=canceled", &generic(&order("never-yet-1"))).await.status(), 202);
    let row = stack.export("it-never-yet", "never-yet-1", "never-yet", Status::Canceled).await;
    assert_eq!((row.attempts, row.due, row.waits_for), (0, None, None));
}

/// Sets all times that an export waits by back, as if its webhook had come earlier.
async fn set_back(row: &Row, by: SignedDuration) {
    let client = aws::dynamodb_client(&aws::sdk_config().unwrap());
    let text = |time: Timestamp| AttributeValue::S(time.strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string());
    let received_at: Timestamp = row.envelope["received_at"].parse().unwrap();
    let update = client.update_item().table_name(aws::variable("TABLE").unwrap());
    let update = update.key("pk", AttributeValue::S(format!("{}#{}", row.key.shop, row.key.order_id)));
    let update = update.key("sk", AttributeValue::S(row.key.pipeline.clone()));
    let update = update.update_expression("SET due_at = :due, not_before = :time, envelope.received_at = :received");
    let update = update.expression_attribute_values(":due", text(row.due.as_ref().unwrap().at - by));
    let update = update.expression_attribute_values(":time", text(row.not_before.unwrap() - by));
    let update = update.expression_attribute_values(":received", text(received_at - by));
    update.send().await.unwrap();
}
