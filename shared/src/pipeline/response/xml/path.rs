//! Paths into an XML document: `/response/order[2]/id`, `/response/order/@id`.

use super::tree::{Element, fits};
use crate::pipeline::response::Found;

/// Steps to an element, and perhaps one of its attributes. The first is the root element, or, in a path within an
/// element, a child of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::pipeline) struct Path {
    steps: Vec<Step>,
    attribute: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Step {
    /// `*` for any. A name without a prefix fits one with any prefix.
    name: String,
    /// Which of those that fit, from 1; all of them without.
    position: Option<usize>,
}

impl Path {
    /// From the root element down; nothing for what is no such path.
    pub(super) fn parse(text: &str) -> Option<Self> {
        Self::read(text).filter(|path| !path.steps.is_empty())
    }

    /// The same to elements, not to attributes.
    pub(in crate::pipeline) fn to_elements(text: &str) -> Option<Self> {
        Self::parse(text).filter(|path| path.attribute.is_none())
    }

    /// From an element down: `/@id` is an attribute of it, `/text()` its own text.
    pub(in crate::pipeline) fn within(text: &str) -> Option<Self> {
        Self::read(text)
    }

    /// The root element, whatever it is called.
    pub(in crate::pipeline) fn root() -> Self {
        Self { steps: vec![Step { name: "*".into(), position: None }], attribute: None }
    }

    fn read(text: &str) -> Option<Self> {
        let parts = match text.strip_suffix("/text()") {
            Some("") => return Some(Self { steps: Vec::new(), attribute: None }),
            Some(text) => text,
            None => text,
        };
        let mut parts: Vec<&str> = parts.strip_prefix('/')?.split('/').collect();
        let attribute = parts.last().and_then(|last| last.strip_prefix('@'));
        if attribute.is_some() {
            parts.pop();
        }
        let attribute = match attribute {
            Some(name) if is_name(name) => Some(name.to_owned()),
            Some(_) => return None,
            None => None,
        };
        let steps = parts.into_iter().map(Step::parse).collect::<Option<_>>()?;
        Some(Self { steps, attribute })
    }

    /// The text of the first element or attribute that the path leads to from the root element.
    pub(super) fn find(&self, root: &Element) -> Option<String> {
        let (first, rest) = self.steps.split_first()?;
        let found = descend(first.select(std::iter::once(root)), rest);
        match &self.attribute {
            Some(name) => found.into_iter().find_map(|element| element.attribute(name)).map(ToOwned::to_owned),
            None => found.first().map(|element| element.text.trim().to_owned()),
        }
    }

    /// What the path within an element leads to: the first such element or attribute.
    pub(in crate::pipeline) fn look(&self, element: &Element) -> Found {
        let found = descend(vec![element], &self.steps);
        match &self.attribute {
            Some(name) => {
                let value = found.into_iter().find_map(|element| element.attribute(name));
                value.map_or(Found::Nothing, |value| Found::Text(value.trim().to_owned()))
            }
            None => match found.first().map(|element| (element.text.trim(), element.children.is_empty())) {
                None => Found::Nothing,
                Some(("", false)) => Found::Other,
                Some((text, _)) => Found::Text(text.to_owned()),
            },
        }
    }

    /// The beginning of the way along the path.
    pub(super) fn way(&self) -> Way<'_> {
        Way { steps: &self.steps, open: Vec::new(), fitting: 0, has_arrived: false }
    }
}

fn descend<'e>(mut found: Vec<&'e Element>, steps: &[Step]) -> Vec<&'e Element> {
    for step in steps {
        found = found.into_iter().flat_map(|element| step.select(element.children.iter())).collect();
    }
    found
}

/// How far the elements that are open lead along a path, while a document is read.
#[derive(Debug)]
pub(super) struct Way<'p> {
    steps: &'p [Step],
    open: Vec<Level>,
    /// Root elements so far that fit the first step.
    fitting: usize,
    has_arrived: bool,
}

#[derive(Debug)]
struct Level {
    /// Whether the path led here.
    is_on: bool,
    /// Children so far that fit the next step.
    fitting: usize,
}

impl Way<'_> {
    pub(super) fn depth(&self) -> usize {
        self.open.len()
    }

    /// Whether there was an element that the path leads to, or one that could have held it.
    pub(super) fn has_arrived(&self) -> bool {
        self.has_arrived
    }

    /// Begins an element. True where the path leads to it: then it is whoever reads on that ends it.
    pub(super) fn enter(&mut self, name: &str) -> bool {
        let depth = self.open.len();
        let (is_on, fitting) = match self.open.last_mut() {
            None => (true, &mut self.fitting),
            Some(parent) => (parent.is_on, &mut parent.fitting),
        };
        let is_on = is_on && self.steps.get(depth).is_some_and(|step| step.takes(name, fitting));
        let is_end = is_on && depth + 1 == self.steps.len();
        self.has_arrived |= is_on && depth + 2 >= self.steps.len();
        if !is_end {
            self.open.push(Level { is_on, fitting: 0 });
        }
        is_end
    }

    /// Ends an element; false where none is open.
    pub(super) fn leave(&mut self) -> bool {
        self.open.pop().is_some()
    }
}

impl Step {
    fn parse(text: &str) -> Option<Self> {
        let (name, position) = match text.strip_suffix(']') {
            Some(text) => text.split_once('[').map(|(name, position)| (name, Some(position)))?,
            None => (text, None),
        };
        let position = match position {
            Some(digits) if digits.bytes().all(|b| b.is_ascii_digit()) => Some(digits.parse().ok().filter(|n| *n > 0)?),
            Some(_) => return None,
            None => None,
        };
        (name == "*" || is_name(name)).then(|| Self { name: name.to_owned(), position })
    }

    fn fits(&self, name: &str) -> bool {
        self.name == "*" || fits(name, &self.name)
    }

    /// Whether it leads to a child of this name, of which so many before fitted.
    fn takes(&self, name: &str, fitting: &mut usize) -> bool {
        if !self.fits(name) {
            return false;
        }
        *fitting += 1;
        self.position.is_none_or(|position| position == *fitting)
    }

    fn select<'e>(&self, elements: impl Iterator<Item = &'e Element>) -> Vec<&'e Element> {
        let mut fitting = 0;
        elements.filter(|element| self.takes(element.name(), &mut fitting)).collect()
    }
}

/// Letters, digits and the few signs that names have; precise enough to tell a name from a mistake.
fn is_name(text: &str) -> bool {
    !text.is_empty()
        && text.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | ':'))
        && !text.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '-' | '.' | ':'))
        && !text.ends_with(':')
}
