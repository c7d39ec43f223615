//! What shops say of an order after it was placed, in whatever order it arrives.

mod cancellations;
mod platforms;

use std::time::Duration;

use ordersync::ledger::{ExportKey, Row, Status};
use serde_json::{Value, json};

use crate::support::eventually;
use crate::support::shop::{generic, order};
use crate::support::stack::Stack;

const SHOP: &str = "it-state";

/// An order of the generic shop as it was at a time of that day.
fn at(id: &str, time: &str, changes: &[(&str, Value)]) -> Value {
    let mut order = order(id);
    order["updated_at"] = json!(format!("2026-03-01T{time}Z"));
    for (place, value) in changes {
        match place.split_once('/') {
            Some((outer, inner)) => order[outer][inner] = value.clone(),
            None => order[*place] = value.clone(),
        }
    }
    order
}

/// Sends what happened to an order.
async fn tell(stack: &Stack, topic: &str, order: &Value) {
    let answer = stack.post(&format!("{SHOP}?topic={topic}"), &generic(order)).await;
    assert_eq!(answer.status(), 202);
}

async fn row(stack: &Stack, id: &str, pipeline: &str) -> Row {
    stack.row(SHOP, id, pipeline).await.unwrap_or_else(|| panic!("a row of {id} for {pipeline}"))
}

/// The export as soon as the row fits.
async fn row_that(stack: &Stack, shop: &str, id: &str, pipeline: &str, fits: impl Fn(&Row) -> bool) -> Row {
    let key = ExportKey::new(shop, id, pipeline);
    eventually(&format!("{} to fit", key.idempotency_key()), async || {
        stack.ledger.export(&key).await.unwrap().filter(&fits)
    })
    .await
}

/// Until every webhook sent before has been seen to: the queue is not in order, so one more is no proof.
async fn settled() {
    tokio::time::sleep(Duration::from_secs(3)).await;
}

/// The document that a pipeline wrote to the bucket.
async fn document(stack: &Stack, row: &Row) -> Value {
    let prefix = format!("s3://{}/", stack.bucket);
    let key = row.destination.as_deref().and_then(|destination| destination.strip_prefix(&prefix)).unwrap();
    serde_json::from_slice(&stack.object(key).await.0).unwrap()
}

/// What a row says of the order.
fn state(row: &Row) -> (Status, Option<&str>, Option<&str>, bool, bool) {
    let (order, payment) = (row.order_state.as_deref(), row.payment_state.as_deref());
    (row.status, order, payment, row.is_unpaid, row.canceled_at.is_some())
}
