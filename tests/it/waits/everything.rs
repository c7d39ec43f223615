//! Everything is paused. It runs alone, and has reset-errors hand out what waited.

use std::panic::AssertUnwindSafe;

use futures_util::FutureExt;
use ordersync::aws;
use serde_json::json;

use super::*;
use crate::support::receiver::Reply;

#[tokio::test]
async fn everything_waits_until_it_is_resumed() {
    let stack = Stack::get();
    let receiver = Receiver::start(19572, |_, _| Reply::ok(""));
    stack.ledger.pause(None, "maintenance", clock::now()).await.unwrap();
    let waited = AssertUnwindSafe(waits_all_the_time()).catch_unwind().await;
    // Whatever came of it, other tests are to go on.
    stack.ledger.resume(None, clock::now()).await.unwrap();
    let ids = waited.unwrap();
    assert_eq!(receiver.requests().len(), 0);
    let event = json!({ "only": ["due"] });
    for pipeline in ["everything", "everything-too"] {
        let hand_out = async || drop(stack.invoke(&aws::variable("FN_RESET_ERRORS").unwrap(), &event).await);
        let exported = resumed(&stack, "it-everything", &ids, pipeline, hand_out).await;
        assert!(exported.iter().all(|row| row.attempts == 1 && row.last_error.is_none()), "{pipeline}");
    }
    delivered_once(&receiver, &ids);
}

async fn waits_all_the_time() -> Vec<String> {
    let stack = Stack::get();
    tokio::time::sleep(HEARD_OF).await;
    let ids = accept_all(&stack, "it-everything", "everything", 20).await;
    for pipeline in ["everything", "everything-too"] {
        rows(&stack, "it-everything", &ids, pipeline, |row| row.status == Status::Pending).await;
    }
    tokio::time::sleep(Duration::from_secs(3)).await;
    for pipeline in ["everything", "everything-too"] {
        let rows = rows(&stack, "it-everything", &ids, pipeline, |row| row.status == Status::Pending).await;
        assert!(rows.iter().all(|row| row.attempts == 0), "{pipeline}");
    }
    ids
}
