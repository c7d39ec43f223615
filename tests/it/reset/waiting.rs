//! Exports that wait in the ledger: for their time, for the end of a pause, for the back office's word.

use std::time::Duration;

use jiff::Timestamp;
use ordersync::aws;
use ordersync::clock;
use ordersync::ledger::{ExportKey, Fault, Parked, Status, Wait, Why};
use reqwest::Method;
use serde_json::{Value, json};

use super::seed::{ago, arrived, back_office, count, drained, exported, facts, key, now, run, run_only};
use crate::support::stack::{Stack, json as body};

/// An export that waits in the ledger.
pub(crate) async fn parked(stack: &Stack, order_id: &str, wait: Wait) -> ExportKey {
    let key = key(order_id);
    let facts = facts(stack, &key, ago(90)).await;
    assert_eq!(stack.ledger.park(&key, &facts, wait, ago(90)).await, Ok(Parked::Waiting));
    key
}

pub(crate) async fn delayed(stack: &Stack, order_id: &str, until: Timestamp) -> ExportKey {
    parked(stack, order_id, Wait::Until { why: Why::Delay, at: until, hand_out_at: until }).await
}

async fn is_waiting(stack: &Stack, key: &ExportKey) -> bool {
    let row = now(stack, key).await;
    row.status == Status::Pending && row.due.is_some() && row.requeued_at.is_none()
}

#[tokio::test]
async fn what_is_due_is_exported_and_what_is_not_waits() {
    let (stack, receiver) = (Stack::get(), back_office());
    let past = delayed(&stack, "due-past", ago(1)).await;
    let future = delayed(&stack, "due-future", clock::now() + Duration::from_mins(3)).await;
    let report = run_only(&stack, "due").await;
    assert!(count(&report, "/changed/released") >= 1, "{report}");
    let row = arrived(&stack, &past).await;
    assert_eq!((row.attempts, row.due, row.waits_for), (1, None, None));
    assert!(is_waiting(&stack, &future).await);
    drained(&stack).await;
    assert_eq!((receiver.about("due-past").len(), receiver.about("due-future").len()), (1, 0));
}

#[tokio::test]
async fn what_is_due_within_the_minute_comes_when_it_is_due_and_not_before() {
    let (stack, _receiver) = (Stack::get(), back_office());
    let due = clock::now() + Duration::from_secs(4);
    let key = delayed(&stack, "due-soon", due).await;
    run_only(&stack, "due").await;
    let row = arrived(&stack, &key).await;
    assert!(row.exported_at.unwrap() >= due, "{row:?}");
    assert_eq!(row.attempts, 1);
}

#[tokio::test]
async fn of_a_dry_run_nothing_comes() {
    let (stack, receiver) = (Stack::get(), back_office());
    let due = delayed(&stack, "due-dry", ago(1)).await;
    let report = run(&stack, &json!({ "only": ["due"], "dry_run": true })).await;
    assert!(count(&report, "/changed/released") >= 1 && report["dry_run"] == json!(true), "{report}");
    drained(&stack).await;
    assert!(is_waiting(&stack, &due).await);
    assert_eq!(receiver.requests().len(), 0);
    run_only(&stack, "due").await;
    arrived(&stack, &due).await;
}

#[tokio::test]
async fn a_schedule_releases_what_is_due_without_being_asked() {
    let (stack, _receiver) = (Stack::get(), back_office());
    let key = delayed(&stack, "due-scheduled", ago(1)).await;
    let schedules = stack.api(Method::GET, "scheduler", "/schedules?NamePrefix=ordersync-").send().await.unwrap();
    let function = aws::variable("FN_RESET_ERRORS").unwrap();
    let mut release = None;
    for listed in body(schedules).await["Schedules"].as_array().unwrap() {
        let path = format!("/schedules/{}", listed["Name"].as_str().unwrap());
        let schedule: Value = body(stack.api(Method::GET, "scheduler", &path).send().await.unwrap()).await;
        let target = &schedule["Target"];
        let is_its = target["Arn"].as_str().unwrap().ends_with(&function) && target["Input"].is_string();
        release = release.or(is_its.then_some(schedule));
    }
    let mut release = release.expect("a schedule of reset-errors with an input of its own");
    release["State"] = json!("ENABLED");
    release["ScheduleExpression"] = json!("at(2026-01-01T00:00:00)");
    release["ActionAfterCompletion"] = json!("DELETE");
    let path = format!("/schedules/release-{}", clock::now().as_millisecond());
    let answer = stack.api(Method::POST, "scheduler", &path).body(release.to_string()).send().await.unwrap();
    assert!(answer.status().is_success(), "{:?}", answer.text().await);
    assert_eq!(arrived(&stack, &key).await.attempts, 1);
}

