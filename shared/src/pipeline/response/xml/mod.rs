//! Answers in XML, with the simplest of `XPath`'s paths.

mod path;
mod tree;

use serde_json::Value;
use toml::de::DeValue;

use self::path::Path;
use self::tree::Element;
use super::reader::Kind;
use crate::pipeline::transport::Receipt;

/// The root element; nothing for an empty body.
#[derive(Debug)]
pub(super) struct Xml(Option<Element>);

impl Kind for Xml {
    type Path = Path;
    const NAME: &'static str = "XML";
    const IN_BODY: bool = true;

    fn path(value: &DeValue<'_>) -> Result<Path, String> {
        let expected = "a path such as \"/response/order[1]/id\" or \"/response/order/@id\"";
        value.as_str().and_then(Path::parse).ok_or_else(|| expected.into())
    }

    fn parse(receipt: &Receipt) -> Result<Self, String> {
        if receipt.body.trim_ascii().is_empty() {
            return Ok(Self(None));
        }
        let text = tree::decode(&receipt.body).ok_or("it is not in UTF-8")?;
        tree::parse(&text).map(|root| Self(Some(root)))
    }

    fn find(&self, path: &Path) -> Option<String> {
        path.find(self.0.as_ref()?)
    }

    fn value(&self) -> Value {
        self.0.as_ref().map_or(Value::Null, Element::to_json)
    }
}
