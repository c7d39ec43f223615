//! Every change of an export as one conditional write. Pure.

use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;

use super::attempt::with_attempt;
use super::change::Change;
use super::keys::{acknowledge_key, sortable, status_key, unpaid_key};
use super::{
    Attempt, Completion, ExportKey, Facts, Fault, Holder, Lease, NextStep, Outcome, Payload, Row, Status, Told,
};

mod answered;
mod observed;
mod recovered;
mod stale;
mod waiting;

pub(super) use answered::{acknowledge, deny};
pub(super) use observed::{end_canceled, foresee, observe};
pub(super) use recovered::{drop_deadline, expire, reset, unacknowledged};
pub(super) use stale::{announce, conclude, decline, hold, let_go, postpone, set_aside};
pub(super) use waiting::{Waits, park, park_again, release, settle};

/// Rows that no attempt was ever made for: another webhook of the order may know better.
const UNTRIED: &str = "attribute_not_exists(#pk) OR (attribute_not_exists(#canceled_at) AND (#status = :skipped \
    OR (#status = :error AND (attribute_not_exists(#attempts) OR #attempts = :none))))";
/// Nothing later is known of the order than what is now said.
const NEWS: &str = "attribute_not_exists(#observed_at) OR #observed_at < :told \
    OR (#observed_at = :told AND (attribute_not_exists(#observed_rank) OR #observed_rank <= :rank))";
const DUE: &str = "(#status = :pending AND (attribute_not_exists(#not_before) OR #not_before <= :now))";
const EXPIRED: &str = "(#status = :processing AND #lease_until <= :now)";
const HELD: &str = "#status = :processing AND #lease_owner = :owner";
const LEASE: [&str; 3] = ["lease_owner", "lease_until", "not_before"];
/// What an export has that waits in the ledger.
const WAITING: [&str; 2] = ["due_key", "due_at"];

/// What a first write does with what the webhook says of the order's state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// Writes it, and expects that nothing later is known.
    Say,
    /// Leaves what is known.
    Keep,
}

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
pub(super) fn begin(
    key: &ExportKey,
    facts: &Facts,
    state: State,
    holder: Holder<'_>,
    now: Timestamp,
    until: Timestamp,
) -> Change {
    let change = leased(arrival(key, facts, Status::Processing, state, now), 1, holder.owner, until);
    first(named(change, holder.pack).remove(&["last_error"]), facts, state)
}

/// The condition of every first write.
fn first(change: Change, facts: &Facts, state: State) -> Change {
    match state {
        State::Keep => change.expects(UNTRIED, &untried()),
        State::Say => {
            change.expects(&format!("({UNTRIED}) AND ({NEWS})"), &[&untried()[..], &news(facts.told)].concat())
        }
    }
}

