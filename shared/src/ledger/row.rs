//! A row of the ledger as it is read.

use std::time::Duration;

use jiff::Timestamp;

use super::kept::inbound;
use super::keys::{Item, export_key};
use super::transition::Waits;
use super::{
    Attempt, Due, ExportKey, Fault, Lease, LedgerError, Observation, Outcome, Payload, Status, Told, Wait, Why,
    webhook_digest,
};
use crate::queue::Fields;

/// An export and what happened to it.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// Which export.
    pub key: ExportKey,
    /// The number that the customer and the merchant see.
    pub number: String,
    /// Its state.
    pub status: Status,
    /// When that last changed.
    pub updated_at: Timestamp,
    /// When the row was first written.
    pub created_at: Timestamp,
    /// When the customer placed the order.
    pub placed_at: Option<Timestamp>,
    /// Attempts so far, the running one included.
    pub attempts: u32,
    /// Who holds the lease on it.
    pub lease_owner: Option<String>,
    /// When the lease on it ends.
    pub lease_until: Option<Timestamp>,
    /// When the next attempt is due.
    pub not_before: Option<Timestamp>,
    /// The last attempts, oldest first.
    pub history: Vec<Attempt>,
    /// What went wrong last, or why it was skipped.
    pub last_error: Option<String>,
    /// The back office's own identifier.
    pub external_id: Option<String>,
    /// Where the document is.
    pub destination: Option<String>,
    /// The object of many orders that an attempt may have put it into, while that is not known: `s3://bucket/key`.
    pub pack: Option<String>,
    /// When the destination took it.
    pub exported_at: Option<Timestamp>,
    /// The platform's word for the order's state when it was last told.
    pub order_state: Option<String>,
    /// The platform's word for the payment's state when it was last told.
    pub payment_state: Option<String>,
    /// The platform's code of the payment method.
    pub payment_method: Option<String>,
    /// When the shop said so.
    pub observed: Option<Told>,
    /// When the order was cancelled, where that ends this export.
    pub canceled_at: Option<Timestamp>,
    /// When the shop said that the order, cancelled before, is open again.
    pub reopened_at: Option<Timestamp>,
    /// Why it is in error.
    pub fault: Option<Fault>,
    /// How often it was reset by itself.
    pub resets: u32,
    /// When the ledger hands it out.
    pub due: Option<Due>,
    /// Why it waits, where that is not for a retry.
    pub waits_for: Option<Why>,
    /// When the ledger last handed it out again.
    pub requeued_at: Option<Timestamp>,
    /// When its last cancellation at the shop was tried, and what came of it.
    pub cancellation: Option<CancelTry>,
    /// Whose order it is, as a digest.
    pub customer: Option<String>,
    /// When somebody skipped it, which only a reset takes back.
    pub set_aside_at: Option<Timestamp>,
    /// When it was erased on request; there is nothing left of it then but its key.
    pub erased_at: Option<Timestamp>,
    /// Whether it is in the index of unpaid orders.
    pub is_unpaid: bool,
    /// The raw order; nothing while the message of its webhook has it, or once it is no longer kept.
    pub payload: Option<Payload>,
    /// What came with it through the queue.
    pub envelope: Fields,
    /// The webhook that began the export, see [`webhook_digest`].
    pub webhook: Option<String>,
    /// Key of the S3 object with that webhook's body, where no message could carry it.
    pub inbound: Option<String>,
}

/// A try to cancel the order at the shop.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CancelTry {
    /// Tries so far.
    pub tries: u32,
    /// Not before then is it tried again.
    pub after: Timestamp,
    /// What came of the last one.
    pub outcome: Option<String>,
}

impl Row {
    /// Whether no attempt was ever made, so that another webhook of the order may know better.
    pub(super) fn is_untried(&self) -> bool {
        let is_open = self.status == Status::Skipped || (self.status == Status::Error && self.attempts == 0);
        is_open && self.canceled_at.is_none() && self.set_aside_at.is_none()
    }

