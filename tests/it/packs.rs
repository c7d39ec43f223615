//! Orders that share an object: each is in one, whatever happens, and can be taken out of it.

use std::collections::BTreeMap;
use std::io::Read as _;

use flate2::read::GzDecoder;
use futures_util::future::join_all;
use jiff::ToSpan;
use ordersync::aws::variable;
use ordersync::clock;
use ordersync::ledger::{Claim, ExportKey, Facts, FindBy, Holder, Origin, Removed, Row, Status, Told};
use ordersync::webhook::Event;
use serde_json::{Value, json};

use crate::support::shop::{generic, order};
use crate::support::stack::Stack;
use crate::support::{eventually, process};

/// An order of a group, whose number fits into every format.
fn of(group: &str, id: &str) -> Value {
    let mut order = order(id);
    order["payment"]["method"] = json!(group);
    order["number"] = json!("1");
    order
}

fn record(id: &str, order: &Value) -> Value {
    let text = |value: &str| json!({ "stringValue": value, "dataType": "String" });
    json!({
        "messageId": id, "receiptHandle": "none", "body": order.to_string(), "eventSource": "aws:sqs",
        "attributes": { "ApproximateReceiveCount": "1" },
        "messageAttributes": { "shop": text("it-pack"), "received_at": text("2026-03-01T00:00:00Z") }
    })
}

/// A batch handed to the processor directly; which of its records come back.
async fn process(stack: &Stack, orders: &[Value]) -> Vec<Value> {
    let records: Vec<_> = orders.iter().enumerate().map(|(n, order)| record(&format!("r{n}"), order)).collect();
    let answer = stack.invoke(&variable("FN_PROCESSOR").unwrap(), &json!({ "Records": records })).await;
    answer["batchItemFailures"].as_array().unwrap().clone()
}

/// The orders in each object of a group.
async fn objects(stack: &Stack, group: &str) -> BTreeMap<String, Vec<String>> {
    let mut objects = BTreeMap::new();
    for key in stack.visible(&format!("packs/it/{group}/")).await {
        let (body, kind, _) = stack.object(&key).await;
        assert_eq!(kind, "application/x-ndjson");
        let text = String::from_utf8(body).unwrap();
        let id = |line: &str| serde_json::from_str::<Value>(line).unwrap()["id"].as_str().unwrap().to_owned();
        objects.insert(key, text.lines().map(id).collect());
    }
    objects
}

/// That each order is in the objects of its group once, and where its row says.
async fn assert_each_once(stack: &Stack, group: &str, ids: &[String]) -> BTreeMap<String, Vec<String>> {
    let objects = objects(stack, group).await;
    let mut found: Vec<_> = objects.values().flatten().cloned().collect();
    found.sort();
    assert_eq!(found, ids, "{objects:?}");
    for id in ids {
        let row = stack.export("it-pack", id, "pack", Status::Exported).await;
        assert!(objects[key_of(stack, &row)].contains(id), "{row:?}");
        assert_eq!(row.pack, None);
    }
    objects
}

fn key_of<'r>(stack: &Stack, row: &'r Row) -> &'r str {
    row.destination.as_deref().unwrap().strip_prefix(&format!("s3://{}/", stack.bucket)).unwrap()
}

fn ids(group: &str, count: usize) -> Vec<String> {
    (0..count).map(|n| format!("{group}-{n:02}")).collect()
}

fn orders(group: &str, ids: &[String]) -> Vec<Value> {
    ids.iter().map(|id| of(group, id)).collect()
}

#[tokio::test]
async fn a_batch_is_as_few_objects_as_it_fits_into() {
    let (stack, ids) = (Stack::get(), ids("few", 12));
    assert_eq!(process(&stack, &orders("few", &ids)).await, Vec::<Value>::new());
    let objects = assert_each_once(&stack, "few", &ids).await;
    let mut sizes: Vec<_> = objects.values().map(Vec::len).collect();
    sizes.sort_unstable();
    assert_eq!(sizes, [2, 5, 5]);
}

#[tokio::test]
async fn an_order_that_fails_leaves_the_others_of_its_object() {
    let stack = Stack::get();
    let mut batch = orders("bad", &ids("bad", 3));
    batch[1]["number"] = json!("seven");
    assert_eq!(process(&stack, &batch).await, Vec::<Value>::new(), "it is permanent");
    for (id, status) in [("bad-00", Status::Exported), ("bad-01", Status::Error), ("bad-02", Status::Exported)] {
        stack.export("it-pack", id, "pack-csv", status).await;
    }
    let keys = stack.visible("packs/it-csv/bad/").await;
    assert_eq!(keys.len(), 1, "{keys:?}");
    let (body, kind, encoding) = stack.object(&keys[0]).await;
    assert_eq!((kind.as_str(), encoding.as_deref()), ("text/csv; charset=utf-8", Some("gzip")));
    let mut text = String::new();
    GzDecoder::new(body.as_slice()).read_to_string(&mut text).unwrap();
    assert_eq!(text, "order.id,No.\r\nbad-00,1\r\nbad-02,1\r\n");
    assert_each_once(&stack, "bad", &ids("bad", 3)).await;
}

