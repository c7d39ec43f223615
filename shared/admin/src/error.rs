//! Why something was not done.

use ordersync::ledger::LedgerError;
use ordersync::queue::SendError;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What kind of thing went wrong: what an HTTP status or an exit code is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// There is no such order, export or template.
    NotFound,
    /// The state that it is in does not allow it.
    Refused,
    /// What was asked makes no sense.
    Invalid,
    /// It has changed since it was looked at.
    Conflict,
    /// AWS did not answer, or not in time: another try may help.
    Unavailable,
}

/// Why something was not done. The message has neither secrets nor personal data.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize, Deserialize, JsonSchema)]
#[error("{message}")]
pub struct AdminError {
    /// What kind of thing.
    pub kind: Kind,
    /// What, where, and what was expected.
    pub message: String,
}

impl AdminError {
    /// There is no such thing.
    pub fn not_found(message: impl Into<String>) -> Self {
        Self { kind: Kind::NotFound, message: message.into() }
    }

    /// Its state does not allow it.
    pub fn refused(message: impl Into<String>) -> Self {
        Self { kind: Kind::Refused, message: message.into() }
    }

    /// What was asked makes no sense.
    pub fn invalid(message: impl Into<String>) -> Self {
        Self { kind: Kind::Invalid, message: message.into() }
    }

    /// It has changed meanwhile.
    pub fn conflict(message: impl Into<String>) -> Self {
        Self { kind: Kind::Conflict, message: message.into() }
    }

    /// Another try may help.
    pub fn unavailable(message: impl Into<String>) -> Self {
        Self { kind: Kind::Unavailable, message: message.into() }
    }
}

impl From<LedgerError> for AdminError {
    fn from(error: LedgerError) -> Self {
        match error {
            LedgerError::LeaseLost => Self::conflict(error.to_string()),
            LedgerError::Unavailable(_) | LedgerError::BadRow { .. } => Self::unavailable(error.to_string()),
        }
    }
}

impl From<SendError> for AdminError {
    fn from(error: SendError) -> Self {
        Self::unavailable(error.to_string())
    }
}
