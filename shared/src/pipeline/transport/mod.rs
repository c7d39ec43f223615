//! Transports: from the document to its destination. One file each.

use std::fmt;
use std::time::Duration;

use futures_util::future::BoxFuture;

use super::{Document, Export, Failure};
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
}

/// What transports work with, made once at start-up.
#[derive(Debug, Clone)]
pub struct Clients {
    /// S3.
    pub s3: aws_sdk_s3::Client,
    /// The stack's own bucket, used where a pipeline names none.
    pub bucket: String,
    /// HTTP with the egress rules built in.
    pub http: reqwest::Client,
    /// Secrets by name.
    pub secrets: Secrets,
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
}
