//! Results in XML.

use toml::de::DeValue;

use super::listed::{Listed, Take, Unlisted};
use crate::pipeline::response::Found;
use crate::pipeline::response::xml::{Path, Xml, decode, each};

impl Listed for Xml {
    const FORMAT: &'static str = "xml";

    fn results(value: &DeValue<'_>) -> Result<Path, String> {
        let expected = "a path to elements such as \"/responses/response\"";
        value.as_str().and_then(Path::to_elements).ok_or_else(|| expected.into())
    }

    fn field(value: &DeValue<'_>) -> Result<Path, String> {
        let expected = "a path below the element of a result such as \"/order/number\", \"/order/@id\" or \"/@id\"";
        value.as_str().and_then(Path::within).ok_or_else(|| expected.into())
    }

    fn each(document: &[u8], results: Option<&Path>, take: Take<'_, Self>) -> Result<(), Unlisted> {
        let text = decode(document).ok_or_else(|| Unlisted::Unreadable("it is not in UTF-8".into()))?;
        let (root, mut is_open) = (Path::root(), true);
        let mut take = |element: Result<_, &'static str>| {
            let read_on = take(element.map(|element| Self(Some(element))).map_err(Into::into));
            is_open = read_on.is_continue();
            read_on
        };
        let is_there = each(&text, results.unwrap_or(&root), &mut take).map_err(Unlisted::Unreadable)?;
        if is_there || !is_open { Ok(()) } else { Err(Unlisted::NotThere("expected elements that are results")) }
    }

    fn look(&self, field: &Path) -> Found {
        self.0.as_ref().map_or(Found::Nothing, |element| field.look(element))
    }
}
