//! Unpaid orders that are cancelled at the shop. Pure.

use std::time::Duration;

use jiff::Timestamp;

use super::{Change, LEASE, State, WAITING, arrived, first, moved, number, status, text, time};
use crate::ledger::keys::due_key;
use crate::ledger::stale::Hold;
use crate::ledger::{ExportKey, Facts, Row, Status};

/// What a hold has that goes on.
const HELD_STILL: &str = "#cancel_after = :until AND #cancel_tries = :try";

/// Takes an order, unless it was paid meanwhile or somebody else has it.
pub(in crate::ledger) fn hold(hold: &Hold, now: Timestamp) -> Change {
    Change::default().set("cancel_after", time(hold.until)).set("cancel_tries", number(hold.tries)).expects(
        "attribute_exists(#unpaid_key) AND (attribute_not_exists(#cancel_after) OR #cancel_after <= :now)",
        &[("now", time(now))],
    )
}

/// Has a held order wait.
pub(in crate::ledger) fn postpone(hold: &Hold, tries: u32, after: Timestamp, outcome: &str) -> Change {
    let change = Change::default().set("cancel_after", time(after)).set("cancel_tries", number(tries));
    held(change.set("cancel_outcome", text(outcome)), hold)
}

/// Records what came of a held order's cancellation.
pub(in crate::ledger) fn conclude(hold: &Hold, outcome: &str) -> Change {
    held(Change::default().set("cancel_outcome", text(outcome)), hold)
}

/// Forgets that an order was held.
pub(in crate::ledger) fn let_go(hold: &Hold) -> Change {
    held(Change::default().remove(&["cancel_after", "cancel_tries", "cancel_outcome"]), hold)
}

fn held(change: Change, hold: &Hold) -> Change {
    change.expects(HELD_STILL, &[("until", time(hold.until)), ("try", number(hold.tries))])
}

/// Takes a row out of the index of unpaid orders, as it was seen, until the shop says something new: an observation that
/// is unpaid puts it back, with its tries counted from the beginning.
pub(in crate::ledger) fn set_aside(row: &Row, outcome: Option<&str>) -> Change {
    let change = Change::default().remove(&["unpaid_key", "cancel_tries"]);
    let change = match outcome {
        Some(outcome) => change.set("cancel_outcome", text(outcome)),
        None => change,
    };
    match row.observed {
        Some(told) => change.expects(
            "#observed_at = :told AND #observed_rank = :rank",
            &[("told", time(told.at)), ("rank", number(told.rank.into()))],
        ),
        None => change.expects("attribute_not_exists(#observed_at)", &[]),
    }
}

/// Begins an export that tells of a cancellation: its message is sent next; should that not happen, the ledger hands it
/// out at `again_at`.
pub(in crate::ledger) fn announce(
    key: &ExportKey,
    facts: &Facts,
    state: State,
    again_at: Timestamp,
    now: Timestamp,
) -> Change {
    let change = arrived(key, facts, Status::Pending, state, now)
        .set("attempts", number(0))
        .set("requeued_at", time(now))
        .set("due_key", text(&due_key(key)))
        .set("due_at", time(again_at))
        .remove(&["expires_at", "last_error", "fault", "waits_for", "not_before"]);
    first(change, facts, state)
}

/// Ends an export that was announced, as it was seen, because its filter declines the order.
pub(in crate::ledger) fn decline(row: &Row, reason: &str, now: Timestamp, retention: Duration) -> Change {
    moved(Change::default(), &row.key, Status::Skipped, now)
        .set("last_error", text(reason))
        .remove(&WAITING)
        .remove(&LEASE)
        .remove(&["fault"])
        .expects(
            "#status = :pending AND (attribute_not_exists(#attempts) OR #attempts = :none)",
            &[("pending", status(Status::Pending)), ("none", number(0))],
        )
        .expires(row.place(), now, retention)
}
