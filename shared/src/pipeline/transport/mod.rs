//! Transports: from the document to its destination. One file each, and one line in [`KINDS`].

pub mod egress;
pub mod http;
pub mod s3;

use std::fmt;
use std::io::Write as _;
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use futures_util::future::BoxFuture;

use self::egress::Egress;
use self::http::client::HttpClient;
use super::{Document, Export, Failure};
use crate::config::document::{Node, Table};
use crate::config::value;
use crate::secrets::Secrets;
use crate::webhook::Headers;

/// Takes a document to its destination.
pub trait Transport: fmt::Debug + Send + Sync {
    /// Delivers within `limit`, which is never longer than what is left of the invocation.
    fn deliver<'a>(
        &'a self,
        clients: &'a Clients,
        export: Export<'a>,
        document: &'a Document,
        limit: Duration,
    ) -> BoxFuture<'a, Result<Receipt, Failure>>;

    /// Where the document of an export would go, as far as that is known before: for previews. `bucket` is the stack's own.
    fn target(&self, bucket: &str, export: Export<'_>) -> Result<String, Failure>;

    /// Scheme, host and port of the endpoint that is called: what shares a rate limit. Nothing where that is AWS itself.
    fn endpoint(&self) -> Option<String> {
        None
    }

    /// Whether the destination answers with something that a response reader can read.
    fn has_response(&self) -> bool {
        false
    }

    /// The transport as one that puts many orders into one object, if it is one: its exports take a place there before
    /// they are claimed.
    fn packed(&self) -> Option<&s3::pack::Packed> {
        None
    }
}

/// Reads a transport's settings from its own table.
type Read = fn(Table<'_>, &Egress) -> Option<Box<dyn Transport>>;

/// Every transport by the name that `type` calls it.
const KINDS: [(&str, Read); 2] = [("http", http::read), ("s3", s3::read)];

/// The transport that the table `transport` of a pipeline describes; nothing when there was a problem with it.
pub fn read(node: &Node<'_>, egress: &Egress) -> Option<Box<dyn Transport>> {
    let table = node.table()?;
    let read = table.require("type", value::one_of(&KINDS))?;
    read(table, egress)
}

/// What transports work with, made once at start-up.
#[derive(Debug, Clone)]
pub struct Clients {
    /// S3.
    pub s3: aws_sdk_s3::Client,
    /// The stack's own bucket, used where a pipeline names none.
    pub bucket: String,
    /// HTTP with the egress rules built in.
    pub http: HttpClient,
    /// Secrets by name.
    pub secrets: Secrets,
}

impl Clients {
    /// The clients of a stack whose own bucket is `bucket`.
    pub fn new(s3: aws_sdk_s3::Client, bucket: impl Into<String>, secrets: Secrets, egress: Egress) -> Self {
        Self { s3, bucket: bucket.into(), http: HttpClient::new(egress), secrets }
    }
}

/// What a destination answered to a delivery that it accepted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Receipt {
    /// Where the document is now: a URL without user and query, or `s3://bucket/key`.
    pub destination: String,
    /// HTTP status, where there is one.
    pub status: Option<u16>,
    /// Response headers.
    pub headers: Headers,
    /// Response body, capped.
    pub body: Vec<u8>,
    /// Whether `body` is all that the destination sent.
    pub body_end: BodyEnd,
}

/// How reading a response body ended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum BodyEnd {
    /// With its last byte.
    #[default]
    Complete,
    /// At our cap: the rest was not read.
    Capped,
    /// The connection broke, or time ran out, while it was read.
    Broken,
}

/// Longest part of a response that is kept with a failure.
const EXCERPT_BYTES: usize = 2048;

impl Receipt {
    /// What the destination answered, capped, for whoever looks into a failure.
    pub fn excerpt(&self) -> String {
        excerpt(self.status, &self.body)
    }
}

/// Status and body as a few lines of text without control characters.
fn excerpt(status: Option<u16>, body: &[u8]) -> String {
    let status = status.map(|status| format!("HTTP {status}\n")).unwrap_or_default();
    let body = String::from_utf8_lossy(body);
    let body = body.get(..body.floor_char_boundary(EXCERPT_BYTES)).unwrap_or_default();
    let printable = |c: char| if c.is_control() && c != '\n' && c != '\t' { ' ' } else { c };
    (status + body).chars().map(printable).collect()
}

/// The body compressed; the same bytes for the same body, so that a repeated delivery is the same too.
fn gzip(body: &[u8]) -> Result<Vec<u8>, Failure> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    let compressed = encoder.write_all(body).and_then(|()| encoder.finish());
    compressed.map_err(|error| Failure::permanent(format!("the document cannot be compressed: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_excerpt_is_capped_and_printable() {
        let receipt = Receipt { status: Some(500), body: b"no\x1b[31m \xff".to_vec(), ..Receipt::default() };
        assert_eq!(receipt.excerpt(), "HTTP 500\nno [31m \u{fffd}");
        let long = excerpt(None, "é".repeat(5000).as_bytes());
        assert_eq!(long.len(), EXCERPT_BYTES);
    }

    #[test]
    fn compressing_twice_gives_the_same_bytes() {
        let body = b"the same order, the same bytes".repeat(50);
        assert_eq!(gzip(&body), gzip(&body));
    }
}
