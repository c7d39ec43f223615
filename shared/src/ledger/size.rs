//! What an item weighs. Pure.

use aws_sdk_dynamodb::types::AttributeValue;

use super::keys::Item;

/// The size of an item as `DynamoDB` counts it for capacity, in bytes.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html>
pub(crate) fn item_bytes(item: &Item) -> u64 {
    item.iter().map(|(name, value)| length(name) + value_bytes(value)).sum()
}

fn value_bytes(value: &AttributeValue) -> u64 {
    let sum = |sizes: &mut dyn Iterator<Item = u64>| sizes.sum::<u64>();
    match value {
        AttributeValue::S(text) => length(text),
        AttributeValue::N(number) => number_bytes(number),
        AttributeValue::B(blob) => u64::try_from(blob.as_ref().len()).unwrap_or(u64::MAX),
        AttributeValue::L(list) => 3 + sum(&mut list.iter().map(|value| 1 + value_bytes(value))),
        AttributeValue::M(map) => 3 + sum(&mut map.iter().map(|(name, value)| 1 + length(name) + value_bytes(value))),
        AttributeValue::Ss(texts) => sum(&mut texts.iter().map(|text| length(text))),
        AttributeValue::Ns(numbers) => sum(&mut numbers.iter().map(|number| number_bytes(number))),
        AttributeValue::Bs(blobs) => sum(&mut blobs.iter().map(|blob| blob.as_ref().len() as u64)),
        // A boolean or a null; what else there may be one day counts as little.
        _ => 1,
    }
}

/// One byte for two significant digits, one more, and one for a sign.
fn number_bytes(number: &str) -> u64 {
    let (sign, digits) = number.strip_prefix('-').map_or((0, number), |digits| (1, digits));
    let digits: String = digits.chars().filter(char::is_ascii_digit).collect();
    sign + length(digits.trim_matches('0')).div_ceil(2) + 1
}

fn length(text: &str) -> u64 {
    u64::try_from(text.len()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use aws_sdk_dynamodb::primitives::Blob;

    use super::*;

    #[test]
    fn values_weigh_what_the_table_counts() {
        let text = |value: &str| AttributeValue::S(value.to_owned());
        let number = |value: &str| AttributeValue::N(value.to_owned());
        for (value, expected) in [
            (text(""), 0),
            (text("acme"), 4),
            (text("Käthe"), 6),
            (number("0"), 1),
            (number("7"), 2),
            (number("1767691201"), 6),
            (number("-1500"), 3),
            (number("0.25"), 2),
            (AttributeValue::B(Blob::new(vec![0; 300])), 300),
            (AttributeValue::Bool(true), 1),
            (AttributeValue::Null(true), 1),
            (AttributeValue::L(Vec::new()), 3),
            (AttributeValue::L(vec![text("ab"), number("1")]), 3 + 1 + 2 + 1 + 2),
            (AttributeValue::M([("at".to_owned(), text("x"))].into()), 3 + 1 + 2 + 1),
            (AttributeValue::Ss(vec!["a".into(), "bc".into()]), 3),
            (AttributeValue::Ns(vec!["12".into(), "3".into()]), 4),
            (AttributeValue::Bs(vec![Blob::new(b"abc")]), 3),
        ] {
            assert_eq!(value_bytes(&value), expected, "{value:?}");
        }
    }

    #[test]
    fn names_of_attributes_count() {
        let item = Item::from([("pk".to_owned(), AttributeValue::S("acme#1".into()))]);
        assert_eq!(item_bytes(&item), 8);
    }
}
