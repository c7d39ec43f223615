//! Unpaid orders that a rule has cancelled at their shop. The tests run one after another: a run is for all shops.

mod failures;
mod platforms;
mod races;
mod rules;
mod told;

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::{SignedDuration, Timestamp};
use ordersync::ledger::{ExportKey, Row, Status};
use ordersync::{aws, clock};
use serde_json::{Value, json};

use crate::support::eventually;
use crate::support::shop::{generic, order};
use crate::support::stack::Stack;

fn days_ago(days: i64) -> Timestamp {
    clock::now() - SignedDuration::from_hours(24 * days)
}

/// An order of a generic shop that was placed so long ago.
pub(crate) fn placed(id: &str, days: i64) -> Value {
    let mut order = order(id);
    order["placed_at"] = json!(days_ago(days).to_string());
    order
}

/// One run, and what it says it did.
pub(crate) async fn run(stack: &Stack) -> Value {
    invoke(stack, &json!({})).await
}

async fn invoke(stack: &Stack, event: &Value) -> Value {
    stack.invoke(&aws::variable("FN_CANCEL_STALE").expect("FN_CANCEL_STALE of stack.env"), event).await
}

/// An order that its shop sends and the pipeline exports.
async fn exported(stack: &Stack, shop: &str, order: &Value, pipeline: &str) {
    stack.accept(shop, &generic(order)).await;
    stack.export(shop, order["id"].as_str().unwrap(), pipeline, Status::Exported).await;
}

/// An order that its shop sends and no pipeline takes.
async fn noted(stack: &Stack, shop: &str, order: &Value) {
    stack.accept(shop, &generic(order)).await;
    stack.export(shop, order["id"].as_str().unwrap(), ExportKey::NO_PIPELINE, Status::Skipped).await;
}

async fn row(stack: &Stack, shop: &str, order_id: &str, pipeline: &str) -> Row {
    stack.row(shop, order_id, pipeline).await.expect("a row")
}

/// What is on record of the tries to cancel an order.
async fn outcome(stack: &Stack, shop: &str, order_id: &str, pipeline: &str) -> Option<String> {
    row(stack, shop, order_id, pipeline).await.cancellation?.outcome
}

/// Waits until a row is in the index of unpaid orders, or is not.
async fn unpaid(stack: &Stack, key: &ExportKey, is_unpaid: bool) -> Row {
    eventually(&format!("{} to be unpaid: {is_unpaid}", key.idempotency_key()), async || {
        stack.ledger.export(key).await.unwrap().filter(|row| row.is_unpaid == is_unpaid)
    })
    .await
}

/// Lets an order's wait be over, and gives it as many tries as it should have had.
async fn let_time_pass(key: &ExportKey, tries: Option<u32>) {
    let table = aws::variable("TABLE").expect("TABLE of stack.env");
    let client = aws::dynamodb_client(&aws::sdk_config().expect("the variables of stack.env"));
    let update = client.update_item().table_name(table);
    let update = update.key("pk", AttributeValue::S(format!("{}#{}", key.shop, key.order_id)));
    let update = update.key("sk", AttributeValue::S(key.pipeline.clone()));
    let update = update.expression_attribute_values(":past", AttributeValue::S("2026-01-01T00:00:00.000Z".into()));
    let update = update.condition_expression("attribute_exists(pk)");
    let update = match tries {
        None => update.update_expression("SET cancel_after = :past"),
        Some(tries) => update
            .update_expression("SET cancel_after = :past, cancel_tries = :tries")
            .expression_attribute_values(":tries", AttributeValue::N(tries.to_string())),
    };
    update.send().await.unwrap();
}

/// A count of a report.
pub(crate) fn count(report: &Value, kind: &str, name: &str) -> u64 {
    report[kind][name].as_u64().unwrap_or(0)
}
