//! How a command ends: the same everywhere, so that scripts can go by it.

use std::process::ExitCode;

use ordersync::aws::EnvironmentError;
use ordersync::config::LoadError;
use ordersync::ledger::LedgerError;
use ordersync::queue::SendError;
use ordersync::secrets::SecretError;
use ordersync_admin::{AdminError, Kind};

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// It did what was asked.
    Done = 0,
    /// Something was found wrong, or failed.
    Wrong = 1,
    /// It was called wrongly; clap ends with the same.
    Usage = 2,
    /// What was named is not there.
    NotFound = 3,
    /// It is there, and must not be touched in this way.
    Refused = 4,
    /// AWS, or the shop's URL, does not answer or does not let us in.
    Unreachable = 5,
    /// Somebody stopped it, as a shell says of a program that was interrupted.
    Interrupted = 130,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// Why a command did not do what was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Failure {
    /// Something is wrong with what was given.
    #[error("{0}")]
    Wrong(String),
    /// The call does not make sense.
    #[error("{0}")]
    Usage(String),
    /// Something that was named is not there.
    #[error("{0}")]
    NotFound(String),
    /// It would harm.
    #[error("{0}")]
    Refused(String),
    /// Somebody else does not answer.
    #[error("{0}")]
    Unreachable(String),
}

impl Failure {
    /// What the program ends with.
    pub(crate) fn exit(&self) -> Exit {
        match self {
            Self::Wrong(_) => Exit::Wrong,
            Self::Usage(_) => Exit::Usage,
            Self::NotFound(_) => Exit::NotFound,
            Self::Refused(_) => Exit::Refused,
            Self::Unreachable(_) => Exit::Unreachable,
        }
    }

    /// Its name in JSON.
    pub(crate) fn code(&self) -> &'static str {
        match self {
            Self::Wrong(_) => "wrong",
            Self::Usage(_) => "usage",
            Self::NotFound(_) => "not_found",
            Self::Refused(_) => "refused",
            Self::Unreachable(_) => "unreachable",
        }
    }
}

impl From<LoadError> for Failure {
    fn from(error: LoadError) -> Self {
        match error {
            LoadError::Unreadable { .. } => Self::NotFound(error.to_string()),
            LoadError::Invalid(_) => Self::Wrong(error.to_string()),
            LoadError::BadUri(_) => Self::Usage(error.to_string()),
        }
    }
}

impl From<LedgerError> for Failure {
    fn from(error: LedgerError) -> Self {
        match error {
            LedgerError::LeaseLost => Self::Refused(error.to_string()),
            LedgerError::Unavailable(_) => Self::Unreachable(error.to_string()),
            LedgerError::BadRow { .. } => Self::Wrong(error.to_string()),
        }
    }
}

impl From<AdminError> for Failure {
    fn from(error: AdminError) -> Self {
        match error.kind {
            Kind::NotFound => Self::NotFound(error.message),
            Kind::Refused | Kind::Conflict => Self::Refused(error.message),
            Kind::Invalid => Self::Usage(error.message),
            Kind::Unavailable => Self::Unreachable(error.message),
        }
    }
}

impl From<SendError> for Failure {
    fn from(error: SendError) -> Self {
        Self::Unreachable(error.to_string())
    }
}

impl From<SecretError> for Failure {
    fn from(error: SecretError) -> Self {
        Self::Unreachable(error.to_string())
    }
}

impl From<EnvironmentError> for Failure {
    fn from(error: EnvironmentError) -> Self {
        Self::Usage(error.to_string())
    }
}

/// A file that cannot be read or written.
pub(crate) fn file_failure(path: &std::path::Path, error: &std::io::Error) -> Failure {
    let message = format!("{}: {error}", path.display());
    if error.kind() == std::io::ErrorKind::NotFound { Failure::NotFound(message) } else { Failure::Wrong(message) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_failure_has_its_exit_code() {
        let text = String::new;
        for (failure, code, name) in [
            (Failure::Wrong(text()), 1, "wrong"),
            (Failure::Usage(text()), 2, "usage"),
            (Failure::NotFound(text()), 3, "not_found"),
            (Failure::Refused(text()), 4, "refused"),
            (Failure::Unreachable(text()), 5, "unreachable"),
        ] {
            assert_eq!((failure.exit() as u8, failure.code()), (code, name));
        }
        let invalid = LoadError::Invalid(ordersync::config::Invalid(Vec::new()));
        assert_eq!(Failure::from(invalid).exit(), Exit::Wrong);
        assert_eq!(Failure::from(LedgerError::Unavailable(text())).exit(), Exit::Unreachable);
    }
}
