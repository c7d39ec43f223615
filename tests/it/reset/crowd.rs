//! Many exports, several runs at once, and a run that is killed.

use std::collections::{BTreeMap, HashMap};

use aws_sdk_dynamodb::types::{AttributeValue, DeleteRequest, PutRequest, WriteRequest};
use futures_util::future::join_all;
use futures_util::{StreamExt, stream};
use ordersync::aws;
use ordersync::ledger::{Fault, Payload, Status};
use serde_json::{Value, json};

use super::seed::{
    PIPELINE, SHOP, ago, arrived, back_office, count, drained, facts, failed, key, now, run, set, table, time,
};
use crate::support::receiver::Receiver;
use crate::support::stack::Stack;
use crate::support::{eventually, process};

type Item = HashMap<String, AttributeValue>;

fn text(value: impl Into<String>) -> AttributeValue {
    AttributeValue::S(value.into())
}

/// A row of this status, as it was left two hours ago.
async fn item(stack: &Stack, number: usize, status: Status) -> Item {
    let (id, at) = (format!("crowd-{number}"), time(ago(120)));
    let facts = facts(stack, &key(&id), ago(120)).await;
    let kept = facts.kept.unwrap();
    let Payload::Inline(payload) = kept.payload else { panic!("it is small") };
    let envelope = kept.envelope.into_iter().map(|(name, value)| (name, text(value))).collect();
    let row = [
        ("pk", text(format!("{SHOP}#{id}"))),
        ("sk", text(PIPELINE)),
        ("shop", text(SHOP)),
        ("order_id", text(&id)),
        ("pipeline", text(PIPELINE)),
        ("number", text(&id)),
        ("status", text(status.name())),
        ("status_key", text(format!("{}#{}", status.name(), number % 8))),
        ("created_at", at.clone()),
        ("updated_at", at),
        ("attempts", AttributeValue::N("3".into())),
        ("payload", AttributeValue::B(payload)),
        ("envelope", AttributeValue::M(envelope)),
    ];
    let fault = (status == Status::Error).then(|| ("fault", text(Fault::Exhausted.name())));
    row.into_iter().chain(fault).map(|(name, value)| (name.to_owned(), value)).collect()
}

fn put(item: Item) -> WriteRequest {
    let put = PutRequest::builder().set_item(Some(item)).build().unwrap();
    WriteRequest::builder().put_request(put).build()
}

fn delete(number: usize) -> WriteRequest {
    let delete = DeleteRequest::builder().key("pk", text(format!("{SHOP}#crowd-{number}"))).key("sk", text(PIPELINE));
    WriteRequest::builder().delete_request(delete.build().unwrap()).build()
}

async fn write(requests: Vec<WriteRequest>) {
    let (client, table) = table();
    let batches = requests.chunks(25).map(|requests| {
        let batch = client.batch_write_item().request_items(&table, requests.to_vec());
        async move {
            let left = batch.send().await.unwrap().unprocessed_items.unwrap_or_default();
            assert!(left.is_empty());
        }
    });
    stream::iter(batches).for_each_concurrent(16, |batch| batch).await;
}

/// How often each order came to the back office.
fn arrivals(receiver: &Receiver) -> BTreeMap<String, usize> {
    let mut arrivals = BTreeMap::new();
    for request in receiver.requests() {
        *arrivals.entry(request.key().to_owned()).or_default() += 1;
    }
    arrivals
}

#[tokio::test]
async fn of_ten_thousand_exports_the_hundred_in_error_are_read_and_exported_once_by_two_runs_at_once() {
    const ALL: usize = 10_000;
    const FAILED: usize = 100;
    let (stack, receiver) = (Stack::get(), back_office());
    let input = json!({ "only": ["due", "leases", "errors"] });
    let dry = json!({ "only": ["due", "leases", "errors"], "dry_run": true });
    // What tests before this one have left, when nothing of theirs is under way any more.
    drained(&stack).await;
    let before = run(&stack, &dry).await;
    let status = |number: usize| if number.is_multiple_of(ALL / FAILED) { Status::Error } else { Status::Exported };
    let items = join_all((0..ALL).map(|number| item(&stack, number, status(number)))).await;
    write(items.into_iter().map(put).collect()).await;
    let whole = run(&stack, &dry).await;
    let hundred = u64::try_from(FAILED).unwrap();
    assert_eq!(count(&whole, "/seen"), count(&before, "/seen") + hundred, "no more is read than there is to do");
    assert_eq!(count(&whole, "/changed/reset"), count(&before, "/changed/reset") + hundred);

    let (first, second) = tokio::join!(run(&stack, &input), run(&stack, &input));
    let both = |pointer: &str| count(&first, pointer) + count(&second, pointer);
    assert_eq!(both("/changed/reset"), count(&whole, "/changed/reset"), "each by one of the two: {first} {second}");
    assert!(both("/seen") <= 2 * count(&whole, "/seen") + hundred, "{first} {second}");
    for number in (0..ALL).step_by(ALL / FAILED) {
        let row = arrived(&stack, &key(&format!("crowd-{number}"))).await;
        assert_eq!((row.attempts, row.resets), (1, 1));
    }
    drained(&stack).await;
    let arrivals = arrivals(&receiver);
    assert!(arrivals.values().all(|times| *times == 1), "{arrivals:?}");
    let of_crowd = arrivals.keys().filter(|key| key.contains("crowd-")).count();
    assert_eq!(of_crowd, FAILED);
    let after = run(&stack, &dry).await;
    assert_eq!(count(&after, "/changed/reset"), 0, "{after}");
    // The emulator goes through the whole table for each question, and every test after this one would wait for that.
    write((0..ALL).map(delete).collect()).await;
}

#[tokio::test]
async fn a_run_that_is_killed_loses_nothing_and_what_it_left_arrives_once() {
    let (stack, receiver) = (Stack::get(), back_office());
    let ids: Vec<String> = (0..120).map(|number| format!("killed-{number}")).collect();
    join_all(ids.iter().map(|id| failed(&stack, id, Fault::Exhausted, 3, ago(90)))).await;
    let function = aws::variable("FN_RESET_ERRORS").unwrap();
    let request = stack.invocation(&function).body(json!({ "only": ["errors"] }).to_string());
    let invocation = tokio::spawn(request.send());
    eventually("the run to have taken an export", async || {
        let row = now(&stack, &key(&ids[0])).await;
        let other = now(&stack, &key(&ids[60])).await;
        [row, other].iter().any(|row| row.status != Status::Error).then_some(())
    })
    .await;
    assert!(process::kill("FN_RESET_ERRORS") > 0, "no run to kill");
    let answer = invocation.await.unwrap().unwrap();
    let is_killed = answer.headers().contains_key("x-amz-function-error");
    let mut left = 0;
    for id in &ids {
        let row = now(&stack, &key(id)).await;
        left += usize::from(row.status == Status::Error);
        if row.due.is_some() {
            left += 1;
            // Five minutes later.
            set(&row.key, "due_at", time(ago(1))).await;
        }
    }
    assert!(is_killed && left > 0, "the run was over before it was killed");
    let report: Value = run(&stack, &json!({})).await;
    assert!(count(&report, "/changed/released") + count(&report, "/changed/reset") >= 1, "{report}");
    for id in &ids {
        arrived(&stack, &key(id)).await;
    }
    drained(&stack).await;
    let arrivals = arrivals(&receiver);
    let of_these: Vec<_> = arrivals.iter().filter(|(key, _)| key.contains("killed-")).collect();
    assert_eq!(of_these.len(), ids.len());
    assert!(of_these.iter().all(|(_, times)| **times == 1), "{of_these:?}");
}
