//! A JSON document as a tree over the bytes that it was read from: only what cannot be borrowed is copied.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

use super::{BadOrder, json};

/// The key under which `serde_json` hands over a number with all its digits (its feature `arbitrary_precision`).
const NUMBER: &str = "$serde_json::private::Number";

/// Room for the fields of an address or an item, so that most objects are put into memory once.
const USUAL_FIELDS: usize = 8;

/// A JSON value.
#[derive(Debug)]
pub(super) enum Tree<'b> {
    Null,
    Bool(bool),
    /// A number as it is written.
    Number(String),
    Text(Cow<'b, str>),
    List(Vec<Self>),
    Object(Vec<(Cow<'b, str>, Self)>),
}

impl<'b> Tree<'b> {
    /// The whole body, without the byte order mark that some senders put before it. The depth is limited by the parser.
    pub(super) fn parse(body: &'b [u8]) -> Result<Self, BadOrder> {
        let body = json::without_bom(body);
        // Checked once as a whole, text by text costs more. What is no UTF-8 is left to the parser to name.
        let parsed = std::str::from_utf8(body).map_or_else(|_| serde_json::from_slice(body), serde_json::from_str);
        parsed.map_err(|error| {
            // The parser's own words name no data, only what it stopped at, its line and column.
            BadOrder { path: "body".into(), expected: format!("expected JSON, found this wrong with it: {error}") }
        })
    }

    /// What stands under `key` of an object or list. Of a key given twice the last counts.
    pub(super) fn get(&self, key: &str) -> Option<&Self> {
        match self {
            Self::List(list) => list.get(key.parse::<usize>().ok()?),
            Self::Object(fields) => fields.iter().rev().find(|(name, _)| name == key).map(|(_, value)| value),
            _ => None,
        }
    }

    /// The same as a value of its own.
    pub(super) fn to_value(&self) -> Value {
        match self {
            Self::Null => Value::Null,
            Self::Bool(flag) => Value::Bool(*flag),
            // Whoever writes an object with the parser's private key may have put any text there.
            Self::Number(digits) => digits.parse().map_or_else(|_| digits.as_str().into(), Value::Number),
            Self::Text(text) => Value::String(text.clone().into_owned()),
            Self::List(list) => list.iter().map(Self::to_value).collect(),
            Self::Object(fields) => fields.iter().map(|(name, value)| (name.as_ref(), value.to_value())).collect(),
        }
    }
}

impl<'de> Deserialize<'de> for Tree<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Build)
    }
}

struct Build;

impl<'de> Visitor<'de> for Build {
    type Value = Tree<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any valid JSON value")
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Tree::Null)
    }

    fn visit_bool<E>(self, flag: bool) -> Result<Self::Value, E> {
        Ok(Tree::Bool(flag))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Self::Value, E> {
        Ok(Tree::Number(number.to_string()))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Self::Value, E> {
        Ok(Tree::Number(number.to_string()))
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Tree::Text(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Tree::Text(Cow::Owned(text.to_owned())))
    }

    fn visit_string<E>(self, text: String) -> Result<Self::Value, E> {
        Ok(Tree::Text(Cow::Owned(text)))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Self::Value, A::Error> {
        let mut list = Vec::new();
        while let Some(element) = elements.next_element()? {
            list.push(element);
        }
        Ok(Tree::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let Some(Key(first)) = map.next_key()? else { return Ok(Tree::Object(Vec::new())) };
        let value = map.next_value()?;
        let value = match value {
            Tree::Text(digits) if first == NUMBER => return Ok(Tree::Number(digits.into_owned())),
            other => other,
        };
        let mut fields = Vec::with_capacity(USUAL_FIELDS);
        fields.push((first, value));
        while let Some((Key(name), value)) = map.next_entry()? {
            fields.push((name, value));
        }
        Ok(Tree::Object(fields))
    }
}

/// A key, borrowed where it has no escapes.
pub(super) struct Key<'b>(pub(super) Cow<'b, str>);

impl<'de> Deserialize<'de> for Key<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(ReadKey)
    }
}

