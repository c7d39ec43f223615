//! Answers whose headers say it all, with their names as paths.

use http::header::HeaderName;
use serde_json::Value;
use toml::de::DeValue;

use super::reader::Kind;
use crate::pipeline::transport::Receipt;
use crate::webhook::Headers;

/// The headers of an answer.
#[derive(Debug)]
pub(super) struct Header(Headers);

impl Kind for Header {
    type Path = HeaderName;
    const NAME: &'static str = "headers";
    const IN_BODY: bool = false;

    fn path(value: &DeValue<'_>) -> Result<HeaderName, String> {
        let name = value.as_str().and_then(|name| HeaderName::from_bytes(name.as_bytes()).ok());
        name.ok_or_else(|| "the name of a header such as \"X-Order-Id\"".into())
    }

    fn parse(receipt: &Receipt) -> Result<Self, String> {
        Ok(Self(receipt.headers.clone()))
    }

    fn find(&self, path: &HeaderName) -> Option<String> {
        self.0.get(path.as_str()).map(ToOwned::to_owned)
    }

    /// Conditions have `headers` beside `response`, which is left to the body.
    fn value(&self) -> Value {
        Value::Null
    }
}
