use std::time::Duration;

use aws_lambda_events::cloudwatch_events::CloudWatchEvent;
use serde_json::{Value, json};

use super::run::margin;
use super::*;
use crate::clock;
use crate::fake::{FakeTable, Log};

/// An event's deadline this far away, as Lambda tells it.
fn in_time(time: Duration) -> u64 {
    let ends = clock::now() + time;
    u64::try_from(ends.as_millisecond()).unwrap()
}

fn run(event: &Value) -> Result<Run, BadInput> {
    Run::of(event, in_time(Duration::from_mins(1)))
}

/// `EventBridge`'s envelope, through the type that others read it with.
fn envelope<T>(source: &str, detail: T) -> Value
where
    T: serde::de::DeserializeOwned + serde::Serialize + PartialEq + std::fmt::Debug,
{
    let event = json!({
        "version": "0",
        "id": "53dc4d37-cffa-4f76-80c9-8b7d4a4d2eaa",
        "detail-type": "Scheduled Event",
        "source": source,
        "account": "123456789012",
        "time": "2026-08-01T12:00:00Z",
        "region": "eu-central-1",
        "resources": ["arn:aws:scheduler:eu-central-1:123456789012:schedule/default/hourly"],
        "detail": detail,
    });
    let read: CloudWatchEvent<T> = serde_json::from_value(event.clone()).unwrap();
    assert_eq!(read.detail, Some(detail));
    event
}

