//! Exports that wait in the ledger: parked until a time or for the end of a pause, and handed out again.

use std::time::Duration;

use jiff::Timestamp;

use super::change::Changed;
use super::keys::{SHARDS, due_key, paused_key, shard};
use super::pages::Pages;
use super::state::refusal;
use super::transition::{self, State};
use super::{Claim, Deferred, ExportKey, Facts, Ledger, LedgerError, Recorded, keys};

/// How long after it was handed out an export whose message never reached the queue is handed out again.
pub const HAND_OUT_AGAIN: Duration = Duration::from_mins(5);

/// When the ledger hands an export out, and the part of the index that it waits in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Due {
    pub(super) key: String,
    /// The time.
    pub at: Timestamp,
}

/// What an export waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wait {
    /// A time; whoever asks has sent a message that comes then.
    ForMessage(Why, Timestamp),
    /// A time at which the ledger hands it out.
    Until(Why, Timestamp),
    /// The end of the pause of its pipeline.
    ForResume,
}

/// Why an export waits that is not to be retried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// Its pipeline exports later.
    Delay,
    /// It has a slot in its destination's rate limit.
    Slot,
    /// Its pipeline is paused.
    Pause,
}

impl Why {
    const NAMES: [(&'static str, Self); 3] = [("delay", Self::Delay), ("slot", Self::Slot), ("pause", Self::Pause)];

    /// The name in the table.
    pub fn name(self) -> &'static str {
        Self::NAMES.iter().find(|(_, why)| *why == self).map_or("", |(name, _)| name)
    }

    pub(super) fn from_name(name: &str) -> Option<Self> {
        Self::NAMES.into_iter().find(|(known, _)| *known == name).map(|(_, why)| why)
    }
}

/// An export that waits in an index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// Which export.
    pub key: ExportKey,
    /// Its place in the index.
    pub due: Due,
}

impl Ledger {
    /// Has an export wait. No attempt is counted.
    pub async fn defer(
        &self,
        key: &ExportKey,
        facts: &Facts,
        wait: Wait,
        now: Timestamp,
    ) -> Result<Deferred, LedgerError> {
        let (why, due, not_before) = match wait {
            Wait::ForMessage(why, at) => (why, None, Some(at)),
            Wait::Until(why, at) => (why, Some(Due { key: due_key(key), at }), Some(at)),
            Wait::ForResume => (Why::Pause, Some(Due { key: paused_key(&key.pipeline, shard(key)), at: now }), None),
        };
        let waits = transition::Waits { why, due: due.as_ref(), not_before };
        let park = |state| transition::park(key, facts, state, waits, now);
        let row = match self.first(key, park).await? {
            Changed::Done => return Ok(Deferred::Waiting),
            Changed::Refused(None) => return Ok(Deferred::Held { until: now }),
            Changed::Refused(Some(row)) => row,
        };
        match refusal::<()>(&row, now) {
            Some(Claim::Over(status)) => return Ok(Deferred::Over(status)),
            Some(Claim::Held { until } | Claim::NotYet { until }) => return Ok(Deferred::Held { until }),
            Some(Claim::Waits) => return Ok(Deferred::Waiting),
            Some(Claim::Granted(())) | None => {}
        }
        match self.change(key, transition::repark(&row, waits, now)).await? {
            Changed::Done => Ok(Deferred::Waiting),
            Changed::Refused(_) => Ok(Deferred::Held { until: now }),
        }
    }

    /// What is due by `until`, shard by shard.
    pub fn due(&self, shard: u64, until: Timestamp) -> Pages {
        self.waiting(&format!("due#{shard}"), Some(until))
    }

    /// What waits for the end of a pipeline's pause.
    pub fn paused(&self, pipeline: &str, shard: u64) -> Pages {
        self.waiting(&paused_key(pipeline, shard), None)
    }

    /// What the back office should have acknowledged by `until`.
    pub fn unacknowledged(&self, shard: u64, until: Timestamp) -> Pages {
        self.waiting(&format!("ack#{shard}"), Some(until))
    }

    /// How many shards the indexes have.
    pub const SHARDS: u64 = SHARDS;

    fn waiting(&self, partition: &str, until: Option<Timestamp>) -> Pages {
        self.pages(keys::DUE, ("due_key", partition), until.map(|until| ("due_at", until)))
    }

    /// Takes an export that waits, to be queued by the caller: of several that try, one succeeds. It is handed out again
    /// after [`HAND_OUT_AGAIN`] unless [`Ledger::settle`] says that its message is sent.
    pub async fn release(&self, waiting: &Waiting, now: Timestamp) -> Result<Recorded, LedgerError> {
        let change = transition::release(&waiting.key, &waiting.due, again_at(now), now);
        self.untouched(&waiting.key, change).await
    }

    /// Notes that the message of an export that was handed out at `now` is in the queue.
    pub async fn settle(&self, key: &ExportKey, now: Timestamp) -> Result<Recorded, LedgerError> {
        self.untouched(key, transition::settle(key, again_at(now))).await
    }

    /// Makes a first write: with what the webhook says of the order's state, unless something later is known.
    pub(super) async fn first(
        &self,
        key: &ExportKey,
        change: impl Fn(State) -> super::change::Change,
    ) -> Result<Changed, LedgerError> {
        match self.change(key, change(State::Say)).await? {
            Changed::Refused(Some(row)) if row.is_untried() => self.change(key, change(State::Keep)).await,
            changed => Ok(changed),
        }
    }
}

/// When an export is handed out again that was handed out at `now`.
pub(super) fn again_at(now: Timestamp) -> Timestamp {
    now.saturating_add(HAND_OUT_AGAIN).unwrap_or(Timestamp::MAX)
}
