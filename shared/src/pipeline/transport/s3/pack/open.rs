//! A pack that is still open: who has a place in it, what is in it, and when it is written.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{Instant, timeout_at};

use super::members::{LONGEST, Members};
use super::settings::Limits;
use crate::pipeline::format::Packing;
use crate::pipeline::{Document, Failure};

/// Most bytes of memory that the orders of one pack hold while they wait, their raw webhooks included.
const MOST_HELD: usize = 32 * 1024 * 1024;
/// Longest time that a pack is open, so that a ledger that is slow for one order does not hold up the others for long.
const LONGEST_OPEN: Duration = Duration::from_secs(10);

/// A pack that is still open.
#[derive(Debug)]
pub(super) struct Pack {
    /// Where it will be: `s3://bucket/key`.
    pub(super) place: String,
    packing: Packing,
    limits: Limits,
    /// When it is written at the latest.
    latest: Instant,
    inside: Mutex<Inside>,
    changed: Notify,
}

/// What is in a pack.
#[derive(Debug)]
struct Inside {
    /// Places given to orders that are not in it yet.
    reserved: usize,
    members: Members,
    body: Vec<u8>,
    media_type: String,
    /// Bytes of memory that those wait with who are in it.
    held: usize,
    /// Whether no more places are given.
    is_closed: bool,
    /// Whether it is being written.
    is_sealed: bool,
    /// When an order last came or left.
    changed_at: Instant,
}

/// What is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Contents {
    pub(super) body: Vec<u8>,
    pub(super) media_type: String,
    pub(super) members: Members,
}

/// What a pack does now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Next {
    Write,
    Wait { until: Instant },
}

impl Pack {
    /// An empty one, which is written by `by`.
    pub(super) fn new(place: String, packing: Packing, limits: Limits, by: Instant) -> Self {
        let now = Instant::now();
        let inside = Inside {
            reserved: 0,
            members: Members::default(),
            body: packing.header().to_vec(),
            media_type: String::new(),
            held: 0,
            is_closed: false,
            is_sealed: false,
            changed_at: now,
        };
        // Half of the time that is left is for writing it.
        let latest = now + (by.saturating_duration_since(now) / 2).min(LONGEST_OPEN);
        Self { place, packing, limits, latest, inside: Mutex::new(inside), changed: Notify::new() }
    }

    fn inside(&self) -> MutexGuard<'_, Inside> {
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives a place in it, if there is one.
    pub(super) fn reserve(&self) -> bool {
        let mut inside = self.inside();
        let is_open = !inside.is_closed && !inside.is_full(self.limits);
        inside.reserved += usize::from(is_open);
        is_open
    }

    /// Puts an order into its place, with so many bytes of memory that it waits with.
    pub(super) fn join(&self, export: &str, document: Document, held: usize) -> Result<(), Failure> {
        let media_type = self.packing.media_type(document.media_type);
        let part = self.packing.part(document.body);
        if part.len() > LONGEST {
            return Err(Failure::permanent("the document is too long for an object of many orders: 16 MiB and more"));
        }
        let mut inside = self.inside();
        if inside.is_sealed {
            let message = format!("{} was written before the order was ready for it", self.place);
            return Err(Failure::retryable(message));
        }
        inside.reserved = inside.reserved.saturating_sub(1);
        inside.members.add(export, part.len());
        inside.held += held + part.len();
        inside.body.extend_from_slice(&part);
        inside.media_type = media_type;
        inside.changed_at = Instant::now();
        drop(inside);
        self.changed.notify_one();
        Ok(())
    }

    /// Gives a place back.
    pub(super) fn leave(&self) {
        let mut inside = self.inside();
        inside.reserved = inside.reserved.saturating_sub(1);
        inside.changed_at = Instant::now();
        drop(inside);
        self.changed.notify_one();
    }

    /// Gives no more places.
    pub(super) fn close(&self) {
        self.inside().is_closed = true;
        self.changed.notify_one();
    }

    /// Waits until it is to be written, and takes what is in it. From here on nobody joins.
    pub(super) async fn contents(&self) -> Contents {
        loop {
            let next = self.inside().next(self.limits, self.latest, Instant::now());
            match next {
                Next::Write => break,
                // Either way it is looked at again.
                Next::Wait { until } => drop(timeout_at(until, self.changed.notified()).await),
            }
        }
        let mut inside = self.inside();
        (inside.is_closed, inside.is_sealed) = (true, true);
        Contents {
            body: std::mem::take(&mut inside.body),
            media_type: std::mem::take(&mut inside.media_type),
            members: std::mem::take(&mut inside.members),
        }
    }
}

impl Inside {
    fn is_full(&self, limits: Limits) -> bool {
        self.reserved + self.members.len() >= limits.orders || self.body.len() >= limits.bytes || self.held >= MOST_HELD
    }

