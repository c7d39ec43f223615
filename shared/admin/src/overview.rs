//! The state of everything, in one page load.

use std::time::Duration;

use aws_sdk_sqs::types::QueueAttributeName;
use futures_util::{StreamExt, TryStreamExt, stream};
use jiff::Timestamp;
use ordersync::ledger::{LastRun, Ledger, LedgerError, NextSlot, Span, Stamp, Status};
use ordersync::{aws, clock};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::tally::{Count, Failing, Hour, Tally};
use crate::{Admin, AdminError, PauseView};

/// Partitions of the index that are read at the same time.
const AT_ONCE: usize = 16;
/// Megabytes that are read of each at most: 35,000 exports or more, of which there are eight of each state.
const MOST_PAGES: usize = 10;

/// The state of everything.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Overview {
    /// When it was so.
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub at: Timestamp,
    /// Exports by state and pipeline: all that are not over or in error, and what came to its end since `counted_since`.
    /// First attempts that run are in none of them.
    pub counts: Vec<Count>,
    /// From when on what is over is counted.
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub counted_since: Timestamp,
    /// Whether there is more than was counted: then every number is of the latest exports only.
    pub is_partial: bool,
    /// What ended within each hour of the last week, oldest first; the last hour is not over yet.
    pub hours: Vec<Hour>,
    /// Since when the export waits that has waited longest without anything having become of it, but for one that waits
    /// for a time or the end of a pause.
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    pub oldest_pending: Option<Timestamp>,
    /// The queue; nothing where it does not answer.
    pub queue: Option<QueueView>,
    /// Dead letters; nothing where their queue is not known or does not answer.
    pub dead_letters: Option<u64>,
    /// What is paused.
    pub pauses: Vec<PauseView>,
    /// Destinations with a rate limit that have no slot free now.
    pub throttled: Vec<Throttled>,
    /// Pipelines of which everything failed that ended within the last hour.
    pub failing: Vec<Failing>,
    /// The last run of each scheduled function.
    pub runs: Vec<RunView>,
}

/// About how many messages there are. SQS itself does not know their age; the metric `ApproximateAgeOfOldestMessage` does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct QueueView {
    /// To be received.
    pub waiting: u64,
    /// Being worked on, or waiting for their back-off.
    pub in_flight: u64,
    /// To be delivered later.
    pub delayed: u64,
}

/// A destination that has no slot free.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Throttled {
    /// Scheme, host and port.
    pub destination: String,
    /// When it has one.
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub until: Timestamp,
}

/// A run of a scheduled function.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RunView {
    /// The function, and behind a slash the part of its work that it was asked for.
    pub name: String,
    /// When it ended.
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub ended_at: Timestamp,
    /// How long it took, in milliseconds.
    pub took_ms: u64,
    /// Whether it came to an end.
    pub is_ok: bool,
    /// What it did: `{"seen":…,"changed":{…},"skipped":{…},"failed":…,"left":…}`.
    pub report: Option<Value>,
    /// Why it failed.
    pub error: Option<String>,
}

impl From<LastRun> for RunView {
    fn from(run: LastRun) -> Self {
        let report = serde_json::from_str(&run.said).ok().filter(|_| run.is_ok);
        Self {
            name: run.name,
            ended_at: run.ended_at,
            took_ms: u64::try_from(run.took.as_millis()).unwrap_or(u64::MAX),
            is_ok: run.is_ok,
            report,
            error: Some(run.said).filter(|_| !run.is_ok),
        }
    }
}

impl Admin {
    /// The state of everything. Reads the index by status, the few rows of what is no export, and the queues' attributes.
    ///
    /// # Errors
    /// A ledger that does not answer. Queues that do not are left out.
    pub async fn overview(&self) -> Result<Overview, AdminError> {
        let now = clock::now();
        let tally = Tally::new(now);
        let since = tally.since();
        let (stamps, oldest, pauses, slots, runs, queue, dead) = tokio::join!(
            Box::pin(self.stamps(since)),
            Box::pin(self.oldest_pending(now)),
            Box::pin(self.pauses()),
            Box::pin(self.ledger.next_slots()),
            Box::pin(self.ledger.last_runs()),
            Box::pin(self.depth(&self.requeue.queue_url)),
            Box::pin(self.dead_letters()),
        );
        let (tally, is_partial) = counted(tally, stamps?);
        Ok(Overview {
            at: now,
            counts: tally.counts(),
            counted_since: since,
            is_partial,
            hours: tally.hours(),
            oldest_pending: oldest?,
            queue,
            dead_letters: dead,
            pauses: pauses?,
            throttled: throttled(slots?, now),
            failing: tally.failing(),
            runs: runs?.into_iter().map(RunView::from).collect(),
        })
    }

