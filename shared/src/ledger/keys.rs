//! How keys of the table and its indexes are made. Pure.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;

use super::{ExportKey, LedgerError, Status};

/// Index by status and time.
pub(super) const BY_STATUS: &str = "by-status";
/// Index by order number.
pub(super) const BY_NUMBER: &str = "by-number";
/// Sparse index by the back office's own identifier.
pub(super) const BY_EXTERNAL_ID: &str = "by-external-id";
/// Sparse index by customer.
pub(super) const BY_CUSTOMER: &str = "by-customer";
/// The rows of one status, and the unpaid ones, are spread over this many index partitions, so that a thousand orders
/// a second do not meet in one.
pub(super) const SHARDS: u64 = 8;

/// Sparse index of the rows of unpaid orders, by when they were placed.
pub(super) const UNPAID: &str = "unpaid";

/// Sparse index of exports that the ledger hands out at a time.
pub(super) const DUE: &str = "due";

/// An item of the table.
pub(super) type Item = HashMap<String, AttributeValue>;

/// A text as the table has it.
pub(super) fn text(value: &str) -> AttributeValue {
    AttributeValue::S(value.to_owned())
}

/// Partition key of all exports of an order. The shop's code has no `#`, so the first one ends it.
pub(super) fn partition(shop: &str, order_id: &str) -> String {
    format!("{shop}#{order_id}")
}

/// The table's key of an export.
pub(super) fn primary(key: &ExportKey) -> Item {
    HashMap::from([
        ("pk".to_owned(), AttributeValue::S(partition(&key.shop, &key.order_id))),
        ("sk".to_owned(), AttributeValue::S(key.pipeline.clone())),
    ])
}

/// The export that an item is about.
pub(super) fn export_key(item: &Item) -> Result<ExportKey, LedgerError> {
    let text = |name: &str| item.get(name).and_then(|value| value.as_s().ok()).map(String::as_str);
    let (pk, sk) = (text("pk").unwrap_or_default(), text("sk").unwrap_or_default());
    let bad = || LedgerError::BadRow { key: format!("{pk} {sk}"), expected: "a key of the form shop#order".into() };
    let (shop, order_id) = pk.split_once('#').ok_or_else(bad)?;
    Ok(ExportKey::new(shop, order_id, sk))
}

/// Key of the index by status: the status and a shard that depends on the order only.
pub(super) fn status_key(status: Status, key: &ExportKey) -> String {
    format!("{}#{}", status.name(), shard(key))
}

/// Key of the index of unpaid orders.
pub(super) fn unpaid_key(key: &ExportKey) -> String {
    format!("unpaid#{}", shard(key))
}

/// Key of the index of what is due: exports whose time to be queued comes.
pub(super) fn due_key(key: &ExportKey) -> String {
    format!("due#{}", shard(key))
}

/// The same for exports that wait for the end of a pause.
pub(super) fn paused_key(pipeline: &str, shard: u64) -> String {
    format!("paused#{pipeline}#{shard}")
}

/// The same for exports that the back office has to acknowledge.
pub(super) fn acknowledge_key(key: &ExportKey) -> String {
    format!("ack#{}", shard(key))
}

/// Which of the index partitions an order's rows are in.
pub(super) fn shard(key: &ExportKey) -> u64 {
    // FNV-1a: stable over versions and platforms, unlike the standard library's hashers.
    let bytes = key.shop.bytes().chain([b'#']).chain(key.order_id.bytes());
    bytes.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3)) % SHARDS
}

/// A time as a sort key: of fixed width, so that text order is time order.
pub(super) fn sortable(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn an_export_key_survives_the_table(shop in "[a-z0-9][a-z0-9_-]{0,20}", order_id in "\\PC{1,60}", pipeline in "[a-z]{1,9}") {
            let key = ExportKey { shop, order_id, pipeline };
            prop_assert_eq!(export_key(&primary(&key)), Ok(key));
        }

        #[test]
        fn text_order_is_time_order(a in 0i64..4_000_000_000_000, b in 0i64..4_000_000_000_000) {
            let (Ok(first), Ok(second)) = (Timestamp::from_millisecond(a), Timestamp::from_millisecond(b)) else {
                return Err(TestCaseError::fail("in range"));
            };
            prop_assert_eq!(a.cmp(&b), sortable(first).cmp(&sortable(second)));
            prop_assert_eq!(sortable(first).parse::<Timestamp>().ok(), Some(first));
        }
    }
}
