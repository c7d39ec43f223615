//! Reading a document event by event. Only the elements that a path leads to are kept, each as a tree of its own, so that
//! a long list never is in memory as a whole. Nothing is resolved but the five entities of XML itself and characters by
//! number; a document type, where others could be declared, is refused.

use std::ops::ControlFlow;

use quick_xml::Reader;
use quick_xml::escape::resolve_xml_entity;
use quick_xml::events::{BytesRef, BytesStart, Event};

use super::path::{Path, Way};
use super::tree::Element;

/// Deepest nesting; far beyond any answer, and far from the end of the stack.
const DEEPEST: usize = 100;
/// Most elements and attributes that are kept together: some ten megabytes of memory.
const MOST_NODES: usize = 50_000;

/// Takes an element, or why it was not kept, and says whether to read on.
pub(in crate::pipeline) type Keep<'k> = &'k mut dyn FnMut(Result<Element, &'static str>) -> ControlFlow<()>;

/// Reads a document; the error says what is wrong with it, and where.
pub(super) fn parse(text: &str) -> Result<Element, String> {
    let mut root = Err("it breaks off");
    each(text, &Path::root(), &mut |element| {
        root = element;
        ControlFlow::Continue(())
    })?;
    root.map_err(Into::into)
}

/// Hands over every element that the path leads to. Returns whether there was anything where the path leads: such an
/// element, or one that could have held it.
pub(in crate::pipeline) fn each(text: &str, path: &Path, keep: Keep<'_>) -> Result<bool, String> {
    let mut reader = Reader::from_str(text);
    let mut reading = Reading { way: path.way(), open: Vec::new(), nodes: 0, keep, has_root: false };
    loop {
        let event = reader.read_event();
        let at = reader.buffer_position();
        let event = event.map_err(|_| format!("it is not well-formed at byte {at}"))?;
        if matches!(event, Event::Eof) {
            let is_whole = reading.has_root && reading.depth() == 0;
            return if is_whole { Ok(reading.way.has_arrived()) } else { Err("it breaks off".into()) };
        }
        if reading.step(event).map_err(|wrong| format!("{wrong} at byte {at}"))?.is_break() {
            return Ok(true);
        }
    }
}

/// What is open while a document is read.
struct Reading<'p, 'k> {
    /// The elements around the one that is kept.
    way: Way<'p>,
    /// The element that is kept, and those in it.
    open: Vec<Element>,
    /// What is kept of it so far, and what would be.
    nodes: usize,
    keep: Keep<'k>,
    has_root: bool,
}

impl Reading<'_, '_> {
    fn depth(&self) -> usize {
        self.way.depth() + self.open.len()
    }

    fn step(&mut self, event: Event<'_>) -> Result<ControlFlow<()>, &'static str> {
        match event {
            Event::Start(tag) => self.begin(&tag)?,
            Event::Empty(tag) => {
                self.begin(&tag)?;
                return self.end();
            }
            Event::End(_) => return self.end(),
            Event::Text(text) => self.text(&text.xml10_content())?,
            Event::CData(text) => self.text(&text.xml10_content())?,
            Event::GeneralRef(reference) => self.reference(&reference)?,
            Event::DocType(_) => return Err("it has a document type, which is not read"),
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) | Event::Eof => {}
        }
        Ok(ControlFlow::Continue(()))
    }

    fn begin(&mut self, tag: &BytesStart<'_>) -> Result<(), &'static str> {
        if self.depth() == 0 && self.has_root {
            return Err("it has a second root element");
        }
        if self.depth() >= DEEPEST {
            return Err("it is nested too deeply");
        }
        self.has_root = true;
        let element = Element::begin(tag)?;
        if self.open.is_empty() && !self.way.enter(tag.name().as_ref()) {
            return Ok(());
        }
        if self.open.is_empty() {
            self.nodes = 0;
        }
        self.nodes += 1 + element.attributes.len();
        self.open.push(if self.is_too_large() { Element::default() } else { element });
        Ok(())
    }

    fn end(&mut self) -> Result<ControlFlow<()>, &'static str> {
        let Some(element) = self.open.pop() else {
            return if self.way.leave() { Ok(ControlFlow::Continue(())) } else { Err("an end tag has no beginning") };
        };
        let is_too_large = self.is_too_large();
        match self.open.last_mut() {
            None if is_too_large => return Ok((self.keep)(Err("it has more than 50000 elements and attributes"))),
            None => return Ok((self.keep)(Ok(element))),
            Some(parent) if !is_too_large => parent.children.push(element),
            Some(_) => {}
        }
        Ok(ControlFlow::Continue(()))
    }

    fn is_too_large(&self) -> bool {
        self.nodes > MOST_NODES
    }

    fn text(&mut self, text: &str) -> Result<(), &'static str> {
        let is_outside = self.depth() == 0;
        match self.open.last_mut() {
            Some(element) => element.text.push_str(text),
            None if !is_outside
                || text.trim_matches(|c: char| c.is_ascii_whitespace() || c == '\u{feff}').is_empty() => {}
            None => return Err("it has text outside the root element"),
        }
        Ok(())
    }

    fn reference(&mut self, reference: &BytesRef<'_>) -> Result<(), &'static str> {
        let character = reference.resolve_char_ref().map_err(|_| "it has a reference to no character")?;
        if let Some(character) = character {
            return self.text(character.encode_utf8(&mut [0; 4]));
        }
        self.text(resolve_xml_entity(reference).ok_or("it has an entity that XML does not know")?)
    }
}
