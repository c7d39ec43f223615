//! Results in JSON. The document is looked through as text, and one result at a time becomes values, so that a long list
//! never is in memory as a whole.

use std::borrow::Cow;
use std::fmt;
use std::ops::ControlFlow;

use serde::de::{Deserializer as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;
use serde_json::{Deserializer, Value};
use toml::de::DeValue;

use super::MOST_RESULTS;
use super::listed::{Listed, Take, Unlisted};
use crate::config::value;
use crate::pipeline::response::Found;
use crate::pipeline::response::json::Json;

/// Largest result: its values take some thirty times the memory of its text.
const MOST_BYTES: usize = 1024 * 1024;

impl Listed for Json {
    const FORMAT: &'static str = "json";

    fn results(value: &DeValue<'_>) -> Result<String, String> {
        value::json_pointer(value)
    }

    fn field(value: &DeValue<'_>) -> Result<String, String> {
        value::json_pointer(value)
    }

    fn each(document: &[u8], results: Option<&String>, take: Take<'_, Self>) -> Result<(), Unlisted> {
        let text = std::str::from_utf8(document).map_err(|_| Unlisted::Unreadable("it is not in UTF-8".into()))?;
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let document: &RawValue = serde_json::from_str(text).map_err(|error| unreadable(&error))?;
        let expected = "expected a list of results, or a result";
        let found = match results {
            None => document,
            Some(pointer) => find(document, pointer).ok_or(Unlisted::NotThere(expected))?,
        };
        if found.get().starts_with('[') {
            // One more than there may be, so that whoever takes them notices.
            let list = list(found, MOST_RESULTS + 1).map_err(|error| unreadable(&error))?;
            for result in list {
                if take(read(result)).is_break() {
                    break;
                }
            }
            return Ok(());
        }
        if results.is_some() && !found.get().starts_with('{') {
            return Err(Unlisted::NotThere(expected));
        }
        // It is the only one, so it does not matter whether to read on.
        let (ControlFlow::Continue(()) | ControlFlow::Break(())) = take(read(found));
        Ok(())
    }

    fn look(&self, pointer: &String) -> Found {
        match self.0.pointer(pointer) {
            None | Some(Value::Null | Value::Bool(false)) => Found::Nothing,
            Some(Value::String(text)) => Found::Text(text.trim().to_owned()),
            Some(Value::Number(number)) => Found::Text(number.to_string()),
            Some(Value::Array(list)) if list.is_empty() => Found::Nothing,
            Some(Value::Object(object)) if object.is_empty() => Found::Nothing,
            Some(Value::Bool(true) | Value::Array(_) | Value::Object(_)) => Found::Other,
        }
    }
}

fn unreadable(error: &serde_json::Error) -> Unlisted {
    Unlisted::Unreadable(format!("line {}, column {}", error.line(), error.column()))
}

fn read(result: &RawValue) -> Result<Json, String> {
    if result.get().len() > MOST_BYTES {
        return Err("it is larger than 1 MiB".into());
    }
    // The text is JSON; what may be wrong is its depth, or half of a surrogate pair.
    serde_json::from_str(result.get()).map(Json).map_err(|_| "it is nested too deeply, or has text that is none".into())
}

/// The value at a JSON pointer. Of several of one name the last counts, as it does for a document that is read whole.
fn find<'d>(mut found: &'d RawValue, pointer: &str) -> Option<&'d RawValue> {
    for token in pointer.split('/').skip(1) {
        let token = token.replace("~1", "/").replace("~0", "~");
        let mut reader = Deserializer::from_str(found.get());
        found = reader.deserialize_any(Step(&token)).ok()??;
    }
    Some(found)
}

/// One step of a pointer.
struct Step<'t>(&'t str);

impl<'de> Visitor<'de> for Step<'_> {
    type Value = Option<&'de RawValue>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object or a list")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut found = None;
        while let Some(Key(key)) = map.next_key()? {
            if key == self.0 {
                found = Some(map.next_value()?);
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(found)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        let index = self.0.parse::<usize>().ok().filter(|index| index.to_string() == self.0);
        let (mut found, mut at) = (None, 0);
        while let Some(value) = list.next_element::<&RawValue>()? {
            found = if index == Some(at) { Some(value) } else { found };
            at += 1;
        }
        Ok(found)
    }
}

/// A name, borrowed where nothing in it is escaped.
#[derive(serde::Deserialize)]
struct Key<'k>(#[serde(borrow)] Cow<'k, str>);

/// The first so many elements of a list.
fn list(list: &RawValue, most: usize) -> serde_json::Result<Vec<&RawValue>> {
    Deserializer::from_str(list.get()).deserialize_seq(Elements(most))
}

struct Elements(usize);

impl<'de> Visitor<'de> for Elements {
    type Value = Vec<&'de RawValue>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        let mut elements = Vec::new();
        while let Some(element) = list.next_element()? {
            if elements.len() < self.0 {
                elements.push(element);
            }
        }
        Ok(elements)
    }
}
