//! A row of the ledger as it is read.

use std::collections::HashMap;
use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;

use super::keys::{Item, export_key};
use super::{Due, ExportKey, Fault, Lease, LedgerError, Payload, Status, Told, Why};
use crate::queue::Fields;

/// Attempts that a row keeps; older ones fall out.
pub(super) const KEPT_ATTEMPTS: usize = 10;

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
    /// When it was erased on request; there is nothing left of it then but its key.
    pub erased_at: Option<Timestamp>,
    /// Whether it is in the index of unpaid orders.
    pub is_unpaid: bool,
    /// The raw order.
    pub payload: Option<Payload>,
    /// What came with it through the queue.
    pub envelope: Fields,
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

/// How an attempt ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The destination took it.
    Exported,
    /// It failed and is tried again.
    Retry,
    /// It failed for good.
    Error,
    /// Whoever tried it stopped without a word.
    Lost,
}

impl Outcome {
    const NAMES: [(&'static str, Self); 4] =
        [("exported", Self::Exported), ("retry", Self::Retry), ("error", Self::Error), ("lost", Self::Lost)];

    /// The name in the table.
    pub fn name(self) -> &'static str {
        Self::NAMES.iter().find(|(_, outcome)| *outcome == self).map_or("", |(name, _)| name)
    }
}

/// One attempt at an export.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// When it began.
    pub at: Timestamp,
    /// How it ended.
    pub outcome: Outcome,
    /// How long it took.
    pub took: Duration,
    /// What went wrong, capped.
    pub error: Option<String>,
    /// What the destination answered, capped.
    pub response: Option<String>,
}

impl Attempt {
    /// As an attribute.
    pub(super) fn to_attribute(&self) -> AttributeValue {
        let text = |value: &str| AttributeValue::S(value.to_owned());
        let millis = AttributeValue::N(self.took.as_millis().to_string());
        let mut map = HashMap::from([
            ("at".to_owned(), text(&self.at.to_string())),
            ("outcome".to_owned(), text(self.outcome.name())),
            ("took_ms".to_owned(), millis),
        ]);
        let optional = [("error", &self.error), ("response", &self.response)];
        map.extend(optional.into_iter().filter_map(|(name, value)| Some((name.to_owned(), text(value.as_ref()?)))));
        AttributeValue::M(map)
    }

    fn from_attribute(value: &AttributeValue) -> Option<Self> {
        let map = value.as_m().ok()?;
        let text = |name: &str| map.get(name)?.as_s().ok().cloned();
        let outcome = text("outcome")?;
        Some(Self {
            at: text("at")?.parse().ok()?,
            outcome: Outcome::NAMES.iter().find(|(name, _)| *name == outcome)?.1,
            took: Duration::from_millis(map.get("took_ms")?.as_n().ok()?.parse().ok()?),
            error: text("error"),
            response: text("response"),
        })
    }
}

/// A history with one more attempt; the oldest falls out.
pub(super) fn with_attempt(mut history: Vec<Attempt>, attempt: Attempt) -> Vec<Attempt> {
    history.push(attempt);
    let surplus = history.len().saturating_sub(KEPT_ATTEMPTS);
    history.drain(..surplus);
    history
}

impl Row {
    /// Whether no attempt was ever made, so that another webhook of the order may know better.
    pub(super) fn is_untried(&self) -> bool {
        let is_open = self.status == Status::Skipped || (self.status == Status::Error && self.attempts == 0);
        is_open && self.canceled_at.is_none()
    }

    /// Whether it is not over and must not go on, because its order was cancelled.
    pub(super) fn ends_canceled(&self) -> bool {
        let is_open = matches!(self.status, Status::Pending | Status::Processing | Status::Skipped | Status::Error);
        self.canceled_at.is_some() && is_open
    }

    /// Whether a message of its own will come for it: any other that comes meanwhile has nothing to do.
    pub(super) fn waits_for_its_own(&self, now: Timestamp) -> bool {
        self.waits_for.is_some() && self.not_before.is_some_and(|until| until > now)
    }

    /// Whether its turn in the rate limit of its destination has come.
    pub fn has_slot(&self) -> bool {
        self.status == Status::Pending && self.waits_for == Some(Why::Slot)
    }

    /// Whether the lease's attempt is the last on record, and it ended with a word.
    pub(super) fn was_ended_by(&self, lease: &Lease) -> bool {
        let is_its = |attempt: &Attempt| attempt.at == lease.began && attempt.outcome != Outcome::Lost;
        self.attempts == lease.attempt && self.history.last().is_some_and(is_its)
    }

    /// Whether this attempt holds the lease.
    pub(super) fn is_held_by(&self, owner: &str) -> bool {
        self.status == Status::Processing && self.lease_owner.as_deref() == Some(owner)
    }

    /// Reads an item of the table.
    pub(super) fn from_item(item: &Item) -> Result<Self, LedgerError> {
        let key = export_key(item)?;
        let bad = |expected: &str| LedgerError::BadRow {
            key: format!("{}#{} {}", key.shop, key.order_id, key.pipeline),
            expected: expected.to_owned(),
        };
        let text = |name: &str| item.get(name).and_then(|value| value.as_s().ok()).cloned();
        let time = |name: &str| text(name).and_then(|text| text.parse::<Timestamp>().ok());
        let list = |name: &str| item.get(name).and_then(|value| value.as_l().ok()).cloned().unwrap_or_default();
        let map = |name: &str| item.get(name).and_then(|value| value.as_m().ok()).cloned().unwrap_or_default();
        let inline = item.get("payload").and_then(|value| value.as_b().ok()).cloned().map(Payload::Inline);
        Ok(Self {
            number: text("number").ok_or_else(|| bad("a number"))?,
            status: text("status").and_then(|name| Status::from_name(&name)).ok_or_else(|| bad("a known status"))?,
            updated_at: time("updated_at").ok_or_else(|| bad("a time in updated_at"))?,
            created_at: time("created_at").ok_or_else(|| bad("a time in created_at"))?,
            placed_at: time("placed_at"),
            attempts: number(item, "attempts").unwrap_or(0),
            lease_owner: text("lease_owner"),
            lease_until: time("lease_until"),
            not_before: time("not_before"),
            history: list("history").iter().filter_map(Attempt::from_attribute).collect(),
            last_error: text("last_error"),
            external_id: text("external_id"),
            destination: text("destination"),
            exported_at: time("exported_at"),
            order_state: text("order_state"),
            payment_state: text("payment_state"),
            payment_method: text("payment_method"),
            observed: time("observed_at").map(|at| Told { at, rank: number(item, "observed_rank").unwrap_or(0) }),
            canceled_at: time("canceled_at"),
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
            customer: text("customer_key"),
            erased_at: time("erased_at"),
            is_unpaid: item.contains_key("unpaid_key"),
            payload: inline.or_else(|| text("payload_key").map(Payload::Stored)),
            envelope: map("envelope").into_iter().filter_map(|(k, v)| Some((k, v.as_s().ok()?.clone()))).collect(),
            key,
        })
    }
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
            exported_at: None,
            order_state: None,
            payment_state: None,
            payment_method: None,
            observed: None,
            canceled_at: None,
            fault: None,
            resets: 0,
            due: None,
            waits_for: None,
            requeued_at: None,
            cancellation: None,
            customer: None,
            erased_at: None,
            is_unpaid: false,
            payload: None,
            envelope: Fields::new(),
        }
    }
}
