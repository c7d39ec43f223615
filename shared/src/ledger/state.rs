//! The states of an export and the changes between them. Pure.

use std::fmt;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Row;

/// State of an export.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
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
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Why an export is in error, as far as it decides whether it is reset by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Fault {
    /// Every attempt failed in a way that another one might have mended.
    Exhausted,
    /// The order, the configuration or the destination's refusal: the same would happen again.
    Permanent,
    /// The back office took the document and said later that it does not accept the order.
    Rejected,
    /// The back office took the document and did not say in time what became of it.
    Unacknowledged,
    /// The pipeline was no longer there for it.
    Orphaned,
}

impl Fault {
    /// Every fault with the name that table and configuration use.
    pub const NAMES: [(&'static str, Self); 5] = [
        ("exhausted", Self::Exhausted),
        ("permanent", Self::Permanent),
        ("rejected", Self::Rejected),
        ("unacknowledged", Self::Unacknowledged),
        ("orphaned", Self::Orphaned),
    ];

    /// The name in the table.
    pub fn name(self) -> &'static str {
        Self::NAMES.iter().find(|(_, fault)| *fault == self).map_or("", |(name, _)| name)
    }

    /// The fault called `name`.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::NAMES.into_iter().find(|(known, _)| *known == name).map(|(_, fault)| fault)
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
    /// It waits for a time, and a message of its own comes for it: any other has nothing to do with it now.
    Waits {
        /// The time.
        until: Timestamp,
    },
    /// Nothing to do: it was exported, failed for good or was cancelled.
    Over(Status),
}

/// Why a claim on an existing row was refused, or `None` where it would be granted at `now`.
pub(crate) fn refusal<L>(row: &Row, now: Timestamp) -> Option<Claim<L>> {
    if row.ends_canceled() {
        return Some(Claim::Over(Status::Canceled));
    }
    match row.status {
        Status::Pending => row.not_before.filter(|until| *until > now).map(|until| match row.waits_for {
            Some(_) => Claim::Waits { until },
            None => Claim::NotYet { until },
        }),
        Status::Processing => row.lease_until.filter(|until| *until > now).map(|until| Claim::Held { until }),
        Status::Skipped => row.set_aside_at.map(|_| Claim::Over(Status::Skipped)),
        Status::Error if row.attempts == 0 => None,
        over @ (Status::Exported | Status::Acknowledged | Status::Error | Status::Canceled) => Some(Claim::Over(over)),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::ledger::Why;

    fn any_row() -> impl Strategy<Value = Row> {
        let at = |second: Option<i64>| second.and_then(|second| Timestamp::from_second(second).ok());
        let time = || proptest::option::of(0i64..1000);
        let why = proptest::option::of(prop_oneof![Just(Why::Delay), Just(Why::Slot), Just(Why::Pause)]);
        (0..Status::ALL.len(), 0u32..20, time(), time(), why).prop_map(
            move |(status, attempts, not_before, lease_until, waits_for)| Row {
                attempts,
                not_before: at(not_before),
                lease_until: at(lease_until),
                waits_for,
                ..Row::sample(Status::ALL[status])
            },
        )
    }

    proptest! {
        #[test]
        fn a_claim_that_is_granted_stays_so_and_one_that_is_over_too(row in any_row(), now in 0i64..1000, later in 0i64..1000) {
            let at = |second| Timestamp::from_second(second).unwrap_or(Timestamp::UNIX_EPOCH);
            let (first, then) = (refusal::<()>(&row, at(now)), refusal::<()>(&row, at(now + later)));
            match first {
                None => prop_assert_eq!(then, None),
                Some(Claim::Over(status)) => {
                    prop_assert_eq!(status, row.status);
                    prop_assert_eq!(then, Some(Claim::Over(status)));
                }
                Some(Claim::Held { until }) => {
                    prop_assert!(row.status == Status::Processing && until > at(now));
                    prop_assert_eq!(then.is_none(), until <= at(now + later));
                }
                Some(Claim::NotYet { until }) => {
                    prop_assert!(row.status == Status::Pending && row.waits_for.is_none() && until > at(now));
                    prop_assert_eq!(then.is_none(), until <= at(now + later));
                }
                Some(Claim::Waits { until }) => {
                    prop_assert!(row.status == Status::Pending && row.waits_for.is_some() && until > at(now));
                    prop_assert_eq!(then.is_none(), until <= at(now + later));
                }
                Some(Claim::Granted(())) => prop_assert!(false, "a refusal grants nothing"),
            }
        }

        #[test]
        fn what_was_exported_or_canceled_is_never_claimed_again(row in any_row(), now in 0i64..1000) {
            let at = Timestamp::from_second(now).unwrap_or(Timestamp::UNIX_EPOCH);
            let is_done = matches!(row.status, Status::Exported | Status::Acknowledged | Status::Canceled);
            prop_assert!(!is_done || refusal::<()>(&row, at) == Some(Claim::Over(row.status)));
        }
    }

    #[test]
    fn every_status_is_known_by_its_name_in_the_table_and_in_json() {
        for status in Status::ALL {
            assert_eq!(Status::from_name(status.name()), Some(status));
            assert_eq!(serde_json::to_value(status).unwrap(), status.name());
        }
        for (name, fault) in Fault::NAMES {
            assert_eq!(serde_json::to_value(fault).unwrap(), name);
        }
    }
}
