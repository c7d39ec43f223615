//! Exports that wait in the ledger, which hands them out again: delayed, paused, rate-limited. Pure.

use jiff::Timestamp;

use super::{Change, LEASE, Place, State, WAITING, arrived, first, lost, moved, number, put, text, time};
use crate::ledger::keys::{due_key, paused_key, shard};
use crate::ledger::{Due, ExportKey, Facts, Kept, Row, Status, Wait, Why};

/// What a row has while its export waits.
#[derive(Debug, Clone)]
pub(in crate::ledger) struct Waits {
    pub(in crate::ledger) why: Why,
    pub(in crate::ledger) due: Due,
    pub(in crate::ledger) not_before: Option<Timestamp>,
}

impl Waits {
    /// Where in the index an export waits, and until when.
    pub(in crate::ledger) fn of(key: &ExportKey, wait: Wait, now: Timestamp) -> Self {
        let (why, not_before) = wait.reason();
        let due = match wait {
            Wait::Until { hand_out_at, .. } => Due { key: due_key(key), at: hand_out_at },
            Wait::ForResume => Due { key: paused_key(&key.pipeline, shard(key)), at: now },
        };
        Self { why, due, not_before }
    }

    fn put(&self, change: Change) -> Change {
        change
            .set("waits_for", text(self.why.name()))
            .set("due_key", text(&self.due.key))
            .set("due_at", time(self.due.at))
            .set_or_remove("not_before", self.not_before.map(time))
    }
}

/// Has an export wait that no attempt was ever made for.
pub(in crate::ledger) fn park(key: &ExportKey, facts: &Facts, state: State, waits: &Waits, now: Timestamp) -> Change {
    let change = arrived(key, facts, Status::Pending, state, now).set("attempts", number(0));
    first(waits.put(change).remove(&["expires_at", "last_error", "fault"]), facts, state)
}

/// The same for one that was begun, as it was seen: its attempts count on. Keeps the raw order where the row does not
/// lead to it.
pub(in crate::ledger) fn park_again(row: &Row, waits: &Waits, kept: Option<&Kept>, now: Timestamp) -> Change {
    let change = moved(Change::default(), &row.key, Status::Pending, now).remove(&LEASE[..2]);
    let change = match kept.filter(|_| row.place() == Place::Queue) {
        Some(kept) => put(change, kept),
        None => change,
    };
    waits.put(lost(change, row, now)).expects_unchanged("attribute_not_exists(#canceled_at)", row, now)
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
