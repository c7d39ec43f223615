//! Shop platforms. One file each: verify the signature, say which order it is, read the order. All of it pure.

mod address;
mod adobe;
mod amounts;
pub(crate) mod bigcommerce;
mod body;
mod fields;
mod generic;
mod happened;
mod identity;
mod json;
mod keys;
mod magento;
mod registry;
mod scan;
mod shopify;
mod shopware;
#[cfg(feature = "sign")]
mod sign;
mod signature;
mod standard_webhooks;
mod time;
mod topic;
mod tree;
mod verifier;
mod woocommerce;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;
use url::Url;

pub use body::Body;
pub use happened::{events, told_at};
pub use keys::{Fetched, PublicKeys};
pub use registry::{Configured, Needs, read};
#[cfg(feature = "sign")]
pub use sign::{Signed, ToSign, Unsignable};
pub use verifier::{BodySignature, Verifier};

use crate::order::Order;
use crate::secrets::Secret;

/// A webhook as the shop sent it.
#[derive(Debug, Clone, Copy)]
pub struct Webhook<'a> {
    /// Request headers.
    pub headers: &'a Headers,
    /// `topic` of the URL's query: for platforms that send no topic, the merchant names it in the subscription's URL.
    pub topic: Option<&'a str>,
    /// The raw bytes, as signed.
    pub body: &'a [u8],
}

/// Header fields by lower-case name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Headers(BTreeMap<String, String>);

impl Headers {
    /// The value of the header `name`, which must be given in lower case.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// All headers, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

impl<N: AsRef<str>, V: Into<String>> FromIterator<(N, V)> for Headers {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(fields: I) -> Self {
        Self(fields.into_iter().map(|(name, value)| (name.as_ref().to_ascii_lowercase(), value.into())).collect())
    }
}

/// What a webhook is about, read before the order itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subject {
    /// An order.
    Order(Identity),
    /// A platform's test of the connection, to be answered with 200 and nothing else.
    Ping,
}

/// Which order a webhook is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The platform's identifier of the order.
    pub order_id: String,
    /// The platform's word for what happened, such as `orders/create`.
    pub topic: String,
    /// What happened, in our words.
    pub event: Event,
    /// The platform's identifier of the delivery, where it has one.
    pub delivery_id: Option<String>,
    /// When it happened, by the platform's clock, where the webhook says so: the event's own time, never that of an
    /// attempt to deliver it. For orders that do not say when they were last changed.
    pub occurred_at: Option<Timestamp>,
}

/// What happened to an order. A pipeline's `on` names these.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Event {
    /// The customer placed it.
    Placed,
    /// It was paid.
    Paid,
    /// Something else about it changed.
    Updated,
    /// Money was given back, all of it or a part.
    Refunded,
    /// It was cancelled.
    Canceled,
}

impl Event {
    /// Every event with the name that the configuration uses.
    pub const NAMES: [(&'static str, Self); 5] = [
        ("placed", Self::Placed),
        ("paid", Self::Paid),
        ("updated", Self::Updated),
        ("refunded", Self::Refunded),
        ("canceled", Self::Canceled),
    ];

    /// The event called `name`; `cancelled` is understood too.
    pub fn from_name(name: &str) -> Option<Self> {
        let name = if name == "cancelled" { "canceled" } else { name };
        Self::NAMES.into_iter().find(|(known, _)| *known == name).map(|(_, event)| event)
    }

    /// The name that the configuration uses.
    pub fn name(self) -> &'static str {
        match self {
            Self::Placed => "placed",
            Self::Paid => "paid",
            Self::Updated => "updated",
            Self::Refunded => "refunded",
            Self::Canceled => "canceled",
        }
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Why a webhook is not accepted. Messages say what was expected and never repeat the body.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// The signature header is not there.
    #[error("the header {0} with the signature is missing")]
    Unsigned(String),
    /// No live secret gives this signature.
    #[error("the signature does not fit the body under any live secret")]
    BadSignature,
    /// It is signed, but for another recipient.
    #[error("the event is meant for another client, expected the client_id of the configuration in {0}")]
    OtherRecipient(&'static str),
    /// The signed time is too far from now.
    #[error("the signed time is more than {0} s away from now")]
    Stale(u64),
    /// The body is not what the platform sends.
    #[error("{0}")]
    Malformed(String),
    /// A body of a known topic that names no order.
    #[error("{expected}")]
    NoOrder {
        /// The topic.
        topic: String,
        /// What was expected, and where.
        expected: String,
    },
    /// A topic that is neither about an order nor configured to be ignored.
    #[error("the topic is not about an order; list it in ignore_topics to have it acknowledged and dropped")]
    UnknownTopic(String),
}

impl Rejection {
    /// The stable code of the answer.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Unsigned(_) => "signature_missing",
            Self::BadSignature => "signature_invalid",
            Self::OtherRecipient(_) => "recipient_unknown",
            Self::Stale(_) => "timestamp_out_of_tolerance",
            Self::Malformed(_) | Self::NoOrder { .. } => "body_malformed",
            Self::UnknownTopic(_) => "topic_unknown",
        }
    }

