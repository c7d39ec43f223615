//! Pauses.

use super::*;
use crate::ledger::{Outcome, Recorded, Status, Why};
use crate::pipeline::bench::{Answer, Bench};

const MADE: [&str; 4] = ["read erp", "write erp processing", "deliver erp open", "write erp exported"];

async fn pause(bench: &Bench, pipeline: Option<&str>) {
    bench.ledger.pause(pipeline, "migration", clock::now()).await.unwrap();
    bench.done();
}

async fn resume(bench: &Bench, pipeline: Option<&str>) -> Bench {
    bench.ledger.resume(pipeline, clock::now()).await.unwrap();
    bench.done();
    bench.another_instance()
}

#[tokio::test]
async fn what_is_paused_waits_without_an_attempt_and_is_made_once_on_resume() {
    for pipeline in [Some("erp"), None] {
        let bench = Bench::new("code = 'erp'");
        pause(&bench, pipeline).await;
        assert_eq!(bench.deliver(&placed(), 1).await.unwrap(), Verdict::Done);
        assert_eq!(bench.done(), ["write erp pending pause"]);
        let row = bench.row("erp").unwrap();
        assert_eq!((row.attempts, row.last_error, row.not_before), (0, None, None));
        assert_eq!(bench.release("archive", clock::now()).await, 0, "the pause of another pipeline");

        let bench = resume(&bench, pipeline).await;
        assert_eq!(bench.release("erp", clock::now()).await, 1);
        assert_eq!(bench.release("erp", clock::now()).await, 0);
        bench.done();
        assert_eq!(bench.deliver_export("erp", 1).await.unwrap(), Verdict::Done);
        assert_eq!(bench.done(), MADE);
        let row = bench.row("erp").unwrap();
        assert_eq!((row.attempts, row.waits_for, row.due), (1, None, None));
        assert_eq!(bench.deliver_export("erp", 1).await.unwrap(), Verdict::Done);
        assert_eq!(bench.done(), ["read erp"], "the same message again");
    }
}

#[tokio::test]
async fn webhooks_of_an_export_that_is_parked_change_nothing_however_often_they_come() {
    let bench = Bench::new("code = 'erp'");
    pause(&bench, None).await;
    bench.deliver(&placed(), 1).await.unwrap();
    let before = bench.row("erp");
    for receive_count in 1..=3 {
        assert_eq!(bench.deliver(&placed(), receive_count).await.unwrap(), Verdict::Done, "another webhook");
    }
    assert_eq!(bench.row("erp"), before);
    assert_eq!(bench.queue.take(), []);
}

#[tokio::test]
async fn a_retry_in_its_back_off_is_parked_when_that_is_over_and_keeps_its_attempts() {
    let (bench, hook) = (Bench::new("code = 'erp' | retries = { base = '1h', cap = '1h' }"), placed());
    bench.answers("erp", &[Answer::Busy]);
    assert!(matches!(bench.deliver(&hook, 1).await.unwrap(), Verdict::Retry(_)));
    pause(&bench, Some("erp")).await;
    let bench = bench.another_instance();
    assert!(matches!(bench.deliver(&hook, 1).await.unwrap(), Verdict::Retry(_)), "it comes back after its back-off");
    assert_eq!(bench.row("erp").unwrap().waits_for, None);

    bench.time_passes("erp", &["not_before"]);
    bench.done();
    assert_eq!(bench.deliver(&hook, 2).await.unwrap(), Verdict::Done);
    assert_eq!(bench.done(), ["query order", "refused erp", "write erp pause"]);
    let row = bench.row("erp").unwrap();
    assert_eq!((row.attempts, row.history.len(), row.status), (1, 1, Status::Pending));

    let bench = resume(&bench, Some("erp")).await;
    assert_eq!(bench.release("erp", clock::now()).await, 1);
    assert_eq!(bench.deliver_export("erp", 1).await.unwrap(), Verdict::Done);
    let row = bench.row("erp").unwrap();
    assert_eq!((row.attempts, row.history.len(), row.status), (2, 2, Status::Exported));
}

#[tokio::test]
async fn a_pause_does_not_stop_another_pipelines_retry_by_the_same_message() {
    let (bench, hook) = (Bench::new("code = 'erp'; code = 'wms'"), placed());
    bench.answers("wms", &[Answer::Busy]);
    pause(&bench, Some("erp")).await;
    assert!(matches!(bench.deliver(&hook, 1).await.unwrap(), Verdict::Retry(_)));
    let parked = bench.row("erp");
    bench.time_passes("wms", &["not_before"]);
    assert_eq!(bench.deliver(&hook, 2).await.unwrap(), Verdict::Done);
    assert_eq!((bench.row("wms").unwrap().status, bench.row("erp")), (Status::Exported, parked));
}

