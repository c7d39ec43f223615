//! The raw order beside the export: kept by the write after which the queue may forget its message, and no earlier.

use ring::digest;

use super::change::Changed;
use super::{ExportKey, Ledger, LedgerError, Payload, Row, Status, transition};
use crate::queue::{Fields, INBOUND_PREFIX};

/// How often a row that changes under our hands is looked at.
const KEEP_TRIES: usize = 5;

/// The raw order as the ledger keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// The order.
    pub payload: Payload,
    /// What came with it through the queue.
    pub envelope: Fields,
}

impl Kept {
    /// Where a row leads to it.
    pub(super) fn place(&self) -> Place {
        Place::of(&self.payload)
    }
}

/// Where the raw order of an export is, as far as its row knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// In the message of its webhook only.
    Queue,
    /// In the row.
    Row,
    /// In the bucket, from where the table's TTL cannot remove it.
    Bucket,
}

impl Place {
    fn of(payload: &Payload) -> Self {
        match payload {
            Payload::Inline(_) => Self::Row,
            Payload::Stored(_) => Self::Bucket,
        }
    }
}

impl Row {
    /// Where the raw order is.
    pub(super) fn place(&self) -> Place {
        self.payload.as_ref().map_or(Place::Queue, Place::of)
    }
}

/// What the record of an export that succeeded does with the raw order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keep<'a> {
    /// Keeps this.
    Put(&'a Kept),
    /// Leaves the row with what it has.
    AsItIs,
    /// Removes it from the row. What lies in the bucket goes with the row, so that the row leads to it until then.
    No,
}

/// Where an export comes from, as its row always says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Origin {
    /// The webhook, see [`webhook_digest`].
    pub webhook: String,
    /// Key of the S3 object with its body, where no message could carry that.
    pub inbound: Option<String>,
}

impl Origin {
    /// A webhook, by what came with it through the queue.
    pub fn of(envelope: &Fields) -> Self {
        Self { webhook: webhook_digest(envelope), inbound: inbound(envelope) }
    }
}

/// The key of the body that no message could carry.
pub(super) fn inbound(envelope: &Fields) -> Option<String> {
    envelope.get("payload_key").filter(|key| key.starts_with(INBOUND_PREFIX)).cloned()
}

/// What a webhook is known again by when it is delivered again: a digest of what came with it through the queue.
pub fn webhook_digest(envelope: &Fields) -> String {
    let mut context = digest::Context::new(&digest::SHA256);
    for (name, value) in envelope {
        // Lengths, so that no two envelopes read the same.
        for part in [name, value] {
            context.update(&part.len().to_be_bytes());
            context.update(part.as_bytes());
        }
    }
    hex::encode(&context.finish().as_ref()[..8])
}

impl Ledger {
    /// Keeps the raw order of an export that its message is about to be let go of, where the row does not lead to it yet
    /// and the export may still need it: while it is not over, and once it is canceled or set aside, which can be taken back. From
    /// then on the ledger has to find the export by itself, so it is in the index by status.
    ///
    /// # Errors
    /// Also where there is no row, so that the message is not let go of.
    pub async fn keep(&self, key: &ExportKey, kept: &Kept) -> Result<(), LedgerError> {
        for _ in 0..KEEP_TRIES {
            let Some(row) = self.export(key).await? else { break };
            if !row.wants_order() {
                return Ok(());
            }
            if let Changed::Done = self.change(key, transition::keep(&row, kept)).await? {
                return Ok(());
            }
        }
        Err(LedgerError::keeps_changing())
    }
}

impl Row {
    /// Whether only the message of its webhook has the raw order, and the export may need it.
    pub fn wants_order(&self) -> bool {
        let may_need_it = self.is_open() || self.status == Status::Canceled || self.set_aside_at.is_some();
        may_need_it && self.payload.is_none() && self.erased_at.is_none()
    }
}
