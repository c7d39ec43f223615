//! A pipeline: filter, format, transport, response. Each step says how it failed in the same terms.

mod about;
#[cfg(test)]
mod bench;
pub mod cancellation;
pub mod filter;
pub mod format;
mod keeper;
pub mod message;
mod news;
mod reexport;
mod reference;
mod repack;
pub mod response;
pub mod result;
pub mod run;
pub mod tally;
pub mod transport;
pub mod verdict;
pub mod wait;

use std::time::Duration;

pub use about::{About, about};
pub use keeper::Keeper;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::order::Order;
use crate::webhook::Headers;

/// An order with the webhook that brought it: what formats and transports work on.
#[derive(Debug, Clone, Copy)]
pub struct Export<'a> {
    /// Code of the pipeline.
    pub pipeline: &'a str,
    /// The order.
    pub order: &'a Order,
    /// The webhook's body, byte for byte.
    pub raw: &'a [u8],
    /// The webhook's own headers, signature included.
    pub headers: &'a Headers,
    /// The same for every attempt at this export, see [`idempotency_key`].
    pub idempotency_key: &'a str,
}

/// The key that a receiver recognises a repeated delivery by: `shop:order:pipeline`, the order's identifier encoded
/// by [`encoded_id`].
pub fn idempotency_key(shop: &str, order_id: &str, pipeline: &str) -> String {
    format!("{shop}:{}:{pipeline}", encoded_id(order_id))
}

/// An order's identifier as part of headers and object keys: what is no letter, digit, `-` or `_` is percent-encoded.
pub fn encoded_id(order_id: &str) -> impl std::fmt::Display {
    const SET: AsciiSet = NON_ALPHANUMERIC.remove(b'-').remove(b'_');
    utf8_percent_encode(order_id, &SET)
}

/// What a format made of an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// The bytes to deliver.
    pub body: Vec<u8>,
    /// Their media type, for `Content-Type`.
    pub media_type: String,
    /// Further headers that belong to the document; the HTTP transport sends them on.
    pub headers: Vec<(String, String)>,
}

/// How a step failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Failure {
    /// Whether another attempt can help.
    pub retry: Retry,
    /// What failed, where, and what was expected; without secrets and personal data.
    pub message: String,
    /// The reason in the destination's own words. For the record, never for the log: they may name a customer.
    pub said: Option<String>,
    /// What the destination answered, capped, for whoever looks into the failure.
    pub response: Option<String>,
}

/// Whether another attempt can help.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retry {
    /// Never: the order or the configuration has to change first.
    No,
    /// Later, by the pipeline's back-off.
    Backoff,
    /// Not before this time has passed: the destination said so.
    After(Duration),
}

impl Failure {
    /// A failure that no further attempt mends.
    pub fn permanent(message: impl Into<String>) -> Self {
        Self { retry: Retry::No, message: message.into(), said: None, response: None }
    }

    /// A failure that another attempt may mend.
    pub fn retryable(message: impl Into<String>) -> Self {
        Self { retry: Retry::Backoff, message: message.into(), said: None, response: None }
    }

    /// The message with the destination's own words, as the ledger keeps it.
    pub fn on_record(&self) -> String {
        self.said.as_ref().map_or_else(|| self.message.clone(), |said| format!("{}: {said}", self.message))
    }

    /// The same failure with what the destination answered.
    #[must_use]
    pub fn with_response(mut self, response: impl Into<String>) -> Self {
        self.response = Some(response.into());
        self
    }
}
