//! How much of a list is asked for at once.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

/// Most of one page.
pub(crate) const MOST: u32 = 500;

/// Reads a `limit`: a whole number from 1 to [`MOST`], however it is written.
///
/// # Errors
/// Anything else.
pub fn limit<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u32>, D::Error> {
    let wrong = || D::Error::custom(format!("expected a whole number from 1 to {MOST}"));
    let Some(number) = Option::<f64>::deserialize(deserializer).map_err(|_| wrong())? else { return Ok(None) };
    let mut whole = (1..=MOST).filter(|whole| f64::from(*whole).to_bits() == number.to_bits());
    whole.next().map(Some).ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_limit_is_a_whole_number_within_bounds() {
        for (given, expected) in [
            (json!(null), Some(None)),
            (json!(1), Some(Some(1))),
            (json!(500.0), Some(Some(500))),
            (json!(0), None),
            (json!(501), None),
            (json!(1.5), None),
            (json!("5"), None),
            (json!(-1), None),
        ] {
            assert_eq!(limit(&given).ok(), expected, "{given}");
        }
    }
}
