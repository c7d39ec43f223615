//! What the back office says later of what it was given. Pure.

use std::time::Duration;

use jiff::Timestamp;

use super::{Change, WAITING, moved, number, optional, status, text, time};
use crate::ledger::{Fault, Row, Status};

/// Where the back office can say yes or no: it has the document, or may have it. Of an attempt that failed, the answer
/// alone may have been lost.
const GIVEN: &str = "#status = :exported OR #status = :acknowledged \
    OR (#status = :error AND (#fault = :rejected OR #fault = :unacknowledged OR #attempts > :none))";

/// The back office has taken it, and calls it `external_id`.
pub(in crate::ledger) fn acknowledge(
    row: &Row,
    external_id: Option<&str>,
    now: Timestamp,
    retention: Duration,
) -> Change {
    let change = moved(Change::default(), &row.key, Status::Acknowledged, now)
        .set("acknowledged_at", time(now))
        .remove(&["last_error", "fault"])
        .remove(&WAITING);
    let change = match external_id {
        Some(id) => change.set("external_id", text(id)),
        None => change,
    };
    change.expects(GIVEN, &given()).expires(row.place(), now, retention)
}

/// The back office has refused it, and says why.
pub(in crate::ledger) fn deny(row: &Row, external_id: Option<&str>, message: &str, now: Timestamp) -> Change {
    let change = moved(Change::default(), &row.key, Status::Error, now)
        .set("last_error", text(message))
        .set("fault", text(Fault::Rejected.name()))
        .remove(&["expires_at"])
        .remove(&WAITING);
    let change = match optional(external_id.map(ToOwned::to_owned).as_ref()) {
        Some(id) => change.set("external_id", id),
        None => change,
    };
    change.expects(GIVEN, &given())
}

fn given() -> [(&'static str, aws_sdk_dynamodb::types::AttributeValue); 6] {
    [
        ("exported", status(Status::Exported)),
        ("acknowledged", status(Status::Acknowledged)),
        ("error", status(Status::Error)),
        ("rejected", text(Fault::Rejected.name())),
        ("unacknowledged", text(Fault::Unacknowledged.name())),
        ("none", number(0)),
    ]
}
