//! Answers in XML, with the simplest of `XPath`'s paths.

mod path;
mod read;
mod tree;

use serde_json::Value;
use toml::de::DeValue;

pub(in crate::pipeline) use self::path::Path;
pub(in crate::pipeline) use self::read::each;
pub(in crate::pipeline) use self::tree::{Element, decode};
use super::reader::Kind;
use crate::pipeline::transport::Receipt;

/// The root element; nothing for an empty body.
#[derive(Debug)]
pub(in crate::pipeline) struct Xml(pub(in crate::pipeline) Option<Element>);

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
        let text = decode(&receipt.body).ok_or("it is not in UTF-8")?;
        read::parse(&text).map(|root| Self(Some(root)))
    }

    fn find(&self, path: &Path) -> Option<String> {
        path.find(self.0.as_ref()?)
    }

    fn value(&self) -> Value {
        self.0.as_ref().map_or(Value::Null, Element::to_json)
    }
}
