//! BigCommerce: the webhook names an order, which is fetched from the shop's API.

use ordersync::ledger::Status;
use serde_json::{Value, json};

use crate::support::receiver::{Receiver, Reply, Request};
use crate::support::shop::example;
use crate::support::stack::Stack;

const SHOP: &str = "demo-bigcommerce";
const ORDER: &str = include_str!("../../events/webhooks/bigcommerce-order.json");
/// An order that can be had only when it is asked for again, and one that there is not.
const BUSY: &str = "7571";
const UNKNOWN: &str = "7572";

/// What the API answers: each order in its parts.
pub(crate) fn answer(request: &Request, asked_before: bool) -> Reply {
    let sample: Value = serde_json::from_str(ORDER).unwrap();
    let path = request.path.strip_prefix("/stores/f1c710na1/v2/orders/").unwrap();
    let (id, part) = path.split_once('/').unwrap_or((path, ""));
    let part = part.split('?').next().unwrap();
    let not_found = r#"[{"status": 404, "message": "The requested resource was not found."}]"#;
    match (id, part) {
        (UNKNOWN, _) => Reply::Whole("404 Not Found", Vec::new(), not_found.into()),
        (BUSY, "") if !asked_before => {
            Reply::Whole("429 Too Many Requests", vec!["x-rate-limit-time-reset-ms: 100"], String::new())
        }
        (_, "") => {
            let mut order = sample["order"].clone();
            order["id"] = serde_json::from_str(id).unwrap();
            Reply::ok(order.to_string())
        }
        (_, part) => Reply::ok(sample[part].to_string()),
    }
}

#[tokio::test]
async fn an_order_that_is_only_named_is_fetched_and_exported() {
    let stack = Stack::get();
    let api = Receiver::start(19561, |number, request| answer(request, number > 1));
    // The first request of all is answered with 429.
    stack.accept(SHOP, &example("bigcommerce", BUSY)).await;
    let row = stack.export(SHOP, BUSY, "bigcommerce", Status::Exported).await;
    assert_eq!(row.attempts, 1, "an order that could not be fetched is no attempt to export it");

    let id = "9007199254741571";
    stack.accept(SHOP, &example("bigcommerce", id)).await;
    let row = stack.export(SHOP, id, "bigcommerce", Status::Exported).await;
    let (document, _, _) = stack.object(&format!("bigcommerce/{id}.json")).await;
    let order: Value = serde_json::from_slice(&document).unwrap();
    assert_eq!(
        (&order["id"], &order["total"], &order["items"][0]["sku"]),
        (&json!(id), &json!("87.95"), &json!("WAX-COLD"))
    );
    let kept: Value = serde_json::from_slice(&stack.payloads.fetch(&row.payload.unwrap()).await.unwrap()).unwrap();
    assert_eq!(kept["order"]["id"].to_string(), id, "the order is kept, not its name");
    assert!(api.requests().iter().all(|request| request.headers["x-auth-token"] == "a-token-of-the-shop"));

    stack.accept(SHOP, &example("bigcommerce", UNKNOWN)).await;
    let row = stack.export(SHOP, UNKNOWN, "bigcommerce", Status::Error).await;
    assert!(row.last_error.as_deref().unwrap().contains("the shop knows no such order"), "{:?}", row.last_error);
}
