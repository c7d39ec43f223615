//! The one place that asks the system for the time; everything else is told.

use std::time::Duration;

use jiff::Timestamp;

/// The time now.
#[expect(clippy::disallowed_methods, reason = "this is the clock")]
pub fn now() -> Timestamp {
    Timestamp::now()
}

/// A time that lies this long after another; the last there is, where there is none.
pub fn later(time: Timestamp, by: Duration) -> Timestamp {
    time.saturating_add(by).unwrap_or(Timestamp::MAX)
}

/// A time that lies this long before another; the first there is, where there is none.
pub fn earlier(time: Timestamp, by: Duration) -> Timestamp {
    time.saturating_sub(by).unwrap_or(Timestamp::MIN)
}
