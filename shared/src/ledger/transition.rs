//! Every change of an export as one conditional write. Pure.

use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;

use super::change::Change;
use super::keys::{sortable, status_key, unpaid_key};
use super::row::with_attempt;
use super::{Attempt, Completion, ExportKey, Facts, Lease, NextStep, Observation, Outcome, Payload, Row, Status};

/// Rows that no attempt was ever made for: another webhook of the order may know better.
const UNTRIED: &str = "attribute_not_exists(#pk) OR #status = :skipped \
    OR (#status = :error AND (attribute_not_exists(#attempts) OR #attempts = :none))";
const DUE: &str = "(#status = :pending AND (attribute_not_exists(#not_before) OR #not_before <= :now))";
const EXPIRED: &str = "(#status = :processing AND #lease_until <= :now)";
const HELD: &str = "#status = :processing AND #lease_owner = :owner";
const LEASE: [&str; 3] = ["lease_owner", "lease_until", "not_before"];

/// The history to go on with: an attempt whose lease ran out left no word, so this says it.
pub(super) fn history_with_lost(row: &Row, now: Timestamp) -> Vec<Attempt> {
    let history = row.history.clone();
    if row.status != Status::Processing {
        return history;
    }
    let lost = Attempt {
        at: row.updated_at,
        outcome: Outcome::Lost,
        took: elapsed(row.updated_at, row.lease_until.unwrap_or(now)),
        error: Some("the attempt ended without a word: its lease ran out".into()),
        response: None,
    };
    with_attempt(history, lost)
}

/// Takes the lease for the first attempt.
pub(super) fn begin(key: &ExportKey, facts: &Facts, owner: &str, now: Timestamp, until: Timestamp) -> Change {
    leased(arrival(key, facts, Status::Processing, now), 1, owner, until)
        .remove(&["last_error"])
        .expects(UNTRIED, &untried())
}

/// Takes the lease for a further attempt, at the row as it was seen.
pub(super) fn resume(row: &Row, history: &[Attempt], owner: &str, now: Timestamp, until: Timestamp) -> Change {
    let values = [
        ("pending", status(Status::Pending)),
        ("processing", status(Status::Processing)),
        ("now", time(now)),
        ("seen", AttributeValue::N(row.attempts.to_string())),
    ];
    leased(moved(Change::default(), &row.key, Status::Processing, now), row.attempts + 1, owner, until)
        .set("history", attributes(history))
        .expects(&format!("#attempts = :seen AND ({DUE} OR {EXPIRED})"), &values)
}

fn leased(change: Change, attempt: u32, owner: &str, until: Timestamp) -> Change {
    change
        .set("attempts", AttributeValue::N(attempt.to_string()))
        .set("lease_owner", text(owner))
        .set("lease_until", time(until))
        .remove(&["not_before", "expires_at"])
}

fn attributes(history: &[Attempt]) -> AttributeValue {
    AttributeValue::L(history.iter().map(Attempt::to_attribute).collect())
}

pub(super) fn complete(lease: &Lease, completion: &Completion, now: Timestamp, retention: Duration) -> Change {
    finish(lease, Status::Exported, Outcome::Exported, None, None, now)
        .set("exported_at", time(now))
        .set("destination", text(&completion.destination))
        .set_or_remove("external_id", completion.external_id.as_deref().map(text))
        .set("expires_at", expiry(now, retention))
        .remove(&["last_error"])
        .remove(&LEASE)
}

pub(super) fn fail(lease: &Lease, error: &str, response: Option<&str>, next: NextStep, now: Timestamp) -> Change {
    let failed =
        |status, outcome| finish(lease, status, outcome, Some(error), response, now).set("last_error", text(error));
    match next {
        NextStep::Retry { not_before } => failed(Status::Pending, Outcome::Retry)
            .set("not_before", time(not_before))
            .remove(&["lease_owner", "lease_until"]),
        NextStep::GiveUp => failed(Status::Error, Outcome::Error).remove(&LEASE),
    }
}

/// The values of [`UNTRIED`].
fn untried() -> [(&'static str, AttributeValue); 3] {
    let none = AttributeValue::N("0".into());
    [("skipped", status(Status::Skipped)), ("error", status(Status::Error)), ("none", none)]
}

/// Records that nobody wants the order, and why.
pub(super) fn skip(key: &ExportKey, facts: &Facts, reason: &str, now: Timestamp, retention: Duration) -> Change {
    let change = arrival(key, facts, Status::Skipped, now).set("last_error", text(reason));
    let change = change.set("expires_at", expiry(now, retention));
    change.expects(UNTRIED, &untried())
}

/// Records an export in error that was never tried, for a fault of the order or of its filter.
pub(super) fn reject(key: &ExportKey, facts: &Facts, error: &str, now: Timestamp) -> Change {
    arrival(key, facts, Status::Error, now)
        .set("last_error", text(error))
        .remove(&["expires_at"])
        .expects(UNTRIED, &untried())
}

/// Ends an export that waits, as it was seen.
pub(super) fn abandon(row: &Row, error: &str, now: Timestamp) -> Change {
    let values = [
        ("pending", status(Status::Pending)),
        ("processing", status(Status::Processing)),
        ("now", time(now)),
        ("seen", AttributeValue::N(row.attempts.to_string())),
    ];
    moved(Change::default(), &row.key, Status::Error, now)
        .set("last_error", text(error))
        .remove(&LEASE)
        .expects(&format!("#attempts = :seen AND (#status = :pending OR {EXPIRED})"), &values)
}

/// What every end of an attempt has in common: it needs the lease.
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
        .set("history", attributes(&history))
        .expects(HELD, &[("processing", status(Status::Processing)), ("owner", text(&lease.owner))])
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

/// Records what the shop says; an export that waits ends with its order, where it `ends`.
pub(super) fn observe(row: &Row, said: &Observation, ends: bool, now: Timestamp, retention: Duration) -> Change {
    let is_waiting = matches!(row.status, Status::Pending | Status::Error);
    let change = observation(row, said);
    if ends && is_waiting { end_as_canceled(change, row, now, retention) } else { change }
}

fn observation(row: &Row, said: &Observation) -> Change {
    let unpaid = said.is_unpaid.then(|| text(&unpaid_key(&row.key)));
    let states = [("order_state", &said.order_state), ("payment_state", &said.payment_state)];
    let words = states.into_iter().filter_map(|(name, state)| Some((name, optional(state.as_ref())?)));
    let values = [("seen", status(row.status)), ("told", time(said.told_at))];
    words
        .fold(Change::default(), |change, (name, state)| change.set(name, state))
        .set("observed_at", time(said.told_at))
        .set_or_remove("unpaid_key", unpaid)
        .expects("#status = :seen AND (attribute_not_exists(#observed_at) OR #observed_at <= :told)", &values)
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
