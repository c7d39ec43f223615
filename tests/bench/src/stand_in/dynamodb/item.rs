//! Items as the JSON protocol has them, and how large `DynamoDB` takes them to be.
//! <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html>

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Map, Value};

/// Attributes by name; each is an object of its type and value, such as `{"S": "acme"}`.
pub type Item = Map<String, Value>;

/// What a list or map takes beside its elements, and each element beside its own size.
const COLLECTION_BYTES: usize = 3;

/// Bytes of an item: names and values.
pub(super) fn size(item: &Item) -> usize {
    item.iter().map(|(name, value)| name.len() + value_size(value)).sum()
}

/// Bytes of an attribute's value.
fn value_size(value: &Value) -> usize {
    let Some((kind, value)) = value.as_object().and_then(|typed| typed.iter().next()) else { return 0 };
    match (kind.as_str(), value) {
        ("S", Value::String(text)) => text.len(),
        ("N", Value::String(digits)) => number_size(digits),
        ("B", Value::String(text)) => BASE64.decode(text).map_or(text.len(), |bytes| bytes.len()),
        ("L", Value::Array(elements)) => {
            COLLECTION_BYTES + elements.iter().map(|element| 1 + value_size(element)).sum::<usize>()
        }
        ("M", Value::Object(entries)) => {
            COLLECTION_BYTES + entries.iter().map(|(name, entry)| 1 + name.len() + value_size(entry)).sum::<usize>()
        }
        ("SS", Value::Array(texts)) => texts.iter().filter_map(Value::as_str).map(str::len).sum(),
        ("NS", Value::Array(numbers)) => numbers.iter().filter_map(Value::as_str).map(number_size).sum(),
        // A boolean or null.
        _ => 1,
    }
}

/// One byte for every two significant digits, one more, and one for the sign of what is below nought.
fn number_size(digits: &str) -> usize {
    let is_negative = digits.starts_with('-');
    let digits: String = digits.chars().filter(char::is_ascii_digit).collect();
    let significant = digits.trim_matches('0').len().max(1);
    significant.div_ceil(2) + 1 + usize::from(is_negative)
}

/// The text of an attribute.
pub(super) fn text<'a>(item: &'a Item, name: &str) -> Option<&'a str> {
    item.get(name)?.get("S")?.as_str()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn sizes_follow_the_published_rules() {
        for (value, expected) in [
            (json!({ "S": "héllo" }), 6),
            (json!({ "N": "0" }), 2),
            (json!({ "N": "1785585600" }), 5),
            (json!({ "N": "-12.5" }), 4),
            (json!({ "B": "aGVsbG8=" }), 5),
            (json!({ "BOOL": true }), 1),
            (json!({ "NULL": true }), 1),
            (json!({ "L": [] }), 3),
            (json!({ "L": [{ "S": "ab" }, { "BOOL": false }] }), 3 + 3 + 2),
            (json!({ "M": { "at": { "S": "ab" } } }), 3 + 1 + 2 + 2),
            (json!({ "SS": ["ab", "c"] }), 3),
        ] {
            assert_eq!(value_size(&value), expected, "{value}");
        }
        let item = json!({ "pk": { "S": "a#1" }, "attempts": { "N": "1" } });
        assert_eq!(size(item.as_object().unwrap()), 2 + 3 + 8 + 2);
    }
}
