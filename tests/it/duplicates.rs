//! The same order again, at once and later.

use std::time::Duration;

use futures_util::future::join_all;
use ordersync::ledger::Status;

use crate::support::receiver::{Receiver, Reply};
use crate::support::shop::{generic, order};
use crate::support::stack::Stack;

#[tokio::test]
async fn an_order_delivered_many_times_is_exported_once() {
    let stack = Stack::get();
    let slow = Reply::After(Duration::from_millis(500), Box::new(Reply::ok("")));
    let receiver = Receiver::start(19411, move |_, _| slow.clone());
    let webhook = generic(&order("dup-1"));
    join_all((0..8).map(|_| stack.accept("it-dup", &webhook))).await;
    let first = stack.export("it-dup", "dup-1", "dup", Status::Exported).await;
    stack.accept("it-dup", &webhook).await;
    stack.accept("it-dup", &generic(&order("dup-2"))).await;
    stack.export("it-dup", "dup-2", "dup", Status::Exported).await;
    // Whatever was put off meanwhile has come back by then.
    tokio::time::sleep(Duration::from_secs(8)).await;
    assert_eq!(receiver.about("dup-1").len(), 1);
    let row = stack.row("it-dup", "dup-1", "dup").await.unwrap();
    assert_eq!((row.status, row.attempts, row.exported_at), (Status::Exported, 1, first.exported_at));
}
