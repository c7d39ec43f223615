//! The raw order of a webhook's message, kept by the writes after which the queue may forget the message: until then
//! the message itself is what lasts, and most exports succeed before anything else is needed.

use tokio::sync::OnceCell;

use super::run::{Arrival, Runner};
use crate::ledger::{ExportKey, Facts, Kept, Ledger, LedgerError, PayloadStore};
use crate::queue::Fields;

/// The raw order of a message, and where it is kept when it has to be. It is compressed, and put into the bucket where it
/// is large, when it is first asked for.
#[derive(Debug)]
pub struct Keeper<'a> {
    pub(super) ledger: &'a Ledger,
    pub(super) payloads: &'a PayloadStore,
    pub(super) shop: &'a str,
    pub(super) order_id: &'a str,
    pub(super) raw: &'a [u8],
    pub(super) envelope: &'a Fields,
    pub(super) kept: OnceCell<Option<Kept>>,
}

impl Keeper<'_> {
    /// The raw order as the ledger keeps it; nothing for a large one that was erased.
    pub async fn kept(&self) -> Result<Option<&Kept>, LedgerError> {
        let kept = self.kept.get_or_try_init(|| async {
            // Boxed, so that not each of those who may ask carries the room for it.
            let keep = self.payloads.keep_unless_erased(self.ledger, self.shop, self.order_id, self.raw);
            let payload = Box::pin(keep).await?;
            Ok(payload.map(|payload| Kept { payload, envelope: self.envelope.clone() }))
        });
        Ok(kept.await?.as_ref())
    }
}

/// Facts with the raw order, for a write that lets the queue forget it.
pub(super) async fn with_order(facts: &Facts, keeper: Option<&Keeper<'_>>) -> Result<Facts, LedgerError> {
    let kept = match keeper {
        Some(keeper) => keeper.kept().await?.cloned(),
        None => None,
    };
    Ok(Facts { kept: kept.or_else(|| facts.kept.clone()), ..facts.clone() })
}

impl<'a> Arrival<'a> {
    /// The raw order as the ledger keeps it; nothing where the row has led to it before.
    pub(super) async fn kept(&self) -> Result<Option<&'a Kept>, LedgerError> {
        match self.keeper {
            Some(keeper) => keeper.kept().await,
            None => Ok(None),
        }
    }
}

impl Runner {
    /// Has the ledger keep the order of an export whose message is about to be let go of.
    pub(super) async fn keep(&self, key: &ExportKey, arrival: Arrival<'_>) -> Result<(), LedgerError> {
        match arrival.kept().await? {
            Some(kept) => Box::pin(self.ledger.keep(key, kept)).await,
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests;
