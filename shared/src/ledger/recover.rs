//! Setting exports back: after errors, after leases that ran out, after a back office that did not answer.

use std::time::Duration;

use jiff::Timestamp;

use super::change::Changed;
use super::due::again_at;
use super::{Ledger, LedgerError, Recorded, Row, Summary, Waiting, transition};

/// How an export in error is set back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reset {
    /// With its attempts counted from the beginning; counts as a reset.
    Anew,
    /// With the attempts that it had: its limit was raised.
    GoOn,
}

impl Ledger {
    /// Sets an export in error back to pending, if it is as it was seen. The caller sends its message and says so by
    /// [`Ledger::settle`] with the same `now`.
    pub async fn reset(&self, seen: &Summary, how: Reset, now: Timestamp) -> Result<Recorded, LedgerError> {
        let is_anew = how == Reset::Anew;
        let change = transition::reset(&seen.key, seen.updated_at, seen.resets, is_anew, again_at(now), now);
        self.untouched(&seen.key, change).await
    }

    /// Takes an export from a holder whose lease ran out: to be tried again where attempts remain, else in error. Whoever
    /// has it tried again sends its message and says so by [`Ledger::settle`].
    pub async fn expire(&self, row: &Row, has_attempts: bool, now: Timestamp) -> Result<Recorded, LedgerError> {
        let change = transition::expire(row, has_attempts.then(|| again_at(now)), now);
        self.untouched(&row.key, change).await
    }

    /// Ends an export that nobody comes for any more, as its message was lost. One whose order is kept can be reset; any
    /// other is begun anew by the next webhook of its order.
    pub async fn lose(&self, row: &Row, now: Timestamp) -> Result<Recorded, LedgerError> {
        self.untouched(&row.key, transition::lose(row, now)).await
    }

    /// Gives up waiting for the back office's word, `after` the time that it had.
    pub async fn give_up_waiting(
        &self,
        waiting: &Waiting,
        after: Duration,
        now: Timestamp,
    ) -> Result<Recorded, LedgerError> {
        self.untouched(&waiting.key, transition::unacknowledged(&waiting.key, &waiting.due, after, now)).await
    }

    /// Takes away the deadline of an export whose back office need not acknowledge it any more.
    pub async fn drop_deadline(&self, waiting: &Waiting) -> Result<Recorded, LedgerError> {
        self.untouched(&waiting.key, transition::drop_deadline(&waiting.due)).await
    }

    /// Records that the back office has taken an export and what it calls it: one that was exported, or is in error
    /// after an attempt, whose answer may have been lost.
    pub async fn acknowledge(
        &self,
        row: &Row,
        external_id: Option<&str>,
        now: Timestamp,
    ) -> Result<Answered, LedgerError> {
        let change = |row: &Row| transition::acknowledge(row, external_id, now, self.retention);
        match self.answered(row, change(row)).await? {
            // The raw order was put into the bucket since the row was read.
            Answered::NotGiven(Some(now_it_is)) if now_it_is.place() != row.place() => {
                self.answered(&now_it_is, change(&now_it_is)).await
            }
            answered => Ok(answered),
        }
    }

    /// Records that the back office has refused an export, and why.
    pub async fn deny(
        &self,
        row: &Row,
        external_id: Option<&str>,
        message: &str,
        now: Timestamp,
    ) -> Result<Answered, LedgerError> {
        self.answered(row, transition::deny(row, external_id, message, now)).await
    }

    async fn answered(&self, row: &Row, change: super::change::Change) -> Result<Answered, LedgerError> {
        Ok(match self.change(&row.key, change).await? {
            Changed::Done => Answered::Recorded,
            Changed::Refused(now_it_is) => Answered::NotGiven(now_it_is),
        })
    }
}

/// What became of a back office's word.
#[derive(Debug, Clone, PartialEq)]
pub enum Answered {
    /// It is on record.
    Recorded,
    /// The back office was not given this export, or not yet; the row as it is.
    NotGiven(Option<Box<Row>>),
}
