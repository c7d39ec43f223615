//! The writes of an export: claim, complete, fail, skip, reject, and what the shop says of the order.

use jiff::Timestamp;

use super::change::{Change, Changed};
use super::state::refusal;
use super::transition::{self, history_with_lost};
use super::{Claim, Completion, ExportKey, Facts, Lease, Ledger, LedgerError, NextStep, Observation, Recorded, Row};

impl Ledger {
    /// Takes the lease on an export until `until`: one write, which also keeps the raw order.
    pub async fn claim(
        &self,
        key: &ExportKey,
        facts: &Facts,
        owner: &str,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<Claim<Lease>, LedgerError> {
        let lease = |before: Option<Row>| Lease {
            key: key.clone(),
            attempt: before.as_ref().map_or(0, |row| row.attempts) + 1,
            owner: owner.to_owned(),
            began: now,
            history: before.map(|row| history_with_lost(row, now)).unwrap_or_default(),
        };
        match self.change(key, transition::claim(key, facts, owner, now, until)).await? {
            Changed::Done(before) => Ok(Claim::Granted(lease(before))),
            Changed::Refused(Some(row)) => Ok(refusal(&row, now).unwrap_or(Claim::NotYet { until: now })),
            Changed::Refused(None) => Ok(Claim::NotYet { until: now }),
        }
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
        self.untouched(key, transition::skip(key, facts, reason, now, self.retention)).await
    }

    /// Records an export in error because the order or the pipeline is at fault, unless it is over, or somebody works
    /// on it.
    pub async fn reject(
        &self,
        key: &ExportKey,
        facts: &Facts,
        error: &str,
        now: Timestamp,
    ) -> Result<Recorded, LedgerError> {
        self.untouched(key, transition::reject(key, facts, error, now)).await
    }

    /// Records what the shop says of an order now. Where it was cancelled, exports that are not done become
    /// `canceled`.
    pub async fn observe(
        &self,
        shop: &str,
        order_id: &str,
        said: &Observation,
        now: Timestamp,
    ) -> Result<(), LedgerError> {
        for row in self.order(shop, order_id).await? {
            let change = transition::observe(&row, said, now, self.retention);
            if let Changed::Refused(_) = self.change(&row.key, change).await? {
                tracing::debug!(
                    export = row.key.idempotency_key(),
                    "the export changed meanwhile and is left as it is"
                );
            }
        }
        Ok(())
    }

    async fn held(&self, lease: &Lease, change: Change) -> Result<(), LedgerError> {
        match self.change(&lease.key, change).await? {
            Changed::Done(_) => Ok(()),
            Changed::Refused(_) => Err(LedgerError::LeaseLost),
        }
    }

    async fn untouched(&self, key: &ExportKey, change: Change) -> Result<Recorded, LedgerError> {
        match self.change(key, change).await? {
            Changed::Done(_) => Ok(Recorded::Written),
            Changed::Refused(_) => Ok(Recorded::LeftAsIs),
        }
    }
}
