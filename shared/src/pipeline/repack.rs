//! An export whose row names an object of many orders: it may be in it, by an attempt that left no word.

use super::Failure;
use super::run::Runner;
use crate::ledger::{Lease, LedgerError};

/// The object that an export is in already, `s3://bucket/key`; nothing where it is in none; or why that is not known.
type Packed = Result<Option<String>, Failure>;

impl Runner {
    /// Asks the object that an earlier attempt has named. Where the export is not in it, its row names `pack` from now
    /// on, the one that this attempt puts it into. Only under a lease: what an earlier holder does is over by then.
    pub(super) async fn settle_pack(&self, lease: Lease, pack: Option<&str>) -> Result<(Lease, Packed), LedgerError> {
        if let Some(earlier) = lease.pack.as_deref().filter(|earlier| Some(*earlier) != pack) {
            let export = lease.key.idempotency_key();
            match self.clients.pack_holds(earlier, &export).await {
                Ok(false) => {}
                Ok(true) => {
                    tracing::info!(export, object = earlier, "is in {earlier} already: {}", lease.key.name());
                    let earlier = earlier.to_owned();
                    return Ok((lease, Ok(Some(earlier))));
                }
                Err(failure) => return Ok((lease, Err(failure))),
            }
        }
        match pack {
            Some(pack) if lease.pack.as_deref() != Some(pack) => {
                let lease = self.ledger.repack(&lease, pack).await?;
                Ok((lease, Ok(None)))
            }
            _ => Ok((lease, Ok(None))),
        }
    }
}
