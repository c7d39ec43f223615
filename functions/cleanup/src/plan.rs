//! What of an order goes, and which of its objects go with it. Pure.

use std::collections::BTreeSet;

use jiff::Timestamp;
use ordersync::ledger::{Payload, Row};
use ordersync::pipeline::transport::s3::PACKS;

use crate::bucket::Object;
use crate::policy::Policy;

/// The exports of an order, those that go apart from those that stay.
#[derive(Debug)]
pub(crate) struct Plan {
    /// Exports that go.
    pub(crate) due: Vec<Row>,
    /// Keys of the payloads that those which stay need.
    needed: BTreeSet<String>,
    /// Whether none stays.
    is_whole: bool,
}

impl Plan {
    /// Decides for all exports of an order at once: they may share a payload, and two runs come to the same plan
    /// whichever of its rows leads them to the order.
    pub(crate) fn of(rows: Vec<Row>, policy: Policy<'_>, now: Timestamp) -> Self {
        let (due, stays): (Vec<_>, Vec<_>) = rows.into_iter().partition(|row| policy.is_due(row, now));
        let needed = stays.iter().filter_map(payload_key).map(ToOwned::to_owned).collect();
        Self { due, needed, is_whole: stays.is_empty() }
    }

    /// Whether the first of the exports that go is among those of these pipelines.
    pub(crate) fn is_led_to_by(&self, pipelines: &BTreeSet<&str>) -> bool {
        let first = self.due.iter().map(|row| row.key.pipeline.as_str()).min();
        first.is_some_and(|first| pipelines.contains(first))
    }

    /// Whether payloads of the order may go, so that it is worth looking which there are.
    pub(crate) fn may_remove_payloads(&self) -> bool {
        !self.due.is_empty() && (self.is_whole || self.due.iter().filter_map(payload_key).any(|key| self.goes(key)))
    }

    /// Of the order's payloads in the bucket those that go. With the last export go also those that no row names: each
    /// webhook of a large order leaves one, and the rows keep the first.
    pub(crate) fn payloads(&self, listed: Vec<Object>) -> Vec<Object> {
        let named: BTreeSet<&str> = self.due.iter().filter_map(payload_key).collect();
        let goes = |object: &Object| self.is_whole || (named.contains(object.key.as_str()) && self.goes(&object.key));
        listed.into_iter().filter(goes).collect()
    }

    fn goes(&self, payload_key: &str) -> bool {
        !self.needed.contains(payload_key)
    }

    /// The exported objects of the exports that go, by their keys in the stack's own `bucket`, but for those of pipelines
    /// that keep theirs, and for objects of many orders, which a lifecycle rule removes.
    pub(crate) fn documents<'a>(&'a self, bucket: &str, policy: Policy<'_>) -> Vec<(&'a Row, &'a str)> {
        let is_removed = |row: &&Row| !policy.keeps_documents(&row.key.pipeline);
        let documents = self.due.iter().filter(is_removed).filter_map(|row| Some((row, own_document(row, bucket)?)));
        documents.filter(|(_, key)| !key.starts_with(PACKS)).collect()
    }
}

/// The key of the raw order, where that lies in the bucket.
pub(crate) fn payload_key(row: &Row) -> Option<&str> {
    match &row.payload {
        Some(Payload::Stored(key)) => Some(key),
        Some(Payload::Inline(_)) | None => None,
    }
}

/// The key of the exported object, where that lies in the stack's own `bucket`. Other buckets are the merchant's.
pub(crate) fn own_document<'a>(row: &'a Row, bucket: &str) -> Option<&'a str> {
    own_key(row.destination.as_deref()?, bucket)
}

/// The key of what is at a place, `s3://bucket/key`, where that is in the stack's own `bucket`.
pub(crate) fn own_key<'a>(place: &'a str, bucket: &str) -> Option<&'a str> {
    let (place_bucket, key) = place.strip_prefix("s3://")?.split_once('/')?;
    (place_bucket == bucket && !key.is_empty()).then_some(key)
}

#[cfg(test)]
pub(crate) mod tests;
