//! The changes of an export: claim, complete, fail, skip, reject, and what the shop says of the order.

use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;

use super::change::{Change, Changed};
use super::keys::{sortable, status_key, unpaid_key};
use super::row::with_attempt;
use super::state::refusal;
use super::{Attempt, Claim, ExportKey, Ledger, LedgerError, Outcome, Payload, Row, Status};
use crate::order::Order;
use crate::queue::Fields;

/// What is known of an order when its export is first written.
#[derive(Debug, Clone)]
pub struct Facts {
    /// The number that the customer and the merchant see.
    pub number: String,
    /// When the customer placed it; unknown where the order could not be read.
    pub placed_at: Option<Timestamp>,
    /// The platform's word for the order's state.
    pub order_state: Option<String>,
    /// The platform's word for the payment's state.
    pub payment_state: Option<String>,
    /// The platform's code of the payment method.
    pub payment_method: Option<String>,
    /// Whether something is left to pay, so that the order may become stale.
    pub is_unpaid: bool,
    /// The raw order.
    pub payload: Payload,
    /// What came with it through the queue.
    pub envelope: Fields,
}

impl Facts {
    /// The facts of an order that could be read.
    pub fn of(order: &Order, payload: Payload, envelope: Fields) -> Self {
        Self {
            number: order.number.clone(),
            placed_at: Some(order.placed_at),
            order_state: order.state.clone(),
            payment_state: order.payment.state.clone(),
            payment_method: order.payment.method.clone(),
            is_unpaid: !order.payment.paid,
            payload,
            envelope,
        }
    }
}

/// What a shop says of an order after it was placed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Observation {
    /// The platform's word for the order's state.
    pub order_state: Option<String>,
    /// The platform's word for the payment's state.
    pub payment_state: Option<String>,
    /// Whether something is left to pay.
    pub is_unpaid: bool,
    /// Whether it was cancelled.
    pub is_canceled: bool,
}

impl Observation {
    /// What a webhook with the whole order says.
    pub fn of(order: &Order, is_canceled: bool) -> Self {
        Self {
            order_state: order.state.clone(),
            payment_state: order.payment.state.clone(),
            is_unpaid: !order.payment.paid && !is_canceled,
            is_canceled,
        }
    }

    /// What a webhook says that only names an order as cancelled or deleted.
    pub fn canceled() -> Self {
        let order_state = Some("canceled".to_owned());
        Self { order_state, payment_state: None, is_unpaid: false, is_canceled: true }
    }
}

/// The right to work on an export until a time.
#[derive(Debug, Clone, PartialEq)]
pub struct Lease {
    /// The export.
    pub key: ExportKey,
    /// Number of this attempt, from 1.
    pub attempt: u32,
    owner: String,
    began: Timestamp,
    history: Vec<Attempt>,
}

/// What a destination made of an export.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Completion {
    /// Where the document is.
    pub destination: String,
    /// The back office's own identifier.
    pub external_id: Option<String>,
}

/// What follows a failed attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NextStep {
    /// Another attempt, not before then.
    Retry {
        /// When it is due.
        not_before: Timestamp,
    },
    /// None: the export stays in error until it is reset.
    GiveUp,
}

/// Whether a row was written, or found in a state that wants no change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recorded {
    /// It was written.
    Written,
    /// It was left as it is.
    LeftAsIs,
}

const CLAIMABLE: &str = "attribute_not_exists(#pk) \
    OR #status = :skipped \
    OR (#status = :pending AND (attribute_not_exists(#not_before) OR #not_before <= :now)) \
    OR (#status = :processing AND #lease_until <= :now)";
const HELD: &str = "#status = :processing AND #lease_owner = :owner";
const UNTOUCHED: &str = "attribute_not_exists(#pk) OR #status = :skipped";
const LEASE: [&str; 3] = ["lease_owner", "lease_until", "not_before"];

