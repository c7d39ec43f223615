//! How often a message is delivered says nothing of how often its exports were tried.

use super::*;
use crate::ledger::{Fault, Status};
use crate::pipeline::bench::{Answer, Bench, key};

#[tokio::test]
async fn what_waits_is_not_given_up_with_the_message_of_another_pipeline() {
    let (bench, hook) =
        (Bench::new("code = 'erp' | delay = '10m'; code = 'wms' | retries = { base = '1s' }"), placed());
    bench.answers("wms", &[Answer::Busy; 3]);
    for receive_count in 1..=2 {
        assert!(matches!(bench.deliver(&hook, receive_count).await.unwrap(), Verdict::Retry(_)));
        bench.time_passes("wms", &["not_before"]);
    }
    // Its time has come when the message is delivered for the last time, and it fails.
    bench.answers("erp", &[Answer::Busy]);
    bench.received("erp", Duration::from_mins(10));
    bench.queue.take();
    assert_eq!(bench.deliver(&hook, 3).await.unwrap(), Verdict::Retry(Duration::ZERO), "to the dead letters");
    assert_eq!(bench.row("wms").unwrap().fault, Some(Fault::Exhausted));
    let row = bench.row("erp").unwrap();
    assert_eq!((row.status, row.attempts), (Status::Pending, 1));
    let sent = bench.queue.take();
    assert_eq!(sent.iter().map(|sent| sent.key.clone()).collect::<Vec<_>>(), [key("erp")]);
    bench.time_passes("erp", &["not_before"]);
    assert_eq!(bench.deliver_export("erp", 1).await.unwrap(), Verdict::Done);
    assert_eq!(bench.row("erp").unwrap().status, Status::Exported);
}

#[tokio::test]
async fn a_message_that_finds_its_export_held_or_backed_off_to_the_last_hands_it_on() {
    let (bench, hook) = (Bench::new("code = 'erp' | retries = { base = '1h', cap = '1h' }"), placed());
    bench.answers("erp", &[Answer::Busy]);
    assert!(matches!(bench.deliver(&hook, 1).await.unwrap(), Verdict::Retry(_)));
    let other = placed();
    for receive_count in 1..=2 {
        assert!(matches!(bench.deliver(&other, receive_count).await.unwrap(), Verdict::Retry(_)));
    }
    assert_eq!(bench.deliver(&other, 3).await.unwrap(), Verdict::Done);
    assert_eq!(bench.queue.take().len(), 1);
    bench.queue.is_away(true);
    assert!(matches!(bench.deliver(&other, 3).await.unwrap(), Verdict::Retry(_)), "to the dead letters");
}

#[tokio::test]
async fn attempts_are_counted_to_the_last_whichever_messages_make_them() {
    let bench = Bench::new("code = 'erp' | retries = { base = '1s' }");
    bench.answers("erp", &[Answer::Busy; 9]);
    // Delivered for the last time, the webhook hands its export on.
    assert_eq!(bench.deliver(&placed(), 3).await.unwrap(), Verdict::Done);
    for attempt in 2..=3 {
        bench.time_passes("erp", &["not_before"]);
        bench.deliver_export("erp", attempt % 2 + 1).await.unwrap();
        assert_eq!(bench.row("erp").unwrap().attempts, attempt);
    }
    let row = bench.row("erp").unwrap();
    assert_eq!((row.status, row.fault, row.history.len()), (Status::Error, Some(Fault::Exhausted), 3));
}

#[tokio::test]
async fn an_export_that_waits_and_can_never_be_made_ends_in_error() {
    let bench = Bench::new("code = 'erp' | delay = '10m'");
    bench.answers("erp", &[Answer::No]);
    bench.deliver(&placed(), 1).await.unwrap();
    bench.received("erp", Duration::from_mins(10));
    assert_eq!(bench.deliver_export("erp", 1).await.unwrap(), Verdict::Done);
    let row = bench.row("erp").unwrap();
    assert_eq!((row.status, row.attempts, row.fault), (Status::Error, 1, Some(Fault::Permanent)));
}

#[tokio::test]
async fn an_export_that_was_set_back_by_hand_and_has_no_count_of_attempts_is_made() {
    for is_paused in [false, true] {
        let bench = Bench::new("code = 'erp' | delay = '10m'");
        bench.deliver(&placed(), 1).await.unwrap();
        bench.received("erp", Duration::from_mins(10));
        bench.table.edit(&key("erp"), |item| drop(item.remove("attempts")));
        if is_paused {
            bench.ledger.pause(None, "", clock::now()).await.unwrap();
            assert_eq!(bench.another_instance().deliver_export("erp", 1).await.unwrap(), Verdict::Done);
            bench.ledger.resume(None, clock::now()).await.unwrap();
            assert_eq!(bench.release("erp", clock::now()).await, 1);
            bench.table.edit(&key("erp"), |item| drop(item.remove("attempts")));
        }
        assert_eq!(bench.another_instance().deliver_export("erp", 1).await.unwrap(), Verdict::Done);
        let row = bench.row("erp").unwrap();
        assert_eq!((row.status, row.attempts), (Status::Exported, 1));
    }
}
