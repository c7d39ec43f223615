//! Paths into an XML document: `/response/order[2]/id`, `/response/order/@id`.

use super::tree::Element;

/// Steps from the root element, which is the first, to an element, and perhaps one of its attributes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::pipeline::response) struct Path {
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
    /// Nothing for what is no such path.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let text = text.strip_suffix("/text()").unwrap_or(text);
        let mut parts: Vec<&str> = text.strip_prefix('/')?.split('/').collect();
        let attribute = parts.last().and_then(|last| last.strip_prefix('@'));
        if attribute.is_some() {
            parts.pop();
        }
        let attribute = match attribute {
            Some(name) if is_name(name) => Some(name.to_owned()),
            Some(_) => return None,
            None => None,
        };
        let steps: Vec<Step> = parts.into_iter().map(Step::parse).collect::<Option<_>>()?;
        (!steps.is_empty()).then_some(Self { steps, attribute })
    }

    /// The text of the first element or attribute that the path leads to.
    pub(super) fn find(&self, root: &Element) -> Option<String> {
        let (first, rest) = self.steps.split_first()?;
        let mut found: Vec<&Element> = first.select(std::iter::once(root));
        for step in rest {
            found = found.into_iter().flat_map(|element| step.select(element.children.iter())).collect();
        }
        match &self.attribute {
            Some(name) => found.into_iter().find_map(|element| element.attribute(name)).map(ToOwned::to_owned),
            None => found.first().map(|element| element.text.trim().to_owned()),
        }
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

    fn select<'e>(&self, elements: impl Iterator<Item = &'e Element>) -> Vec<&'e Element> {
        let fitting = elements.filter(|element| self.name == "*" || element.is_called(&self.name));
        match self.position {
            Some(position) => fitting.skip(position - 1).take(1).collect(),
            None => fitting.collect(),
        }
    }
}

/// Letters, digits and the few signs that names have; precise enough to tell a name from a mistake.
fn is_name(text: &str) -> bool {
    !text.is_empty()
        && text.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | ':'))
        && !text.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '-' | '.' | ':'))
        && !text.ends_with(':')
}
