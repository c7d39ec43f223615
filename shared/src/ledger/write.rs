//! The writes of an export: claim, complete, fail, skip, reject.

use jiff::Timestamp;

use super::change::{Change, Changed};
use super::kept::Place;
use super::state::refusal;
use super::transition::{self, State, history_with_lost};
use super::{
    Claim, Completion, ExportKey, Facts, Fault, Holder, Keep, Kept, Lease, Ledger, LedgerError, NextStep, Recorded,
    Row, Status,
};

impl Ledger {
    /// Takes the lease on an export until `until`. The first attempt is one write. It does not keep the raw order: the
    /// message that brought it has it. A further one leaves what is known of the order as it is, since a later webhook
    /// may have changed it.
    pub async fn claim<'h>(
        &self,
        key: &ExportKey,
        facts: &Facts,
        holder: impl Into<Holder<'h>>,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<Claim<Lease>, LedgerError> {
        let holder = holder.into();
        match self.first(key, |state| transition::begin(key, facts, state, holder, now, until)).await? {
            Changed::Done => Ok(Claim::Granted(Lease {
                key: key.clone(),
                attempt: 1,
                pack: holder.pack.map(ToOwned::to_owned),
                owner: holder.owner.to_owned(),
                began: now,
                history: Vec::new(),
                place: Place::Queue,
            })),
            Changed::Refused(Some(row)) => self.claim_again(&row, holder, now, until).await,
            Changed::Refused(None) => Err(LedgerError::keeps_changing()),
        }
    }

    /// Takes the lease on an export that was begun, as it was seen.
    pub async fn claim_again<'h>(
        &self,
        row: &Row,
        holder: impl Into<Holder<'h>>,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<Claim<Lease>, LedgerError> {
        let holder = holder.into();
        let owner = holder.owner;
        let lease = |row: &Row, attempt, history| Lease {
            key: row.key.clone(),
            attempt,
            pack: row.pack.as_deref().or(holder.pack).map(ToOwned::to_owned),
            owner: owner.to_owned(),
            began: now,
            history,
            place: row.place(),
        };
        self.end_if_canceled(row, now).await?;
        if row.is_held_by(owner) {
            // The answer to our own write was lost, and the client repeated it.
            return Ok(Claim::Granted(lease(row, row.attempts, row.history.clone())));
        }
        if let Some(refusal) = refusal(row, now) {
            return Ok(refusal);
        }
        let history = history_with_lost(row, now);
        match self.change(&row.key, transition::resume(row, &history, holder, now, until)).await? {
            Changed::Done => Ok(Claim::Granted(lease(row, row.attempts + 1, history))),
            Changed::Refused(Some(now_it_is)) if now_it_is.is_held_by(owner) => {
                Ok(Claim::Granted(lease(&now_it_is, now_it_is.attempts, history)))
            }
            Changed::Refused(Some(now_it_is)) => Ok(refusal(&now_it_is, now).unwrap_or(Claim::NotYet { until: now })),
            Changed::Refused(None) => Err(LedgerError::keeps_changing()),
        }
    }

    /// Ends an export that was being tried when its order was cancelled, and has lost its holder since.
    pub async fn end_if_canceled(&self, row: &Row, now: Timestamp) -> Result<Recorded, LedgerError> {
        let is_open = row.status == Status::Pending
            || (row.status == Status::Processing && row.lease_until.is_none_or(|until| until <= now));
        if row.canceled_at.is_none() || !is_open {
            return Ok(Recorded::LeftAsIs);
        }
        self.untouched(&row.key, transition::end_canceled(row, now, self.retention)).await
    }

    /// Names another pack for an export that turned out not to be in the one that its row names.
    pub async fn repack(&self, lease: &Lease, pack: &str) -> Result<Lease, LedgerError> {
        match self.change(&lease.key, transition::repack(lease, pack)).await? {
            Changed::Done => Ok(Lease { pack: Some(pack.to_owned()), ..lease.clone() }),
            Changed::Refused(_) => Err(LedgerError::LeaseLost),
        }
    }

    /// Records that the destination has it. The second and last write of an export that succeeds first time.
    pub async fn complete(
        &self,
        lease: &Lease,
        completion: &Completion,
        keep: Keep<'_>,
        now: Timestamp,
    ) -> Result<(), LedgerError> {
        self.held(lease, |lease| transition::complete(lease, completion, keep, now, self.retention)).await
    }

    /// Records a failed attempt and what follows: the state that the export is in now. Where its order was cancelled
    /// while it was tried, that is the end of it. `kept` is given where the order is to be had
    /// from the row from now on.
    pub async fn fail(
        &self,
        lease: &Lease,
        error: &str,
        response: Option<&str>,
        next: NextStep,
        kept: Option<&Kept>,
        now: Timestamp,
    ) -> Result<Status, LedgerError> {
        match self.change(&lease.key, transition::fail(lease, error, response, next, kept, now)).await? {
            Changed::Done => Ok(match next {
                NextStep::Retry { .. } => Status::Pending,
                NextStep::GiveUp(_) => Status::Error,
            }),
            // The answer to our own write was lost, and it was repeated.
            Changed::Refused(Some(row)) if row.was_ended_by(lease) => Ok(row.status),
            Changed::Refused(Some(row)) if row.is_held_by(&lease.owner) && row.canceled_at.is_some() => {
                let change = |lease: &Lease| transition::fail_canceled(lease, error, response, now, self.retention);
                self.held(lease, change).await.map(|()| Status::Canceled)
            }
            Changed::Refused(_) => Err(LedgerError::LeaseLost),
        }
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

    /// Records an export in error that could not even be tried: because of its order, its filter, or a shop that does not
    /// give the order. One that was never tried, or one that this very message has begun; others are left to their own
    /// messages.
    pub async fn reject(
        &self,
        key: &ExportKey,
        facts: &Facts,
        error: &str,
        fault: Fault,
        now: Timestamp,
    ) -> Result<Recorded, LedgerError> {
        match self.first(key, |state| transition::reject(key, facts, state, error, fault, now)).await? {
            Changed::Done => Ok(Recorded::Written),
            Changed::Refused(Some(row)) if row.is_begun_by(&facts.origin.webhook) => {
                self.abandon(&row, error, fault, facts.kept.as_ref(), now).await
            }
            Changed::Refused(_) => Ok(Recorded::LeftAsIs),
        }
    }

    /// Ends an export that waits, in error, and leaves what is known of its order. `kept` is given where the message that
    /// has the raw order is done with it.
    pub async fn abandon(
        &self,
        row: &Row,
        error: &str,
        fault: Fault,
        kept: Option<&Kept>,
        now: Timestamp,
    ) -> Result<Recorded, LedgerError> {
        self.untouched(&row.key, transition::abandon(row, error, fault, kept, now)).await
    }

    /// Makes a first write: with what the webhook says of the order's state, unless something later is known.
    pub(super) async fn first(
        &self,
        key: &ExportKey,
        change: impl Fn(State) -> Change,
    ) -> Result<Changed, LedgerError> {
        match self.change(key, change(State::Say)).await? {
            Changed::Refused(Some(row)) if row.is_untried() => self.change(key, change(State::Keep)).await,
            changed => Ok(changed),
        }
    }

    /// Ends an attempt by the change that belongs to its lease.
    async fn held(&self, lease: &Lease, change: impl Fn(&Lease) -> Change) -> Result<(), LedgerError> {
        let changed = match self.change(&lease.key, change(lease)).await? {
            // Another message of the order had the raw order kept in the bucket meanwhile.
            Changed::Refused(Some(row)) if row.is_held_by(&lease.owner) && row.place() != lease.place => {
                let lease = Lease { place: row.place(), ..lease.clone() };
                self.change(&lease.key, change(&lease)).await?
            }
            changed => changed,
        };
        match changed {
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
