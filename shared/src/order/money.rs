//! Exact amounts of money.

use std::fmt;
use std::str::FromStr;

use rust_decimal::Decimal;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// An exact decimal amount in the order's currency. Never a binary float; at most 28 digits.
///
/// In JSON it is a string, so that no reader rounds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Money(Decimal);

/// Why a text is no amount.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MoneyError {
    /// Not a decimal number.
    #[error("expected a decimal number such as 129.90")]
    NotANumber,
    /// More digits than can be kept exactly.
    #[error("expected a decimal number of at most 28 digits")]
    TooLong,
}

impl Money {
    /// The amount as a plain decimal.
    pub fn decimal(self) -> Decimal {
        self.0
    }

    /// The same amount without its sign: platforms disagree on the sign of a discount.
    #[must_use]
    pub fn abs(self) -> Self {
        Self(self.0.abs())
    }

    /// The amount with at least `digits` decimals: `129.9` becomes `129.90`; nothing is cut off.
    #[must_use]
    pub fn at_least_decimals(self, digits: u32) -> Self {
        let mut value = self.0;
        if value.scale() < digits {
            value.rescale(digits);
        }
        Self(value)
    }
}

impl From<Decimal> for Money {
    fn from(value: Decimal) -> Self {
        Self(value)
    }
}

impl FromStr for Money {
    type Err = MoneyError;

    /// Reads `129.90`, `-5`, `1e2`; never rounds.
    fn from_str(text: &str) -> Result<Self, MoneyError> {
        parse_decimal(text).map(Self)
    }
}

/// A decimal exactly as written, scientific notation included.
pub(crate) fn parse_decimal(text: &str) -> Result<Decimal, MoneyError> {
    let text = text.trim();
    let looks_numeric = text.bytes().any(|b| b.is_ascii_digit())
        && text.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'-' | b'+' | b'e' | b'E'));
    if !looks_numeric {
        return Err(MoneyError::NotANumber);
    }
    let exact = if text.contains(['e', 'E']) { Decimal::from_scientific(text) } else { Decimal::from_str_exact(text) };
    exact.map_err(|error| match error {
        rust_decimal::Error::Underflow
        | rust_decimal::Error::ExceedsMaximumPossibleValue
        | rust_decimal::Error::LessThanMinimumPossibleValue
        | rust_decimal::Error::ScaleExceedsMaximumPrecision(_) => MoneyError::TooLong,
        // Too many digits before the point have no variant of their own.
        _ if text.bytes().filter(u8::is_ascii_digit).count() > 28 => MoneyError::TooLong,
        _ => MoneyError::NotANumber,
    })
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Serialize for Money {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Money {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

impl JsonSchema for Money {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Money".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "pattern": r"^-?[0-9]+(\.[0-9]+)?$",
            "description": "Exact decimal amount in the order's currency."
        })
    }
}

/// A decimal as a JSON number with all its digits.
pub(super) mod plain_number {
    use super::{Decimal, Deserialize, Deserializer, Serialize, Serializer, de, parse_decimal};

    pub(crate) fn serialize<S: Serializer>(value: &Decimal, serializer: S) -> Result<S::Ok, S::Error> {
        let number: serde_json::Number = value.to_string().parse().map_err(serde::ser::Error::custom)?;
        number.serialize(serializer)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Decimal, D::Error> {
        let number = serde_json::Number::deserialize(deserializer)?;
        parse_decimal(&number.to_string()).map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_keep_every_digit() {
        for text in ["129.90", "0", "-5.00", "0.333333333333333333", "12345678901234567.89"] {
            assert_eq!(text.parse::<Money>().map(|m| m.to_string()), Ok(text.to_owned()));
        }
        assert_eq!("1.5e2".parse::<Money>().map(|m| m.to_string()), Ok("150".to_owned()));
    }

    #[test]
    fn what_is_no_exact_amount_is_refused() {
        for (text, expected) in [
            ("", MoneyError::NotANumber),
            ("abc", MoneyError::NotANumber),
            ("1,50", MoneyError::NotANumber),
            ("NaN", MoneyError::NotANumber),
            ("1_000", MoneyError::NotANumber),
            ("0.12345678901234567890123456789012", MoneyError::TooLong),
            ("99999999999999999999999999999999", MoneyError::TooLong),
        ] {
            assert_eq!(text.parse::<Money>(), Err(expected), "{text}");
        }
    }

    #[test]
    fn decimals_are_filled_up_never_cut() {
        for (text, expected) in [("129.9", "129.90"), ("100", "100.00"), ("33.3333", "33.3333")] {
            assert_eq!(text.parse::<Money>().map(|m| m.at_least_decimals(2).to_string()), Ok(expected.to_owned()));
        }
    }
}
