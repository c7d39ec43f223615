//! The header fields of a request, whoever they come from.

use http::header::{AUTHORIZATION, CONTENT_ENCODING, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, USER_AGENT};

use super::settings::Http;
use crate::pipeline::{Document, Export, Failure};

pub(super) const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
/// What we call ourselves in `User-Agent`.
pub(crate) const AGENT: &str = concat!("ordersync/", env!("CARGO_PKG_VERSION"));

/// Names that belong to the connection and to the framing of the message, and those that we set ourselves: neither
/// a document nor the configuration may set them.
const OURS: [&str; 17] = [
    "accept-encoding",
    "authorization",
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "expect",
    "host",
    "http2-settings",
    "idempotency-key",
    "keep-alive",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// Whether only we set the header `name`.
pub(super) fn is_ours(name: &HeaderName) -> bool {
    OURS.contains(&name.as_str())
}

/// Whether `name` may carry a credential: what we set otherwise may not, but `Authorization` is made for it.
pub(super) fn may_carry_credential(name: &HeaderName) -> bool {
    *name == AUTHORIZATION || !is_ours(name)
}

/// Everything but credentials and signatures. The document's own headers give way to the configured ones, and
/// those that are ours are left out: they describe another connection.
pub(super) fn assemble(http: &Http, export: Export<'_>, document: &Document) -> Result<HeaderMap, Failure> {
    let mut fields = HeaderMap::new();
    for (name, text) in &document.headers {
        let name = HeaderName::from_bytes(name.as_bytes());
        let name = name.map_err(|_| Failure::permanent("the document has a header whose name is not valid"))?;
        if !is_ours(&name) && name != USER_AGENT {
            fields.insert(name.clone(), value(name.as_str(), text)?);
        }
    }
    fields.insert(USER_AGENT, HeaderValue::from_static(AGENT));
    fields.insert(CONTENT_TYPE, value("content-type", &document.media_type)?);
    fields.insert(IDEMPOTENCY_KEY, value("idempotency-key", export.idempotency_key)?);
    if http.gzip {
        fields.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    for (name, text) in &http.headers {
        fields.insert(name.clone(), text.clone());
    }
    Ok(fields)
}

/// Any text but control characters: a line break would begin another header.
fn value(name: &str, text: &str) -> Result<HeaderValue, Failure> {
    let invalid =
        |_| Failure::permanent(format!("the value of the header {name} has characters that no header may have"));
    HeaderValue::from_bytes(text.as_bytes()).map_err(invalid)
}
