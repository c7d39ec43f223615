//! What the shop says of an order after it was placed, in the order in which the shop said it.

use jiff::Timestamp;

use super::change::Changed;
use super::{ExportKey, Facts, Ledger, LedgerError, Observation, Row, transition};

/// How often a row that changes under our hands is looked at.
const NOTE_TRIES: usize = 5;

impl Ledger {
    /// Records what the shop says of an order, unless something later was said already. Where it was cancelled, exports
    /// that are not done become `canceled`, but for those of the pipelines `kept`, which export the cancellation. Where
    /// a cancellation is taken back, what it had ended becomes `skipped`, see [`Row::is_reopened_by`].
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
        for row in &rows {
            let ends = !kept.contains(&row.key.pipeline.as_str());
            self.note(row.clone(), said, ends, now).await?;
        }
        Ok(rows)
    }

    /// Records what the shop says of an order whose own webhook has not come yet, for an export that this one would
    /// begin. What is said lasts; and should the order be cancelled, the export is begun by no webhook that says less.
    pub async fn foresee(
        &self,
        key: &ExportKey,
        facts: &Facts,
        said: &Observation,
        now: Timestamp,
    ) -> Result<(), LedgerError> {
        let change = transition::foresee(key, facts, said.is_canceled, now, self.retention);
        match self.change(key, change).await? {
            // It came just now.
            Changed::Refused(Some(row)) => self.note(*row, said, true, now).await,
            Changed::Done | Changed::Refused(None) => Ok(()),
        }
    }

    /// Notes it in one row. A row that changes meanwhile is looked at again.
    async fn note(&self, mut row: Row, said: &Observation, ends: bool, now: Timestamp) -> Result<(), LedgerError> {
        for _ in 0..NOTE_TRIES {
            // Of an erased order nothing is noted any more.
            if said.is_older_than(&row) || row.erased_at.is_some() {
                return Ok(());
            }
            match self.change(&row.key, transition::observe(&row, said, ends, now, self.retention)).await? {
                Changed::Refused(Some(changed)) => row = *changed,
                Changed::Done | Changed::Refused(None) => return Ok(()),
            }
        }
        Err(LedgerError::keeps_changing())
    }
}
