//! Standard Webhooks, from any sender: the signature is standardised, where the order's fields stand is configuration.

use jiff::Timestamp;
use ring::hmac;
use ring::signature::{ED25519, UnparsedPublicKey};

use super::fields::{Defaults, Fields};
use super::identity;
use super::scan::{Document, Scan};
use super::signature::{any, base64, header, key_bytes};
use super::{BadOrder, Body, Headers, Platform, Rejection, Sender, Subject, Webhook, time};
#[cfg(feature = "sign")]
use super::{Signed, ToSign, Unsignable};
use crate::config::document::Table;
use crate::order::Order;
use crate::secrets::Secret;

/// More signatures than any rotation needs: a limit on the work that one webhook can cause.
const MOST_SIGNATURES: usize = 16;

const DEFAULTS: Defaults = Defaults { order: Some("/data"), topic: Some("/type") };

/// Standard Webhooks.
#[derive(Debug)]
pub(super) struct StandardWebhooks {
    fields: Fields,
}

impl StandardWebhooks {
    /// Reads the shop's settings: `fields`.
    pub(super) fn read(shop: &Table<'_>) -> Option<Self> {
        Some(Self { fields: Fields::read(shop, DEFAULTS)? })
    }
}

impl Sender for StandardWebhooks {
    fn verify(&self, webhook: Webhook<'_>, secrets: &[Secret], now: Timestamp) -> Result<(), Rejection> {
        let keys: Vec<Key> = secrets.iter().filter_map(Key::of).collect();
        verify(webhook, &keys, now)
    }

    fn subject(&self, webhook: Webhook<'_>, read: Option<&Body<'_>>) -> Result<Subject, Rejection> {
        let scan = Scan::new(webhook.body, read)?;
        let document = scan.document();
        let event = self.fields.event(document, webhook)?;
        let delivery = self
            .fields
            .delivery_id(document, webhook)
            .or_else(|| identity::delivery_id(named(webhook.headers, "id").ok()));
        let occurred_at = document.find(&["timestamp"]).and_then(Document::moment);
        let (id, path) = self.fields.order_id(document);
        identity::subject(id, &path, event, delivery, occurred_at)
    }

    #[cfg(feature = "sign")]
    fn sign(&self, webhook: &ToSign<'_>) -> Result<Signed, Unsignable> {
        sign(webhook, Key::of(webhook.secret)).map(|signed| signed.in_query(webhook.topic.map(ToOwned::to_owned)))
    }

    fn owns_header(&self, name: &str) -> bool {
        name.starts_with("webhook-") || name.starts_with("svix-") || self.fields.names_header(name)
    }
}

impl Platform for StandardWebhooks {
    fn read_from(&self, shop: &str, body: &Body<'_>) -> Result<Order, BadOrder> {
        self.fields.order(shop, body.tree()?)
    }
}

/// Verifies a webhook that is signed as the standard says, and its time.
pub(super) fn verify(webhook: Webhook<'_>, keys: &[Key], now: Timestamp) -> Result<(), Rejection> {
    let id = named(webhook.headers, "id")?;
    let signed = named(webhook.headers, "timestamp")?;
    let signatures = named(webhook.headers, "signature")?;
    let message = [id.as_bytes(), b".", signed.as_bytes(), b".", webhook.body].concat();
    let signatures = signatures.split_ascii_whitespace().take(MOST_SIGNATURES).filter_map(Signature::of);
    let signatures: Vec<Signature> = signatures.collect();
    let pairs = keys.iter().flat_map(|key| signatures.iter().map(move |signature| (key, signature)));
    any(pairs.map(|(key, signature)| key.verifies(signature, &message)))?;
    // After the signature: only who has the secret learns what is wrong with the time.
    let seconds = signed.parse().ok().and_then(|seconds| Timestamp::from_second(seconds).ok());
    time::within_tolerance(seconds.ok_or(Rejection::BadSignature)?, now)
}

/// Signs a webhook as the standard says.
#[cfg(feature = "sign")]
pub(super) fn sign(webhook: &ToSign<'_>, key: Option<Key>) -> Result<Signed, Unsignable> {
    let Some(Key::Shared(key)) = key else { return Err(Unsignable::Secret) };
    let (id, time) = (webhook.id.to_owned(), webhook.at.as_second().to_string());
    let message = [id.as_bytes(), b".", time.as_bytes(), b".", webhook.body].concat();
    let signature = format!("v1,{}", super::signature::Encoding::Base64.encode(hmac::sign(&key, &message).as_ref()));
    Ok(webhook.with([("webhook-id", id), ("webhook-timestamp", time), ("webhook-signature", signature)]))
}

/// A header of the standard; a sender that is older than it says `svix-` for `webhook-`.
fn named<'h>(headers: &'h Headers, name: &str) -> Result<&'h str, Rejection> {
    let standard = header(headers, &format!("webhook-{name}"));
    standard.or_else(|missing| header(headers, &format!("svix-{name}")).map_err(|_| missing))
}

/// What signatures are verified with.
pub(super) enum Key {
    /// A secret shared with the sender.
    Shared(Box<hmac::Key>),
    /// The sender's public key. Never used as a shared secret: everyone knows it.
    Public(Vec<u8>),
}

impl Key {
    /// Reads `whsec_` and `whpk_` keys. A secret without the prefix is base64 too, as the standard wants it, or else
    /// taken as it is. Nothing when it is unusable, which is logged.
    pub(super) fn of(secret: &Secret) -> Option<Self> {
        let bytes = key_bytes(secret);
        let text = std::str::from_utf8(bytes).unwrap_or_default();
        let key = if let Some(public) = text.strip_prefix("whpk_") {
            base64(public).filter(|key| key.len() == 32).map(Self::Public)
        } else if let Some(shared) = text.strip_prefix("whsec_") {
            base64(shared).and_then(|bytes| Self::shared(&bytes))
        } else {
            Self::shared(&base64(text).unwrap_or_else(|| bytes.to_vec()))
        };
        if key.is_none() {
            tracing::error!("a secret for Standard Webhooks is unusable, expected whsec_ or whpk_ and base64");
        }
        key
    }

    /// An empty secret is none: anyone could sign with it.
    pub(super) fn shared(bytes: &[u8]) -> Option<Self> {
        (!bytes.is_empty()).then(|| Self::Shared(Box::new(hmac::Key::new(hmac::HMAC_SHA256, bytes))))
    }

    fn verifies(&self, signature: &Signature, message: &[u8]) -> bool {
        match (self, signature) {
            (Self::Shared(key), Signature::Shared(tag)) => hmac::verify(key, message, tag).is_ok(),
            (Self::Public(key), Signature::Public(bytes)) => {
                UnparsedPublicKey::new(&ED25519, key).verify(message, bytes).is_ok()
            }
            _ => false,
        }
    }
}

/// One of the signatures in the header.
enum Signature {
    /// `v1,`: HMAC-SHA256.
    Shared(Vec<u8>),
    /// `v1a,`: ed25519.
    Public(Vec<u8>),
}

impl Signature {
    /// Nothing for other versions, which are to be passed over.
    fn of(text: &str) -> Option<Self> {
        match text.split_once(',')? {
            ("v1", tag) => base64(tag).map(Self::Shared),
            ("v1a", signature) => base64(signature).map(Self::Public),
            _ => None,
        }
    }
}
