//! Whole batches on a table and a bucket in memory: which orders are in which object, whatever falls in between.

use std::collections::BTreeMap;

use serde_json::json;
use tokio::time::Instant;

use super::*;
use crate::fake::{Fault, attribute};
use crate::ledger::{ExportKey, Row, Status};
use crate::pipeline::bench::{Bench, Hook};
use crate::pipeline::verdict::Verdict;

const LAKE: &str = r#"
[[pipelines]]
code = "lake"
format = { type = "json" }
transport = { type = "s3", key = "packs/{{ pack.id }}.jsonl", pack = { max_orders = 4 } }
"#;

/// The columns need a number that is one.
const PICKY: &str = r#"
[[pipelines]]
code = "lake"
format = { type = "csv", rows = "order", line_ending = "lf", columns = [
    "order.id", { header = "No.", value = "order.number | money(1)" } ] }
transport = { type = "s3", key = "packs/{{ order.placed_at | date('%Y/%m/%d') }}/{{ pack.id }}.csv", pack = {} }
"#;

fn order(id: usize) -> Hook {
    Hook::new("order.placed", json!({ "id": id.to_string(), "number": "0" }))
}

fn orders(ids: std::ops::Range<usize>) -> Vec<Hook> {
    ids.map(order).collect()
}

fn row_in(bench: &Bench, pipeline: &str, id: usize) -> Option<Row> {
    bench.table.row(&ExportKey::new("acme", &id.to_string(), pipeline))
}

fn row(bench: &Bench, id: usize) -> Row {
    row_in(bench, "lake", id).expect("a row")
}

/// How often each order is in the bucket.
fn delivered(bench: &Bench) -> BTreeMap<String, usize> {
    let mut orders = BTreeMap::new();
    for kept in bench.bucket.objects().into_values() {
        for line in kept.body.lines() {
            let order: serde_json::Value = serde_json::from_str(line).unwrap();
            *orders.entry(order["id"].as_str().unwrap().to_owned()).or_default() += 1;
        }
    }
    orders
}

/// That each order is in the bucket once, where its row says, and the row names no pack any more.
fn assert_each_once(bench: &Bench, ids: std::ops::Range<usize>) {
    let expected = ids.clone().map(|id| (id.to_string(), 1)).collect();
    assert_eq!(delivered(bench), expected);
    let objects = bench.bucket.objects();
    for id in ids {
        let row = row(bench, id);
        assert_eq!((row.status, &row.pack), (Status::Exported, &None), "{row:?}");
        let key = row.destination.as_deref().and_then(|place| place.strip_prefix("s3://bucket/")).unwrap();
        assert!(holds(&objects[key].metadata[PACK], &row.key.idempotency_key()), "{id} in {key}");
    }
}

/// Whatever the rows wait for is over.
fn time_passes(bench: &Bench, ids: std::ops::Range<usize>) {
    for key in ids.map(|id| ExportKey::new("acme", &id.to_string(), "lake")) {
        if bench.table.row(&key).is_some() {
            bench.table.edit(&key, |item| {
                for name in ["lease_until", "not_before"] {
                    if let Some(time) = item.get_mut(name) {
                        *time = attribute("2026-01-01T00:00:00.000Z");
                    }
                }
            });
        }
    }
}

fn count(done: &[String], what: &str) -> usize {
    done.iter().filter(|line| line.as_str() == what).count()
}

#[tokio::test(start_paused = true)]
async fn a_batch_is_one_object_and_two_writes_an_order() {
    let bench = Bench::with(&LAKE.replace("pack = { max_orders = 4 }", "pack = {}"));
    let begun = Instant::now();
    let verdicts = bench.deliver_batch(&orders(0..10), 1, 10).await;
    assert!(verdicts.iter().all(|verdict| matches!(verdict, Ok(Verdict::Done))), "{verdicts:?}");
    assert_eq!(begun.elapsed(), Duration::ZERO, "all are there: nobody else is waited for");
    assert_each_once(&bench, 0..10);
    let done = bench.done();
    let counts = ["put object", "write lake processing", "write lake exported", "head object"];
    assert_eq!(counts.map(|what| count(&done, what)), [1, 10, 10, 0], "{done:?}");
    assert_eq!(done.len(), 21, "{done:?}");
    let (key, kept) = bench.bucket.objects().pop_first().unwrap();
    assert!(key.starts_with("packs/20") && key.ends_with("-1.jsonl"), "{key}");
    assert_eq!(kept.media_type, "application/x-ndjson");
    assert_eq!(kept.metadata.keys().collect::<Vec<_>>(), [PACK]);
}

