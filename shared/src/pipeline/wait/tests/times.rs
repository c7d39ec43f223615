//! Delays and times before which nothing is exported.

use super::*;
use crate::ledger::{HAND_OUT_AGAIN, Status, Why};
use crate::pipeline::bench::{Answer, Bench};

#[tokio::test]
async fn a_short_delay_is_waited_for_by_a_message_of_the_export() {
    let (bench, hook) = (Bench::new("code = 'erp' | delay = '10m'"), placed());
    assert_eq!(bench.deliver(&hook, 1).await.unwrap(), Verdict::Done);
    assert_eq!(bench.done(), ["write erp pending delay", "send erp"], "first the row, then the message");
    let row = bench.row("erp").unwrap();
    let wait = row.not_before.unwrap().duration_since(hook.received_at);
    assert_eq!((wait.as_secs(), row.attempts, row.last_error), (600, 0, None));
    assert_eq!(row.due.unwrap().at, row.not_before.unwrap() + HAND_OUT_AGAIN, "should its message never come");
    let sent = bench.queue.take();
    assert!((599..=600).contains(&sent[0].delay.as_secs()), "{sent:?}");

    assert!(is_retry(bench.deliver_export("erp", 1).await.unwrap(), 598, 600), "it came early by this clock");
    assert_eq!(bench.done(), ["read erp"]);
    bench.received("erp", Duration::from_mins(10));
    assert_eq!(bench.deliver_export("erp", 2).await.unwrap(), Verdict::Done);
    assert_eq!(bench.done(), ["read erp", "write erp processing", "deliver erp open", "write erp exported"]);
    let row = bench.row("erp").unwrap();
    assert_eq!((row.attempts, row.due, row.not_before), (1, None, None));
}

#[tokio::test]
async fn a_delay_that_is_nearly_over_is_waited_for_at_once_and_one_that_is_over_is_none() {
    for received_at in [ago(Duration::from_millis(59_700)), ago(Duration::from_hours(1))] {
        let bench = Bench::new("code = 'erp' | delay = '60s'");
        assert_eq!(bench.deliver(&placed().received_at(received_at), 1).await.unwrap(), Verdict::Done);
        assert_eq!(bench.done(), ["write erp processing", "deliver erp open", "write erp exported"]);
        assert!(clock::now() >= received_at + Duration::from_mins(1));
    }
}

#[tokio::test]
async fn without_its_message_the_export_is_handed_out_some_minutes_later() {
    let bench = Bench::new("code = 'erp' | delay = '10m'");
    bench.queue.is_away(true);
    assert_eq!(bench.deliver(&placed(), 1).await.unwrap(), Verdict::Done);
    bench.queue.is_away(false);
    assert_eq!(bench.release("erp", clock::now() + Duration::from_mins(14)).await, 0);
    assert_eq!(bench.release("erp", clock::now() + Duration::from_mins(16)).await, 1);
    bench.received("erp", Duration::from_mins(15));
    assert_eq!(bench.deliver_export("erp", 1).await.unwrap(), Verdict::Done);
    assert_eq!(bench.row("erp").unwrap().status, Status::Exported);
}

#[tokio::test]
async fn further_webhooks_neither_make_it_early_nor_put_it_off() {
    let bench = Bench::new("code = 'erp' | delay = '10m' | on = ['placed', 'updated']");
    bench.deliver(&placed(), 1).await.unwrap();
    let (row, _) = (bench.row("erp"), bench.queue.take());
    for hook in [placed(), Hook::new("order.updated", json!({}))] {
        assert_eq!(bench.deliver(&hook, 1).await.unwrap(), Verdict::Done);
    }
    let now = bench.row("erp");
    assert_eq!(now.as_ref().map(|row| row.not_before), row.as_ref().map(|row| row.not_before));
    assert_eq!(now.map(|row| row.due), row.map(|row| row.due));
    assert_eq!(bench.queue.take(), []);
    // Its time has come and its message has not: whoever comes may make it.
    bench.received("erp", Duration::from_mins(10));
    assert_eq!(bench.deliver(&placed(), 1).await.unwrap(), Verdict::Done);
    assert_eq!((bench.row("erp").unwrap().status, bench.queue.take()), (Status::Exported, vec![]));
}

