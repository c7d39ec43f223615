//! A webhook's body as it is looked into for the few values that identify an order: without building the document, or in
//! the document where it is built anyway.

use std::borrow::Cow;

use jiff::Timestamp;
use serde::de::{Deserialize, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::identity::{is_order_id, is_whole_number, moment};
use super::tree::{Key, Tree};
use super::{Body, Rejection, json};

/// Fields of a body that are looked up in one go, more than any platform sends: a limit on the memory that one webhook
/// takes. Of a body with more of them each is looked for by itself.
const MOST_FIELDS: usize = 1_000;

/// A body whose JSON is well formed, as far as it was taken apart.
#[derive(Debug)]
pub(super) enum Scan<'b> {
    /// An object's fields: nearly all that is asked for stands among these, so they are found in one go.
    Fields(Vec<(Cow<'b, str>, &'b RawValue)>),
    /// Anything else.
    Raw(&'b RawValue),
    /// The body was read already.
    Tree(&'b Tree<'b>),
}

impl<'b> Scan<'b> {
    /// Checks that the whole body is JSON; what was `read` of it already need not be read again.
    pub(super) fn new(body: &'b [u8], read: Option<&'b Body<'_>>) -> Result<Self, Rejection> {
        // What cannot be read as an order can name one all the same.
        match read.and_then(|body| body.tree.as_ref().ok()) {
            Some(tree) => Ok(Self::Tree(tree)),
            None => Self::of(body),
        }
    }

    /// Checks that the whole body is JSON.
    pub(super) fn of(body: &'b [u8]) -> Result<Self, Rejection> {
        let text = std::str::from_utf8(json::without_bom(body));
        let text = text.map_err(|_| Rejection::Malformed("expected JSON in UTF-8".into()))?;
        if let Ok(Fields(fields)) = serde_json::from_str(text) {
            return Ok(Self::Fields(fields));
        }
        serde_json::from_str(text).map(Self::Raw).map_err(|error| {
            let (line, column) = (error.line(), error.column());
            Rejection::Malformed(format!("expected JSON; it ends being so at line {line}, column {column}"))
        })
    }

    /// The body as a whole.
    pub(super) fn document(&self) -> Document<'_> {
        match self {
            Self::Fields(fields) => Document::Fields(fields),
            Self::Raw(raw) => Document::Raw(raw),
            Self::Tree(tree) => Document::Tree(tree),
        }
    }
}

