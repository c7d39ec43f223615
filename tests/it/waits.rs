//! Exports that wait: for the end of a pause, for a time, for their turn at a destination.

mod everything;
mod paces;
mod pauses;
mod times;

use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::{StreamExt, stream};
use jiff::Timestamp;
use ordersync::clock;
use ordersync::ledger::{ExportKey, Ledger, Recorded, Row, Status, Waiting};
use ordersync::queue::Requeue;

use crate::support::eventually;
use crate::support::receiver::Receiver;
use crate::support::shop::{generic, order};
use crate::support::stack::Stack;

/// Longer than a processor takes a pause, or its absence, for known.
const HEARD_OF: Duration = Duration::from_secs(6);

/// Sends so many orders, whose identifiers begin with the name.
async fn accept_all(stack: &Stack, shop: &str, name: &str, count: usize) -> Vec<String> {
    let ids: Vec<String> = (0..count).map(|n| format!("{name}-{n}")).collect();
    let sent = stream::iter(&ids).map(async |id| stack.accept(shop, &generic(&order(id))).await);
    sent.buffer_unordered(10).collect::<Vec<_>>().await;
    ids
}

/// The rows of a pipeline's exports, as soon as all of them fit.
async fn rows(stack: &Stack, shop: &str, ids: &[String], pipeline: &str, fits: impl Fn(&Row) -> bool) -> Vec<Row> {
    let mut found = BTreeMap::new();
    eventually(&format!("{} exports of {pipeline}", ids.len()), async || {
        let missing: Vec<&String> = ids.iter().filter(|id| !found.contains_key(*id)).collect();
        for id in missing {
            match stack.row(shop, id, pipeline).await {
                Some(row) if fits(&row) => drop(found.insert(id.clone(), row)),
                _ => return None,
            }
        }
        Some(())
    })
    .await;
    found.into_values().collect()
}

/// Each order was delivered once.
fn delivered_once(receiver: &Receiver, ids: &[String]) {
    for id in ids {
        assert_eq!(receiver.about(id).len(), 1, "{id}");
    }
    assert_eq!(receiver.requests().len(), ids.len());
}

/// Queues what is due, as the release schedule does. How many exports.
async fn release_due(stack: &Stack, until: Timestamp) -> usize {
    let mut released = 0;
    for shard in 0..Ledger::SHARDS {
        let mut pages = stack.ledger.due(shard, until);
        while let Some(page) = pages.waiting().await.unwrap() {
            released += hand_out(stack, page).await;
        }
    }
    released
}

/// Queues what waited for the end of a pipeline's pause, as the release schedule does. How many exports.
async fn release_paused(stack: &Stack, pipeline: &str) -> usize {
    let mut released = 0;
    for shard in 0..Ledger::SHARDS {
        let mut pages = stack.ledger.paused(pipeline, shard);
        while let Some(page) = pages.waiting().await.unwrap() {
            released += hand_out(stack, page).await;
        }
    }
    released
}

async fn hand_out(stack: &Stack, page: Vec<Waiting>) -> usize {
    let now = clock::now();
    let taken = stream::iter(page).map(async |waiting| {
        (stack.ledger.release(&waiting, now).await.unwrap() == Recorded::Written).then_some(waiting.key)
    });
    let keys: Vec<ExportKey> = taken.buffer_unordered(10).filter_map(async |key| key).collect().await;
    let requeue = Requeue { sqs: stack.sqs.clone(), queue_url: stack.queue_url.clone() };
    for (key, sent) in keys.iter().zip(requeue.send_all(&keys).await) {
        sent.unwrap();
        stack.ledger.settle(key, now).await.unwrap();
    }
    keys.len()
}

/// Hands out what waited for the end of a pause until all of it is exported: processors may hear of it later.
async fn resumed(stack: &Stack, shop: &str, ids: &[String], pipeline: &str, hand_out: impl AsyncFn()) -> Vec<Row> {
    eventually(&format!("{pipeline} to be resumed"), async || {
        hand_out().await;
        tokio::time::sleep(Duration::from_millis(500)).await;
        for id in ids {
            stack.row(shop, id, pipeline).await.filter(|row| row.status == Status::Exported)?;
        }
        Some(())
    })
    .await;
    rows(stack, shop, ids, pipeline, |row| row.status == Status::Exported).await
}
