//! Exports that another system made before ordersync took over.

use jiff::Timestamp;

use super::change::Changed;
use super::{ExportKey, FindBy, Ledger, LedgerError, Row, Status, transition};

/// What another system says of an export that it made.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Imported {
    /// The order's number; that is its identifier where there is none.
    pub number: Option<String>,
    /// When the order was placed.
    pub placed_at: Option<Timestamp>,
    /// When it was exported.
    pub exported_at: Option<Timestamp>,
    /// The back office's own identifier.
    pub external_id: Option<String>,
    /// Which system it was, in place of the destination.
    pub origin: String,
}

/// What became of an export that was to be recorded as made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Import {
    /// It reads `exported` now.
    Written,
    /// There is a row that knows better, in this state.
    LeftAsIs(Status),
}

impl Imported {
    /// Whether a row may be replaced by this: nothing was tried or delivered from here, and it leads to no object.
    pub fn may_replace(row: &Row) -> bool {
        let is_here = row.exported_at.is_some() || row.erased_at.is_some();
        row.is_untried() && !is_here && row.place() != super::kept::Place::Bucket
    }
}

impl Ledger {
    /// Records an export that another system made, so that neither a webhook nor a backfill makes it again. One that was
    /// tried here is left as it is, and so is one that was recorded before: the same may be imported any number of times.
    pub async fn import(
        &self,
        key: &ExportKey,
        imported: &Imported,
        find_by: FindBy,
        now: Timestamp,
    ) -> Result<Import, LedgerError> {
        match self.change(key, transition::import(key, imported, find_by, now, self.retention)).await? {
            Changed::Done => Ok(Import::Written),
            Changed::Refused(Some(row)) => Ok(Import::LeftAsIs(row.status)),
            Changed::Refused(None) => Err(LedgerError::keeps_changing()),
        }
    }
}
