//! The processor killed in the middle of a batch.

use std::time::Duration;

use ordersync::ledger::{Outcome, Status};

use crate::support::receiver::{Receiver, Reply};
use crate::support::shop::{generic, order};
use crate::support::stack::Stack;
use crate::support::{eventually, process};

#[tokio::test]
async fn orders_of_a_killed_batch_arrive_all_the_same() {
    let stack = Stack::get();
    let slow = Reply::After(Duration::from_secs(2), Box::new(Reply::ok("")));
    let receiver = Receiver::start(19410, move |n, _| if n <= 5 { slow.clone() } else { Reply::ok("") });
    let ids: Vec<String> = (0..5).map(|n| format!("kill-{n}")).collect();
    for id in &ids {
        stack.accept("it-kill", &generic(&order(id))).await;
    }
    eventually("every order to be on its way", async || (receiver.requests().len() >= 5).then_some(())).await;
    assert!(process::kill("FN_PROCESSOR") > 0, "no processor to kill");
    for id in &ids {
        let row = stack.export("it-kill", id, "kill", Status::Exported).await;
        let outcomes: Vec<_> = row.history.iter().map(|attempt| attempt.outcome).collect();
        assert_eq!(outcomes, [Outcome::Lost, Outcome::Exported]);
        let keys: Vec<_> = receiver.about(id).iter().map(|r| r.key().to_owned()).collect();
        assert_eq!(keys.len(), 2, "once before the kill, once after it");
        assert_eq!(keys[0], keys[1], "with the same idempotency key");
    }
}
