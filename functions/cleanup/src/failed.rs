//! Why something could not be found out or done.

use ordersync::ledger::LedgerError;

use crate::bucket::Refused;

/// Why something could not be found out or done.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Failed {
    /// The table.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The bucket.
    #[error(transparent)]
    Bucket(#[from] Refused),
}

impl Failed {
    /// The same without the key of the row, which has the order's identifier in it.
    pub(crate) fn unnamed(self) -> Self {
        match self {
            Self::Ledger(LedgerError::BadRow { expected, .. }) => {
                Self::Ledger(LedgerError::BadRow { key: "of an order to be erased".into(), expected })
            }
            other => other,
        }
    }
}