    /// When every export came to its state, partition by partition, and whether that is all.
    async fn stamps(&self, since: Timestamp) -> Result<Vec<(Status, Vec<Stamp>, bool)>, LedgerError> {
        let spans = Status::ALL.into_iter().flat_map(|status| {
            let is_whole = matches!(status, Status::Pending | Status::Processing | Status::Error);
            let since = Some(since).filter(|_| !is_whole);
            (0..Ledger::SHARDS).map(move |shard| Span { status, shard, since, until: None })
        });
        let read = |span: Span| async move {
            let mut pages = self.ledger.stamps(span);
            let mut stamps = Vec::new();
            for _ in 0..MOST_PAGES {
                match pages.stamps().await? {
                    Some(page) => stamps.extend(page),
                    None => break,
                }
            }
            Ok((span.status, stamps, pages.is_over()))
        };
        stream::iter(spans).map(read).buffer_unordered(AT_ONCE).try_collect().await
    }

    /// Of each partition the first entries are enough: most that wait for something are not the oldest.
    async fn oldest_pending(&self, now: Timestamp) -> Result<Option<Timestamp>, LedgerError> {
        let read = |shard| async move {
            let page = self.ledger.by_status(Status::Pending, shard, now).summaries().await?.unwrap_or_default();
            let waits = |row: &ordersync::ledger::Summary| row.waits_for.is_some();
            Ok::<_, LedgerError>(page.into_iter().find(|row| !waits(row)).map(|row| row.updated_at))
        };
        let oldest: Vec<_> = stream::iter(0..Ledger::SHARDS).map(read).buffer_unordered(AT_ONCE).try_collect().await?;
        Ok(oldest.into_iter().flatten().min())
    }

    async fn dead_letters(&self) -> Option<u64> {
        let queue = self.depth(self.dead_letters.as_deref()?).await?;
        Some(queue.waiting + queue.in_flight)
    }

    async fn depth(&self, queue_url: &str) -> Option<QueueView> {
        use QueueAttributeName::{
            ApproximateNumberOfMessages as Waiting, ApproximateNumberOfMessagesDelayed as Delayed,
            ApproximateNumberOfMessagesNotVisible as InFlight,
        };
        let request = self.requeue.sqs.get_queue_attributes().queue_url(queue_url);
        let request = request.attribute_names(Waiting).attribute_names(InFlight).attribute_names(Delayed);
        match tokio::time::timeout(Duration::from_secs(5), request.send()).await {
            Ok(Ok(answer)) => {
                let number = |name| answer.attributes()?.get(&name)?.parse().ok();
                let number = |name| number(name).unwrap_or(0);
                Some(QueueView { waiting: number(Waiting), in_flight: number(InFlight), delayed: number(Delayed) })
            }
            Ok(Err(failure)) => {
                tracing::warn!(queue_url, error = aws::reason(&failure), "a queue is not counted");
                None
            }
            Err(_) => None,
        }
    }
}

fn counted(mut tally: Tally, stamps: Vec<(Status, Vec<Stamp>, bool)>) -> (Tally, bool) {
    let is_partial = stamps.iter().any(|(_, _, is_whole)| !is_whole);
    for (status, stamps, _) in stamps {
        for stamp in &stamps {
            tally.add(status, stamp);
        }
    }
    (tally, is_partial)
}

fn throttled(slots: Vec<NextSlot>, now: Timestamp) -> Vec<Throttled> {
    let taken = slots.into_iter().filter(|slot| slot.at > now);
    taken.map(|slot| Throttled { destination: slot.destination, until: slot.at }).collect()
}
