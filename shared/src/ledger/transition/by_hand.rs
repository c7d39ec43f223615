//! What people ask for. Pure.

use std::time::Duration;

use jiff::Timestamp;

use super::{Change, LEASE, WAITING, moved, number, status, text, time};
use crate::ledger::keys::due_key;
use crate::ledger::{Row, Status};

/// Nothing has changed since, and there is something left of it.
const AS_SEEN: &str = "#status = :seen_status AND #updated_at = :seen_at AND attribute_not_exists(#erased_at)";

/// Sets an export back to pending, as it was seen. Its message is sent next; should that not happen, the ledger hands it
/// out at `again_at`. Without its order it could not be made, and would end in error.
pub(in crate::ledger) fn set_back(row: &Row, again_at: Timestamp, now: Timestamp) -> Change {
    let change = moved(Change::default(), &row.key, Status::Pending, now)
        .set("requeued_at", time(now))
        .set("due_key", text(&due_key(&row.key)))
        .set("due_at", time(again_at))
        .set("attempts", number(0))
        .set("resets", number(0))
        .remove(&["expires_at", "not_before", "waits_for", "set_aside_at"]);
    as_seen(change, row)
        .expects_also("attribute_not_exists(#canceled_at)", &[])
        .expects_also("(attribute_exists(#payload) OR attribute_exists(#payload_key))", &[])
}

/// Ends an export that nobody works on, as it was seen.
pub(in crate::ledger) fn end_by_hand(
    row: &Row,
    to: Status,
    reason: &str,
    now: Timestamp,
    retention: Duration,
) -> Change {
    let change = moved(Change::default(), &row.key, to, now)
        .set("last_error", text(reason))
        .remove(&["fault", "waits_for"])
        .remove(&WAITING)
        .remove(&LEASE);
    let change = if to == Status::Skipped { change.set("set_aside_at", time(now)) } else { change };
    as_seen(change, row).expires(row.place(), now, retention)
}

fn as_seen(change: Change, row: &Row) -> Change {
    change.expects(AS_SEEN, &[("seen_status", status(row.status)), ("seen_at", time(row.updated_at))])
}
