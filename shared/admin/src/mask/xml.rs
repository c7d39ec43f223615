//! Personal data in XML.

use quick_xml::events::attributes::Attribute;
use quick_xml::events::{BytesCData, BytesStart, BytesText, Event};
use quick_xml::name::QName;
use quick_xml::{Reader, Writer};

use super::hidden;
use super::names::{Field, is_harmless};

/// A document with personal data hidden; nothing where it is not well formed.
pub(super) fn mask(text: &str) -> Option<String> {
    let mut reader = Reader::from_str(text);
    let mut writer = Writer::new(Vec::new());
    // Whether the text of each open element is hidden.
    let mut open = vec![false];
    loop {
        let is_hidden = open.last().copied().unwrap_or(false);
        let event = match reader.read_event().ok()? {
            Event::Eof if open.len() == 1 => break,
            Event::Eof => return None,
            Event::Start(start) => {
                let (start, hides) = element(&start, is_hidden)?;
                open.push(hides);
                Event::Start(start)
            }
            Event::Empty(start) => Event::Empty(element(&start, is_hidden)?.0),
            Event::End(end) => {
                open.pop();
                Event::End(end)
            }
            Event::Text(text) if is_hidden => Event::Text(BytesText::from_escaped(hidden(&text))),
            // A reference to a character of a text that is hidden.
            Event::GeneralRef(_) if is_hidden => Event::Text(BytesText::from_escaped(super::HIDDEN.to_string())),
            Event::CData(text) if is_hidden => Event::CData(BytesCData::new(hidden(&text))),
            Event::Comment(text) => Event::Comment(BytesText::from_escaped(hidden(&text))),
            other => other,
        };
        writer.write_event(event).ok()?;
    }
    String::from_utf8(writer.into_inner()).ok()
}

/// An element with its attributes hidden, and whether its text is to be.
fn element(start: &BytesStart<'_>, is_in_person: bool) -> Option<(BytesStart<'static>, bool)> {
    let name = start.name().as_ref().to_owned();
    let hides = (is_in_person || Field::called(&name) != Field::Other) && !is_harmless(&name);
    let mut element = BytesStart::new(name);
    for attribute in start.attributes() {
        let attribute = attribute.ok()?;
        let key = attribute.key.as_ref();
        let value = &attribute.value;
        let is_personal =
            (hides || Field::called(key) == Field::Personal) && !is_harmless(key) && !key.starts_with("xmlns");
        // As it is written, references and all.
        let value = if is_personal { hidden(value) } else { value.to_string() };
        element.push_attribute(Attribute { key: QName(key), value: value.into() });
    }
    Some((element, hides))
}
