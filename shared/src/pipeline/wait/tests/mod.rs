//! Sequences of messages about exports that wait: what is written and sent, in which order, and what becomes of it
//! when something falls between two steps.

mod pauses;
mod receives;
mod slots;
mod times;

use std::time::Duration;

use jiff::Timestamp;
use serde_json::json;

use crate::clock;
use crate::pipeline::bench::Hook;
use crate::pipeline::verdict::Verdict;

fn placed() -> Hook {
    Hook::new("order.placed", json!({}))
}

fn ago(time: Duration) -> Timestamp {
    clock::now() - time
}

/// A wait of at least `least` and at most `most` seconds.
fn is_retry(verdict: Verdict, least: u64, most: u64) -> bool {
    matches!(verdict, Verdict::Retry(wait) if (least..=most).contains(&wait.as_secs()))
}