    /// Whether it is not over and must not go on, because its order was cancelled.
    pub(super) fn ends_canceled(&self) -> bool {
        let is_open = matches!(self.status, Status::Pending | Status::Processing | Status::Skipped | Status::Error);
        self.canceled_at.is_some() && is_open
    }

    /// Whether it is over as soon as its order is cancelled: it waits, or failed before the destination had it.
    pub(super) fn is_unfinished(&self) -> bool {
        match self.status {
            Status::Pending => true,
            Status::Error => self.exported_at.is_none(),
            _ => false,
        }
    }

    /// Whether a webhook began it.
    pub fn is_begun_by(&self, webhook: &str) -> bool {
        self.webhook.as_deref() == Some(webhook)
    }

    /// Whether it is not over: it waits, or somebody has it.
    pub fn is_open(&self) -> bool {
        matches!(self.status, Status::Pending | Status::Processing)
    }

    /// Whether the webhook that says this makes the export, which a cancellation had ended; by this delivery of it, or
    /// begun by an earlier one.
    pub(crate) fn is_reopened_by(&self, said: &Observation) -> bool {
        let is_taken_back = self.status == Status::Canceled && said.takes_back(self);
        is_taken_back || self.reopened_at == Some(said.told.at)
    }

    /// The slot in its destination's rate limit that it waits for.
    pub(crate) fn slot(&self) -> Option<Timestamp> {
        let is_for_slot = self.status == Status::Pending && self.waits_for == Some(Why::Slot);
        self.not_before.filter(|_| is_for_slot)
    }

    /// Whether it waits for just this already.
    pub(crate) fn waits_already(&self, wait: Wait) -> bool {
        let waits = Waits::of(&self.key, wait, Timestamp::UNIX_EPOCH);
        let is_parked = self.due.as_ref().is_some_and(|due| due.key == waits.due.key);
        self.status == Status::Pending
            && self.waits_for == Some(waits.why)
            && self.not_before == waits.not_before
            && (waits.why != Why::Pause || is_parked)
    }

    /// Whether the lease's attempt is the last on record, and it ended with a word.
    pub(super) fn was_ended_by(&self, lease: &Lease) -> bool {
        let is_its = |attempt: &Attempt| {
            attempt.at.as_millisecond() == lease.began.as_millisecond() && attempt.outcome != Outcome::Lost
        };
        self.attempts == lease.attempt && self.history.last().is_some_and(is_its)
    }

    /// Whether this attempt holds the lease.
    pub(super) fn is_held_by(&self, owner: &str) -> bool {
        self.status == Status::Processing && self.lease_owner.as_deref() == Some(owner)
    }