    fn next(&self, limits: Limits, latest: Instant, now: Instant) -> Next {
        // Who has a place will come or leave soon: nothing but one write of the ledger lies in between.
        let until = if self.reserved > 0 { latest } else { latest.min(self.changed_at + limits.wait) };
        let is_complete = self.reserved == 0 && (self.is_closed || self.is_full(limits));
        if is_complete || now >= until { Next::Write } else { Next::Wait { until } }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WAIT: Duration = Duration::from_millis(200);

    fn limits(orders: usize, bytes: usize) -> Limits {
        Limits { orders, bytes, wait: WAIT }
    }

    fn pack(limits: Limits) -> Pack {
        Pack::new("s3://bucket/key".into(), Packing::Lines, limits, Instant::now() + Duration::from_secs(8))
    }

    fn document(body: &str) -> Document {
        Document { body: body.into(), media_type: "application/json".into(), headers: vec![] }
    }

    #[tokio::test(start_paused = true)]
    async fn when_a_pack_is_written() {
        let start = Instant::now();
        let (at, latest) = (|millis| start + Duration::from_millis(millis), start + Duration::from_secs(4));
        // Places given, orders in it, closed; how long after the last order; what follows.
        for (reserved, members, is_closed, after, expected) in [
            (0, 1, false, 0, Next::Wait { until: at(200) }),
            (0, 1, false, 199, Next::Wait { until: at(200) }),
            (0, 1, false, 200, Next::Write),
            (0, 1, true, 0, Next::Write),
            (0, 3, false, 0, Next::Write),
            (1, 1, false, 300, Next::Wait { until: latest }),
            (1, 1, true, 300, Next::Wait { until: latest }),
            (1, 2, false, 300, Next::Wait { until: latest }),
            (1, 1, false, 4000, Next::Write),
        ] {
            let pack = pack(limits(3, 1000));
            let mut inside = pack.inside();
            (inside.reserved, inside.is_closed) = (reserved, is_closed);
            for _ in 0..members {
                inside.members.add("export", 1);
            }
            let next = inside.next(pack.limits, pack.latest, at(after));
            assert_eq!(next, expected, "{reserved} {members} {is_closed} {after}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn no_place_is_given_in_a_pack_that_is_full_closed_or_written() {
        let (by_orders, by_bytes, by_memory) = (pack(limits(2, 1000)), pack(limits(9, 8)), pack(limits(9, 1000)));
        assert!(by_orders.reserve() && by_orders.reserve() && !by_orders.reserve());
        by_orders.leave();
        assert!(by_orders.reserve(), "a place that was given back");
        by_orders.close();
        by_orders.leave();
        assert!(!by_orders.reserve());
        for (pack, held) in [(by_bytes, 0), (by_memory, MOST_HELD)] {
            assert!(pack.reserve() && pack.reserve());
            pack.join("a", document("{\"a\":1}"), held).unwrap();
            assert!(!pack.reserve());
            pack.join("b", document("{\"b\":2}"), 0).unwrap();
            let contents = pack.contents().await;
            assert_eq!((contents.body.as_slice(), contents.members.len()), (&b"{\"a\":1}\n{\"b\":2}\n"[..], 2));
            assert_eq!(contents.media_type, "application/x-ndjson");
            let late = pack.join("c", document("{}"), 0).unwrap_err();
            assert_eq!(late.retry, crate::pipeline::Retry::Backoff);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn it_waits_for_whoever_has_a_place_but_not_for_ever() {
        let slow = pack(limits(9, 1000));
        assert!(slow.reserve() && slow.reserve());
        slow.join("a", document("1"), 0).unwrap();
        let (contents, begun) = (slow.contents(), Instant::now());
        let (contents, ()) = tokio::join!(contents, async {
            tokio::time::sleep(Duration::from_secs(2)).await;
            slow.join("b", document("2"), 0).unwrap();
        });
        assert_eq!((contents.members.len(), begun.elapsed()), (2, Duration::from_secs(2) + WAIT));
        let stuck = pack(limits(9, 1000));
        assert!(stuck.reserve() && stuck.reserve());
        stuck.join("a", document("1"), 0).unwrap();
        let begun = Instant::now();
        assert_eq!((stuck.contents().await.members.len(), begun.elapsed()), (1, Duration::from_secs(4)));
    }

    #[tokio::test]
    async fn a_document_that_is_too_long_for_its_entry_is_refused() {
        let pack = pack(limits(9, 1000));
        assert!(pack.reserve());
        let refused = pack.join("a", document(&"1".repeat(LONGEST)), 0).unwrap_err();
        assert_eq!(refused.retry, crate::pipeline::Retry::No);
    }
}