/// A value of the body.
#[derive(Debug, Clone, Copy)]
pub(super) enum Document<'d> {
    Fields(&'d [(Cow<'d, str>, &'d RawValue)]),
    Raw(&'d RawValue),
    Tree(&'d Tree<'d>),
}

impl<'d> Document<'d> {
    /// The value under `path`, unless it is missing or null.
    pub(super) fn find<K: AsRef<str>>(self, path: &[K]) -> Option<Self> {
        path.iter().try_fold(self, |value, key| value.get(key.as_ref())).filter(|found| !found.is_null())
    }

    /// The value under `key` of an object or list. Of a key given twice the last counts.
    fn get(self, key: &str) -> Option<Self> {
        match self {
            Self::Fields(fields) => fields.iter().rev().find(|(name, _)| name == key).map(|(_, raw)| Self::Raw(raw)),
            Self::Raw(raw) => pick(raw, key).map(Self::Raw),
            Self::Tree(tree) => tree.get(key).map(Self::Tree),
        }
    }

    fn is_null(self) -> bool {
        match self {
            Self::Fields(_) => false,
            Self::Raw(raw) => raw.get() == "null",
            Self::Tree(tree) => matches!(tree, Tree::Null),
        }
    }

    /// Whether the value is a list.
    pub(super) fn is_list(self) -> bool {
        match self {
            Self::Fields(_) => false,
            Self::Raw(raw) => raw.get().starts_with('['),
            Self::Tree(tree) => matches!(tree, Tree::List(_)),
        }
    }

    /// Whether the value is an object with something in it.
    pub(super) fn is_object(self) -> bool {
        match self {
            Self::Fields(fields) => !fields.is_empty(),
            Self::Raw(raw) => {
                let inner = raw.get().strip_prefix('{');
                inner.is_some_and(|inner| !inner.trim_start().starts_with('}'))
            }
            Self::Tree(tree) => matches!(tree, Tree::Object(fields) if !fields.is_empty()),
        }
    }

    /// The value as a text; nothing when it is something else.
    pub(super) fn text(self) -> Option<String> {
        match self {
            Self::Raw(raw) if raw.get().starts_with('"') => serde_json::from_str(raw.get()).ok(),
            Self::Tree(Tree::Text(text)) => Some(text.clone().into_owned()),
            _ => None,
        }
    }

    /// A number, true or false as it is written; nothing when it is something else.
    pub(super) fn bare(self) -> Option<&'d str> {
        match self {
            Self::Raw(raw) if !raw.get().starts_with(['"', '{', '[']) => Some(raw.get()),
            Self::Tree(Tree::Number(digits)) => Some(digits),
            Self::Tree(Tree::Bool(flag)) => Some(if *flag { "true" } else { "false" }),
            _ => None,
        }
    }

    /// A text, or else a number, true or false as it is written.
    pub(super) fn scalar(self) -> Option<String> {
        self.bare().map(ToOwned::to_owned).or_else(|| self.text())
    }

    /// The value as a point in time; nothing when it is none.
    pub(super) fn moment(self) -> Option<Timestamp> {
        moment(self.scalar().as_deref())
    }

    /// True or false, as PHP writes it too; nothing when it is neither.
    pub(super) fn boolean(self) -> Option<bool> {
        match self.bare() {
            Some("true" | "1") => Some(true),
            Some("false" | "0") => Some(false),
            Some(_) => None,
            None => match self.text()?.as_str() {
                "1" => Some(true),
                "0" | "" => Some(false),
                _ => None,
            },
        }
    }

    /// The value as an order's identifier. Numbers are taken digit by digit: some exceed 2^53.
    pub(super) fn order_id(self) -> Option<String> {
        let number = self.bare().filter(|bare| is_whole_number(bare));
        number.map(ToOwned::to_owned).or_else(|| self.text()).filter(|text| is_order_id(text))
    }
}

/// The value under `key` of an object or list. Of a key given twice the last counts, as it does for the reader of the
/// whole order.
fn pick<'b>(value: &'b RawValue, key: &str) -> Option<&'b RawValue> {
    if !value.get().starts_with(['{', '[']) {
        return None;
    }
    let mut deserializer = serde_json::Deserializer::from_str(value.get());
    deserializer.deserialize_any(Pick(key)).ok().flatten()
}

/// The fields of an object, none of them taken apart.
struct Fields<'b>(Vec<(Cow<'b, str>, &'b RawValue)>);

impl<'de> Deserialize<'de> for Fields<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ReadFields)
    }
}

struct ReadFields;

impl<'de> Visitor<'de> for ReadFields {
    type Value = Fields<'de>;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut fields = Vec::new();
        while let Some((Key(name), raw)) = map.next_entry()? {
            if fields.len() == MOST_FIELDS {
                return Err(Error::custom("too many fields"));
            }
            fields.push((name, raw));
        }
        Ok(Fields(fields))
    }
}

struct Pick<'k>(&'k str);

impl<'de> Visitor<'de> for Pick<'_> {
    type Value = Option<&'de RawValue>;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an object or a list")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut found = None;
        while let Some(Key(name)) = map.next_key()? {
            if name == self.0 {
                found = Some(map.next_value()?);
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(found)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        let wanted: Option<usize> = self.0.parse().ok();
        let (mut found, mut index) = (None, 0);
        while let Some(element) = list.next_element()? {
            if wanted == Some(index) {
                found = Some(element);
            }
            index += 1;
        }
        Ok(found)
    }
}
