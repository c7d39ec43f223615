//! The writes of an export: claim, complete, fail, skip, reject, and what the shop says of the order.

use jiff::Timestamp;

use super::change::{Change, Changed};
use super::state::refusal;
use super::transition::{self, history_with_lost};
use super::{
    Claim, Completion, ExportKey, Facts, Fault, Lease, Ledger, LedgerError, NextStep, Observation, Payload, Recorded,
    Row, Status,
};

/// How often a row that changes under our hands is looked at.
const NOTE_TRIES: usize = 5;

impl Ledger {
    /// Takes the lease on an export until `until`. The first attempt is one write, which also keeps the raw order; a
    /// further one leaves what is known of the order as it is, since a later webhook may have changed it. `owner` names
    /// this attempt and no other.
    pub async fn claim(
        &self,
        key: &ExportKey,
        facts: &Facts,
        owner: &str,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<Claim<Lease>, LedgerError> {
        let is_stored = |row: &Row| matches!(row.payload, Some(Payload::Stored(_)));
        let lease = |attempt, history, is_stored| Lease {
            key: key.clone(),
            attempt,
            owner: owner.to_owned(),
            began: now,
            history,
            is_stored,
        };
        let row = match self.first(key, |state| transition::begin(key, facts, state, owner, now, until)).await? {
            Changed::Done => {
                return Ok(Claim::Granted(lease(1, Vec::new(), matches!(facts.payload, Payload::Stored(_)))));
            }
            Changed::Refused(row) => row,
        };
        let Some(row) = row else { return Ok(Claim::NotYet { until: now }) };
        self.end_if_canceled(&row, now).await?;
        if row.is_held_by(owner) {
            // The answer to our own write was lost, and the client repeated it.
            let is_stored = is_stored(&row);
            return Ok(Claim::Granted(lease(row.attempts, row.history, is_stored)));
        }
        if let Some(refusal) = refusal(&row, now) {
            return Ok(refusal);
        }
        let history = history_with_lost(&row, now);
        match self.change(key, transition::resume(&row, &history, owner, now, until)).await? {
            Changed::Done => Ok(Claim::Granted(lease(row.attempts + 1, history, is_stored(&row)))),
            Changed::Refused(Some(now_it_is)) if now_it_is.is_held_by(owner) => {
                Ok(Claim::Granted(lease(now_it_is.attempts, history, is_stored(&now_it_is))))
            }
            Changed::Refused(now_it_is) => {
                let refusal = now_it_is.and_then(|row| refusal(&row, now));
                Ok(refusal.unwrap_or(Claim::NotYet { until: now }))
            }
        }
    }

    /// Ends an export that was being tried when its order was cancelled, and has failed or lost its holder since.
    pub async fn end_if_canceled(&self, row: &Row, now: Timestamp) -> Result<Recorded, LedgerError> {
        let is_open = row.status == Status::Pending
            || (row.status == Status::Processing && row.lease_until.is_none_or(|until| until <= now));
        if row.canceled_at.is_none() || !is_open {
            return Ok(Recorded::LeftAsIs);
        }
        self.untouched(&row.key, transition::end_canceled(row, now, self.retention)).await
    }

    /// Records that the destination has it. The second and last write of an export that succeeds first time.
    pub async fn complete(&self, lease: &Lease, completion: &Completion, now: Timestamp) -> Result<(), LedgerError> {
        self.held(lease, transition::complete(lease, completion, now, self.retention)).await
    }

    /// Records a failed attempt and what follows.
    pub async fn fail(
        &self,
        lease: &Lease,
        error: &str,
        response: Option<&str>,
        next: NextStep,
        now: Timestamp,
    ) -> Result<(), LedgerError> {
        self.held(lease, transition::fail(lease, error, response, next, now)).await
    }

    /// Records that nobody wants the order, and why, unless it was exported before.
    pub async fn skip(
        &self,
        key: &ExportKey,
        facts: &Facts,
        reason: &str,
        now: Timestamp,
    ) -> Result<Recorded, LedgerError> {
        let skip = |state| transition::skip(key, facts, state, reason, now, self.retention);
        Ok(self.first(key, skip).await?.into())
    }

    /// Records that an order was cancelled before its own webhook came, so that this one begins nothing.
    pub async fn end_unseen(&self, key: &ExportKey, facts: &Facts, now: Timestamp) -> Result<Recorded, LedgerError> {
        self.untouched(key, transition::end_unseen(key, facts, now, self.retention)).await
    }

    /// Records an export in error because its order or filter is at fault: one that was never tried, or one that this
    /// very message has begun. Others are left to their own messages.
    pub async fn reject(
        &self,
        key: &ExportKey,
        facts: &Facts,
        error: &str,
        now: Timestamp,
    ) -> Result<Recorded, LedgerError> {
        match self.first(key, |state| transition::reject(key, facts, state, error, now)).await? {
            Changed::Done => Ok(Recorded::Written),
            Changed::Refused(Some(row)) if row.envelope == facts.envelope => {
                self.abandon(&row, error, Fault::Permanent, now).await
            }
            Changed::Refused(_) => Ok(Recorded::LeftAsIs),
        }
    }

    /// Ends an export that waits, in error, and leaves what is known of its order.
    pub async fn abandon(&self, row: &Row, error: &str, fault: Fault, now: Timestamp) -> Result<Recorded, LedgerError> {
        self.untouched(&row.key, transition::abandon(row, error, fault, now)).await
    }

    /// Records what the shop says of an order, unless something later was said already. Where it was cancelled, exports
    /// that are not done become `canceled`, but for those of the pipelines `kept`, which export the cancellation.
    /// Returns the order's rows as they were.
    pub async fn observe(
        &self,
        shop: &str,
        order_id: &str,
        said: &Observation,
        kept: &[&str],
        now: Timestamp,
    ) -> Result<Vec<Row>, LedgerError> {
        let rows = self.order(shop, order_id).await?;
        for row in rows.clone() {
            let ends = said.is_canceled && !kept.contains(&row.key.pipeline.as_str());
            self.note(row, said, ends, now).await?;
        }
        Ok(rows)
    }

    /// Notes it in one row. A row that changes meanwhile is looked at again.
    async fn note(&self, mut row: Row, said: &Observation, ends: bool, now: Timestamp) -> Result<(), LedgerError> {
        for _ in 0..NOTE_TRIES {
            if row.observed.is_some_and(|observed| observed > said.told) {
                return Ok(());
            }
            match self.change(&row.key, transition::observe(&row, said, ends, now, self.retention)).await? {
                Changed::Refused(Some(changed)) => row = *changed,
                Changed::Done | Changed::Refused(None) => return Ok(()),
            }
        }
        Err(LedgerError::Unavailable("the export keeps changing".into()))
    }

    async fn held(&self, lease: &Lease, change: Change) -> Result<(), LedgerError> {
        match self.change(&lease.key, change).await? {
            Changed::Done => Ok(()),
            // The answer to our own write was lost, and it was repeated.
            Changed::Refused(Some(row)) if row.was_ended_by(lease) => Ok(()),
            Changed::Refused(_) => Err(LedgerError::LeaseLost),
        }
    }

    pub(super) async fn untouched(&self, key: &ExportKey, change: Change) -> Result<Recorded, LedgerError> {
        Ok(self.change(key, change).await?.into())
    }
}

impl From<Changed> for Recorded {
    fn from(changed: Changed) -> Self {
        match changed {
            Changed::Done => Self::Written,
            Changed::Refused(_) => Self::LeftAsIs,
        }
    }
}
