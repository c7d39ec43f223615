//! Answers in JSON, with JSON pointers (RFC 6901) as paths.

use serde_json::Value;
use toml::de::DeValue;

use super::reader::Kind;
use crate::config::value;
use crate::pipeline::transport::Receipt;

/// A JSON document; null for an empty body.
#[derive(Debug)]
pub(in crate::pipeline) struct Json(pub(in crate::pipeline) Value);

impl Kind for Json {
    type Path = String;
    const NAME: &'static str = "JSON";
    const IN_BODY: bool = true;

    fn path(value: &DeValue<'_>) -> Result<String, String> {
        value::json_pointer(value)
    }

    fn parse(receipt: &Receipt) -> Result<Self, String> {
        let body = receipt.body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&receipt.body).trim_ascii();
        if body.is_empty() {
            return Ok(Self(Value::Null));
        }
        let wrong = |error: serde_json::Error| format!("line {}, column {}", error.line(), error.column());
        serde_json::from_slice(body).map(Self).map_err(wrong)
    }

    fn find(&self, path: &String) -> Option<String> {
        match self.0.pointer(path)? {
            Value::String(text) => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
        }
    }

    fn value(&self) -> Value {
        self.0.clone()
    }
}
