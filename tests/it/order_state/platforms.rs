//! Every platform's own topics and times.

use super::*;
use crate::support::shop::{Signed, example, sign};

/// A platform's webhook of an order, in which some values differ.
fn webhook(platform: &str, id: &str, changes: &[(&str, Value)]) -> Signed {
    let mut body: Value = serde_json::from_slice(&example(platform, id).body).unwrap();
    for (pointer, value) in changes {
        *body.pointer_mut(pointer).unwrap_or_else(|| panic!("{platform} {pointer}")) = value.clone();
    }
    sign(platform, body.to_string().into_bytes())
}

/// A platform's webhooks of one order, first to last as they arrive: path behind the shop, topic's header, changes.
type Told<'a> = [(&'a str, Option<(&'a str, &'a str)>, Vec<(&'a str, Value)>)];

async fn tell_all(stack: &Stack, platform: &str, id: &str, told: &Told<'_>) {
    for (query, header, changes) in told {
        let webhook = webhook(platform, id, changes);
        let webhook = match header {
            Some((name, value)) => webhook.with(name, value),
            None => webhook,
        };
        stack.accept(&format!("it-state-{platform}{query}"), &webhook).await;
        // One after the other: what counts is when the shop said it, and here that is another order.
        settled().await;
    }
}

/// What has become of the order: the row of the order as it was placed, and which pipelines have exported something.
async fn outcome(stack: &Stack, platform: &str, id: &str, pipelines: &[&str]) -> Row {
    let shop = format!("it-state-{platform}");
    for pipeline in pipelines {
        let row = stack.export(&shop, id, pipeline, Status::Exported).await;
        assert_eq!(row.attempts, 1, "{platform} {pipeline}");
    }
    let rows = stack.ledger.order(&shop, id).await.unwrap();
    let exported: Vec<&str> =
        rows.iter().filter(|row| row.status == Status::Exported).map(|row| row.key.pipeline.as_str()).collect();
    assert_eq!(exported, pipelines, "{platform}");
    rows.into_iter().find(|row| row.key.pipeline == "state-placed").expect("the order as it was placed")
}

#[tokio::test]
async fn every_platforms_words_count_by_the_platforms_own_time() {
    let stack = Stack::get();
    tokio::join!(shopify(&stack), woocommerce(&stack), magento(&stack), shopware(&stack));
}

async fn shopify(stack: &Stack) {
    let (id, topic) = ("9007199254742001", |topic| Some(("x-shopify-topic", topic)));
    let time = |hour| ("/updated_at", json!(format!("2026-08-01T{hour}:00:00+02:00")));
    let payment = |state: &str| ("/financial_status", json!(state));
    tell_all(
        stack,
        "shopify",
        id,
        &[
            ("", topic("orders/paid"), vec![payment("paid"), time(16)]),
            ("", topic("orders/create"), vec![payment("pending"), time(14)]),
            ("", topic("orders/updated"), vec![payment("pending"), time(15)]),
            (
                "",
                topic("orders/cancelled"),
                vec![payment("paid"), ("/cancelled_at", json!("2026-08-01T18:00:00+02:00")), time(18)],
            ),
            ("", topic("orders/updated"), vec![payment("paid"), time(17)]),
        ],
    )
    .await;
    let row = outcome(stack, "shopify", id, &["state-canceled", "state-paid", "state-placed", "state-updated"]).await;
    assert_eq!(state(&row), (Status::Exported, Some("cancelled"), Some("paid"), false, true));
    assert_eq!(row.canceled_at.map(|at| at.to_string()).as_deref(), Some("2026-08-01T16:00:00Z"));
}

async fn woocommerce(stack: &Stack) {
    let (id, topic) = ("52170001", |topic| Some(("x-wc-webhook-topic", topic)));
    let said = |hour: u32, status: &str| {
        vec![("/date_modified_gmt", json!(format!("2026-08-01T{hour}:00:00"))), ("/status", json!(status))]
    };
    let paid = |hour, status| [said(hour, status), vec![("/date_paid_gmt", json!("2026-08-01T13:00:00"))]].concat();
    tell_all(
        stack,
        "woocommerce",
        id,
        &[
            ("", topic("order.created"), said(12, "pending")),
            // Unpaid for an hour, then paid after all: the shop opens it again.
            ("", topic("order.updated"), said(13, "cancelled")),
            ("", topic("order.updated"), paid(14, "processing")),
            ("", topic("order.updated"), said(13, "cancelled")),
            ("", topic("order.updated"), paid(15, "refunded")),
        ],
    )
    .await;
    let pipelines = ["state-canceled", "state-paid", "state-placed", "state-refunded", "state-updated"];
    let row = outcome(stack, "woocommerce", id, &pipelines).await;
    assert_eq!(state(&row), (Status::Exported, Some("refunded"), Some("paid"), false, false));
}

async fn magento(stack: &Stack) {
    let id = "990001";
    let time = |hour: u32| ("/updated_at", json!(format!("2026-08-01 {hour}:00:00")));
    let state_is = |state: &str, status: &str| vec![("/state", json!(state)), ("/status", json!(status))];
    tell_all(
        stack,
        "magento",
        id,
        &[
            ("?topic=sales.order.cancelled", None, [state_is("canceled", "canceled"), vec![time(14)]].concat()),
            ("?topic=sales.order.created", None, [state_is("new", "pending"), vec![time(12)]].concat()),
            ("?topic=sales.order.updated", None, [state_is("processing", "processing"), vec![time(13)]].concat()),
            ("?topic=sales.order.cancelled", None, [state_is("canceled", "canceled"), vec![time(14)]].concat()),
        ],
    )
    .await;
    let row = outcome(stack, "magento", id, &["state-canceled"]).await;
    assert_eq!((row.status, row.order_state.as_deref(), row.is_unpaid), (Status::Canceled, Some("canceled"), false));
    assert!(row.canceled_at.is_some() && row.attempts == 0);
}

async fn shopware(stack: &Stack) {
    const ORDER: &str = "/data/payload/order/stateMachineState/technicalName";
    const PAYMENT: &str = "/data/payload/order/transactions/1/stateMachineState/technicalName";
    const PAID_AT: &str = "/data/payload/order/transactions/1/updatedAt";
    let id = "9007199254742004";
    let event = |name: &str| ("/data/event", json!(name));
    let time = |hour: u32| json!(format!("2026-08-01T{hour}:00:00.000+00:00"));
    tell_all(
        stack,
        "shopware",
        id,
        &[
            (
                "",
                None,
                vec![event("state_enter.order_transaction.state.paid"), (PAYMENT, json!("paid")), (PAID_AT, time(13))],
            ),
            ("", None, vec![event("checkout.order.placed"), (PAYMENT, json!("open"))]),
            (
                "",
                None,
                vec![
                    event("state_enter.order_transaction.state.refunded"),
                    (PAYMENT, json!("refunded")),
                    (PAID_AT, time(14)),
                ],
            ),
            (
                "",
                None,
                vec![event("state_enter.order_transaction.state.paid"), (PAYMENT, json!("paid")), (PAID_AT, time(13))],
            ),
            (
                "",
                None,
                vec![
                    event("state_enter.order.state.in_progress"),
                    (ORDER, json!("in_progress")),
                    (PAYMENT, json!("refunded")),
                    (PAID_AT, time(15)),
                ],
            ),
        ],
    )
    .await;
    let row = outcome(stack, "shopware", id, &["state-paid", "state-placed", "state-refunded", "state-updated"]).await;
    assert_eq!(state(&row), (Status::Exported, Some("in_progress"), Some("refunded"), false, false));
}