impl Ledger {
    /// Takes the lease on an export until `until`: one write, which also keeps the raw order.
    pub async fn claim(
        &self,
        key: &ExportKey,
        facts: &Facts,
        owner: &str,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<Claim<Lease>, LedgerError> {
        let lease = |before: Option<Row>| Lease {
            key: key.clone(),
            attempt: before.as_ref().map_or(0, |row| row.attempts) + 1,
            owner: owner.to_owned(),
            began: now,
            history: before.map(|row| history_with_lost(row, now)).unwrap_or_default(),
        };
        match self.change(key, claim(key, facts, owner, now, until)).await? {
            Changed::Done(before) => Ok(Claim::Granted(lease(before))),
            Changed::Refused(Some(row)) => Ok(refusal(&row, now).unwrap_or(Claim::NotYet { until: now })),
            Changed::Refused(None) => Ok(Claim::NotYet { until: now }),
        }
    }

    /// Records that the destination has it. The second and last write of an export that succeeds first time.
    pub async fn complete(&self, lease: &Lease, completion: &Completion, now: Timestamp) -> Result<(), LedgerError> {
        self.held(lease, complete(lease, completion, now, self.retention)).await
    }

    /// Records a failed attempt and what follows.
    pub async fn fail(
        &self,
        lease: &Lease,
        error: &str,
        response: Option<&str>,
        next: NextStep,
        now: Timestamp,
    ) -> Result<(), LedgerError> {
        self.held(lease, fail(lease, error, response, next, now)).await
    }

    /// Records that nobody wants the order, and why, unless it was exported before.
    pub async fn skip(
        &self,
        key: &ExportKey,
        facts: &Facts,
        reason: &str,
        now: Timestamp,
    ) -> Result<Recorded, LedgerError> {
        let change = arrival(key, facts, Status::Skipped, now).set("last_error", text(reason));
        let change = change.set("expires_at", expiry(now, self.retention));
        self.untouched(key, change).await
    }

    /// Records an export in error that never had an attempt, because the order or its template is at fault.
    pub async fn reject(
        &self,
        key: &ExportKey,
        facts: &Facts,
        error: &str,
        now: Timestamp,
    ) -> Result<Recorded, LedgerError> {
        let change = arrival(key, facts, Status::Error, now).set("last_error", text(error)).remove(&["expires_at"]);
        self.untouched(key, change).await
    }

    /// Records what the shop says of an order now. Where it was cancelled, exports that are not done become
    /// `canceled`.
    pub async fn observe(
        &self,
        shop: &str,
        order_id: &str,
        said: &Observation,
        now: Timestamp,
    ) -> Result<(), LedgerError> {
        for row in self.order(shop, order_id).await? {
            let ends = said.is_canceled && matches!(row.status, Status::Pending | Status::Error);
            let change = observation(&row, said);
            let change = if ends { end_as_canceled(change, &row, now, self.retention) } else { change };
            if let Changed::Refused(_) = self.change(&row.key, change).await? {
                tracing::debug!(
                    export = row.key.idempotency_key(),
                    "the export changed meanwhile and is left as it is"
                );
            }
        }
        Ok(())
    }

    async fn held(&self, lease: &Lease, change: Change) -> Result<(), LedgerError> {
        let change = change.expects(HELD, &[("processing", status(Status::Processing)), ("owner", text(&lease.owner))]);
        match self.change(&lease.key, change).await? {
            Changed::Done(_) => Ok(()),
            Changed::Refused(_) => Err(LedgerError::LeaseLost),
        }
    }

    async fn untouched(&self, key: &ExportKey, change: Change) -> Result<Recorded, LedgerError> {
        let change = change.expects(UNTOUCHED, &[("skipped", status(Status::Skipped))]);
        match self.change(key, change).await? {
            Changed::Done(_) => Ok(Recorded::Written),
            Changed::Refused(_) => Ok(Recorded::LeftAsIs),
        }
    }
}

/// The history to go on with: an attempt whose lease ran out left no word, so this says it.
fn history_with_lost(row: Row, now: Timestamp) -> Vec<Attempt> {
    if row.status != Status::Processing {
        return row.history;
    }
    let lost = Attempt {
        at: row.updated_at,
        outcome: Outcome::Lost,
        took: elapsed(row.updated_at, row.lease_until.unwrap_or(now)),
        error: Some("the attempt ended without a word: its lease ran out".into()),
        response: None,
    };
    with_attempt(row.history, lost)
}

fn claim(key: &ExportKey, facts: &Facts, owner: &str, now: Timestamp, until: Timestamp) -> Change {
    arrival(key, facts, Status::Processing, now)
        .increment("attempts")
        .set("lease_owner", text(owner))
        .set("lease_until", time(until))
        .remove(&["not_before", "expires_at"])
        .expects(
            CLAIMABLE,
            &[
                ("skipped", status(Status::Skipped)),
                ("pending", status(Status::Pending)),
                ("processing", status(Status::Processing)),
                ("now", time(now)),
            ],
        )
}

fn complete(lease: &Lease, completion: &Completion, now: Timestamp, retention: Duration) -> Change {
    finish(lease, Status::Exported, Outcome::Exported, None, None, now)
        .set("exported_at", time(now))
        .set("destination", text(&completion.destination))
        .set_or_remove("external_id", completion.external_id.as_deref().map(text))
        .set("expires_at", expiry(now, retention))
        .remove(&["last_error"])
        .remove(&LEASE)
}

fn fail(lease: &Lease, error: &str, response: Option<&str>, next: NextStep, now: Timestamp) -> Change {
    let failed =
        |status, outcome| finish(lease, status, outcome, Some(error), response, now).set("last_error", text(error));
    match next {
        NextStep::Retry { not_before } => failed(Status::Pending, Outcome::Retry)
            .set("not_before", time(not_before))
            .remove(&["lease_owner", "lease_until"]),
        NextStep::GiveUp => failed(Status::Error, Outcome::Error).remove(&LEASE),
    }
}

/// What every end of an attempt has in common.
fn finish(
    lease: &Lease,
    to: Status,
    outcome: Outcome,
    error: Option<&str>,
    response: Option<&str>,
    now: Timestamp,
) -> Change {
    let attempt = Attempt {
        at: lease.began,
        outcome,
        took: elapsed(lease.began, now),
        error: error.map(ToOwned::to_owned),
        response: response.map(ToOwned::to_owned),
    };
    let history = with_attempt(lease.history.clone(), attempt);
    moved(Change::default(), &lease.key, to, now)
        .set("history", AttributeValue::L(history.iter().map(Attempt::to_attribute).collect()))
}

/// What every first write of an export has in common: the order's facts and the raw order.
fn arrival(key: &ExportKey, facts: &Facts, to: Status, now: Timestamp) -> Change {
    let (inline, stored) = match &facts.payload {
        Payload::Inline(bytes) => (Some(AttributeValue::B(bytes.clone())), None),
        Payload::Stored(key) => (None, Some(text(key))),
    };
    let envelope = facts.envelope.iter().map(|(name, value)| (name.clone(), text(value))).collect();
    moved(Change::default(), key, to, now)
        .set_once("created_at", time(now))
        .set("shop", text(&key.shop))
        .set("order_id", text(&key.order_id))
        .set("pipeline", text(&key.pipeline))
        .set("number", text(&facts.number))
        .set_or_remove("placed_at", facts.placed_at.map(time))
        .set_or_remove("order_state", optional(facts.order_state.as_ref()))
        .set_or_remove("payment_state", optional(facts.payment_state.as_ref()))
        .set_or_remove("payment_method", optional(facts.payment_method.as_ref()))
        .set_or_remove("unpaid_key", facts.is_unpaid.then(|| text(&unpaid_key(key))))
        .set_or_remove("payload", inline)
        .set_or_remove("payload_key", stored)
        .set("envelope", AttributeValue::M(envelope))
}

fn moved(change: Change, key: &ExportKey, to: Status, now: Timestamp) -> Change {
    change.set("status", status(to)).set("status_key", text(&status_key(to, key))).set("updated_at", time(now))
}

fn observation(row: &Row, said: &Observation) -> Change {
    let unpaid = said.is_unpaid.then(|| text(&unpaid_key(&row.key)));
    Change::default()
        .set_or_remove("order_state", optional(said.order_state.as_ref()))
        .set_or_remove("payment_state", optional(said.payment_state.as_ref()))
        .set_or_remove("unpaid_key", unpaid)
        .expects("#status = :seen", &[("seen", status(row.status))])
}

fn end_as_canceled(change: Change, row: &Row, now: Timestamp, retention: Duration) -> Change {
    moved(change, &row.key, Status::Canceled, now).set("expires_at", expiry(now, retention)).remove(&LEASE)
}

fn elapsed(from: Timestamp, to: Timestamp) -> Duration {
    Duration::try_from(to.duration_since(from)).unwrap_or_default()
}

fn text(value: &str) -> AttributeValue {
    AttributeValue::S(value.to_owned())
}

fn optional(value: Option<&String>) -> Option<AttributeValue> {
    value.filter(|value| !value.is_empty()).map(|value| text(value))
}

fn time(value: Timestamp) -> AttributeValue {
    AttributeValue::S(sortable(value))
}

fn status(value: Status) -> AttributeValue {
    text(value.name())
}

/// `DynamoDB`'s TTL: seconds since 1970.
fn expiry(now: Timestamp, retention: Duration) -> AttributeValue {
    let seconds = now.as_second().saturating_add_unsigned(retention.as_secs());
    AttributeValue::N(seconds.to_string())
}

#[cfg(test)]
mod tests;