#[tokio::test]
async fn orders_that_were_put_into_an_object_before_a_crash_are_found_there() {
    let (stack, ids) = (Stack::get(), ids("crash", 4));
    process(&stack, &orders("crash", &ids)).await;
    let before = assert_each_once(&stack, "crash", &ids).await;
    // As if the processor had fallen between the object and the row.
    for id in &ids[..2] {
        let row = stack.row("it-pack", id, "pack").await.unwrap();
        let place = row.destination.clone().unwrap();
        assert!(matches!(stack.ledger.remove(&row).await, Ok(Removed::Gone { .. })));
        let (key, at) = (ExportKey::new("it-pack", id, "pack"), clock::now() - 60.seconds());
        let holder = Holder { owner: "fallen", pack: Some(&place) };
        let claim = stack.ledger.claim(&key, &facts(), holder, at, at + 30.seconds()).await.unwrap();
        assert!(matches!(claim, Claim::Granted(_)), "{claim:?}");
    }
    assert_eq!(process(&stack, &orders("crash", &ids)).await, Vec::<Value>::new());
    assert_eq!(assert_each_once(&stack, "crash", &ids).await, before, "no other object");
    let row = stack.row("it-pack", &ids[0], "pack").await.unwrap();
    assert_eq!(row.attempts, 2);
}

#[tokio::test]
async fn an_order_that_is_not_in_the_object_that_its_row_names_goes_into_another() {
    let stack = Stack::get();
    let (key, at) = (ExportKey::new("it-pack", "lost-00", "pack"), clock::now() - 60.seconds());
    let place = format!("s3://{}/packs/it/lost/never-written.jsonl", stack.bucket);
    let holder = Holder { owner: "fallen", pack: Some(&place) };
    stack.ledger.claim(&key, &facts(), holder, at, at + 30.seconds()).await.unwrap();
    process(&stack, &orders("lost", &ids("lost", 1))).await;
    assert_each_once(&stack, "lost", &ids("lost", 1)).await;
}

fn facts() -> Facts {
    Facts {
        number: "1".into(),
        placed_at: None,
        order_state: None,
        payment_state: None,
        payment_method: None,
        is_unpaid: false,
        told: Told::by(&[Event::Placed], clock::now()),
        customer: None,
        origin: Origin::default(),
        kept: None,
        find_by: FindBy::default(),
    }
}

#[tokio::test]
async fn orders_of_a_processor_that_is_killed_when_it_has_written_the_object_are_delivered_once() {
    let (stack, ids) = (Stack::get(), ids("kill", 20));
    join_all(ids.iter().map(async |id| stack.accept("it-pack", &generic(&of("kill", id))).await)).await;
    eventually("the first object", async || (!stack.visible("packs/it/kill/").await.is_empty()).then_some(())).await;
    assert!(process::kill("FN_PROCESSOR") > 0, "no processor to kill");
    for id in &ids {
        stack.export("it-pack", id, "pack", Status::Exported).await;
    }
    assert_each_once(&stack, "kill", &ids).await;
}

#[tokio::test]
async fn an_erased_order_is_taken_out_of_the_objects_that_it_shares() {
    let (stack, ids) = (Stack::get(), ids("erase", 3));
    process(&stack, &orders("erase", &ids)).await;
    let objects = assert_each_once(&stack, "erase", &ids).await;
    let (key, csv) = (objects.keys().next().unwrap(), stack.visible("packs/it-csv/erase/").await);
    let request = json!({ "erase": { "shop": "it-pack", "order": "erase-01" } });
    let answer = stack.invoke(&variable("FN_CLEANUP").unwrap(), &request).await;
    let receipt = &answer["receipt"];
    assert_eq!((&receipt["complete"], &receipt["packs"], &receipt["objects"]), (&json!(true), &json!(2), &json!(2)));
    let left = self::objects(&stack, "erase").await;
    assert_eq!(left[key], ["erase-00", "erase-02"]);
    for key in [key, &csv[0]] {
        assert_eq!(stack.versions(key).await.len(), 1, "no older version has it");
    }
    let mut text = String::new();
    GzDecoder::new(stack.object(&csv[0]).await.0.as_slice()).read_to_string(&mut text).unwrap();
    assert_eq!(text, "order.id,No.\r\nerase-00,1\r\nerase-02,1\r\n");

    // The others are still found in it.
    let row = stack.row("it-pack", "erase-02", "pack").await.unwrap();
    assert_eq!(key_of(&stack, &row), key);
    let again = stack.invoke(&variable("FN_CLEANUP").unwrap(), &request).await;
    assert_eq!((&again["receipt"]["packs"], &again["receipt"]["complete"]), (&json!(0), &json!(true)), "{again}");
}
