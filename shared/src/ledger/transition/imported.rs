//! Exports that another system made before. Pure.

use std::time::Duration;

use jiff::Timestamp;

use super::{Change, Status, UNTRIED, moved, number, optional, text, time, untried};
use crate::ledger::kept::Place;
use crate::ledger::{ExportKey, FindBy, Imported};

/// Nothing was delivered from here, whatever the row was set back to since, and it leads to no object, so that the table may
/// forget it.
const UNTOUCHED: &str =
    "attribute_not_exists(#exported_at) AND attribute_not_exists(#payload_key) AND attribute_not_exists(#erased_at)";

/// Records an export that another system made, unless one was tried here. That system's attempt counts as one, so that no
/// webhook begins another whatever the back office says of it later.
pub(in crate::ledger) fn import(
    key: &ExportKey,
    imported: &Imported,
    find_by: FindBy,
    now: Timestamp,
    retention: Duration,
) -> Change {
    let change = moved(Change::default(), key, Status::Exported, now)
        .set_once("created_at", time(now))
        .set("attempts", number(1))
        .set("exported_at", time(imported.exported_at.unwrap_or(now)))
        .set("destination", text(&imported.origin))
        .set_or_remove("external_id", optional(imported.external_id.as_ref()))
        .set_or_remove("expires_at", Place::Queue.expiry(now, retention))
        .remove(&["last_error", "fault"]);
    let order_number = imported.number.as_ref().filter(|number| **number != key.order_id);
    let change = match order_number {
        Some(number) if find_by.number => change.set("number", text(number)).remove(&["order_number"]),
        Some(number) => change.set("order_number", text(number)).remove(&["number"]),
        None => change,
    };
    let change = match imported.placed_at {
        Some(placed_at) => change.set("placed_at", time(placed_at)),
        None => change,
    };
    change.expects(&format!("({UNTRIED}) AND {UNTOUCHED}"), &untried())
}
