//! Every change of an export as one conditional write. Pure.

use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;

use super::attempt::with_attempt;
use super::change::Change;
use super::kept::Place;
use super::keys::{sortable, status_key, text, unpaid_key};
use super::{Attempt, ExportKey, Facts, Fault, Holder, Kept, Lease, Outcome, Row, Status, Told};

mod answered;
mod by_hand;
mod ended;
mod imported;
mod kept;
mod observed;
mod recovered;
mod stale;
mod waiting;

pub(super) use answered::{acknowledge, deny};
pub(super) use by_hand::{end_by_hand, set_back};
use ended::held;
pub(super) use ended::{complete, fail, fail_canceled};
pub(super) use imported::import;
pub(super) use kept::keep;
use kept::{forget, put};
pub(super) use observed::{end_canceled, foresee, observe};
pub(super) use recovered::{drop_deadline, expire, lose, reset, unacknowledged};
pub(super) use stale::{announce, conclude, decline, hold, let_go, postpone, set_aside};
pub(super) use waiting::{Waits, park, park_again, release, settle};

/// Rows that no attempt was ever made for: another webhook of the order may know better. Whoever set one aside decided it.
const UNTRIED: &str = "attribute_not_exists(#pk) OR (attribute_not_exists(#canceled_at) \
    AND attribute_not_exists(#set_aside_at) AND (#status = :skipped \
    OR (#status = :error AND (attribute_not_exists(#attempts) OR #attempts = :none))))";
/// Nothing later is known of the order than what is now said.
const NEWS: &str = "attribute_not_exists(#observed_at) OR #observed_at < :told \
    OR (#observed_at = :told AND (attribute_not_exists(#observed_rank) OR #observed_rank <= :rank))";
const DUE: &str = "(#status = :pending AND (attribute_not_exists(#not_before) OR #not_before <= :now))";
const PENDING: &str = "#status = :pending";
const EXPIRED: &str = "(#status = :processing AND #lease_until <= :now)";
const HELD: &str = "#status = :processing AND #lease_owner = :owner";
const LEASE: [&str; 3] = ["lease_owner", "lease_until", "not_before"];
/// What is said of an export that a webhook begins anew. Its attempts count from the beginning, and so does their record.
const BEGUN_ANEW: [&str; 4] = ["status_key", "last_error", "history", "took_ms"];
/// What an export has that waits in the ledger.
const WAITING: [&str; 2] = ["due_key", "due_at"];
/// The raw order in a row.
const KEPT: [&str; 3] = ["payload", "payload_key", "envelope"];

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

/// Takes the lease for the first attempt. The message of the webhook has the raw order; what another one left of it in the
/// row goes.
pub(super) fn begin(
    key: &ExportKey,
    facts: &Facts,
    state: State,
    holder: Holder<'_>,
    now: Timestamp,
    until: Timestamp,
) -> Change {
    let change = arrival(entered(Change::default(), Status::Processing, now), key, facts, state, now);
    let change = named(leased(change, 1, holder.owner, until), holder.pack).remove(&BEGUN_ANEW).remove(&KEPT);
    first(change, facts, state)
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
        .expects_open("attribute_not_exists(#canceled_at)", row, DUE, now)
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
    let change = arrived(key, facts, Status::Skipped, state, now).set("last_error", text(reason));
    first(ended(change, facts, now, retention), facts, state)
}

/// Has the table forget the row at its time, where it cannot be what leads to an object: a row that keeps what it had may be.
fn ended(change: Change, facts: &Facts, now: Timestamp, retention: Duration) -> Change {
    let expiry = facts.kept.as_ref().and_then(|kept| kept.place().expiry(now, retention));
    change.set_or_remove("expires_at", expiry).remove(&["fault"])
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
    let change = arrived(key, facts, Status::Error, state, now)
        .set("last_error", text(error))
        .set("fault", text(fault.name()))
        .remove(&["expires_at"]);
    first(change, facts, state)
}

/// Ends an export that waits, as it was seen, and keeps the raw order where the row does not lead to it.
pub(super) fn abandon(row: &Row, error: &str, fault: Fault, kept: Option<&Kept>, now: Timestamp) -> Change {
    let change = moved(Change::default(), &row.key, Status::Error, now);
    let change = match kept.filter(|_| row.place() == Place::Queue) {
        Some(kept) => put(change, kept),
        None => change,
    };
    lost(change, row, now)
        .set("last_error", text(error))
        .set("fault", text(fault.name()))
        .remove(&LEASE)
        .remove(&WAITING)
        .expects_open("attribute_exists(#pk)", row, PENDING, now)
}

/// Says of an attempt that left no word that it did, where there is one.
fn lost(change: Change, row: &Row, now: Timestamp) -> Change {
    match row.status {
        Status::Processing => change.set("history", attributes(&history_with_lost(row, now))),
        _ => change,
    }
}

