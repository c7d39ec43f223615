//! The states of an export and the changes between them. Pure.

use std::fmt;

use jiff::Timestamp;

use super::Row;

/// State of an export.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Status {
    /// To be tried, at once or after a back-off.
    Pending,
    /// Somebody holds the lease and works on it.
    Processing,
    /// The destination has it.
    Exported,
    /// The back office answered with its own identifier.
    Acknowledged,
    /// Nobody wants it, and the reason is on record.
    Skipped,
    /// It failed for good, until somebody or `reset-errors` resets it.
    Error,
    /// The order was cancelled before it was exported.
    Canceled,
}

impl Status {
    /// Every status.
    pub const ALL: [Self; 7] = [
        Self::Pending,
        Self::Processing,
        Self::Exported,
        Self::Acknowledged,
        Self::Skipped,
        Self::Error,
        Self::Canceled,
    ];

    /// The name in the table.
    pub fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Processing => "processing",
            Self::Exported => "exported",
            Self::Acknowledged => "acknowledged",
            Self::Skipped => "skipped",
            Self::Error => "error",
            Self::Canceled => "canceled",
        }
    }

    /// The status called `name`.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.name() == name)
    }

    /// Whether nothing is left to do, so that the row may be removed after its retention.
    pub fn is_finished(self) -> bool {
        matches!(self, Self::Exported | Self::Acknowledged | Self::Skipped | Self::Canceled)
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What became of a wish to work on an export.
#[derive(Debug, Clone, PartialEq)]
pub enum Claim<L> {
    /// It is ours until the lease ends.
    Granted(L),
    /// Somebody else holds it until then.
    Held {
        /// When the other lease ends.
        until: Timestamp,
    },
    /// A back-off is not over yet.
    NotYet {
        /// When the next attempt is due.
        until: Timestamp,
    },
    /// Nothing to do: it was exported, failed for good or was cancelled.
    Over(Status),
}

/// Why a claim on an existing row was refused, or `None` where it would be granted at `now`.
pub(super) fn refusal<L>(row: &Row, now: Timestamp) -> Option<Claim<L>> {
    match row.status {
        Status::Pending => row.not_before.filter(|until| *until > now).map(|until| Claim::NotYet { until }),
        Status::Processing => row.lease_until.filter(|until| *until > now).map(|until| Claim::Held { until }),
        Status::Skipped => None,
        Status::Error if row.attempts == 0 => None,
        over @ (Status::Exported | Status::Acknowledged | Status::Error | Status::Canceled) => Some(Claim::Over(over)),
    }
}
