//! The other side of a platform: its webhooks as it would send them now, for whoever sends one by hand. Only in builds with
//! the feature `sign`, which no function has.

use jiff::Timestamp;

use super::Headers;
use crate::secrets::Secret;

/// What is to be signed.
#[derive(Debug, Clone, Copy)]
pub struct ToSign<'a> {
    /// The body.
    pub body: &'a [u8],
    /// The platform's word for what happened; its word for a new order where there is none.
    pub topic: Option<&'a str>,
    /// What the delivery is called.
    pub id: &'a str,
    /// The secret that the shop shares with us.
    pub secret: &'a Secret,
    /// When it is sent.
    pub at: Timestamp,
}

/// A webhook as it goes over the wire.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signed {
    /// Header fields, the signature among them.
    pub headers: Headers,
    /// `topic` of the URL's query, for platforms that have no header for it.
    pub topic: Option<String>,
    /// The body: the same bytes, but where the platform signs the time within.
    pub body: Vec<u8>,
}

/// Why a webhook cannot be signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unsignable {
    /// Only the platform can.
    #[error("the platform signs with a private key that nobody else has")]
    KeyOfPlatform,
    /// Nothing can be signed with it.
    #[error("nothing can be signed with the secret, expected the one that the shop signs with, not empty")]
    Secret,
    /// The time has no place.
    #[error("the time cannot be written into the body, expected a JSON object")]
    Body,
}

impl ToSign<'_> {
    /// The webhook with these fields besides its content type.
    pub(super) fn with<'n>(&self, headers: impl IntoIterator<Item = (&'n str, String)>) -> Signed {
        let content_type = ("content-type", "application/json".to_owned());
        let headers = headers.into_iter().chain([content_type]).collect();
        Signed { headers, topic: None, body: self.body.to_vec() }
    }

    /// The topic, or what the platform calls a new order.
    pub(super) fn topic_or(&self, placed: &str) -> String {
        self.topic.unwrap_or(placed).to_owned()
    }
}

impl Signed {
    /// With the topic in the URL.
    pub(super) fn in_query(self, topic: Option<String>) -> Self {
        Self { topic, ..self }
    }
}
