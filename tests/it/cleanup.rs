//! Cleanup: what has been kept long enough goes, with what belongs to it, and nothing else.

use futures_util::future::join_all;
use jiff::{Timestamp, ToSpan};
use ordersync::aws::variable;
use ordersync::ledger::{
    Claim, Completion, ExportKey, Facts, Fault, FindBy, Keep, Kept, Lease, NextStep, Observation, Origin, Payload,
    Recorded, Removed, Reset, Row, Status, Told,
};
use ordersync::pipeline::transport::s3::EXPORT;
use ordersync::queue::Fields;
use ordersync::webhook::Event;
use ordersync::{clock, ledger};
use serde_json::{Value, json};

use crate::support::noise;
use crate::support::stack::Stack;

const SHOP: &str = "it-cleanup";

pub(crate) fn days_ago(days: i64) -> Timestamp {
    clock::now() - (days * 24).hours()
}

pub(crate) fn key(order_id: &str, pipeline: &str) -> ExportKey {
    ExportKey::new(SHOP, order_id, pipeline)
}

fn kept(payload: &Payload) -> Kept {
    Kept { payload: payload.clone(), envelope: Fields::new() }
}

fn facts(order_id: &str, payload: &Payload, at: Timestamp) -> Facts {
    Facts {
        number: format!("N-{order_id}"),
        placed_at: Some(at),
        order_state: None,
        payment_state: None,
        payment_method: None,
        is_unpaid: false,
        told: Told::by(&[Event::Placed], at),
        customer: None,
        origin: Origin::default(),
        kept: Some(kept(payload)),
        find_by: FindBy::default(),
    }
}

async fn small(stack: &Stack, order_id: &str) -> Payload {
    stack.payloads.keep(SHOP, order_id, b"{}").await.unwrap()
}

/// A payload that lies in the bucket; each seed makes another.
pub(crate) async fn large(stack: &Stack, order_id: &str, seed: u32) -> Payload {
    stack.payloads.keep(SHOP, order_id, noise(100_000, seed).as_bytes()).await.unwrap()
}

async fn begin(stack: &Stack, key: &ExportKey, payload: &Payload, at: Timestamp) -> Lease {
    let facts = facts(&key.order_id, payload, at);
    match stack.ledger.claim(key, &facts, "a-test", at, at + 60.seconds()).await.unwrap() {
        Claim::Granted(lease) => lease,
        refused => panic!("{refused:?}"),
    }
}

pub(crate) async fn exported(stack: &Stack, key: &ExportKey, payload: &Payload, destination: &str, days: i64) {
    let lease = begin(stack, key, payload, days_ago(days)).await;
    let done = Completion { destination: destination.into(), external_id: None, acknowledge_by: None };
    stack.ledger.complete(&lease, &done, Keep::Put(&kept(payload)), days_ago(days)).await.unwrap();
}

pub(crate) async fn failed(stack: &Stack, key: &ExportKey, payload: &Payload, next: NextStep, days: i64) {
    let lease = begin(stack, key, payload, days_ago(days)).await;
    stack.ledger.fail(&lease, "HTTP 503", None, next, Some(&kept(payload)), days_ago(days)).await.unwrap();
}

pub(crate) async fn clean_up(stack: &Stack, event: Value) -> Value {
    let report = stack.invoke(&variable("FN_CLEANUP").unwrap(), &event).await;
    assert_eq!((&report["failed"], &report["left"], &report["passes_finished"]), (&json!(0), &json!(0), &json!(1)));
    report
}

pub(crate) async fn is_there(stack: &Stack, key: &ExportKey) -> bool {
    stack.ledger.export(key).await.unwrap().is_some()
}

pub(crate) async fn object(stack: &Stack, place: &str, written_by: &ExportKey) {
    let put = stack.s3.put_object().bucket(&stack.bucket).key(place).body(b"{}".to_vec().into());
    put.metadata(EXPORT, written_by.idempotency_key()).send().await.unwrap();
}

fn stored(payload: &Payload) -> &str {
    match payload {
        Payload::Stored(key) => key,
        Payload::Inline(_) => panic!("too small for the bucket"),
    }
}

