//! Points in time as platforms write them.

use std::time::Duration;

use jiff::Timestamp;
use jiff::fmt::rfc2822;
use jiff::fmt::temporal::Pieces;
use jiff::tz::Offset;
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

use super::{Rejection, TIMESTAMP_TOLERANCE_SECONDS};

/// Seconds since 1970 stay below this until the year 5138; milliseconds are above it since 1973.
const SECONDS_BELOW: u64 = 100_000_000_000;

/// A point in time and the offset from UTC that is written with it. Without an offset it is UTC: the platforms that
/// write none mean that.
pub(super) fn moment(text: &str) -> Option<(Timestamp, String)> {
    let text = text.trim();
    if let Some(timestamp) = epoch(text) {
        return Some((timestamp, offset_text(Offset::UTC)));
    }
    let Ok(pieces) = Pieces::parse(text) else { return mail_date(text) };
    let offset = pieces.to_numeric_offset().unwrap_or(Offset::UTC);
    let local = pieces.date().to_datetime(pieces.time().unwrap_or_default());
    Some((offset.to_timestamp(local).ok()?, offset_text(offset)))
}

/// `Sat, 01 Aug 2026 11:54:02 +0000` (RFC 2822), as `BigCommerce` writes it.
fn mail_date(text: &str) -> Option<(Timestamp, String)> {
    let zoned = rfc2822::parse(text).ok()?;
    Some((zoned.timestamp(), offset_text(zoned.offset())))
}

/// Seconds or milliseconds since 1970, in at least nine digits: fewer may be a date.
fn epoch(text: &str) -> Option<Timestamp> {
    let whole = text.split('.').next()?;
    if whole.len() < 9 || !text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') {
        return None;
    }
    let number = Decimal::from_str_exact(text).ok()?;
    let scale = if number < Decimal::from(SECONDS_BELOW) { 1000 } else { 1 };
    Timestamp::from_millisecond(number.checked_mul(Decimal::from(scale))?.trunc().to_i64()?).ok()
}

/// Whether a signed time is near enough to now, before or after.
pub(super) fn within_tolerance(signed: Timestamp, now: Timestamp) -> Result<(), Rejection> {
    let apart = now.duration_since(signed).unsigned_abs();
    if apart > Duration::from_secs(TIMESTAMP_TOLERANCE_SECONDS) {
        return Err(Rejection::Stale(TIMESTAMP_TOLERANCE_SECONDS));
    }
    Ok(())
}

/// `+02:00`.
pub(super) fn offset_text(offset: Offset) -> String {
    let seconds = offset.seconds();
    let sign = if seconds < 0 { '-' } else { '+' };
    let minutes = seconds.abs() / 60;
    format!("{sign}{:02}:{:02}", minutes / 60, minutes % 60)
}

/// Whether the text is an offset as [`offset_text`] writes it.
pub(super) fn is_offset(text: &str) -> bool {
    let bytes = text.as_bytes();
    let digit = |index: usize| bytes.get(index).is_some_and(u8::is_ascii_digit);
    bytes.len() == 6
        && matches!(bytes[0], b'+' | b'-')
        && bytes[3] == b':'
        && [1, 2, 4, 5].into_iter().all(digit)
        && &text[1..3] <= "15"
        && &text[4..6] <= "59"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_in_all_the_ways_of_the_platforms() {
        for (text, expected) in [
            ("2026-03-01T09:30:00+01:00", Some(("2026-03-01T08:30:00Z", "+01:00"))),
            ("2026-03-01T09:30:00-05:30", Some(("2026-03-01T15:00:00Z", "-05:30"))),
            ("2026-03-01T09:30:00.123+00:00", Some(("2026-03-01T09:30:00.123Z", "+00:00"))),
            ("2026-03-01T09:30:00+0100", Some(("2026-03-01T08:30:00Z", "+01:00"))),
            ("2026-03-01T09:30:00Z", Some(("2026-03-01T09:30:00Z", "+00:00"))),
            ("2026-03-01T09:30:00", Some(("2026-03-01T09:30:00Z", "+00:00"))),
            ("2026-03-01 09:30:00", Some(("2026-03-01T09:30:00Z", "+00:00"))),
            ("2026-03-01", Some(("2026-03-01T00:00:00Z", "+00:00"))),
            ("1772357400", Some(("2026-03-01T09:30:00Z", "+00:00"))),
            ("1772357400.5", Some(("2026-03-01T09:30:00.5Z", "+00:00"))),
            ("1772357400123", Some(("2026-03-01T09:30:00.123Z", "+00:00"))),
            ("Sun, 01 Mar 2026 09:30:00 +0000", Some(("2026-03-01T09:30:00Z", "+00:00"))),
            ("Sun, 1 Mar 2026 09:30:00 -0530", Some(("2026-03-01T15:00:00Z", "-05:30"))),
            ("Mon, 01 Mar 2026 09:30:00 +0000", None),
            ("99999999999999999999999", None),
            ("yesterday", None),
            ("", None),
        ] {
            let expected = expected.map(|(at, offset)| (at.to_owned(), offset.to_owned()));
            assert_eq!(moment(text).map(|(at, offset)| (at.to_string(), offset)), expected, "{text}");
        }
    }

    #[test]
    fn offsets_are_recognised() {
        for (text, expected) in
            [("+02:00", true), ("-11:30", true), ("+2:00", false), ("+02:60", false), ("Z", false), ("+é:00", false)]
        {
            assert_eq!(is_offset(text), expected, "{text}");
        }
    }
}