#[tokio::test(start_paused = true)]
async fn more_orders_than_fit_are_more_objects_and_few_at_once_are_one() {
    for (at_once, objects) in [(10, 3), (4, 3), (1, 3)] {
        let bench = Bench::with(LAKE);
        bench.deliver_batch(&orders(0..10), 1, at_once).await;
        assert_each_once(&bench, 0..10);
        assert_eq!(bench.bucket.objects().len(), objects, "{at_once} at once: who waits leaves its turn to others");
    }
}

#[tokio::test(start_paused = true)]
async fn pipelines_of_one_record_do_not_wait_for_each_other_to_end() {
    for at_once in [1, 2, 10] {
        let bench = Bench::with(&format!("{LAKE}{}", PICKY.replace("lake", "csv")));
        let begun = Instant::now();
        bench.deliver_batch(&orders(0..9), 1, at_once).await;
        assert_eq!(begun.elapsed(), Duration::ZERO, "{at_once} at once");
        let exported = |pipeline| (0..9).all(|id| row_in(&bench, pipeline, id).unwrap().status == Status::Exported);
        assert_eq!((exported("lake"), exported("csv"), bench.bucket.objects().len()), (true, true, 4));
    }
}

#[tokio::test(start_paused = true)]
async fn orders_whose_keys_differ_are_apart_and_so_are_pipelines() {
    let two = format!("{LAKE}{}", PICKY.replace("lake", "csv"));
    let bench = Bench::with(&two);
    let of_day = |id: usize, day| {
        let placed_at = format!("2026-03-0{day}T08:00:00Z");
        Hook::new("order.placed", json!({ "id": id.to_string(), "number": "0", "placed_at": placed_at }))
    };
    bench.deliver_batch(&[of_day(1, 1), of_day(2, 2), of_day(3, 1)], 1, 10).await;
    let objects = bench.bucket.objects();
    let csv = |day: &str| {
        let under = objects.iter().filter(|(key, _)| key.starts_with(&format!("packs/2026/03/{day}/")));
        under.map(|(_, kept)| (kept.body.as_str(), kept.media_type.as_str())).collect::<Vec<_>>()
    };
    let media_type = "text/csv; charset=utf-8";
    assert_eq!(csv("01"), [("order.id,No.\n1,0.0\n3,0.0\n", media_type)]);
    assert_eq!(csv("02"), [("order.id,No.\n2,0.0\n", media_type)]);
    assert_eq!(objects.len(), 3, "and one of the other pipeline");
    for id in 1..4 {
        let exported = ["lake", "csv"].map(|pipeline| row_in(&bench, pipeline, id).unwrap().status);
        assert_eq!(exported, [Status::Exported; 2]);
    }
}

#[tokio::test(start_paused = true)]
async fn an_order_that_fails_leaves_the_others() {
    let bench = Bench::with(PICKY);
    let bad = Hook::new("order.placed", json!({ "id": "2", "number": "seven" }));
    bench.deliver_batch(&[order(1), bad, order(3)], 1, 10).await;
    let objects = bench.bucket.objects();
    assert_eq!(objects.values().map(|kept| kept.body.as_str()).collect::<Vec<_>>(), ["order.id,No.\n1,0.0\n3,0.0\n"]);
    assert_eq!([1, 2, 3].map(|id| row(&bench, id).status), [Status::Exported, Status::Error, Status::Exported]);
}

#[tokio::test(start_paused = true)]
async fn an_order_that_comes_twice_in_a_batch_is_in_one_object_once() {
    let bench = Bench::with(LAKE);
    let batch = [order(1), order(1), order(2)];
    let verdicts = bench.deliver_batch(&batch, 1, 10).await;
    assert!(matches!(verdicts[1], Ok(Verdict::Retry(_))), "somebody holds it: {verdicts:?}");
    assert_each_once(&bench, 1..3);
    assert_eq!(bench.deliver_batch(&batch[1..2], 2, 10).await[0].as_ref().unwrap(), &Verdict::Done);
    assert_each_once(&bench, 1..3);
}