#[tokio::test]
async fn only_what_is_old_and_over_is_removed() {
    let stack = Stack::get();
    let payload = small(&stack, "ages").await;
    let place = "https://erp.example.com/orders";
    for (pipeline, days) in [("exported-old", 366), ("exported-new", 364), ("acknowledged-old", 366)] {
        exported(&stack, &key("ages", pipeline), &payload, place, days).await;
    }
    let row = stack.row(SHOP, "ages", "acknowledged-old").await.unwrap();
    stack.ledger.acknowledge(&row, Some("E-1"), days_ago(366)).await.unwrap();
    for (pipeline, days) in [("skipped-old", 31), ("skipped-new", 29)] {
        let facts = facts("ages", &payload, days_ago(days));
        stack.ledger.skip(&key("ages", pipeline), &facts, "not wanted", days_ago(days)).await.unwrap();
    }
    let give_up = NextStep::GiveUp(Fault::Permanent);
    for (pipeline, days) in [("error-old", 701), ("error-new", 699)] {
        failed(&stack, &key("ages", pipeline), &payload, give_up, days).await;
    }
    let retry = NextStep::Retry { not_before: days_ago(3000) };
    failed(&stack, &key("ages", "pending-lost"), &payload, retry, 3000).await;
    failed(&stack, &key("ages", "pending"), &payload, retry, 14).await;
    begin(&stack, &key("ages", "processing-lost"), &payload, days_ago(3000)).await;
    begin(&stack, &key("ages", "processing"), &payload, days_ago(14)).await;
    let lease = begin(&stack, &key("ages", "awaited"), &payload, days_ago(3000)).await;
    let awaited = Completion { acknowledge_by: Some(days_ago(2999)), ..Completion::default() };
    stack.ledger.complete(&lease, &awaited, Keep::AsItIs, days_ago(3000)).await.unwrap();
    for (order_id, days) in [("ages-canceled", 366), ("ages-canceled-new", 364)] {
        let canceled = key(order_id, "erp");
        failed(&stack, &canceled, &payload, retry, days).await;
        let said = Observation::named(Event::Canceled, Told::by(&[Event::Canceled], days_ago(days))).unwrap();
        stack.ledger.observe(SHOP, order_id, &said, &[], days_ago(days)).await.unwrap();
    }

    let dry = clean_up(&stack, json!({ "dry_run": true })).await;
    assert_eq!(stack.ledger.order(SHOP, "ages").await.unwrap().len(), 12, "{dry}");
    assert!(dry["changed"]["removed"].as_u64() >= Some(5), "{dry}");

    let report = clean_up(&stack, json!({})).await;
    assert!(report["row_bytes"].as_u64() > Some(500), "{report}");
    let left: Vec<_> =
        stack.ledger.order(SHOP, "ages").await.unwrap().into_iter().map(|row| row.key.pipeline).collect();
    let expected = ["awaited", "error-new", "exported-new", "pending", "pending-lost", "processing", "processing-lost"];
    assert_eq!(left, [&expected[..], &["skipped-new"]].concat());
    let lost = ["pending-lost", "processing-lost"].map(|pipeline| key("ages", pipeline));
    let rows = [stack.ledger.export(&lost[0]).await, stack.ledger.export(&lost[1]).await];
    let [kept, gone] = rows.map(|row| row.unwrap().unwrap());
    assert_eq!((kept.status, kept.fault, kept.attempts), (Status::Error, Some(Fault::Orphaned), 1));
    assert_eq!((gone.status, gone.fault, gone.attempts), (Status::Error, Some(Fault::Permanent), 0));
    assert!(!is_there(&stack, &key("ages-canceled", "erp")).await);
    assert!(is_there(&stack, &key("ages-canceled-new", "erp")).await);
}

#[tokio::test]
async fn a_shared_payload_stays_until_the_last_export_goes() {
    let stack = Stack::get();
    let (payload, unnamed) = (large(&stack, "shared", 1).await, large(&stack, "shared", 2).await);
    exported(&stack, &key("shared", "young"), &payload, "https://erp.example.com", 1).await;
    exported(&stack, &key("shared", "old"), &payload, "https://erp.example.com", 400).await;
    clean_up(&stack, json!({})).await;
    assert!(!is_there(&stack, &key("shared", "old")).await);
    assert_eq!(stack.visible("payloads/orders/it-cleanup/shared/").await.len(), 2);
    let young = stack.row(SHOP, "shared", "young").await.unwrap();
    assert!(stack.payloads.fetch(young.payload.as_ref().unwrap()).await.is_ok());

    // It comes of age.
    stack.ledger.acknowledge(&young, None, days_ago(400)).await.unwrap();
    clean_up(&stack, json!({})).await;
    assert!(!is_there(&stack, &key("shared", "young")).await);
    assert_eq!(stack.visible("payloads/orders/it-cleanup/shared/").await, Vec::<String>::new());
    assert_eq!(stack.versions(stored(&unnamed)).await.len(), 2, "its version and the marker, for the lifecycle rule");
}

