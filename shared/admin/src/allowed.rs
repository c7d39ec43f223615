//! What may be done with an export: where a button is, and where it is obeyed. Pure.

use std::fmt;

use jiff::Timestamp;
use ordersync::ledger::{ExportKey, Payload, Row, Status};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What can be done with an export.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// It waits again, with its attempts counted from the beginning, and its message is sent.
    Reset,
    /// The same, and it is tried at once; where that fails, it is queued.
    ExportNow,
    /// It is not made: not by its own message, nor by another webhook of its order.
    Cancel,
    /// The same, on record as one that nobody wants.
    Skip,
    /// Its row goes. The next webhook of its order begins it anew.
    Delete,
}

/// Why an action is not to be had.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// There is no pipeline to make it.
    #[error("no pipeline takes this order: there is nothing to be exported")]
    NoPipeline,
    /// Nothing is left of it.
    #[error("it was erased on request: what is left of it keeps the order from coming back")]
    Erased,
    /// An attempt runs.
    #[error("an attempt runs until {until} at the latest: try again then")]
    BeingTried {
        /// When its lease ends.
        until: Timestamp,
    },
    /// The attempt left no word.
    #[error("its attempt ended without a word: reset-errors takes it back within its next runs")]
    LeaseRanOut,
    /// The shop cancelled its order.
    #[error("its order was cancelled at the shop: it goes on when the shop opens the order again")]
    OrderCanceled,
    /// Its message has the order, and comes by itself.
    #[error(
        "only its message has the order, and the queue delivers that by itself; cancel or skip it if it must not be made"
    )]
    OrderInQueue,
    /// The order is not to be had any more.
    #[error("its raw order is no longer kept: have the shop send the order again")]
    OrderGone,
    /// It waits still.
    #[error("it is not over: cancel it first")]
    NotOver,
    /// It is over.
    #[error("it is {0}, and there is nothing left to stop")]
    Over(Status),
    /// The destination has had it.
    #[error("the destination has had it: reset it, or delete its row")]
    WasExported,
    /// The back office's word may still come.
    #[error("the back office's word on it is awaited: delete it when that has come, or its time is over")]
    Awaited,
    /// Its row leads to an object.
    #[error("its raw order lies in the bucket, where only its row leads: cleanup removes both")]
    LeadsToObject,
}

impl Action {
    /// Every action.
    pub const ALL: [Self; 5] = [Self::Reset, Self::ExportNow, Self::Cancel, Self::Skip, Self::Delete];

    /// Its name in JSON and in the audit log.
    pub fn name(self) -> &'static str {
        match self {
            Self::Reset => "reset",
            Self::ExportNow => "export-now",
            Self::Cancel => "cancel",
            Self::Skip => "skip",
            Self::Delete => "delete",
        }
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Whether an action may be taken on an export as it is.
///
/// | | Reset, Export now | Cancel, Skip | Delete |
/// |---|---|---|---|
/// | `pending` | where the row leads to the order | yes | no: cancel it first |
/// | `processing` | no | no | no |
/// | `error`, never exported | where the row leads to the order | yes | yes |
/// | `error`, refused or not acknowledged after the export | where the row leads to the order | no: the destination has had it | yes |
/// | `exported`, `acknowledged` | where the row leads to the order: it is delivered again, under the same key | no | yes, but while the back office's word is awaited |
/// | `skipped` | where the row leads to the order, whatever the filter says | no | yes |
/// | `canceled` by hand | where the row leads to the order | no | yes |
/// | `canceled` at the shop | no | no | yes |
/// | erased | no | no | no |
/// | no pipeline (`-`) | no | no | yes |
///
/// A row that leads to an object of the bucket is not deleted by hand.
///
/// # Errors
/// Why not.
pub fn allowed(row: &Row, action: Action, now: Timestamp) -> Result<(), Refusal> {
    if row.erased_at.is_some() {
        return Err(Refusal::Erased);
    }
    if row.status == Status::Processing {
        return Err(match row.lease_until.filter(|until| *until > now) {
            Some(until) => Refusal::BeingTried { until },
            None => Refusal::LeaseRanOut,
        });
    }
    match action {
        Action::Reset | Action::ExportNow => may_be_set_back(row),
        Action::Cancel | Action::Skip => may_be_stopped(row),
        Action::Delete => may_be_deleted(row),
    }
}

fn may_be_set_back(row: &Row) -> Result<(), Refusal> {
    if row.key.pipeline == ExportKey::NO_PIPELINE {
        return Err(Refusal::NoPipeline);
    }
    if row.canceled_at.is_some() {
        return Err(Refusal::OrderCanceled);
    }
    match (&row.payload, row.status) {
        (Some(_), _) => Ok(()),
        (None, Status::Pending) => Err(Refusal::OrderInQueue),
        (None, _) => Err(Refusal::OrderGone),
    }
}

fn may_be_stopped(row: &Row) -> Result<(), Refusal> {
    match row.status {
        Status::Error if row.exported_at.is_some() => Err(Refusal::WasExported),
        Status::Error if row.key.pipeline == ExportKey::NO_PIPELINE => Err(Refusal::NoPipeline),
        Status::Pending | Status::Error => Ok(()),
        over => Err(Refusal::Over(over)),
    }
}

fn may_be_deleted(row: &Row) -> Result<(), Refusal> {
    match row.status {
        Status::Pending => Err(Refusal::NotOver),
        _ if leads_to_object(row) => Err(Refusal::LeadsToObject),
        _ if row.due.is_some() => Err(Refusal::Awaited),
        _ => Ok(()),
    }
}

fn leads_to_object(row: &Row) -> bool {
    row.inbound.is_some() || matches!(row.payload, Some(Payload::Stored(_)))
}

#[cfg(test)]
mod tests;