    /// Reads an item of the table.
    pub(crate) fn from_item(item: &Item) -> Result<Self, LedgerError> {
        let key = export_key(item)?;
        let bad = |expected: &str| LedgerError::BadRow {
            key: format!("{}#{} {}", key.shop, key.order_id, key.pipeline),
            expected: expected.to_owned(),
        };
        let text = |name: &str| item.get(name).and_then(|value| value.as_s().ok()).cloned();
        let time = |name: &str| text(name).and_then(|text| text.parse::<Timestamp>().ok());
        let map = |name: &str| item.get(name).and_then(|value| value.as_m().ok()).cloned().unwrap_or_default();
        let inline = item.get("payload").and_then(|value| value.as_b().ok()).cloned().map(Payload::Inline);
        let envelope: Fields =
            map("envelope").into_iter().filter_map(|(name, value)| Some((name, value.as_s().ok()?.clone()))).collect();
        let began_by = |envelope: &Fields| (!envelope.is_empty()).then(|| webhook_digest(envelope));
        Ok(Self {
            number: number_of(item).unwrap_or_else(|| key.order_id.clone()),
            status: text("status").and_then(|name| Status::from_name(&name)).ok_or_else(|| bad("a known status"))?,
            updated_at: time("updated_at").ok_or_else(|| bad("a time in updated_at"))?,
            created_at: time("created_at").ok_or_else(|| bad("a time in created_at"))?,
            placed_at: time("placed_at"),
            attempts: number(item, "attempts").unwrap_or(0),
            lease_owner: text("lease_owner"),
            lease_until: time("lease_until"),
            not_before: time("not_before"),
            history: history(item),
            last_error: text("last_error"),
            external_id: text("external_id"),
            destination: text("destination"),
            pack: text("pack"),
            exported_at: time("exported_at"),
            order_state: text("order_state"),
            payment_state: text("payment_state"),
            payment_method: text("payment_method"),
            observed: time("observed_at").map(|at| Told { at, rank: number(item, "observed_rank").unwrap_or(0) }),
            canceled_at: time("canceled_at"),
            reopened_at: time("reopened_at"),
            fault: text("fault").and_then(|name| Fault::from_name(&name)),
            resets: number(item, "resets").unwrap_or(0),
            due: text("due_key").zip(time("due_at")).map(|(key, at)| Due { key, at }),
            waits_for: text("waits_for").and_then(|name| Why::from_name(&name)),
            requeued_at: time("requeued_at"),
            cancellation: time("cancel_after").map(|after| CancelTry {
                tries: number(item, "cancel_tries").unwrap_or(0),
                after,
                outcome: text("cancel_outcome"),
            }),
            customer: text("customer").or_else(|| text("customer_key")),
            set_aside_at: time("set_aside_at"),
            erased_at: time("erased_at"),
            is_unpaid: item.contains_key("unpaid_key"),
            payload: inline.or_else(|| text("payload_key").map(Payload::Stored)),
            inbound: text("inbound_key").or_else(|| inbound(&envelope)),
            webhook: text("webhook").or_else(|| began_by(&envelope)),
            envelope,
            key,
        })
    }
}

/// The number of an order that is not its identifier; the first name is that of the index.
pub(super) fn number_of(item: &Item) -> Option<String> {
    ["number", "order_number"].into_iter().find_map(|name| item.get(name)?.as_s().ok().cloned())
}

/// The attempts of a row. Of an export that succeeded first time, other attributes say all there is to say.
fn history(item: &Item) -> Vec<Attempt> {
    match item.get("history").and_then(|value| value.as_l().ok()) {
        Some(list) => list.iter().filter_map(Attempt::from_attribute).collect(),
        None => first_attempt(item).into_iter().collect(),
    }
}

fn first_attempt(item: &Item) -> Option<Attempt> {
    let took = Duration::from_millis(number(item, "took_ms")?);
    let exported_at: Timestamp = item.get("exported_at")?.as_s().ok()?.parse().ok()?;
    let at = exported_at.checked_sub(took).ok()?;
    Some(Attempt { at, outcome: Outcome::Exported, took, error: None, response: None })
}

/// A number of an item.
pub(super) fn number<T: std::str::FromStr>(item: &Item, name: &str) -> Option<T> {
    item.get(name)?.as_n().ok()?.parse().ok()
}

#[cfg(test)]
impl Row {
    /// A row of this status after one attempt, with nothing else known.
    pub(super) fn sample(status: Status) -> Self {
        let at = "2026-01-05T09:15:00Z".parse().expect("a time");
        Self {
            key: ExportKey::new("acme-eu", "9007199254740993", "erp"),
            number: "100001234".into(),
            status,
            updated_at: at,
            created_at: at,
            placed_at: None,
            attempts: 1,
            lease_owner: None,
            lease_until: None,
            not_before: None,
            history: Vec::new(),
            last_error: None,
            external_id: None,
            destination: None,
            pack: None,
            exported_at: None,
            order_state: None,
            payment_state: None,
            payment_method: None,
            observed: None,
            canceled_at: None,
            reopened_at: None,
            fault: None,
            resets: 0,
            due: None,
            waits_for: None,
            requeued_at: None,
            cancellation: None,
            customer: None,
            set_aside_at: None,
            erased_at: None,
            is_unpaid: false,
            payload: None,
            envelope: Fields::new(),
            webhook: None,
            inbound: None,
        }
    }
}
