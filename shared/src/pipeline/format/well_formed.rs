//! Whether a rendered text is the JSON or XML that it claims to be: better a failed export than a back office that
//! chokes. Messages name the place and never quote the text.

use quick_xml::Reader;
use quick_xml::events::{BytesRef, BytesStart, Event};
use serde::de::IgnoredAny;

use crate::template::is_allowed_in_xml;

/// Whether the text is one JSON value.
pub(super) fn json(text: &str) -> Result<(), String> {
    let read = serde_json::from_str::<IgnoredAny>(text);
    read.map(|_| ()).map_err(|error| format!("not valid JSON: {error} (values bring their own quotes)"))
}

/// Whether the text is one XML document, well-formed.
pub(super) fn xml(text: &str) -> Result<(), String> {
    let refuse = |at: usize, reason: &str| format!("not well-formed XML: {reason} at line {}", line(text, at));
    if let Some((at, _)) = text.char_indices().find(|(_, character)| !is_allowed_in_xml(*character)) {
        return Err(refuse(at, "a character that XML forbids"));
    }
    let mut reader = Reader::from_str(text);
    reader.config_mut().check_comments = true;
    let mut document = Elements::default();
    loop {
        let event = reader.read_event().map_err(|_| refuse(position(reader.error_position()), "broken markup"))?;
        let is_end = matches!(event, Event::Eof);
        document.take(&event).map_err(|reason| refuse(position(reader.buffer_position()), reason))?;
        if is_end {
            return Ok(());
        }
    }
}

fn position(bytes: u64) -> usize {
    usize::try_from(bytes).unwrap_or(usize::MAX)
}

fn line(text: &str, at: usize) -> usize {
    text.bytes().take(at).filter(|byte| *byte == b'\n').count() + 1
}

/// How far into the document's elements we are.
#[derive(Default)]
struct Elements {
    depth: usize,
    roots: usize,
}

impl Elements {
    fn take(&mut self, event: &Event<'_>) -> Result<(), &'static str> {
        match event {
            Event::Start(tag) => {
                self.open(tag)?;
                self.depth += 1;
            }
            Event::Empty(tag) => self.open(tag)?,
            Event::End(_) => self.depth = self.depth.saturating_sub(1),
            Event::Text(text) => {
                let is_blank = text.bytes().all(|byte| byte.is_ascii_whitespace());
                self.inside(is_blank)?;
                if text.contains("]]>") {
                    return Err("]]> in a text");
                }
            }
            Event::CData(_) => self.inside(false)?,
            Event::GeneralRef(entity) => {
                self.inside(false)?;
                known_entity(entity)?;
            }
            Event::Eof if self.depth > 0 => return Err("an element without its end"),
            Event::Eof if self.roots == 0 => return Err("no element"),
            Event::Eof | Event::Comment(_) | Event::Decl(_) | Event::PI(_) | Event::DocType(_) => {}
        }
        Ok(())
    }

    fn open(&mut self, tag: &BytesStart<'_>) -> Result<(), &'static str> {
        if self.depth == 0 {
            self.roots += 1;
        }
        if self.roots > 1 {
            return Err("a second root element");
        }
        if !is_name(tag.name().as_ref()) {
            return Err("an element's name that is none");
        }
        for attribute in tag.attributes() {
            let value = attribute.map_err(|_| "a broken attribute")?.value;
            if value.contains('<') {
                return Err("< in an attribute");
            }
        }
        Ok(())
    }

    fn inside(&self, allowed_outside: bool) -> Result<(), &'static str> {
        if self.depth == 0 && !allowed_outside { Err("text outside of the root element") } else { Ok(()) }
    }
}

fn known_entity(entity: &BytesRef<'_>) -> Result<(), &'static str> {
    let is_predefined = matches!(&**entity, "amp" | "lt" | "gt" | "quot" | "apos");
    let is_character = || matches!(entity.resolve_char_ref(), Ok(Some(character)) if is_allowed_in_xml(character));
    if is_predefined || is_character() { Ok(()) } else { Err("an unknown entity") }
}

/// Whether the text can be an element's name.
pub(super) fn is_name(text: &str) -> bool {
    let mut characters = text.chars();
    let first = characters.next().is_some_and(|c| c.is_alphabetic() || matches!(c, '_' | ':'));
    first && characters.all(|c| c.is_alphanumeric() || matches!(c, '_' | ':' | '-' | '.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn well_formed_documents_pass() {
        for text in [
            "<a/>",
            "<?xml version=\"1.0\"?>\n<!-- c --><a b=\"1\">x &amp; &#228;<![CDATA[ < ]]><c:d/></a>\n",
            "<!DOCTYPE a><a>ä</a>",
        ] {
            assert_eq!(xml(text), Ok(()), "{text}");
        }
        assert_eq!(json(" {\"a\": [1, null, \"ä\"]} "), Ok(()));
    }

    #[test]
    fn broken_documents_say_what_and_where() {
        for (text, expected) in [
            ("", "no element at line 1"),
            ("x", "text outside of the root element at line 1"),
            ("<a>\n<b></a>", "broken markup at line 2"),
            ("<a>\n", "an element without its end at line 2"),
            ("<a/>\n<b/>", "a second root element at line 2"),
            ("<a>\n&nbsp;</a>", "an unknown entity at line 2"),
            ("<a>x & y</a>", "broken markup at line 1"),
            ("<a>&#0;</a>", "an unknown entity at line 1"),
            ("<a b=1/>", "a broken attribute at line 1"),
            ("<a b='1' b='2'/>", "a broken attribute at line 1"),
            ("<a b='<'/>", " at line 1"),
            ("<1a/>", "an element's name that is none at line 1"),
            ("<a>\n\u{0}</a>", "a character that XML forbids at line 2"),
            ("<a>]]></a>", "]]> in a text at line 1"),
        ] {
            let error = xml(text).unwrap_err();
            assert!(error.contains(expected), "{text}: {error}");
        }
        let error = json("{\n  \"a\": \"\"b\"\"\n}").unwrap_err();
        assert!(error.contains("line 2 column 10"), "{error}");
    }
}
