//! What becomes of an order besides being exported: skipped, partly exported, triggered by a payment.

use ordersync::ledger::{ExportKey, Status};
use serde_json::json;

use crate::support::eventually;
use crate::support::receiver::{Receiver, Reply};
use crate::support::shop::{generic, order};
use crate::support::stack::Stack;

#[tokio::test]
async fn an_order_that_the_filter_declines_is_skipped_with_the_reason() {
    let stack = Stack::get();
    let receiver = Receiver::start(19417, |_, _| Reply::ok(""));
    let mut cheap = order("skip-1");
    cheap["total"] = json!("99.99");
    stack.accept("it-skip", &generic(&cheap)).await;
    let row = stack.export("it-skip", "skip-1", "skip", Status::Skipped).await;
    assert!(row.last_error.as_deref().unwrap().contains("when"), "{:?}", row.last_error);
    let mut prepaid = order("skip-2");
    prepaid["payment"]["method"] = json!("card");
    stack.accept("it-skip", &generic(&prepaid)).await;
    let row = stack.export("it-skip", "skip-2", "skip", Status::Skipped).await;
    assert!(row.last_error.as_deref().unwrap().contains("card"), "{:?}", row.last_error);
    stack.accept("it-skip", &generic(&order("skip-3"))).await;
    stack.export("it-skip", "skip-3", "skip", Status::Exported).await;
    assert_eq!(receiver.requests().len(), 1);
}

#[tokio::test]
async fn a_pipeline_that_succeeded_is_not_repeated_for_one_that_fails() {
    let stack = Stack::get();
    let good = Receiver::start(19415, |_, _| Reply::ok(""));
    let bad = Receiver::start(19416, |n, _| if n == 1 { Reply::status("502 Bad Gateway") } else { Reply::ok("") });
    stack.accept("it-two", &generic(&order("two-1"))).await;
    stack.export("it-two", "two-1", "two-bad", Status::Exported).await;
    let row = stack.export("it-two", "two-1", "two-good", Status::Exported).await;
    assert_eq!((row.attempts, good.requests().len(), bad.requests().len()), (1, 1, 2));
}

#[tokio::test]
async fn a_pipeline_for_payments_waits_for_the_payment() {
    let stack = Stack::get();
    let receiver = Receiver::start(19418, |_, _| Reply::ok(""));
    stack.accept("it-paid", &generic(&order("paid-1"))).await;
    let row = stack.export("it-paid", "paid-1", ExportKey::NO_PIPELINE, Status::Skipped).await;
    assert!(row.is_unpaid);
    let mut paid = order("paid-1");
    paid["payment"]["state"] = json!("paid");
    let answer = stack.post("it-paid?topic=paid", &generic(&paid)).await;
    assert_eq!(answer.status(), 202);
    stack.export("it-paid", "paid-1", "paid", Status::Exported).await;
    eventually("the payment to be noted", async || {
        let row = stack.row("it-paid", "paid-1", ExportKey::NO_PIPELINE).await?;
        (!row.is_unpaid && row.payment_state.as_deref() == Some("paid")).then_some(())
    })
    .await;
    assert_eq!(receiver.requests().len(), 1);
}

#[tokio::test]
async fn every_export_of_an_order_is_found_by_its_number() {
    let stack = Stack::get();
    let _receiver = Receiver::start(19420, |_, _| Reply::ok(""));
    stack.accept("it-pair", &generic(&order("pair-1"))).await;
    stack.export("it-pair", "pair-1", "pair", Status::Exported).await;
    let found = stack.ledger.by_number("N-pair-1").await.unwrap();
    let expected = ExportKey { shop: "it-pair".into(), order_id: "pair-1".into(), pipeline: "pair".into() };
    assert_eq!(found, [expected]);
    assert_eq!(stack.ledger.order("it-pair", "pair-1").await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_cancellation_is_exported_even_if_it_fails_first() {
    let stack = Stack::get();
    let receiver = Receiver::start(19424, |n, _| if n == 1 { Reply::status("503 Busy") } else { Reply::ok("") });
    stack.accept("it-canceled", &generic(&order("canceled-1"))).await;
    stack.export("it-canceled", "canceled-1", ExportKey::NO_PIPELINE, Status::Skipped).await;
    let answer = stack.post("it-canceled?topic=canceled", &generic(&order("canceled-1"))).await;
    assert_eq!(answer.status(), 202);
    let row = stack.export("it-canceled", "canceled-1", "canceled", Status::Exported).await;
    assert_eq!((row.attempts, receiver.requests().len(), row.is_unpaid), (2, 2, false));
}