#[tokio::test]
async fn documents_go_with_their_exports_but_for_those_that_are_kept_or_not_ours() {
    let stack = Stack::get();
    let payload = small(&stack, "documents").await;
    let (own, kept) = (key("documents", "own"), key("documents", "cleanup-keeps"));
    let (overwritten, elsewhere) = (key("documents", "overwritten"), key("documents", "elsewhere"));
    for (export, place, written_by) in [
        (&own, "it-cleanup/own.json", &own),
        (&kept, "it-cleanup/kept.json", &kept),
        (&overwritten, "it-cleanup/latest.json", &key("another", "overwritten")),
    ] {
        object(&stack, place, written_by).await;
        exported(&stack, export, &payload, &format!("s3://{}/{place}", stack.bucket), 400).await;
    }
    object(&stack, "it-cleanup/elsewhere.json", &elsewhere).await;
    exported(&stack, &elsewhere, &payload, "s3://a-merchants-bucket/it-cleanup/elsewhere.json", 400).await;
    clean_up(&stack, json!({})).await;
    assert_eq!(stack.ledger.order(SHOP, "documents").await.unwrap(), Vec::<Row>::new());
    let left = stack.visible("it-cleanup/").await;
    assert_eq!(left, ["it-cleanup/elsewhere.json", "it-cleanup/kept.json", "it-cleanup/latest.json"]);
}

#[tokio::test]
async fn two_runs_at_once_remove_everything_once() {
    let stack = Stack::get();
    let orders: Vec<String> = (0..60).map(|n| format!("crowd-{n}")).collect();
    join_all(orders.iter().map(async |order_id| {
        let payload = large(&stack, order_id, 1).await;
        for pipeline in ["erp", "crm"] {
            exported(&stack, &key(order_id, pipeline), &payload, "https://erp.example.com", 400).await;
        }
    }))
    .await;
    let reports = join_all((0..2).map(|_| clean_up(&stack, json!({})))).await;
    let removed: u64 = reports.iter().filter_map(|report| report["changed"]["removed"].as_u64()).sum();
    // Rows of other tests may be among them.
    assert!(removed >= 120, "{reports:?}");
    for order_id in &orders {
        assert_eq!(stack.ledger.order(SHOP, order_id).await.unwrap(), Vec::<Row>::new());
    }
    assert_eq!(stack.visible("payloads/orders/it-cleanup/crowd-").await, Vec::<String>::new());
}

#[tokio::test]
async fn a_row_that_was_reset_after_it_was_seen_stays() {
    let stack = Stack::get();
    let (export, payload) = (key("reset", "erp"), small(&stack, "reset").await);
    failed(&stack, &export, &payload, NextStep::GiveUp(Fault::Exhausted), 2).await;
    let seen = stack.ledger.outlines(SHOP, "reset").await.unwrap().remove(0);
    let mut pages = stack.ledger.by_status(Status::Error, shard_of(&stack, &export).await, clock::now());
    let summary = loop {
        let page = pages.summaries().await.unwrap().expect("the row");
        if let Some(found) = page.into_iter().find(|summary| summary.key == export) {
            break found;
        }
    };
    assert_eq!(stack.ledger.reset(&summary, Reset::Anew, clock::now()).await, Ok(Recorded::Written));
    assert_eq!(stack.ledger.remove(&seen).await, Ok(Removed::Changed));
    assert_eq!(stack.ledger.erase(&seen, clock::now()).await, Ok(Recorded::LeftAsIs));
    let row = stack.ledger.export(&export).await.unwrap().unwrap();
    assert_eq!((row.status, &row.payload), (Status::Pending, &Some(payload)));
    assert_eq!(stack.ledger.remove(&row).await, Ok(Removed::Changed), "its message is still to be sent");
}

/// The shard of the index that an export is in.
async fn shard_of(stack: &Stack, export: &ExportKey) -> u64 {
    for shard in 0..ledger::Ledger::SHARDS {
        let mut pages = stack.ledger.by_status(Status::Error, shard, clock::now());
        while let Some(page) = pages.summaries().await.unwrap() {
            if page.iter().any(|summary| summary.key == *export) {
                return shard;
            }
        }
    }
    panic!("the export is in no shard");
}