#[tokio::test]
async fn what_is_paused_goes_on_when_every_pause_that_holds_it_has_ended() {
    let (stack, receiver) = (Stack::get(), back_office());
    stack.forget_pauses().await;
    let key = parked(&stack, "paused-1", Wait::ForResume).await;
    let pipeline = Some(super::seed::PIPELINE);
    let ledger = &stack.ledger;
    for (what, pause) in [("its own pause", pipeline), ("the pause of everything", None)] {
        ledger.pause(pause, "stock-taking", clock::now()).await.unwrap();
        run(&stack, &json!({})).await;
        assert!(is_waiting(&stack, &key).await, "{what} holds it");
    }
    ledger.resume(pipeline, clock::now()).await.unwrap();
    run_only(&stack, "due").await;
    assert!(is_waiting(&stack, &key).await, "that of everything still holds it");
    ledger.resume(None, clock::now()).await.unwrap();
    let report = run_only(&stack, "due").await;
    assert_eq!((count(&report, "/changed/resumed"), count(&report, "/changed/pauses_forgotten")), (1, 0), "{report}");
    arrived(&stack, &key).await;
    drained(&stack).await;
    assert_eq!(receiver.about("paused-1").len(), 1);
    // Both ended just now: a processor in the middle of a batch may not have heard of it.
    assert_eq!(ledger.pauses().await.unwrap().iter().count(), 2);
    for pause in [pipeline, None] {
        ledger.resume(pause, ago(21)).await.unwrap();
    }
    let late = parked(&stack, "paused-2", Wait::ForResume).await;
    let report = run_only(&stack, "due").await;
    assert_eq!((count(&report, "/changed/resumed"), count(&report, "/changed/pauses_forgotten")), (1, 0), "{report}");
    let report = run_only(&stack, "due").await;
    assert_eq!(count(&report, "/changed/pauses_forgotten"), 2, "nothing waits any more: {report}");
    assert_eq!(ledger.pauses().await.unwrap().iter().count(), 0);
    arrived(&stack, &late).await;
}

#[tokio::test]
async fn what_waits_without_a_pause_is_found_by_the_run_of_everything() {
    let (stack, _receiver) = (Stack::get(), back_office());
    stack.forget_pauses().await;
    let key = parked(&stack, "paused-3", Wait::ForResume).await;
    run_only(&stack, "due").await;
    assert!(is_waiting(&stack, &key).await, "nobody said that a pause has ended");
    let report = run(&stack, &json!({})).await;
    assert_eq!(count(&report, "/changed/resumed"), 1, "{report}");
    arrived(&stack, &key).await;
}

#[tokio::test]
async fn what_is_not_acknowledged_in_time_is_an_error_and_where_nobody_need_it_is_not() {
    let stack = Stack::get();
    let later = |order_id: &str| ExportKey::new("it-reset-later", order_id, "reset-later");
    let (late, early, plain) = (later("ack-late"), later("ack-early"), key("ack-plain"));
    exported(&stack, &late, ago(90), Some(ago(30))).await;
    exported(&stack, &early, ago(30), Some(clock::now() + Duration::from_mins(30))).await;
    exported(&stack, &plain, ago(90), Some(ago(30))).await;
    let report = run_only(&stack, "acknowledgements").await;
    assert_eq!(report["changed"], json!({ "deadlines_dropped": 1, "unacknowledged": 1 }));
    let row = now(&stack, &late).await;
    assert_eq!((row.status, row.fault, row.due), (Status::Error, Some(Fault::Unacknowledged), None));
    assert!(row.last_error.unwrap().contains("3600s"), "it says how long the back office had");
    let row = now(&stack, &early).await;
    assert_eq!((row.status, row.due.is_some()), (Status::Exported, true));
    let row = now(&stack, &plain).await;
    assert_eq!((row.status, row.due), (Status::Exported, None));
    let report = run_only(&stack, "acknowledgements").await;
    assert_eq!(report["changed"], json!({}), "once");
}

#[tokio::test]
async fn what_a_run_that_died_had_taken_is_handed_out_again_and_arrives_once() {
    let (stack, receiver) = (Stack::get(), back_office());
    let key = super::seed::failed(&stack, "dead-run", Fault::Exhausted, 3, ago(90)).await;
    // Six minutes ago a run took it, and ended before it sent the message.
    let mut pages = (0..8).map(|shard| stack.ledger.by_status(Status::Error, shard, clock::now())).collect::<Vec<_>>();
    let mut seen = None;
    for pages in &mut pages {
        while let Some(summaries) = pages.summaries().await.unwrap() {
            seen = seen.or(summaries.into_iter().find(|summary| summary.key == key));
        }
    }
    let taken = stack.ledger.reset(&seen.unwrap(), ordersync::ledger::Reset::Anew, ago(6)).await;
    assert_eq!(taken, Ok(ordersync::ledger::Recorded::Written));
    let dry = run(&stack, &json!({ "only": ["due"], "dry_run": true })).await;
    let (first, second) = tokio::join!(run_only(&stack, "due"), run_only(&stack, "due"));
    let both = count(&first, "/changed/released") + count(&second, "/changed/released");
    assert_eq!(both, count(&dry, "/changed/released"), "each by one of the two: {first} {second}");
    let row = arrived(&stack, &key).await;
    assert_eq!((row.attempts, row.resets), (1, 1));
    drained(&stack).await;
    assert_eq!(receiver.about("dead-run").len(), 1);
}
