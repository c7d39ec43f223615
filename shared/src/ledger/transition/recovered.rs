//! Exports that are set back to be tried again, or given up by the clock. Pure.

use std::time::Duration;

use jiff::Timestamp;

use super::{
    Change, EXPIRED, LEASE, Place, WAITING, attributes, history_with_lost, lost, moved, number, status, text, time,
};
use crate::ledger::keys::due_key;
use crate::ledger::{Due, ExportKey, Fault, Row, Status};

/// Why an export is over whose message is no longer in the queue.
const LOST: &str = "its message was lost: the queue has it no more";
const LOST_WITH_ORDER: &str =
    "its message was lost, and the order with it: the queue has it no more; have the shop send the order again";

/// Sets an export in error back to pending, as it was last changed. Its message is sent next; should that not happen,
/// the ledger hands it out at `again_at`. `anew` begins the count of attempts again and counts as a reset.
pub(in crate::ledger) fn reset(
    key: &ExportKey,
    changed_at: Timestamp,
    resets: u32,
    anew: bool,
    again_at: Timestamp,
    now: Timestamp,
) -> Change {
    let change = moved(Change::default(), key, Status::Pending, now)
        .set("requeued_at", time(now))
        .set("due_key", text(&due_key(key)))
        .set("due_at", time(again_at))
        .remove(&["expires_at", "not_before"]);
    let change = if anew { change.set("attempts", number(0)).set("resets", number(resets + 1)) } else { change };
    change.expects(
        "#status = :error AND #updated_at = :seen AND attribute_not_exists(#canceled_at)",
        &[("error", status(Status::Error)), ("seen", time(changed_at))],
    )
}

/// Takes an export from a holder whose lease ran out without a word: to be tried again, to be handed out by the ledger
/// at `again_at`, or in error where no attempt is left.
pub(in crate::ledger) fn expire(row: &Row, again_at: Option<Timestamp>, now: Timestamp) -> Change {
    let to = if again_at.is_some() { Status::Pending } else { Status::Error };
    let history = history_with_lost(row, now);
    let lost = history.last().and_then(|attempt| attempt.error.as_deref()).unwrap_or_default().to_owned();
    let change = moved(Change::default(), &row.key, to, now)
        .set("history", attributes(&history))
        .set("last_error", text(&lost))
        .remove(&LEASE);
    let change = match again_at {
        Some(at) => {
            change.set("requeued_at", time(now)).set("due_key", text(&due_key(&row.key))).set("due_at", time(at))
        }
        None => change.set("fault", text(Fault::Exhausted.name())).remove(&WAITING),
    };
    // Not by the number of the attempt: a reset counts anew.
    let seen = [("processing", status(Status::Processing)), ("now", time(now)), ("seen_at", time(row.updated_at))];
    change.expects(&format!("#updated_at = :seen_at AND {EXPIRED}"), &seen)
}

/// Ends an export whose message was lost, as it was seen. Without its order it counts as never tried, so that another
/// webhook of the order takes its place.
pub(in crate::ledger) fn lose(row: &Row, now: Timestamp) -> Change {
    let (error, fault) = match row.place() {
        Place::Queue => (LOST_WITH_ORDER, Fault::Permanent),
        Place::Row | Place::Bucket => (LOST, Fault::Orphaned),
    };
    let change = moved(Change::default(), &row.key, Status::Error, now)
        .set("last_error", text(error))
        .set("fault", text(fault.name()))
        .remove(&LEASE)
        .remove(&["waits_for"]);
    let change = lost(change, row, now);
    match row.place() {
        // What was kept meanwhile is not lost.
        Place::Queue => change
            .set("attempts", number(0))
            .expects_unchanged("attribute_not_exists(#due_key)", row, now)
            .expects_also("attribute_not_exists(#payload) AND attribute_not_exists(#payload_key)", &[]),
        Place::Row | Place::Bucket => change.expects_unchanged("attribute_not_exists(#due_key)", row, now),
    }
}

/// Gives up waiting for the back office's word, as it was due.
pub(in crate::ledger) fn unacknowledged(key: &ExportKey, seen: &Due, after: Duration, now: Timestamp) -> Change {
    let error = format!("the back office has not acknowledged it within {after:?}");
    moved(Change::default(), key, Status::Error, now)
        .set("last_error", text(&error))
        .set("fault", text(Fault::Unacknowledged.name()))
        .remove(&["expires_at"])
        .remove(&WAITING)
        .expects(
            "#status = :exported AND #due_key = :seen_key AND #due_at = :seen_at",
            &[("exported", status(Status::Exported)), ("seen_key", text(&seen.key)), ("seen_at", time(seen.at))],
        )
}

/// Takes away the deadline for the back office's word, as it was seen.
pub(in crate::ledger) fn drop_deadline(seen: &Due) -> Change {
    Change::default().remove(&WAITING).expects(
        "#status = :exported AND #due_key = :seen_key AND #due_at = :seen_at",
        &[("exported", status(Status::Exported)), ("seen_key", text(&seen.key)), ("seen_at", time(seen.at))],
    )
}