#[tokio::test]
async fn whoever_has_not_heard_of_the_end_parks_it_again_and_it_is_handed_out_again() {
    let bench = Bench::new("code = 'erp'");
    pause(&bench, Some("erp")).await;
    bench.deliver(&placed(), 1).await.unwrap();
    let aware = resume(&bench, Some("erp")).await;
    let (waiting, now) = (bench.waiting("erp").await.unwrap(), clock::now());
    assert_eq!(aware.ledger.release(&waiting, now).await, Ok(Recorded::Written));
    assert_eq!(aware.ledger.release(&waiting, now).await, Ok(Recorded::LeftAsIs), "a second run at once");
    // Its message comes before the release is settled, to an instance for which the pause goes on.
    assert_eq!(bench.deliver_export("erp", 1).await.unwrap(), Verdict::Done);
    assert_eq!(aware.ledger.settle(&waiting.key, now).await, Ok(Recorded::LeftAsIs));
    assert_eq!(aware.release("erp", clock::now()).await, 1);
    assert_eq!(aware.deliver_export("erp", 1).await.unwrap(), Verdict::Done);
    assert_eq!(bench.row("erp").unwrap().attempts, 1);
}

#[tokio::test]
async fn a_pause_that_ends_before_the_export_is_handed_out_lets_a_webhook_make_it() {
    let (bench, hook) = (Bench::new("code = 'erp'"), placed());
    pause(&bench, None).await;
    bench.deliver(&hook, 1).await.unwrap();
    let bench = resume(&bench, None).await;
    assert_eq!(bench.deliver(&hook, 2).await.unwrap(), Verdict::Done);
    assert_eq!(bench.row("erp").unwrap().status, Status::Exported);
    assert_eq!(bench.release("erp", clock::now()).await, 0);
}

#[tokio::test]
async fn an_attempt_that_was_lost_is_on_record_when_its_export_is_parked() {
    let (bench, hook) = (Bench::new("code = 'erp'"), placed());
    bench.deliver(&hook, 1).await.unwrap();
    bench.falls_while_it_delivers("erp");
    pause(&bench, None).await;
    let bench = bench.another_instance();
    let verdict = bench.deliver(&hook, 2).await.unwrap();
    assert!(is_retry(verdict, 2, 60), "somebody may still work on it: {verdict:?}");
    bench.time_passes("erp", &["lease_until"]);
    assert_eq!(bench.deliver(&hook, 2).await.unwrap(), Verdict::Done);
    let row = bench.row("erp").unwrap();
    assert_eq!((row.status, row.attempts, row.waits_for), (Status::Pending, 1, Some(Why::Pause)));
    assert_eq!(row.history.last().map(|attempt| attempt.outcome), Some(Outcome::Lost));
}

#[tokio::test(start_paused = true)]
async fn wherever_the_processor_falls_the_export_is_made() {
    for calls in 0..12 {
        let (bench, hook) = (Bench::new("code = 'erp'"), placed());
        pause(&bench, None).await;
        bench.table.falls_after(calls);
        let is_done = matches!(bench.deliver(&hook, 1).await, Ok(Verdict::Done));
        let bench = if bench.table.has_fallen() { bench.another_instance() } else { bench };
        bench.table.recovers();
        if !is_done {
            assert_eq!(bench.deliver(&hook, 2).await.unwrap(), Verdict::Done, "{calls}");
        }
        let bench = resume(&bench, None).await;
        assert_eq!(bench.release("erp", clock::now()).await, 1, "{calls}");
        bench.table.falls_after(calls);
        let is_done = matches!(bench.deliver_export("erp", 1).await, Ok(Verdict::Done));
        bench.table.recovers();
        if !is_done {
            bench.lease_ends("erp");
            assert_eq!(bench.deliver_export("erp", 2).await.unwrap(), Verdict::Done, "{calls}");
        }
        assert_eq!(bench.row("erp").unwrap().status, Status::Exported, "{calls}");
    }
}

#[tokio::test]
async fn a_message_of_an_export_that_is_over_costs_one_read() {
    for (topic, state, status) in [
        ("order.placed", "open", Status::Exported),
        ("order.canceled", "canceled", Status::Canceled),
        ("order.updated", "open", Status::Skipped),
    ] {
        let bench = Bench::new("code = 'erp'");
        bench.deliver(&Hook::new(topic, json!({ "state": state })), 1).await.unwrap();
        assert_eq!(bench.row("erp").unwrap().status, status);
        bench.done();
        assert_eq!(bench.deliver_export("erp", 1).await.unwrap(), Verdict::Done);
        assert_eq!(bench.done(), ["read erp"]);
    }
    let bench = Bench::new("code = 'erp'");
    assert_eq!(bench.deliver_export("erp", 1).await.unwrap(), Verdict::Done, "one that was removed");
}
