//! Texts, amounts and times of an order, read where they stand.

use std::borrow::Cow;

use jiff::fmt::temporal::Pieces;
use jiff::tz::Offset;
use serde_json::value::RawValue;

use crate::Error;

/// Digits behind the point of an amount, where they are not two (ISO 4217).
const UNUSUAL: [(&str, u32); 3] = [
    ("BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF", 0),
    ("BHD IQD JOD KWD LYD OMR TND", 3),
    ("CLF UYW", 4),
];

/// Digits behind the point of an amount in a currency.
pub(crate) fn decimals(currency: &str) -> usize {
    let unusual = UNUSUAL.iter().find(|(codes, _)| codes.split(' ').any(|code| code == currency));
    unusual.map_or(2, |(_, decimals)| *decimals as usize)
}

/// A text, or a number as its text; nothing where it is missing or blank.
pub(crate) fn text(raw: Option<&RawValue>) -> Result<Option<Cow<'_, str>>, Error> {
    let Some(raw) = raw.map(RawValue::get) else { return Ok(None) };
    let text = match raw.as_bytes() {
        [b'"', inner @ .., b'"'] if !inner.contains(&b'\\') => Cow::Borrowed(&raw[1..raw.len() - 1]),
        [b'"', ..] => Cow::Owned(serde_json::from_str(raw).map_err(Error::of("order"))?),
        [b'n' | b'f', ..] => return Ok(None),
        [b'-' | b'0'..=b'9', ..] => Cow::Borrowed(raw),
        _ => return Err(Error::new("order", "expected a text")),
    };
    Ok(Some(text).filter(|text| !text.trim().is_empty()))
}

/// True or false; nothing where it is neither.
pub(crate) fn boolean(raw: Option<&RawValue>) -> Option<bool> {
    raw.and_then(|raw| raw.get().parse().ok())
}

/// An amount with at least so many decimals, and more only where they say something.
pub(crate) fn amount(raw: Option<&RawValue>, decimals: usize) -> Result<Option<Cow<'_, str>>, Error> {
    text(raw)?.map(|text| plain(text, decimals)).transpose()
}

/// The same without its sign.
pub(crate) fn unsigned(raw: Option<&RawValue>, decimals: usize) -> Result<Option<Cow<'_, str>>, Error> {
    let amount = amount(raw, decimals)?;
    Ok(amount.map(|amount| match amount.strip_prefix('-') {
        Some(unsigned) => unsigned.to_owned().into(),
        None => amount,
    }))
}

/// A number that is written out: without zeros that say nothing, but with at least so many decimals.
pub(crate) fn plain(text: Cow<'_, str>, decimals: usize) -> Result<Cow<'_, str>, Error> {
    let (sign, digits) = text.strip_prefix('-').map_or(("", &*text), |digits| ("-", digits));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let is_number = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !is_number(whole) || !is_number(fraction) {
        return Err(Error::new("order", "expected a decimal number"));
    }
    let says_something = fraction.trim_end_matches('0').len();
    let leading = whole.len() - 1 - whole[..whole.len() - 1].trim_start_matches('0').len();
    if leading == 0 && fraction.len() == decimals.max(says_something) && (decimals > 0 || !digits.contains('.')) {
        return Ok(text);
    }
    let (whole, kept) = (&whole[leading..], &fraction[..says_something]);
    let point = if decimals.max(says_something) > 0 { "." } else { "" };
    let zeros = "0".repeat(decimals.saturating_sub(says_something));
    Ok(format!("{sign}{whole}{point}{kept}{zeros}").into())
}

/// A point in time in UTC, and the offset that was written with it.
pub(crate) fn moment(text: &str) -> Result<(String, String), Error> {
    let pieces = Pieces::parse(text).map_err(Error::of("order"))?;
    let offset = pieces.to_numeric_offset().unwrap_or(Offset::UTC);
    let local = pieces.date().to_datetime(pieces.time().unwrap_or_default());
    let time = offset.to_timestamp(local).map_err(Error::of("order"))?;
    let (sign, minutes) = (if offset.is_negative() { '-' } else { '+' }, offset.seconds().abs() / 60);
    Ok((time.to_string(), format!("{sign}{:02}:{:02}", minutes / 60, minutes % 60)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_have_the_decimals_of_their_currency_and_lose_no_digit() {
        for (text, decimals, expected) in [
            ("129.90", 2, "129.90"),
            ("129.9", 2, "129.90"),
            ("129.9000", 2, "129.90"),
            ("100", 2, "100.00"),
            ("-5", 2, "-5.00"),
            ("0007.10", 2, "7.10"),
            ("0", 2, "0.00"),
            ("16.666666666666668", 2, "16.666666666666668"),
            ("1500.00", 0, "1500"),
            ("1500.", 0, "1500"),
            ("1.5", 3, "1.500"),
            ("2.50", 0, "2.5"),
        ] {
            assert_eq!(plain(text.into(), decimals).unwrap(), expected, "{text}");
        }
        for text in ["", "abc", "1e3", "1,5", "-", ".5", "1.2.3"] {
            assert!(plain(text.into(), 2).is_err(), "{text}");
        }
    }

    #[test]
    fn times_are_in_utc_with_their_offset_beside() {
        for (text, time, offset) in [
            ("2026-08-01T13:59:57+02:00", "2026-08-01T11:59:57Z", "+02:00"),
            ("2026-08-01T06:45:00.250-05:30", "2026-08-01T12:15:00.25Z", "-05:30"),
            ("2026-08-01T12:00:00Z", "2026-08-01T12:00:00Z", "+00:00"),
        ] {
            assert_eq!(moment(text).unwrap(), (time.to_owned(), offset.to_owned()));
        }
        assert!(moment("yesterday").is_err());
    }

    #[test]
    fn blanks_are_nothing() {
        for (json, expected) in [
            ("null", None),
            ("false", None),
            ("\" \"", None),
            ("\"a\\u0062\"", Some("ab")),
            ("\"a\"", Some("a")),
            ("7", Some("7")),
        ] {
            let raw: &RawValue = serde_json::from_str(json).unwrap();
            assert_eq!(text(Some(raw)).unwrap().as_deref(), expected, "{json}");
        }
    }
}
