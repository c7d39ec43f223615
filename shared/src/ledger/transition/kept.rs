//! The raw order in a row. Pure.

use super::{Change, KEPT, Place, Status, status, text};
use crate::ledger::keys::status_key;
use crate::ledger::{Kept, Payload, Row};
use aws_sdk_dynamodb::types::AttributeValue;

/// Puts the raw order into a row, or the way to it.
pub(super) fn put(change: Change, kept: &Kept) -> Change {
    let envelope = kept.envelope.iter().map(|(name, value)| (name.clone(), text(value))).collect();
    let change = match &kept.payload {
        Payload::Inline(bytes) => change.set("payload", AttributeValue::B(bytes.clone())).remove(&["payload_key"]),
        Payload::Stored(key) => change.set("payload_key", text(key)).remove(&["payload"]),
    };
    change.set("envelope", AttributeValue::M(envelope))
}

/// Takes the raw order out of a row. A way to the bucket stays: without it, nothing leads to the object.
pub(super) fn forget(change: Change) -> Change {
    change.remove(&[KEPT[0], KEPT[2]])
}

/// Keeps the raw order of an export that is not over, or that was canceled or set aside, as it was seen.
pub(in crate::ledger) fn keep(row: &Row, kept: &Kept) -> Change {
    let change = put(Change::default(), kept);
    let change = match row.status {
        Status::Canceled | Status::Skipped if kept.place() == Place::Bucket => change.remove(&["expires_at"]),
        _ => change,
    };
    let change = change.set("status_key", text(&status_key(row.status, &row.key)));
    change.expects(
        "#status = :seen AND attribute_not_exists(#payload) AND attribute_not_exists(#payload_key) \
            AND attribute_not_exists(#erased_at)",
        &[("seen", status(row.status))],
    )
}
