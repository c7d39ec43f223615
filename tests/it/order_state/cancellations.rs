//! An order that is cancelled before it comes, while it waits, while it is tried, and after it was exported; and what is
//! late or repeated. In the shape of a generic shop.

use super::*;
use crate::support::receiver::{Receiver, Reply, Request};

/// All of these share a destination; an order's identifier says how it answers.
fn destination() -> Receiver {
    Receiver::start(19576, |_, request: &Request| match request.key().split(':').nth(1).unwrap_or_default() {
        "state-slow" => Reply::After(Duration::from_millis(2500), Box::new(Reply::ok(""))),
        "state-failing" => Reply::After(Duration::from_millis(2500), Box::new(Reply::status("503 Busy"))),
        "state-broken" => Reply::status("503 Busy"),
        _ => Reply::ok(""),
    })
}

#[tokio::test]
async fn an_order_may_be_cancelled_at_any_time() {
    let (stack, erp) = (Stack::get(), destination());
    let canceled = |id| at(id, "12:00:00", &[("state", json!("canceled"))]);

    // Before its own webhook comes.
    tell(&stack, "canceled", &canceled("state-early")).await;
    stack.export(SHOP, "state-early", "state-erp", Status::Canceled).await;
    tell(&stack, "placed", &at("state-early", "09:00:00", &[])).await;

    // While it waits: for a retry, and for its time.
    tell(&stack, "placed", &at("state-broken", "09:00:00", &[])).await;
    row_that(&stack, SHOP, "state-broken", "state-erp", |row| !row.history.is_empty()).await;
    row_that(&stack, SHOP, "state-broken", "state-slow", |row| row.waits_for.is_some()).await;
    tell(&stack, "canceled", &canceled("state-broken")).await;
    let row_of_erp = row_that(&stack, SHOP, "state-broken", "state-erp", |row| row.canceled_at.is_some()).await;
    assert!(
        matches!(row_of_erp.status, Status::Canceled | Status::Error | Status::Processing),
        "{}",
        row_of_erp.status
    );
    let waiting = stack.export(SHOP, "state-broken", "state-slow", Status::Canceled).await;
    assert_eq!((waiting.due, waiting.attempts), (None, 0));

    // While it is tried: one attempt succeeds, the other one fails.
    for id in ["state-slow", "state-failing"] {
        tell(&stack, "placed", &at(id, "09:00:00", &[])).await;
        eventually("the attempt", async || (!erp.about(id).is_empty()).then_some(())).await;
        tell(&stack, "canceled", &canceled(id)).await;
    }
    let row = stack.export(SHOP, "state-slow", "state-erp", Status::Exported).await;
    assert_eq!(state(&row), (Status::Exported, Some("canceled"), Some("open"), false, true));
    let row = stack.export(SHOP, "state-failing", "state-erp", Status::Canceled).await;
    assert_eq!((row.attempts, row.history.len(), row.fault), (1, 1, None));
    assert!(row.last_error.as_deref().unwrap_or_default().contains("503"), "{:?}", row.last_error);

    // After it was exported.
    tell(&stack, "placed", &at("state-done", "09:00:00", &[])).await;
    stack.export(SHOP, "state-done", "state-erp", Status::Exported).await;
    tell(&stack, "canceled", &canceled("state-done")).await;
    let row = row_that(&stack, SHOP, "state-done", "state-erp", |row| row.canceled_at.is_some()).await;
    assert_eq!(row.status, Status::Exported);

    // Each is told to the pipeline that asks for it, once.
    for id in ["state-early", "state-broken", "state-slow", "state-failing", "state-done"] {
        let row = stack.export(SHOP, id, "state-canceled", Status::Exported).await;
        assert_eq!((document(&stack, &row).await["state"].as_str(), row.canceled_at), (Some("canceled"), None), "{id}");
    }
    settled().await;
    for (id, deliveries) in [("state-early", 0), ("state-slow", 1), ("state-failing", 1), ("state-done", 1)] {
        assert_eq!(erp.about(id).len(), deliveries, "{id}");
    }
    what_is_late_or_repeated_changes_nothing(&stack, &erp).await;
}

async fn what_is_late_or_repeated_changes_nothing(stack: &Stack, erp: &Receiver) {
    let id = "state-late";
    let paid = at(id, "11:00:00", &[("payment/state", json!("paid")), ("state", json!("processing"))]);
    // The payment comes first; then the order, as it was before; then older and equal words.
    tell(stack, "paid", &paid).await;
    let row_of_payment = stack.export(SHOP, id, "state-paid", Status::Exported).await;
    assert_eq!(document(stack, &row_of_payment).await["payment"]["state"], "paid");
    let foreseen = row(stack, id, "state-erp").await;
    assert_eq!(state(&foreseen), (Status::Skipped, Some("processing"), Some("paid"), false, false));
    tell(stack, "placed", &at(id, "09:00:00", &[])).await;
    stack.export(SHOP, id, "state-erp", Status::Exported).await;
    for (topic, order) in [
        ("updated", at(id, "10:00:00", &[("state", json!("open"))])),
        ("updated", at(id, "11:00:00", &[("state", json!("open"))])),
        ("placed", at(id, "09:00:00", &[])),
        ("paid", paid),
    ] {
        tell(stack, topic, &order).await;
    }
    settled().await;
    for pipeline in ["state-erp", "state-paid"] {
        let row = row(stack, id, pipeline).await;
        assert_eq!(state(&row), (Status::Exported, Some("processing"), Some("paid"), false, false), "{pipeline}");
        assert_eq!(row.attempts, 1, "{pipeline}");
    }
    assert_eq!(erp.about(id).len(), 1);
    an_order_that_is_opened_again_is_exported(stack, erp).await;
}

async fn an_order_that_is_opened_again_is_exported(stack: &Stack, erp: &Receiver) {
    let id = "state-reopened";
    tell(stack, "canceled", &at(id, "10:00:00", &[("state", json!("cancelled"))])).await;
    stack.export(SHOP, id, "state-erp", Status::Canceled).await;
    tell(stack, "placed", &at(id, "09:00:00", &[])).await;
    let reopened = at(id, "11:00:00", &[("state", json!("processing")), ("payment/state", json!("paid"))]);
    tell(stack, "updated", &reopened).await;
    let row = stack.export(SHOP, id, "state-erp", Status::Exported).await;
    assert_eq!(state(&row), (Status::Exported, Some("processing"), Some("paid"), false, false));
    let deliveries = erp.about(id);
    let document: Value = serde_json::from_slice(&deliveries[0].body).unwrap();
    assert_eq!((deliveries.len(), document["state"].as_str()), (1, Some("processing")), "as it is now");
}