/// That no attempt was begun since. One that was set back by hand, or never tried, may have no count.
fn as_seen(row: &Row) -> &'static str {
    match row.attempts {
        0 => "(attribute_not_exists(#attempts) OR #attempts = :seen)",
        _ => "#attempts = :seen",
    }
}

impl Change {
    /// Expects an export that is not over as it was seen: it waits still, which `pending` says, or the attempt that was
    /// seen is still without a word. Whoever writes that an attempt left no word is not to replace its word.
    fn expects_open(self, also: &str, row: &Row, pending: &str, now: Timestamp) -> Self {
        if row.status == Status::Processing {
            // Not by the number of the attempt: what is reset, or begun anew, counts from the beginning.
            let seen_at = ("seen_at", time(row.updated_at));
            let values = [seen_at, ("processing", status(Status::Processing)), ("now", time(now))];
            return self.expects(&format!("{also} AND #updated_at = :seen_at AND {EXPIRED}"), &values);
        }
        let mut values = vec![("seen", number(row.attempts)), ("pending", status(Status::Pending))];
        if pending == DUE {
            values.push(("now", time(now)));
        }
        self.expects(&format!("{also} AND {} AND {pending}", as_seen(row)), &values)
    }

    /// The same, and that nothing at all has changed since.
    fn expects_unchanged(self, also: &str, row: &Row, now: Timestamp) -> Self {
        let seen_at = [("seen_at", time(row.updated_at))];
        self.expects_open(also, row, PENDING, now).expects_also("#updated_at = :seen_at", &seen_at)
    }

    /// Has the table forget the row at its time, as far as can be told from where the raw order was seen, and expects it to be
    /// there still: a row that leads to an object is not forgotten, and any other is.
    fn expires(self, place: Place, now: Timestamp, retention: Duration) -> Self {
        let change = self.set_or_remove("expires_at", place.expiry(now, retention));
        let expected = match place {
            Place::Bucket => "attribute_exists(#payload_key)",
            Place::Queue | Place::Row => "attribute_not_exists(#payload_key)",
        };
        change.expects_also(expected, &[])
    }
}

/// What every first write of an export has in common that lets the queue forget the message: facts and raw order.
fn arrived(key: &ExportKey, facts: &Facts, to: Status, state: State, now: Timestamp) -> Change {
    let change = arrival(moved(Change::default(), key, to, now), key, facts, state, now);
    match &facts.kept {
        Some(kept) => put(change, kept),
        None => change,
    }
}

/// The order's facts.
fn arrival(change: Change, key: &ExportKey, facts: &Facts, state: State, now: Timestamp) -> Change {
    let change = if state == State::Say { stated(change, key, facts) } else { change };
    // The names that indexes go by, and those that they do not.
    let named = |name: &'static str, other: &'static str, is_index: bool| {
        if is_index { (name, other) } else { (other, name) }
    };
    let (number, no_number) = named("number", "order_number", facts.find_by.number);
    let (customer, no_customer) = named("customer_key", "customer", facts.find_by.customer);
    change
        .set_once("created_at", time(now))
        .set_or_remove(number, (facts.number != key.order_id).then(|| text(&facts.number)))
        .set_or_remove("placed_at", facts.placed_at.map(time))
        .set_or_remove("payment_method", optional(facts.payment_method.as_ref()))
        .set_or_remove(customer, facts.customer.as_deref().map(text))
        .set("webhook", text(&facts.origin.webhook))
        .set_or_remove("inbound_key", facts.origin.inbound.as_deref().map(text))
        .remove(&[no_number, no_customer])
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

/// Every state that an export rests in is in the index by status. What is tried for the first time is not, see [`begin`]:
/// most succeed, and an entry costs a write when it comes and another when it goes.
fn moved(change: Change, key: &ExportKey, to: Status, now: Timestamp) -> Change {
    entered(change, to, now).set("status_key", text(&status_key(to, key)))
}

fn entered(change: Change, to: Status, now: Timestamp) -> Change {
    change.set("status", status(to)).set("updated_at", time(now))
}

/// To the millisecond, as times are kept.
fn elapsed(from: Timestamp, to: Timestamp) -> Duration {
    let millis = to.as_millisecond().saturating_sub(from.as_millisecond());
    Duration::from_millis(u64::try_from(millis).unwrap_or(0))
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

impl Place {
    /// `DynamoDB`'s TTL: seconds since 1970. None where the row has to lead to an object as long as there is one.
    fn expiry(self, now: Timestamp, retention: Duration) -> Option<AttributeValue> {
        let seconds = now.as_second().saturating_add_unsigned(retention.as_secs());
        (self != Self::Bucket).then(|| AttributeValue::N(seconds.to_string()))
    }
}

#[cfg(test)]
mod tests;
