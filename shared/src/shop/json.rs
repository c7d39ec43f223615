//! What stands in a shop's answer. Nothing here is ever part of an error.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::fmt::rfc2822;
use jiff::tz::TimeZone;
use rust_decimal::Decimal;
use serde_json::Value;

use crate::order::Money;

/// A text, or a number as its text; nothing where it is blank.
pub(super) fn text(document: &Value, pointer: &str) -> Option<String> {
    let text = match document.pointer(pointer)? {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        _ => return None,
    };
    Some(text).filter(|text| !text.trim().is_empty())
}

/// A number, written as one or as a text.
pub(super) fn decimal(document: &Value, pointer: &str) -> Option<Decimal> {
    text(document, pointer)?.trim().parse::<Money>().ok().map(Money::decimal)
}

/// A point in time as platforms write it: ISO 8601, without an offset in UTC, or RFC 2822.
pub(super) fn moment(document: &Value, pointer: &str) -> Option<Timestamp> {
    let text = text(document, pointer)?;
    let text = text.trim();
    let without_offset = || text.parse::<DateTime>().ok()?.to_zoned(TimeZone::UTC).ok();
    text.parse()
        .ok()
        .or_else(|| without_offset().map(|time| time.timestamp()))
        .or_else(|| rfc2822::parse(text).ok().map(|time| time.timestamp()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn texts_are_what_platforms_write_for_them() {
        for (value, expected) in [
            (json!("paid"), Some("paid")),
            (json!(9_131_072_415_678_934_507_u64), Some("9131072415678934507")),
            (json!(" "), None),
            (json!(null), None),
            (json!(true), None),
            (json!(["paid"]), None),
        ] {
            assert_eq!(text(&json!({ "state": value }), "/state").as_deref(), expected, "{value}");
        }
        assert_eq!(text(&json!({}), "/state"), None);
    }

    #[test]
    fn times_are_what_platforms_write_for_them() {
        for (text, expected) in [
            ("2026-03-01 09:30:00", Some("2026-03-01T09:30:00Z")),
            ("2026-03-01T09:30:00", Some("2026-03-01T09:30:00Z")),
            ("2026-03-01T09:30:00.000+01:00", Some("2026-03-01T08:30:00Z")),
            ("2026-03-01T09:30:00Z", Some("2026-03-01T09:30:00Z")),
            ("Sun, 01 Mar 2026 09:30:00 +0000", Some("2026-03-01T09:30:00Z")),
            ("yesterday", None),
            ("", None),
        ] {
            let found = moment(&json!({ "at": text }), "/at").map(|time| time.to_string());
            assert_eq!(found.as_deref(), expected, "{text:?}");
        }
    }

    #[test]
    fn amounts_keep_their_digits() {
        let document: Value = serde_json::from_str(r#"{"a": 0.10, "b": "-5.0000", "c": "free", "d": null}"#).unwrap();
        let all = ["/a", "/b", "/c", "/d", "/e"].map(|pointer| decimal(&document, pointer).map(|n| n.to_string()));
        assert_eq!(all.each_ref().map(Option::as_deref), [Some("0.10"), Some("-5.0000"), None, None, None]);
    }
}