#[tokio::test]
async fn a_long_delay_is_waited_for_in_the_ledger_alone() {
    let (bench, hook) = (Bench::new("code = 'erp' | delay = '2 days'"), placed());
    assert_eq!(bench.deliver(&hook, 1).await.unwrap(), Verdict::Done);
    assert_eq!(bench.done(), ["write erp pending delay"]);
    let due = bench.row("erp").unwrap().due.unwrap().at;
    assert_eq!(due.duration_since(hook.received_at).as_secs(), 2 * 24 * 3600);
    assert_eq!(bench.release("erp", due).await, 1);
    bench.received("erp", Duration::from_hours(48));
    assert_eq!(bench.deliver_export("erp", 1).await.unwrap(), Verdict::Done);
    let row = bench.row("erp").unwrap();
    assert_eq!((row.status, row.attempts), (Status::Exported, 1));
}

#[tokio::test]
async fn the_later_of_delay_and_not_before_counts() {
    let year = "not_before = 2999-01-01T00:00:00Z";
    for (times, waits) in [(format!("delay = '1h' | {year}"), Some(Why::Delay)), (year.to_owned(), Some(Why::Delay))] {
        let bench = Bench::new(&format!("code = 'erp' | {times}"));
        bench.deliver(&placed(), 1).await.unwrap();
        let row = bench.row("erp").unwrap();
        assert_eq!((row.waits_for, row.not_before), (waits, Some("2999-01-01T00:00:00Z".parse().unwrap())));
    }
    let bench = Bench::new("code = 'erp' | not_before = 2026-01-01T00:00:00Z");
    bench.deliver(&placed(), 1).await.unwrap();
    assert_eq!(bench.row("erp").unwrap().status, Status::Exported);
}

#[tokio::test]
async fn a_delay_is_not_served_twice_by_a_retry() {
    let bench = Bench::new("code = 'erp' | delay = '1h' | retries = { base = '1s' }");
    bench.answers("erp", &[Answer::Busy]);
    bench.deliver(&placed(), 1).await.unwrap();
    bench.received("erp", Duration::from_hours(1));
    assert!(matches!(bench.deliver_export("erp", 1).await.unwrap(), Verdict::Retry(_)));
    bench.time_passes("erp", &["not_before"]);
    // A webhook that comes only now would have its own delay.
    assert_eq!(bench.deliver(&placed(), 1).await.unwrap(), Verdict::Done);
    let row = bench.row("erp").unwrap();
    assert_eq!((row.status, row.attempts), (Status::Exported, 2));
}

#[tokio::test]
async fn a_pause_and_a_delay_are_both_kept() {
    let bench = Bench::new("code = 'erp' | delay = '10m'");
    bench.deliver(&placed(), 1).await.unwrap();
    bench.ledger.pause(None, "", clock::now()).await.unwrap();
    let pausing = bench.another_instance();
    // Its time comes while everything is paused.
    assert_eq!(pausing.deliver_export("erp", 1).await.unwrap(), Verdict::Done);
    assert_eq!(bench.row("erp").unwrap().waits_for, Some(Why::Pause));
    bench.ledger.resume(None, clock::now()).await.unwrap();
    let bench = bench.another_instance();
    assert_eq!(bench.release("erp", clock::now()).await, 1);
    bench.queue.take();
    // The pause is over before the delay is.
    assert_eq!(bench.deliver_export("erp", 1).await.unwrap(), Verdict::Done);
    assert_eq!(bench.row("erp").unwrap().waits_for, Some(Why::Delay));
    assert_eq!(bench.queue.take().len(), 1);
    bench.received("erp", Duration::from_mins(10));
    assert_eq!(bench.deliver_export("erp", 1).await.unwrap(), Verdict::Done);
    let row = bench.row("erp").unwrap();
    assert_eq!((row.status, row.attempts), (Status::Exported, 1));
}

#[tokio::test]
async fn wherever_the_processor_falls_the_export_is_made_in_its_time() {
    for calls in 0..6 {
        let (bench, hook) = (Bench::new("code = 'erp' | delay = '10m'"), placed());
        bench.table.falls_after(calls);
        bench.queue.is_away(calls > 1);
        let is_done = matches!(bench.deliver(&hook, 1).await, Ok(Verdict::Done));
        bench.table.recovers();
        bench.queue.is_away(false);
        if !is_done {
            assert_eq!(bench.deliver(&hook, 2).await.unwrap(), Verdict::Done, "{calls}");
        }
        if bench.queue.take().is_empty() {
            assert_eq!(bench.release("erp", clock::now() + Duration::from_mins(16)).await, 1, "{calls}");
        }
        bench.received("erp", Duration::from_mins(16));
        assert_eq!(bench.deliver_export("erp", 1).await.unwrap(), Verdict::Done, "{calls}");
        let row = bench.row("erp").unwrap();
        assert_eq!((row.status, row.attempts), (Status::Exported, 1), "{calls}");
    }
}