#[test]
fn every_shape_of_event_is_understood() {
    let only_due = json!({ "only": ["due"] });
    for (event, dry_run, input) in [
        (Value::Null, false, json!({})),
        (json!({}), false, json!({})),
        (json!({ "only": ["due"] }), false, only_due.clone()),
        (json!({ "dry_run": true, "only": ["due"] }), true, only_due.clone()),
        (json!({ "dry_run": false }), false, json!({})),
        (envelope("aws.events", json!({})), false, json!({})),
        (envelope("aws.events", json!({ "dry_run": true, "only": ["due"] })), true, only_due.clone()),
        (envelope("aws.scheduler", "{}".to_owned()), false, json!({})),
        (envelope("aws.scheduler", r#"{"only":["due"],"dry_run":true}"#.to_owned()), true, only_due),
        (json!({ "source": "aws.events", "detail-type": "Scheduled Event", "detail": null }), false, json!({})),
        // Not EventBridge's: the input of a direct invocation, whatever its keys are called.
        (json!({ "detail": { "dry_run": true } }), false, json!({ "detail": { "dry_run": true } })),
    ] {
        let run = run(&event).unwrap();
        assert_eq!((run.dry_run, Value::Object(run.input)), (dry_run, input), "{event}");
    }
}

/// A sample event of `events/`.
fn sample(name: &str) -> Value {
    let path = format!("{}/../events/{name}", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

#[test]
fn the_sample_events_are_understood() {
    let order = json!({ "erase": { "shop": "demo-shopify", "order": "9131072415678934507" } });
    for (name, dry_run, input) in [
        ("reset-errors.json", false, json!({})),
        ("reset-errors-due.json", false, json!({ "only": ["due"] })),
        ("cancel-stale.json", false, json!({})),
        ("cancel-stale-scheduler.json", false, json!({})),
        ("cancel-stale-dry-run.json", true, json!({})),
        ("cleanup.json", false, json!({})),
        ("cleanup-erase-order.json", false, order),
        ("cleanup-erase-customer.json", false, json!({ "erase": { "email": "kaethe@example.com" } })),
    ] {
        let run = run(&sample(name)).unwrap();
        assert_eq!((run.dry_run, Value::Object(run.input)), (dry_run, input), "{name}");
    }
}

#[test]
fn the_sample_events_are_as_aws_sends_them() {
    for name in ["reset-errors.json", "cancel-stale-scheduler.json", "cleanup.json"] {
        let event: CloudWatchEvent<String> = serde_json::from_value(sample(name)).unwrap();
        assert_eq!((event.source.as_deref(), event.detail.as_deref()), (Some("aws.scheduler"), Some("{}")), "{name}");
    }
    let event: CloudWatchEvent = serde_json::from_value(sample("cancel-stale.json")).unwrap();
    assert_eq!((event.source.as_deref(), event.detail), (Some("aws.events"), Some(json!({}))));
}

#[test]
fn an_input_that_is_none_says_what_was_expected_and_not_what_it_is() {
    for (event, expected) in [
        (json!("jane@example.com"), "input: expected an object"),
        (json!([{ "dry_run": true }]), "input: expected an object"),
        (json!({ "dry_run": "yes" }), "input.dry_run: expected true or false"),
        (json!({ "dry_run": null }), "input.dry_run: expected true or false"),
        (envelope("aws.events", json!({ "dry_run": 1 })), "input.dry_run: expected true or false"),
        (envelope("aws.events", json!(["due"])), "input.detail: expected an object"),
        (envelope("aws.scheduler", "\"due\"".to_owned()), "input.detail: expected an object"),
        (envelope("aws.scheduler", "jane@example.com".to_owned()), "input.detail: expected an object as JSON text"),
        (envelope("aws.scheduler", String::new()), "input.detail: expected an object as JSON text"),
    ] {
        assert_eq!(run(&event).unwrap_err().to_string(), expected, "{event}");
    }
}

#[test]
fn a_misspelt_key_is_refused() {
    let misspelt = run(&json!({ "dryrun": true })).unwrap();
    let refusal = misspelt.only(&["only"]).unwrap_err().to_string();
    assert_eq!(refusal, "input: expected no other keys than dry_run, only");
    assert_eq!(run(&json!({ "dry_run": true, "only": [] })).unwrap().only(&["only"]), Ok(()));
}

#[test]
fn the_margin_is_a_tenth_of_the_time_but_neither_too_little_nor_too_much() {
    for (whole, expected) in [(0, 2), (1, 2), (20, 2), (55, 5), (100, 10), (300, 10), (900, 10)] {
        let margin = margin(Duration::from_secs(whole)).as_secs();
        assert_eq!(margin, expected, "of {whole} s");
    }
}

#[test]
fn steps_begin_until_the_margin_before_the_end() {
    let ample = Run::of(&Value::Null, in_time(Duration::from_mins(5))).unwrap();
    let (left, ten_seconds) = (ample.deadline().duration_since(tokio::time::Instant::now()), Duration::from_secs(10));
    assert!(ample.has_time() && left <= Duration::from_mins(5).saturating_sub(ten_seconds), "{left:?}");
    for too_little in [Duration::from_secs(2), Duration::ZERO] {
        assert!(!Run::of(&Value::Null, in_time(too_little)).unwrap().has_time(), "{too_little:?}");
    }
    assert!(!Run::of(&Value::Null, 0).unwrap().has_time(), "a deadline long past");
}

fn filled(dry_run: bool) -> Report {
    let mut report = Report::new(dry_run);
    report.saw(7);
    report.changed("reset", 2);
    report.changed("reset", 1);
    report.skipped("paused", 2);
    report.left(2);
    report.count("bytes", 4096);
    report
}

#[test]
fn a_report_is_the_answer_and_a_line_of_words() {
    let empty = json!({ "dry_run": false, "seen": 0, "changed": {}, "skipped": {}, "failed": 0, "left": 0 });
    assert_eq!(serde_json::to_value(Report::default()).unwrap(), empty);
    assert_eq!(Report::default().words(), "seen 0, changed 0, skipped 0, failed 0, left 0");

    let full = json!({
        "dry_run": true, "seen": 7, "changed": { "reset": 3 }, "skipped": { "paused": 2 }, "failed": 0, "left": 2,
        "bytes": 4096,
    });
    assert_eq!(serde_json::to_value(filled(true)).unwrap(), full);
    let words = "dry run, seen 7, reset 3, skipped 2 (paused 2), failed 0, left 2, bytes 4096";
    assert_eq!(filled(true).words(), words);
}

#[test]
fn parts_of_a_run_add_up() {
    let mut whole = filled(true);
    let mut part = filled(false);
    part.skipped("leased", 1);
    part.failed(1);
    whole.merge(part);
    let expected = json!({
        "dry_run": true, "seen": 14, "changed": { "reset": 6 }, "skipped": { "leased": 1, "paused": 4 },
        "failed": 1, "left": 4, "bytes": 8192,
    });
    assert_eq!(serde_json::to_value(whole).unwrap(), expected);
}

#[tokio::test]
async fn an_answer_is_the_report_or_what_was_wrong() {
    let (deadline, ledger) = (in_time(Duration::from_mins(1)), FakeTable::new(Log::default()).ledger());
    let work = async |run: Run| {
        run.only(&[])?;
        Ok::<_, BadInput>(run.report())
    };
    let answered = answer("cleanup", &json!({ "dry_run": true }), deadline, &ledger, work).await;
    assert_eq!(answered, Ok(Report::new(true)));
    assert_eq!(ledger.last_runs().await, Ok(vec![]), "a dry run is none");
    for wrong in [json!([]), json!({ "days": 3 })] {
        assert!(answer("cleanup", &wrong, deadline, &ledger, work).await.is_err(), "{wrong}");
    }
    let failed = ledger.last_runs().await.unwrap().remove(0);
    assert_eq!((failed.name.as_str(), failed.is_ok), ("cleanup", false));
    assert_eq!(failed.said, "input: expected no other keys than dry_run");
}

#[tokio::test]
async fn the_last_run_is_noted_under_what_it_was_asked_for_and_runs_all_the_same_where_it_cannot_be() {
    let deadline = in_time(Duration::from_mins(1));
    let table = FakeTable::new(Log::default());
    let ledger = table.ledger();
    let work = async |run: Run| Ok::<_, BadInput>(run.report());
    for (input, name) in [
        (json!({}), "reset-errors"),
        (json!({ "only": ["due"] }), "reset-errors/due"),
        (json!({ "only": ["due", "dead_letters", 7, "Erika M"] }), "reset-errors/due,dead_letters"),
    ] {
        assert!(answer("reset-errors", &input, deadline, &ledger, work).await.is_ok(), "{input}");
        let runs = ledger.last_runs().await.unwrap();
        let run = runs.iter().find(|run| run.name == name).unwrap_or_else(|| panic!("{name}: {runs:?}"));
        assert!(run.is_ok && run.said.starts_with("{\"dry_run\":false"), "{run:?}");
    }
    table.falls_after(0);
    assert!(answer("reset-errors", &json!({}), deadline, &ledger, work).await.is_ok());
}