struct ReadKey;

impl<'de> Visitor<'de> for ReadKey {
    type Value = Key<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_borrowed_str<E>(self, key: &'de str) -> Result<Key<'de>, E> {
        Ok(Key(Cow::Borrowed(key)))
    }

    fn visit_str<E>(self, key: &str) -> Result<Key<'de>, E> {
        Ok(Key(Cow::Owned(key.to_owned())))
    }
}

#[cfg(test)]
impl From<&Value> for Tree<'static> {
    fn from(value: &Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Bool(flag) => Self::Bool(*flag),
            Value::Number(number) => Self::Number(number.to_string()),
            Value::String(text) => Self::Text(Cow::Owned(text.clone())),
            Value::Array(list) => Self::List(list.iter().map(Self::from).collect()),
            Value::Object(fields) => {
                Self::Object(fields.iter().map(|(name, value)| (Cow::Owned(name.clone()), value.into())).collect())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_tree_says_what_the_parsers_own_value_says() {
        for body in [
            "null",
            " [true, false, null, [], {}] ",
            r#"{"a":1,"b":-1,"c":1.50,"d":1e5,"e":-0,"f":123456789012345678901234567890,"g":-0.10,"h":2E-7}"#,
            r#"{"a":1,"b":2,"a":{"b":[3]}}"#,
            r#"{"\u0061\n":"\ud83d\ude00 \" \\ ü","b":"plain"}"#,
            "\u{feff}{\"a\":\"b\"}",
        ] {
            let expected: Value = serde_json::from_slice(json::without_bom(body.as_bytes())).unwrap();
            assert_eq!(Tree::parse(body.as_bytes()).map(|tree| tree.to_value()), Ok(expected), "{body}");
        }
    }

    #[test]
    fn what_is_no_json_is_named_as_the_parser_names_it() {
        let deep = [vec![b'['; 200], vec![b']'; 200]].concat();
        for body in [
            &b""[..],
            b"{",
            b"{\"a\":tru}",
            b"{\"a\":1}x",
            b"{\"a\":\"\xff\"}",
            b"\xff",
            br#"{"a":"\ud800"}"#,
            br#"{"a" 1}"#,
            b"[1,]",
            &deep,
        ] {
            let expected = serde_json::from_slice::<Value>(body).unwrap_err().to_string();
            let error = Tree::parse(body).map(|tree| tree.to_value()).unwrap_err();
            assert!(error.path == "body" && error.expected.ends_with(&expected), "{error}, not {expected}");
        }
    }

    #[test]
    fn the_parsers_private_key_makes_no_document_that_is_not_json() {
        for (body, expected) in [
            (r#"{"$serde_json::private::Number":"1.50"}"#, "1.50"),
            (r#"{"$serde_json::private::Number":"} 1"}"#, r#""} 1""#),
            (r#"{"$serde_json::private::Number":[1]}"#, r#"{"$serde_json::private::Number":[1]}"#),
            (r#"{"$serde_json::private::RawValue":"}"}"#, r#"{"$serde_json::private::RawValue":"}"}"#),
        ] {
            assert_eq!(Tree::parse(body.as_bytes()).map(|tree| tree.to_value().to_string()), Ok(expected.to_owned()));
        }
    }

    #[test]
    fn of_a_key_given_twice_the_last_counts() {
        let tree = Tree::parse(br#"{"a":1,"a":[7,8],"b":2}"#).unwrap();
        let found = tree.get("a").and_then(|list| list.get("1")).map(Tree::to_value);
        assert_eq!((found, tree.get("c").is_none()), (Some(8.into()), true));
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_as_the_parsers_own_value(body in "[\\[\\]{}:,\"a-c0-9.eE \\\\u-]{0,40}") {
            let expected = serde_json::from_str::<Value>(&body).ok();
            prop_assert_eq!(Tree::parse(body.as_bytes()).ok().map(|tree| tree.to_value()), expected);
        }
    }
}