    /// The topic of a webhook that is refused for what it is about or lacks.
    pub fn topic(&self) -> Option<&str> {
        match self {
            Self::NoOrder { topic, .. } | Self::UnknownTopic(topic) => Some(topic),
            _ => None,
        }
    }

    /// Whether the sender failed to prove who it is (401) rather than sent something wrong (400).
    pub fn is_unauthenticated(&self) -> bool {
        matches!(self, Self::Unsigned(_) | Self::BadSignature | Self::OtherRecipient(_) | Self::Stale(_))
    }
}

/// A body that cannot be read as an order: which field, and what was expected there.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{path}: {expected}")]
pub struct BadOrder {
    /// Where, as a path into the platform's document.
    pub path: String,
    /// What was expected there; never what was found.
    pub expected: String,
}

/// Time beyond which a signed timestamp is refused, either way. Standard Webhooks recommends five minutes.
pub const TIMESTAMP_TOLERANCE_SECONDS: u64 = 300;

/// The sender's side of a shop platform: what proves who it is, and what identifies an order. All that intake needs.
pub trait Sender: fmt::Debug + Send + Sync {
    /// Where the public keys are that the webhook says it is signed with; none for platforms that share a secret.
    fn public_keys(&self, webhook: Webhook<'_>) -> Result<Vec<Url>, Rejection> {
        let _ = webhook;
        Ok(Vec::new())
    }

    /// Verifies the signature over the raw bytes, in constant time, against every live secret. Where the platform
    /// names [public keys](Self::public_keys), `secrets` are these, in PEM.
    fn verify(&self, webhook: Webhook<'_>, secrets: &[Secret], now: Timestamp) -> Result<(), Rejection>;

    /// Reads only what identifies the order.
    fn identify(&self, webhook: Webhook<'_>) -> Result<Subject, Rejection> {
        self.subject(webhook, None)
    }

    /// The same, from what was `read` of the webhook's body already.
    fn subject(&self, webhook: Webhook<'_>, read: Option<&Body<'_>>) -> Result<Subject, Rejection>;

    /// A test of the connection that the platform sends without a signature.
    fn is_unsigned_ping(&self, webhook: Webhook<'_>) -> bool {
        let _ = webhook;
        false
    }

    /// The address in an unsigned ping that somebody has to open by hand before the platform sends anything.
    fn confirmation(&self, webhook: Webhook<'_>) -> Option<Url> {
        let _ = webhook;
        None
    }

    /// The parameter of a GET by which the platform asks whether the URL is ours, and whose value it wants back.
    fn challenge_parameter(&self) -> Option<&'static str> {
        None
    }

    /// Signs a webhook as the platform would.
    #[cfg(feature = "sign")]
    fn sign(&self, webhook: &ToSign<'_>) -> Result<Signed, Unsignable> {
        let _ = webhook;
        Err(Unsignable::KeyOfPlatform)
    }

    /// Whether a header of the webhook belongs to it and is handed on by the `raw` format. `name` is in lower case.
    fn owns_header(&self, name: &str) -> bool;
}

/// A shop platform: its sender's side, and how its orders are read.
pub trait Platform: Sender {
    /// Whether a body only names the order. Then the order is fetched from the shop's API, and what is
    /// [fetched](crate::shop::ShopApi::fetch) takes the body's place.
    fn is_reference(&self, body: &[u8]) -> bool {
        let _ = body;
        false
    }

    /// Reads the order from the raw body, or from what was fetched in its place; `shop` is its code in the
    /// configuration.
    fn read(&self, shop: &str, body: &[u8]) -> Result<Order, BadOrder> {
        self.read_from(shop, &Body::parse(body))
    }

    /// The same, where the body was read already.
    fn read_from(&self, shop: &str, body: &Body<'_>) -> Result<Order, BadOrder>;

    /// Whether the order in the body is a test notification that no back office should see.
    fn is_test(&self, body: &[u8]) -> bool {
        self.is_test_in(body, None)
    }

    /// The same, from what was `read` of the body already.
    fn is_test_in(&self, body: &[u8], read: Option<&Body<'_>>) -> bool {
        let _ = (body, read);
        false
    }
}

/// As much of a platform as a function works with. What it does not keep is not linked into it.
pub trait Keep: Sized {
    /// Of this platform.
    fn of<P: Platform + 'static>(platform: P) -> Self;
}

impl Keep for Arc<dyn Sender> {
    fn of<P: Platform + 'static>(platform: P) -> Self {
        Arc::new(platform)
    }
}

impl Keep for Arc<dyn Platform> {
    fn of<P: Platform + 'static>(platform: P) -> Self {
        Arc::new(platform)
    }
}
