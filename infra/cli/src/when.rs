//! Times as people say them. Pure.

use std::str::FromStr;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Span, Timestamp};

/// A time, or so long ago.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum When {
    At(Timestamp),
    Ago(SignedDuration),
}

impl FromStr for When {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if let Ok(at) = text.parse() {
            return Ok(Self::At(at));
        }
        if let Some(at) = text.parse::<Date>().ok().and_then(|date| date.to_zoned(TimeZone::UTC).ok()) {
            return Ok(Self::At(at.timestamp()));
        }
        let expected =
            "expected how long ago, such as 2h or 3 days, or a time such as 2026-01-31 or 2026-01-31T09:30:00Z";
        let span: Span = text.parse().map_err(|_| expected)?;
        // A day of an operator is 24 hours.
        let ago = span.to_duration(jiff::SpanRelativeTo::days_are_24_hours()).map_err(|_| expected)?;
        if ago.is_negative() { Err(expected) } else { Ok(Self::Ago(ago)) }
    }
}

impl When {
    /// The time that is meant.
    pub(crate) fn time(self, now: Timestamp) -> Timestamp {
        match self {
            Self::At(at) => at,
            Self::Ago(ago) => now.checked_sub(ago).unwrap_or(Timestamp::MIN),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_said_in_many_ways() {
        let now: Timestamp = "2026-03-10T12:00:00Z".parse().unwrap();
        for (text, expected) in [
            ("2h", "2026-03-10T10:00:00Z"),
            ("90m", "2026-03-10T10:30:00Z"),
            ("3 days", "2026-03-07T12:00:00Z"),
            ("1w", "2026-03-03T12:00:00Z"),
            ("2026-03-01", "2026-03-01T00:00:00Z"),
            ("2026-03-01T08:00:00+01:00", "2026-03-01T07:00:00Z"),
        ] {
            assert_eq!(text.parse::<When>().unwrap().time(now).to_string(), expected, "{text}");
        }
        for wrong in ["", "soon", "2", "-2h", "1 month", "2026-13-01"] {
            assert!(wrong.parse::<When>().is_err(), "{wrong}");
        }
    }
}