#[tokio::test(start_paused = true)]
async fn a_record_that_is_slow_elsewhere_holds_up_the_others_for_a_short_while_only() {
    let bench = Bench::with(LAKE);
    let packs = Bench::packs(2, 10);
    let slow = packs.record(1);
    let begun = Instant::now();
    assert_eq!(bench.deliver_in(&packs, 0, &order(1), 1).await.unwrap(), Verdict::Done);
    assert_eq!(begun.elapsed(), Duration::from_millis(200));
    drop(slow);
    assert_each_once(&bench, 1..2);
}

#[tokio::test(start_paused = true)]
async fn orders_of_an_object_that_was_not_kept_go_into_another_one() {
    let bench = Bench::with(LAKE);
    bench.bucket.fails(&[Fault::Refuses]);
    let verdicts = bench.deliver_batch(&orders(0..3), 1, 10).await;
    assert!(verdicts.iter().all(|verdict| matches!(verdict, Ok(Verdict::Retry(_)))), "{verdicts:?}");
    for id in 0..3 {
        let row = row(&bench, id);
        assert!(row.last_error.unwrap().contains("SlowDown"), "each knows the reason");
        assert!(row.pack.is_some(), "who knows whether it was kept");
    }
    time_passes(&bench, 0..3);
    bench.done();
    bench.deliver_batch(&orders(0..3), 2, 10).await;
    let done = bench.done();
    assert_eq!((count(&done, "head object"), count(&done, "put object")), (3, 1), "{done:?}");
    assert_each_once(&bench, 0..3);
}

#[tokio::test(start_paused = true)]
async fn orders_of_an_object_whose_answer_was_lost_are_found_in_it() {
    let bench = Bench::with(LAKE);
    bench.bucket.fails(&[Fault::KeepsInSilence]);
    bench.deliver_batch(&orders(0..3), 1, 10).await;
    assert_eq!(row(&bench, 0).status, Status::Pending);
    time_passes(&bench, 0..3);
    bench.done();

    bench.bucket.is_away(true);
    let verdicts = bench.deliver_batch(&orders(0..3), 2, 10).await;
    assert!(verdicts.iter().all(|verdict| matches!(verdict, Ok(Verdict::Retry(_)))), "not known: {verdicts:?}");
    assert_eq!(count(&bench.done(), "put object"), 0, "and so nothing is done");
    bench.bucket.is_away(false);
    time_passes(&bench, 0..3);

    // Two are found in the object, and one that is new goes into another.
    let verdicts = bench.deliver_batch(&[order(0), order(1), order(2), order(3)], 3, 10).await;
    assert!(verdicts.iter().all(|verdict| matches!(verdict, Ok(Verdict::Done))), "{verdicts:?}");
    assert_eq!(count(&bench.done(), "put object"), 1);
    assert_each_once(&bench, 0..4);
}

#[tokio::test(start_paused = true)]
async fn whatever_call_is_the_last_before_a_fall_each_order_is_delivered_once() {
    for calls in 0..16 {
        let bench = Bench::with(LAKE);
        bench.table.falls_after(calls);
        bench.deliver_batch(&orders(0..6), 1, 3).await;
        bench.table.recovers();
        time_passes(&bench, 0..6);
        let verdicts = bench.deliver_batch(&orders(0..6), 2, 3).await;
        assert!(verdicts.iter().all(|verdict| matches!(verdict, Ok(Verdict::Done))), "{calls}: {verdicts:?}");
        assert_each_once(&bench, 0..6);
    }
}

#[tokio::test(start_paused = true)]
async fn after_a_lost_answer_too_each_order_is_delivered_once_whatever_falls() {
    for (fault, calls) in [Fault::Refuses, Fault::KeepsInSilence].into_iter().flat_map(|f| (0..12).map(move |n| (f, n)))
    {
        let bench = Bench::with(LAKE);
        bench.bucket.fails(&[fault]);
        bench.deliver_batch(&orders(0..2), 1, 10).await;
        time_passes(&bench, 0..2);
        bench.table.falls_after(calls);
        bench.deliver_batch(&orders(0..2), 2, 10).await;
        bench.table.recovers();
        time_passes(&bench, 0..2);
        bench.deliver_batch(&orders(0..2), 3, 10).await;
        assert_each_once(&bench, 0..2);
    }
}
