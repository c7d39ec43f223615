//! An element and all that is in it, as a tree.

use quick_xml::XmlVersion;
use quick_xml::events::BytesStart;
use serde_json::{Map, Value};

/// Most attributes of an element: each is compared with all before it.
const MOST_ATTRIBUTES: usize = 1000;

/// An element.
#[derive(Debug, Default, PartialEq, Eq)]
pub(in crate::pipeline) struct Element {
    /// With its prefix.
    name: String,
    pub(super) attributes: Vec<(String, String)>,
    pub(super) children: Vec<Element>,
    /// Its own text, without that of its children.
    pub(super) text: String,
}

impl Element {
    /// The element that a tag begins; the error says what is wrong with it.
    pub(super) fn begin(tag: &BytesStart<'_>) -> Result<Self, &'static str> {
        let name = tag.name().as_ref().to_owned();
        let mut attributes = Vec::new();
        for attribute in tag.attributes() {
            if attributes.len() == MOST_ATTRIBUTES {
                return Err("an element has more than 1000 attributes");
            }
            let pair = attribute.map_err(quick_xml::Error::from).and_then(|attribute| {
                let value = attribute.normalized_value(XmlVersion::default())?.into_owned();
                Ok((attribute.key.as_ref().to_owned(), value))
            });
            attributes.push(pair.map_err(|_| "an attribute is not well-formed")?);
        }
        Ok(Self { name, attributes, ..Self::default() })
    }

    /// Its name, with its prefix.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// The value of an attribute, called with its prefix or without.
    pub(super) fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(known, _)| fits(known, name)).map(|(_, value)| value.as_str())
    }

    /// As JSON: text for an element that has nothing else, else an object with `@attribute`, each child by its name
    /// without prefix (a list where there are several), and `#text`.
    pub(in crate::pipeline) fn to_json(&self) -> Value {
        let attributes = self.attributes.iter().filter(|(name, _)| !name.starts_with("xmlns"));
        let mut object: Map<String, Value> =
            attributes.map(|(name, value)| (format!("@{}", local(name)), value.as_str().into())).collect();
        for child in &self.children {
            add(&mut object, local(&child.name), child.to_json());
        }
        let text = self.text.trim();
        if object.is_empty() {
            return text.into();
        }
        if !text.is_empty() {
            object.insert("#text".into(), text.into());
        }
        Value::Object(object)
    }
}

fn add(object: &mut Map<String, Value>, name: &str, value: Value) {
    match object.get_mut(name) {
        None => drop(object.insert(name.to_owned(), value)),
        // A child is text or an object, so that a list can only be one of several children.
        Some(Value::Array(several)) => several.push(value),
        Some(first) => *first = Value::Array(vec![first.take(), value]),
    }
}

fn local(name: &str) -> &str {
    name.split_once(':').map_or(name, |(_, local)| local)
}

/// Whether an element or attribute called `known` is meant by `name`, which may leave its prefix out.
pub(super) fn fits(known: &str, name: &str) -> bool {
    known == name || local(known) == name
}

/// The text of a document in UTF-8, or in Latin-1 where it says so.
pub(in crate::pipeline) fn decode(body: &[u8]) -> Option<String> {
    if let Ok(text) = std::str::from_utf8(body) {
        return Some(text.trim_start_matches('\u{feff}').to_owned());
    }
    let declaration = String::from_utf8_lossy(body.get(..100).unwrap_or(body)).to_ascii_lowercase();
    let is_latin = declaration.split_once("?>").is_some_and(|(text, _)| text.contains("iso-8859-1"));
    is_latin.then(|| body.iter().copied().map(char::from).collect())
}

#[cfg(test)]
mod tests;
