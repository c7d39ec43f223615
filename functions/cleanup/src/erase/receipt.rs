//! What was erased, for the record: counts, and nothing that names the order or the customer.

use jiff::Timestamp;
use ordersync::schedule::{Report, Run};
use serde::Serialize;

use super::Request;
use crate::handler::Cleanup;

/// What an erasure did.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub(super) struct Tally {
    /// Orders that were looked at.
    pub(super) orders: u64,
    /// Exports that were erased.
    pub(super) rows: u64,
    /// Exports that had been erased before.
    #[serde(rename = "erased_before")]
    pub(super) before: u64,
    /// Versions of objects that were removed.
    pub(super) objects: u64,
    /// Objects of many orders that were written anew without the erased ones.
    pub(super) packs: u64,
    /// Exports that were being tried, or were begun meanwhile, and stay until another run.
    pub(super) busy: u64,
    /// Orders that could not be erased, or not whole.
    pub(super) failed: u64,
    /// Orders that no time was left for.
    pub(super) left: u64,
}

impl Tally {
    fn is_complete(&self) -> bool {
        self.busy == 0 && self.failed == 0 && self.left == 0
    }

    /// The same as the report of the run.
    pub(super) fn report(&self, run: &Run) -> Report {
        let mut report = run.report();
        report.saw(self.rows + self.before + self.busy);
        report.changed("erased", self.rows);
        for (reason, count) in [("busy", self.busy), ("erased_before", self.before)] {
            if count > 0 {
                report.skipped(reason, count);
            }
        }
        report.failed(self.failed);
        report.left(self.left);
        report.count("orders", self.orders);
        report.count("objects", self.objects);
        if self.packs > 0 {
            report.count("packs", self.packs);
        }
        report
    }
}

/// What was erased, for the record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Receipt {
    id: String,
    at: Timestamp,
    /// What kind of thing was asked for: `order`, `number` or `email`.
    asked_by: &'static str,
    /// [`Request::digest`].
    digest: String,
    #[serde(flatten)]
    pub(super) tally: Tally,
    /// Whether nothing was left.
    complete: bool,
}

/// An identifier that no other receipt has.
pub(super) fn new_id() -> String {
    format!("{:032x}", fastrand::u128(..))
}

impl Receipt {
    pub(super) fn of(id: String, at: Timestamp, request: &Request, tally: Tally) -> Self {
        let (asked_by, digest) = (request.kind(), request.digest(&id));
        Self { id, at, asked_by, digest, complete: tally.is_complete(), tally }
    }

    /// Where it is kept.
    fn key(&self) -> String {
        format!("receipts/erasure/{}-{}.json", self.at.strftime("%Y-%m-%d"), self.id)
    }
}

/// What the function answers of an erasure.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Erasure {
    receipt: Receipt,
    /// Key of the receipt in the bucket; nothing where it could not be written, and only this answer has it.
    receipt_key: Option<String>,
    /// What is to be done where something was left.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<&'static str>,
}

impl Erasure {
    pub(super) fn of(receipt: Receipt, is_stored: bool) -> Self {
        let next = "something was busy, failed or left: run it again in a few minutes, with the same input";
        let next = (!receipt.complete).then_some(next);
        Self { receipt_key: is_stored.then(|| receipt.key()), next, receipt }
    }
}

impl Cleanup {
    /// Writes the receipt to log and bucket. Whether the bucket took it.
    pub(super) async fn store(&self, receipt: &Receipt) -> bool {
        let Receipt { id, complete, tally: Tally { orders, rows, objects, packs, busy, failed, left, .. }, .. } =
            receipt;
        tracing::info!(
            receipt = id,
            complete,
            orders,
            rows,
            objects,
            packs,
            busy,
            failed,
            left,
            "erased on request: receipt {id}"
        );
        let Ok(body) = serde_json::to_vec_pretty(receipt) else { return false };
        match self.bucket.write(&receipt.key(), "application/json", body).await {
            Ok(()) => true,
            Err(error) => {
                tracing::error!(receipt = id, error = %error, "receipt {id} is not in the bucket: {error}");
                false
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request() -> Request {
        Request::Customer { email: "erika@example.com".into(), shop: Some("acme".into()), scan: false }
    }

    #[test]
    fn a_receipt_says_how_much_and_not_whose() {
        let tally = Tally { orders: 2, rows: 3, before: 1, objects: 7, packs: 2, ..Tally::default() };
        let at = "2026-08-01T12:00:00Z".parse().unwrap();
        let receipt = Receipt::of("00ff".into(), at, &request(), tally);
        assert_eq!(receipt.key(), "receipts/erasure/2026-08-01-00ff.json");
        let expected = serde_json::json!({
            "receipt": {
                "id": "00ff", "at": "2026-08-01T12:00:00Z", "asked_by": "email",
                "digest": "0cea15c871ab4a2af3f7c77dd1d6930f09ca6d07927f38d4d482b6a50528b205",
                "orders": 2, "rows": 3, "erased_before": 1, "objects": 7, "packs": 2, "busy": 0, "failed": 0, "left": 0,
                "complete": true,
            },
            "receipt_key": "receipts/erasure/2026-08-01-00ff.json",
        });
        assert_eq!(serde_json::to_value(Erasure::of(receipt, true)).unwrap(), expected);
    }

    #[test]
    fn what_was_left_is_said() {
        let at: Timestamp = "2026-08-01T12:00:00Z".parse().unwrap();
        for (tally, complete) in [
            (Tally::default(), true),
            (Tally { before: 2, ..Tally::default() }, true),
            (Tally { busy: 1, ..Tally::default() }, false),
            (Tally { failed: 1, ..Tally::default() }, false),
            (Tally { left: 1, ..Tally::default() }, false),
        ] {
            let erasure = Erasure::of(Receipt::of("1".into(), at, &request(), tally.clone()), false);
            assert_eq!((erasure.receipt.complete, erasure.next.is_none()), (complete, complete), "{tally:?}");
            assert_eq!(erasure.receipt_key, None, "it is not in the bucket");
        }
    }

    #[test]
    fn no_two_receipts_have_the_same_identifier() {
        let (one, other) = (new_id(), new_id());
        assert!(one != other && one.len() == 32, "{one} {other}");
    }
}
