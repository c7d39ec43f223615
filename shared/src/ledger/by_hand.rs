//! What people ask for: setting an export back, ending it. Each is one conditional write of the row as it was seen.

use jiff::Timestamp;

use super::due::again_at;
use super::{Ledger, LedgerError, Recorded, Row, Status, transition};

impl Ledger {
    /// Sets an export back to pending, if it is as it was seen: in error, waiting, or over, but for one whose order was
    /// cancelled. Attempts and resets are counted from the beginning. The caller sends its message and says so by
    /// [`Ledger::settle`] with the same `now`. Left as it is where the row does not lead to the order.
    pub async fn set_back(&self, row: &Row, now: Timestamp) -> Result<Recorded, LedgerError> {
        if row.status == Status::Processing {
            return Ok(Recorded::LeftAsIs);
        }
        self.untouched(&row.key, transition::set_back(row, again_at(now), now)).await
    }

    /// Has an export that waits or is in error not be made, if it is as it was seen: no webhook of its order begins it
    /// again. Left as it is where the destination has had it.
    pub async fn cancel_by_hand(&self, row: &Row, reason: &str, now: Timestamp) -> Result<Recorded, LedgerError> {
        if !row.is_unfinished() {
            return Ok(Recorded::LeftAsIs);
        }
        self.end_by_hand(row, Status::Canceled, reason, now).await
    }

    /// Has such an export count as one that nobody wants, if it is as it was seen, until it is set back.
    pub async fn skip_by_hand(&self, row: &Row, reason: &str, now: Timestamp) -> Result<Recorded, LedgerError> {
        if !row.is_unfinished() {
            return Ok(Recorded::LeftAsIs);
        }
        self.end_by_hand(row, Status::Skipped, reason, now).await
    }

    async fn end_by_hand(&self, row: &Row, to: Status, reason: &str, now: Timestamp) -> Result<Recorded, LedgerError> {
        self.untouched(&row.key, transition::end_by_hand(row, to, reason, now, self.retention)).await
    }
}
