//! The kinds of values that settings have. Each reader's error says what was expected.

use std::ops::RangeInclusive;
use std::time::Duration;

use jiff::Timestamp;
use toml::de::DeValue;
use url::Url;

/// Any string.
pub fn string(value: &DeValue<'_>) -> Result<String, String> {
    value.as_str().map(ToOwned::to_owned).ok_or_else(|| "a string".into())
}

/// A string with something in it.
pub fn text(value: &DeValue<'_>) -> Result<String, String> {
    string(value).ok().filter(|text| !text.trim().is_empty()).ok_or_else(|| "a string that is not empty".into())
}

/// A code of a shop or pipeline: it becomes part of URLs, object keys and idempotency keys.
pub fn code(value: &DeValue<'_>) -> Result<String, String> {
    let expected = "a code of 1 to 64 lower-case letters, digits, - and _, beginning with a letter or digit";
    string(value).ok().filter(|code| is_code(code)).ok_or_else(|| expected.into())
}

/// Whether a text is a code as [`code`] takes it.
pub fn is_code(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'-' | b'_'))
        && text.as_bytes()[0].is_ascii_alphanumeric()
}

/// True or false.
pub fn boolean(value: &DeValue<'_>) -> Result<bool, String> {
    value.as_bool().ok_or_else(|| "true or false".into())
}

/// A whole number within `range`.
pub fn integer(range: RangeInclusive<i64>) -> impl Fn(&DeValue<'_>) -> Result<i64, String> {
    move |value| {
        let number = value.as_integer().and_then(|i| i64::from_str_radix(i.as_str(), i.radix()).ok());
        number
            .filter(|number| range.contains(number))
            .ok_or_else(|| format!("a whole number from {} to {}", range.start(), range.end()))
    }
}

/// A length of time of at most `most`: `"500ms"`, `"30s"`, `"10m"`, `"1h"`, `"2 days"`, `"1h 30m"`.
pub fn duration(most: Duration) -> impl Fn(&DeValue<'_>) -> Result<Duration, String> {
    move |value| {
        let expected = || format!("a length of time such as \"30s\" or \"1h\", above zero and at most {most:?}");
        let span: jiff::SignedDuration = parse_span(value.as_str().ok_or_else(expected)?).ok_or_else(expected)?;
        let duration = Duration::try_from(span).map_err(|_| expected())?;
        if duration.is_zero() || duration > most { Err(expected()) } else { Ok(duration) }
    }
}

fn parse_span(text: &str) -> Option<jiff::SignedDuration> {
    let span: jiff::Span = text.parse().ok()?;
    span.to_duration(jiff::SpanRelativeTo::days_are_24_hours()).ok()
}

/// A point in time with its zone: `2026-01-01T00:00:00Z`.
pub fn timestamp(value: &DeValue<'_>) -> Result<Timestamp, String> {
    let text = value.as_datetime().map(ToString::to_string).or_else(|| value.as_str().map(ToOwned::to_owned));
    text.and_then(|text| text.parse().ok()).ok_or_else(|| "a time with its zone such as 2026-01-01T00:00:00Z".into())
}

/// One of the named choices.
pub fn one_of<T: Copy>(choices: &[(&'static str, T)]) -> impl Fn(&DeValue<'_>) -> Result<T, String> {
    move |value| {
        let chosen = choices.iter().find(|(name, _)| value.as_str() == Some(name)).map(|(_, choice)| *choice);
        let names = || choices.iter().map(|(name, _)| format!("{name:?}")).collect::<Vec<_>>().join(", ");
        chosen.ok_or_else(|| format!("one of {}", names()))
    }
}

/// An absolute http or https URL without user and password. Whether it may be called is the egress rules' matter.
pub fn url(value: &DeValue<'_>) -> Result<Url, String> {
    let is_plain = |url: &Url| {
        matches!(url.scheme(), "https" | "http")
            && url.has_host()
            && url.username().is_empty()
            && url.password().is_none()
    };
    let parsed = value.as_str().and_then(|text| Url::parse(text).ok());
    parsed
        .filter(is_plain)
        .ok_or_else(|| "a URL such as https://erp.example.com/orders, without user or password".into())
}

/// A JSON pointer (RFC 6901): `/id`, `/order/lines/0`, or the empty string for the whole document.
pub fn json_pointer(value: &DeValue<'_>) -> Result<String, String> {
    let fits = |pointer: &String| pointer.is_empty() || pointer.starts_with('/');
    string(value).ok().filter(fits).ok_or_else(|| "a JSON pointer such as \"/order/id\"".into())
}

/// A calendar span of one or more units, from minutes to years: `"7 days"`, `"1 month"`, `"90 minutes"`.
pub fn calendar_span(value: &DeValue<'_>) -> Result<jiff::Span, String> {
    let span = value.as_str().and_then(|text| text.parse::<jiff::Span>().ok());
    span.filter(|span| span.is_positive())
        .ok_or_else(|| "an age such as \"90 minutes\", \"7 days\" or \"1 month\"".into())
}

/// A time zone by its IANA name, such as `"Europe/Berlin"`.
pub fn time_zone(value: &DeValue<'_>) -> Result<jiff::tz::TimeZone, String> {
    let zone = value.as_str().and_then(|name| jiff::tz::TimeZone::get(name).ok());
    zone.ok_or_else(|| "the name of a time zone such as \"Europe/Berlin\"".into())
}

/// A number of requests in a second, minute or hour: `"10/s"`, `"90/m"`, `"1000/h"`. The time between two of them.
pub fn rate(value: &DeValue<'_>) -> Result<Duration, String> {
    let expected = || "a rate such as \"10/s\", \"90/m\" or \"1000/h\", from 1/h to 1000/s".to_owned();
    let (count, unit) = value.as_str().and_then(|text| text.split_once('/')).ok_or_else(expected)?;
    let count = count.trim().parse::<u32>().ok().filter(|count| *count > 0).ok_or_else(expected)?;
    let unit = match unit.trim() {
        "s" => Duration::from_secs(1),
        "m" => Duration::from_mins(1),
        "h" => Duration::from_hours(1),
        _ => return Err(expected()),
    };
    Some(unit / count).filter(|interval| *interval >= Duration::from_millis(1)).ok_or_else(expected)
}
