//! A pipeline that is paused.

use ordersync::ledger::Why;

use super::*;
use crate::support::receiver::Reply;

#[tokio::test]
async fn two_hundred_orders_of_a_paused_pipeline_wait_and_are_exported_once_on_resume() {
    let stack = Stack::get();
    let (receiver, other) = (Receiver::start(19570, |_, _| Reply::ok("")), Receiver::start(19571, retry_once));
    stack.ledger.pause(Some("paused"), "the back office is being moved", clock::now()).await.unwrap();
    tokio::time::sleep(HEARD_OF).await;
    let ids = accept_all(&stack, "it-paused", "paused", 200).await;
    let is_parked = |row: &Row| row.waits_for == Some(Why::Pause) && row.status == Status::Pending;
    rows(&stack, "it-paused", &ids, "paused", is_parked).await;
    // The stack delivers a message three times (MaxReceiveCount=3), and this pipeline's back-off is a second at most:
    // had these been attempts, or deliveries that come back, all of them would be over after these seconds, with the
    // exports in error and the messages among the dead letters.
    tokio::time::sleep(Duration::from_secs(12)).await;
    let waiting = rows(&stack, "it-paused", &ids, "paused", is_parked).await;
    assert!(waiting.iter().all(|row| row.attempts == 0 && row.last_error.is_none() && row.history.is_empty()));
    assert_eq!(receiver.requests().len(), 0);
    // Another webhook of an order that waits changes nothing.
    stack.accept("it-paused", &generic(&order("paused-1"))).await;
    // The other pipeline of the first order failed once and was not stopped by the pause.
    let row = stack.export("it-paused", "paused-0", "unpaused", Status::Exported).await;
    assert_eq!((row.attempts, other.requests().len()), (2, 2));

    stack.ledger.resume(Some("paused"), clock::now()).await.unwrap();
    let hand_out = async || {
        release_paused(&stack, "paused").await;
    };
    let exported = resumed(&stack, "it-paused", &ids, "paused", hand_out).await;
    assert!(exported.iter().all(|row| row.attempts == 1 && row.last_error.is_none() && row.history.len() == 1));
    assert_eq!(release_paused(&stack, "paused").await, 0);
    tokio::time::sleep(Duration::from_secs(2)).await;
    delivered_once(&receiver, &ids);
    assert_eq!(stack.find_dead_letter("N-paused").await, None);
}

fn retry_once(n: usize, _: &crate::support::receiver::Request) -> Reply {
    if n == 1 { Reply::status("503 Busy") } else { Reply::ok("") }
}
