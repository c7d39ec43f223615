//! Exports that wait in the ledger, which hands them out again: delayed, paused, rate-limited. Pure.

use jiff::Timestamp;

use super::{Change, DUE, EXPIRED, LEASE, State, WAITING, arrival, first, moved, number, open, text, time};
use crate::ledger::keys::due_key;
use crate::ledger::{Due, ExportKey, Facts, Row, Status, Why};

/// Has an export wait that no attempt was ever made for.
pub(in crate::ledger) fn park(key: &ExportKey, facts: &Facts, state: State, wait: Waits<'_>, now: Timestamp) -> Change {
    let change = arrival(key, facts, Status::Pending, state, now).set("attempts", number(0));
    first(waits(change, wait).remove(&["expires_at", "last_error", "fault"]), facts, state)
}

/// The same for one that was begun, as it was seen: its attempts count on.
pub(in crate::ledger) fn repark(row: &Row, wait: Waits<'_>, now: Timestamp) -> Change {
    let change = moved(Change::default(), &row.key, Status::Pending, now).remove(&LEASE[..2]);
    waits(change, wait).expects(
        &format!("attribute_not_exists(#canceled_at) AND #attempts = :seen AND ({DUE} OR {EXPIRED})"),
        &open(row, now),
    )
}

/// What an export waits for.
#[derive(Debug, Clone, Copy)]
pub(in crate::ledger) struct Waits<'a> {
    pub(in crate::ledger) why: Why,
    pub(in crate::ledger) due: Option<&'a Due>,
    pub(in crate::ledger) not_before: Option<Timestamp>,
}

fn waits(change: Change, wait: Waits<'_>) -> Change {
    change
        .set("waits_for", text(wait.why.name()))
        .set_or_remove("due_key", wait.due.map(|due| text(&due.key)))
        .set_or_remove("due_at", wait.due.map(|due| time(due.at)))
        .set_or_remove("not_before", wait.not_before.map(time))
}

/// Takes an export that is due, as it was seen, to be queued: of several that try, one succeeds. Should it fall before
/// the message is sent, the export is due again at `again_at`.
pub(in crate::ledger) fn release(key: &ExportKey, seen: &Due, again_at: Timestamp, now: Timestamp) -> Change {
    Change::default()
        .set("due_key", text(&due_key(key)))
        .set("due_at", time(again_at))
        .set("requeued_at", time(now))
        .expects(
            "#status = :pending AND #due_key = :seen_key AND #due_at = :seen_at",
            &[("pending", text(Status::Pending.name())), ("seen_key", text(&seen.key)), ("seen_at", time(seen.at))],
        )
}

/// Notes that the message of an export that was released is in the queue.
pub(in crate::ledger) fn settle(key: &ExportKey, again_at: Timestamp) -> Change {
    Change::default().remove(&WAITING).expects(
        "#due_key = :seen_key AND #due_at = :seen_at",
        &[("seen_key", text(&due_key(key))), ("seen_at", time(again_at))],
    )
}