/// The values of [`NEWS`].
fn news(told: Told) -> [(&'static str, AttributeValue); 2] {
    [("told", time(told.at)), ("rank", number(told.rank.into()))]
}

/// Takes the lease for a further attempt, at the row as it was seen. A pack that an earlier one named stays named: the
/// export may be in it.
pub(super) fn resume(row: &Row, history: &[Attempt], holder: Holder<'_>, now: Timestamp, until: Timestamp) -> Change {
    let change = moved(Change::default(), &row.key, Status::Processing, now);
    named(leased(change, row.attempts + 1, holder.owner, until), holder.pack.filter(|_| row.pack.is_none()))
        .set("history", attributes(history))
        .expects(
            &format!("attribute_not_exists(#canceled_at) AND {} AND ({DUE} OR {EXPIRED})", as_seen(row)),
            &open(row, now),
        )
}

fn leased(change: Change, attempt: u32, owner: &str, until: Timestamp) -> Change {
    change
        .set("attempts", number(attempt))
        .set("lease_owner", text(owner))
        .set("lease_until", time(until))
        .remove(&["not_before", "expires_at", "fault", "waits_for"])
        .remove(&WAITING)
}

/// Names the pack that the export may be in from now on.
fn named(change: Change, pack: Option<&str>) -> Change {
    match pack {
        Some(pack) => change.set("pack", text(pack)),
        None => change,
    }
}

/// Names another pack than the one that the export turned out not to be in.
pub(super) fn repack(lease: &Lease, pack: &str) -> Change {
    named(Change::default(), Some(pack)).expects(HELD, &held(lease))
}

fn attributes(history: &[Attempt]) -> AttributeValue {
    AttributeValue::L(history.iter().map(Attempt::to_attribute).collect())
}

pub(super) fn complete(lease: &Lease, completion: &Completion, now: Timestamp, retention: Duration) -> Change {
    finish(lease, Status::Exported, Outcome::Exported, None, None, now)
        .set("exported_at", time(now))
        .set("destination", text(&completion.destination))
        .set_or_remove("external_id", completion.external_id.as_deref().map(text))
        .set_or_remove("expires_at", (!lease.is_stored).then(|| expiry(now, retention)))
        .set_or_remove("due_key", completion.acknowledge_by.map(|_| text(&acknowledge_key(&lease.key))))
        .set_or_remove("due_at", completion.acknowledge_by.map(time))
        .remove(&["last_error"])
        .remove(lease.pack.as_ref().map_or(&[], |_| &["pack"]))
        .remove(&LEASE)
}

/// Records a failed attempt, unless the order was cancelled meanwhile.
pub(super) fn fail(lease: &Lease, error: &str, response: Option<&str>, next: NextStep, now: Timestamp) -> Change {
    let failed = |status, outcome| {
        let change = finish(lease, status, outcome, Some(error), response, now).set("last_error", text(error));
        change.expects(&format!("{HELD} AND attribute_not_exists(#canceled_at)"), &held(lease))
    };
    match next {
        NextStep::Retry { not_before } => failed(Status::Pending, Outcome::Retry)
            .set("not_before", time(not_before))
            .remove(&["lease_owner", "lease_until"]),
        NextStep::GiveUp(fault) => {
            failed(Status::Error, Outcome::Error).set("fault", text(fault.name())).remove(&LEASE)
        }
    }
}

/// Records a failed attempt at an order that was cancelled meanwhile: there is no further one.
pub(super) fn fail_canceled(
    lease: &Lease,
    error: &str,
    response: Option<&str>,
    now: Timestamp,
    retention: Duration,
) -> Change {
    finish(lease, Status::Canceled, Outcome::Error, Some(error), response, now)
        .set("last_error", text(error))
        .set_or_remove("expires_at", (!lease.is_stored).then(|| expiry(now, retention)))
        .remove(&LEASE)
}

/// The values of [`UNTRIED`].
fn untried() -> [(&'static str, AttributeValue); 3] {
    [("skipped", status(Status::Skipped)), ("error", status(Status::Error)), ("none", number(0))]
}

/// Records that nobody wants the order, and why.
pub(super) fn skip(
    key: &ExportKey,
    facts: &Facts,
    state: State,
    reason: &str,
    now: Timestamp,
    retention: Duration,
) -> Change {
    let change = arrival(key, facts, Status::Skipped, state, now).set("last_error", text(reason));
    first(ended(change, facts, now, retention), facts, state)
}

fn ended(change: Change, facts: &Facts, now: Timestamp, retention: Duration) -> Change {
    let is_stored = matches!(facts.payload, Payload::Stored(_));
    change.set_or_remove("expires_at", (!is_stored).then(|| expiry(now, retention))).remove(&["fault"])
}

/// Records an export in error that was never tried, for a fault of the order or of its filter.
pub(super) fn reject(
    key: &ExportKey,
    facts: &Facts,
    state: State,
    error: &str,
    fault: Fault,
    now: Timestamp,
) -> Change {
    let change = arrival(key, facts, Status::Error, state, now)
        .set("last_error", text(error))
        .set("fault", text(fault.name()))
        .remove(&["expires_at"]);
    first(change, facts, state)
}

/// Ends an export that waits, as it was seen.
pub(super) fn abandon(row: &Row, error: &str, fault: Fault, now: Timestamp) -> Change {
    moved(Change::default(), &row.key, Status::Error, now)
        .set("last_error", text(error))
        .set("fault", text(fault.name()))
        .remove(&LEASE)
        .remove(&WAITING)
        .expects(&format!("{} AND (#status = :pending OR {EXPIRED})", as_seen(row)), &open(row, now))
}

/// That no attempt was begun since. One that was set back by hand, or never tried, may have no count.
fn as_seen(row: &Row) -> &'static str {
    match row.attempts {
        0 => "(attribute_not_exists(#attempts) OR #attempts = :seen)",
        _ => "#attempts = :seen",
    }
}

/// The values of a condition on an export that is not over, as it was seen.
fn open(row: &Row, now: Timestamp) -> [(&'static str, AttributeValue); 4] {
    [
        ("pending", status(Status::Pending)),
        ("processing", status(Status::Processing)),
        ("now", time(now)),
        ("seen", number(row.attempts)),
    ]
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
    moved(Change::default(), &lease.key, to, now).set("history", attributes(&history)).expects(HELD, &held(lease))
}

/// The values of [`HELD`].
fn held(lease: &Lease) -> [(&'static str, AttributeValue); 2] {
    [("processing", status(Status::Processing)), ("owner", text(&lease.owner))]
}

/// What every first write of an export has in common: the order's facts and the raw order.
fn arrival(key: &ExportKey, facts: &Facts, to: Status, state: State, now: Timestamp) -> Change {
    let (inline, stored) = match &facts.payload {
        Payload::Inline(bytes) => (Some(AttributeValue::B(bytes.clone())), None),
        Payload::Stored(key) => (None, Some(text(key))),
    };
    let envelope = facts.envelope.iter().map(|(name, value)| (name.clone(), text(value))).collect();
    let change = moved(Change::default(), key, to, now);
    let change = if state == State::Say { stated(change, key, facts) } else { change };
    change
        .set_once("created_at", time(now))
        .set("shop", text(&key.shop))
        .set("order_id", text(&key.order_id))
        .set("pipeline", text(&key.pipeline))
        .set("number", text(&facts.number))
        .set_or_remove("placed_at", facts.placed_at.map(time))
        .set_or_remove("payment_method", optional(facts.payment_method.as_ref()))
        .set_or_remove("customer_key", facts.customer.as_deref().map(text))
        .set_or_remove("payload", inline)
        .set_or_remove("payload_key", stored)
        .set("envelope", AttributeValue::M(envelope))
}

/// What the webhook says of the order's state.
fn stated(change: Change, key: &ExportKey, facts: &Facts) -> Change {
    change
        .set_or_remove("order_state", optional(facts.order_state.as_ref()))
        .set_or_remove("payment_state", optional(facts.payment_state.as_ref()))
        .set_or_remove("unpaid_key", facts.is_unpaid.then(|| text(&unpaid_key(key))))
        .set("observed_at", time(facts.told.at))
        .set("observed_rank", number(facts.told.rank.into()))
}

fn moved(change: Change, key: &ExportKey, to: Status, now: Timestamp) -> Change {
    change.set("status", status(to)).set("status_key", text(&status_key(to, key))).set("updated_at", time(now))
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

fn number(value: u32) -> AttributeValue {
    AttributeValue::N(value.to_string())
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
