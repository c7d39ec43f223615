//! A small XML document as a tree. Nothing in it is resolved but the five entities of XML itself and characters by
//! number; a document type, where others could be declared, is refused.

use quick_xml::Reader;
use quick_xml::XmlVersion;
use quick_xml::escape::resolve_xml_entity;
use quick_xml::events::{BytesRef, BytesStart, Event};
use serde_json::{Map, Value};

/// Deepest nesting; far beyond any answer, and far from the end of the stack.
const DEEPEST: usize = 100;

/// An element.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Element {
    /// With its prefix.
    name: String,
    attributes: Vec<(String, String)>,
    pub(super) children: Vec<Element>,
    /// Its own text, without that of its children.
    pub(super) text: String,
}

impl Element {
    fn begin(tag: &BytesStart<'_>) -> Result<Self, quick_xml::Error> {
        let name = tag.name().as_ref().to_owned();
        let mut attributes = Vec::new();
        for attribute in tag.attributes() {
            let attribute = attribute?;
            let value = attribute.normalized_value(XmlVersion::default())?.into_owned();
            attributes.push((attribute.key.as_ref().to_owned(), value));
        }
        Ok(Self { name, attributes, ..Self::default() })
    }

    /// Whether this is its name, with its prefix or without.
    pub(super) fn is_called(&self, name: &str) -> bool {
        fits(&self.name, name)
    }

    /// The value of an attribute, called with its prefix or without.
    pub(super) fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(known, _)| fits(known, name)).map(|(_, value)| value.as_str())
    }

    /// As JSON: text for an element that has nothing else, else an object with `@attribute`, each child by its name
    /// without prefix (a list where there are several), and `#text`.
    pub(super) fn to_json(&self) -> Value {
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

fn fits(known: &str, name: &str) -> bool {
    known == name || local(known) == name
}

/// The text of a document in UTF-8, or in Latin-1 where it says so.
pub(super) fn decode(body: &[u8]) -> Option<String> {
    if let Ok(text) = std::str::from_utf8(body) {
        return Some(text.trim_start_matches('\u{feff}').to_owned());
    }
    let declaration = String::from_utf8_lossy(body.get(..100).unwrap_or(body)).to_ascii_lowercase();
    let is_latin = declaration.split_once("?>").is_some_and(|(text, _)| text.contains("iso-8859-1"));
    is_latin.then(|| body.iter().copied().map(char::from).collect())
}

/// Reads a document; the error says what is wrong with it, and where.
pub(super) fn parse(text: &str) -> Result<Element, String> {
    let mut reader = Reader::from_str(text);
    let (mut open, mut root) = (Vec::new(), None);
    loop {
        let event = reader.read_event();
        let at = reader.buffer_position();
        let event = event.map_err(|_| format!("it is not well-formed at byte {at}"))?;
        if matches!(event, Event::Eof) {
            return root.filter(|_| open.is_empty()).ok_or_else(|| "it breaks off".into());
        }
        step(event, &mut open, &mut root).map_err(|wrong| format!("{wrong} at byte {at}"))?;
    }
}

fn step(event: Event<'_>, open: &mut Vec<Element>, root: &mut Option<Element>) -> Result<(), &'static str> {
    match event {
        Event::Start(_) | Event::Empty(_) if open.is_empty() && root.is_some() => Err("it has a second root element"),
        Event::Start(_) if open.len() >= DEEPEST => Err("it is nested too deeply"),
        Event::Start(tag) => {
            open.push(Element::begin(&tag).map_err(|_| "an attribute is not well-formed")?);
            Ok(())
        }
        Event::Empty(tag) => {
            close(Element::begin(&tag).map_err(|_| "an attribute is not well-formed")?, open, root);
            Ok(())
        }
        Event::End(_) => {
            let element = open.pop().ok_or("an end tag has no beginning")?;
            close(element, open, root);
            Ok(())
        }
        Event::Text(text) => add_text(open, &text.xml10_content()),
        Event::CData(text) => add_text(open, &text.xml10_content()),
        Event::GeneralRef(reference) => add_reference(open, &reference),
        Event::DocType(_) => Err("it has a document type, which is not read"),
        Event::Comment(_) | Event::Decl(_) | Event::PI(_) | Event::Eof => Ok(()),
    }
}

fn close(element: Element, open: &mut [Element], root: &mut Option<Element>) {
    match open.last_mut() {
        Some(parent) => parent.children.push(element),
        None => *root = Some(element),
    }
}

fn add_text(open: &mut [Element], text: &str) -> Result<(), &'static str> {
    match open.last_mut() {
        Some(element) => element.text.push_str(text),
        None if text.trim_matches(|c: char| c.is_ascii_whitespace() || c == '\u{feff}').is_empty() => {}
        None => return Err("it has text outside the root element"),
    }
    Ok(())
}

fn add_reference(open: &mut [Element], reference: &BytesRef<'_>) -> Result<(), &'static str> {
    let character = reference.resolve_char_ref().map_err(|_| "it has a reference to no character")?;
    if let Some(character) = character {
        return add_text(open, character.encode_utf8(&mut [0; 4]));
    }
    add_text(open, resolve_xml_entity(reference).ok_or("it has an entity that XML does not know")?)
}

#[cfg(test)]
mod tests;
