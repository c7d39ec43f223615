//! How an attempt ends. Pure.

use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;

use super::{Change, HELD, LEASE, attributes, elapsed, forget, moved, number, put, status, text, time};
use crate::ledger::attempt::with_attempt;
use crate::ledger::kept::Place;
use crate::ledger::keys::acknowledge_key;
use crate::ledger::{Attempt, Completion, Keep, Kept, Lease, NextStep, Outcome, Status};

/// Records that the destination has it, and does with the raw order as `keep` says.
pub(in crate::ledger) fn complete(
    lease: &Lease,
    completion: &Completion,
    keep: Keep<'_>,
    now: Timestamp,
    retention: Duration,
) -> Change {
    let change = moved(Change::default(), &lease.key, Status::Exported, now).expects(HELD, &held(lease));
    let change = match keep {
        Keep::Put(kept) => put(change, kept),
        Keep::No if lease.place != Place::Bucket => forget(change),
        Keep::No | Keep::AsItIs => change,
    };
    let change = match keep {
        Keep::Put(kept) => change.set_or_remove("expires_at", kept.place().expiry(now, retention)),
        Keep::No | Keep::AsItIs => change.expires(lease.place, now, retention),
    };
    succeeded(change, lease, now)
        .set("exported_at", time(now))
        .set("destination", text(&completion.destination))
        .set_or_remove("external_id", completion.external_id.as_deref().map(text))
        .set_or_remove("due_key", completion.acknowledge_by.map(|_| text(&acknowledge_key(&lease.key))))
        .set_or_remove("due_at", completion.acknowledge_by.map(time))
        .remove(&["last_error"])
        .remove(lease.pack.as_ref().map_or(&[], |_| &["pack"]))
        .remove(&LEASE)
}

/// The attempt that succeeded. Where it was the first, most of what a history would say stands elsewhere in the row.
fn succeeded(change: Change, lease: &Lease, now: Timestamp) -> Change {
    let took = elapsed(lease.began, now);
    if lease.history.is_empty() {
        let millis = u32::try_from(took.as_millis()).unwrap_or(u32::MAX);
        return change.set("took_ms", number(millis)).remove(&["history"]);
    }
    let attempt = Attempt { at: lease.began, outcome: Outcome::Exported, took, error: None, response: None };
    let history = with_attempt(lease.history.clone(), attempt);
    change.set("history", attributes(&history)).remove(&["took_ms"])
}

/// Records a failed attempt, unless the order was cancelled meanwhile.
pub(in crate::ledger) fn fail(
    lease: &Lease,
    error: &str,
    response: Option<&str>,
    next: NextStep,
    kept: Option<&Kept>,
    now: Timestamp,
) -> Change {
    let failed = |status, outcome| {
        let change = finish(lease, status, outcome, error, response, now).set("last_error", text(error));
        let change = match kept {
            Some(kept) => put(change, kept),
            None => change,
        };
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
pub(in crate::ledger) fn fail_canceled(
    lease: &Lease,
    error: &str,
    response: Option<&str>,
    now: Timestamp,
    retention: Duration,
) -> Change {
    finish(lease, Status::Canceled, Outcome::Error, error, response, now)
        .set("last_error", text(error))
        .expires(lease.place, now, retention)
        .remove(&LEASE)
}

/// What every failed attempt has in common: it needs the lease.
fn finish(lease: &Lease, to: Status, outcome: Outcome, error: &str, response: Option<&str>, now: Timestamp) -> Change {
    let attempt = Attempt {
        at: lease.began,
        outcome,
        took: elapsed(lease.began, now),
        error: Some(error.to_owned()),
        response: response.map(ToOwned::to_owned),
    };
    let history = with_attempt(lease.history.clone(), attempt);
    moved(Change::default(), &lease.key, to, now).set("history", attributes(&history)).expects(HELD, &held(lease))
}

/// The values of [`HELD`].
pub(super) fn held(lease: &Lease) -> [(&'static str, AttributeValue); 2] {
    [("processing", status(Status::Processing)), ("owner", text(&lease.owner))]
}
