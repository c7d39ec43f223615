//! Batches of messages as SQS hands them over, each with an order of its own.

use bytes::Bytes;
use md5::{Digest, Md5};
use serde_json::{Value, json};

use super::intake::SHOP;
use super::orders::{self, OrderError};
use super::{Size, Variant};

/// A batch, and which orders are in it.
#[derive(Debug, Clone)]
pub struct Batch {
    /// The event as JSON.
    pub event: Bytes,
    /// The orders' own numbers.
    pub numbers: Vec<String>,
}

/// The batch with the orders from a number on.
///
/// # Errors
/// The sample is not as expected.
pub fn batch(size: Size, variant: Variant, first: u64, orders: usize) -> Result<Batch, OrderError> {
    let (mut records, mut numbers) = (Vec::new(), Vec::new());
    for number in (first..).take(orders) {
        let body = orders::standard(size, number, variant == Variant::NumberIsId)?;
        let is_id = variant == Variant::NumberIsId;
        numbers.push(if is_id { format!("ord_01K1FICTIONAL{number:08}") } else { format!("2026-{number:08}") });
        records.push(record(number, &body));
    }
    Ok(Batch { event: Bytes::from(json!({ "Records": records }).to_string()), numbers })
}

fn record(number: u64, body: &str) -> Value {
    let headers = json!({
        "content-type": "application/json",
        "webhook-id": format!("msg_01K1FICTIONAL{number:08}"),
        "webhook-signature": "v1,RWIrwrtOOFEvmRyPxIX0tZyqBksRu/m+ckF6m4K4kUo=",
        "webhook-timestamp": "1785585600",
    });
    let attribute = |value: String| json!({ "stringValue": value, "stringListValues": [], "binaryListValues": [], "dataType": "String" });
    json!({
        "messageId": format!("059f36b4-87a3-44ab-83d2-{number:012x}"),
        "receiptHandle": format!("AQEBwJnKyrHigUMZj6rYigCgxlaS3SLy0a{number:012x}"),
        "md5OfBody": hex::encode(Md5::digest(body.as_bytes())),
        "body": body,
        "attributes": {
            "ApproximateReceiveCount": "1",
            "SentTimestamp": "1785585600000",
            "MessageGroupId": SHOP,
            "SenderId": "AROAEXAMPLE:ordersync-intake",
            "ApproximateFirstReceiveTimestamp": "1785585600012",
        },
        "messageAttributes": {
            "shop": attribute(SHOP.to_owned()),
            "delivery_id": attribute(format!("msg_01K1FICTIONAL{number:08}")),
            "received_at": attribute("2026-08-01T12:00:00Z".to_owned()),
            "headers": attribute(headers.to_string()),
        },
        "eventSource": "aws:sqs",
        "eventSourceARN": "arn:aws:sqs:us-east-1:123456789012:bench",
        "awsRegion": "us-east-1",
    })
}
