//! Exports that wait in the ledger: parked until a time or for the end of a pause, and handed out again.

use std::time::Duration;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::change::Changed;
use super::keys::{SHARDS, paused_key};
use super::pages::Pages;
use super::{ExportKey, Facts, Kept, Ledger, LedgerError, Recorded, Row, keys, transition};

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
    /// A time.
    Until {
        /// Why.
        why: Why,
        /// The time.
        at: Timestamp,
        /// When the ledger hands it out, should nobody have come for it: before `at` where that is the only way, and
        /// later where a message is to come.
        hand_out_at: Timestamp,
    },
    /// The end of the pause of its pipeline.
    ForResume,
}

impl Wait {
    /// Why, and until when where that is known.
    pub fn reason(self) -> (Why, Option<Timestamp>) {
        match self {
            Self::Until { why, at, .. } => (why, Some(at)),
            Self::ForResume => (Why::Pause, None),
        }
    }
}

/// Why an export waits that is not to be retried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
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

/// What became of a wish to have an export wait that may be new.
#[derive(Debug, Clone, PartialEq)]
pub enum Parked {
    /// It waits.
    Waiting,
    /// It was begun before; its row as it is.
    Begun(Box<Row>),
}

impl Ledger {
    /// Has an export wait that no attempt was ever made for. No attempt is counted.
    pub async fn park(
        &self,
        key: &ExportKey,
        facts: &Facts,
        wait: Wait,
        now: Timestamp,
    ) -> Result<Parked, LedgerError> {
        let waits = transition::Waits::of(key, wait, now);
        match self.first(key, |state| transition::park(key, facts, state, &waits, now)).await? {
            Changed::Done => Ok(Parked::Waiting),
            Changed::Refused(Some(row)) => Ok(Parked::Begun(row)),
            Changed::Refused(None) => Err(LedgerError::keeps_changing()),
        }
    }

    /// Has an export wait that was begun, if it is as it was seen and nobody works on it. No attempt is counted. `kept` is
    /// given where the message that has the raw order is done with it.
    pub async fn park_again(
        &self,
        row: &Row,
        wait: Wait,
        kept: Option<&Kept>,
        now: Timestamp,
    ) -> Result<Recorded, LedgerError> {
        let waits = transition::Waits::of(&row.key, wait, now);
        self.untouched(&row.key, transition::park_again(row, &waits, kept, now)).await
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
}

/// When an export is handed out again that was handed out at `now`.
pub(super) fn again_at(now: Timestamp) -> Timestamp {
    now.saturating_add(HAND_OUT_AGAIN).unwrap_or(Timestamp::MAX)
}
