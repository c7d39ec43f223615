//! How a sender proves who it is that is no shop of a known platform: back offices that call back, and shops of any other
//! make.

use jiff::Timestamp;
use ring::hmac;

use super::signature::{self, Encoding};
use super::standard_webhooks::{self, Key};
use super::{Headers, Rejection, Webhook, fields};
use crate::config::document::Node;
use crate::config::value;
use crate::secrets::Secret;

/// How requests are verified.
#[derive(Debug)]
pub enum Verifier {
    /// By Standard Webhooks, which sign the time too.
    StandardWebhooks,
    /// By an HMAC over the raw body in a header.
    Body(BodySignature),
}

impl Verifier {
    /// By the table `signature`; Standard Webhooks without one. Nothing when there was a problem with it.
    pub fn read(signature: Option<&Node<'_>>) -> Option<Self> {
        signature.map_or(Some(Self::StandardWebhooks), |node| BodySignature::read(node).map(Self::Body))
    }

    /// Verifies the signature over the raw bytes, in constant time, against every live secret.
    ///
    /// # Errors
    /// A signature that is missing, fits no secret, or is of another time.
    pub fn verify(&self, headers: &Headers, body: &[u8], secrets: &[Secret], now: Timestamp) -> Result<(), Rejection> {
        match self {
            Self::StandardWebhooks => {
                let keys: Vec<_> = secrets.iter().filter_map(Key::of).collect();
                standard_webhooks::verify(Webhook { headers, topic: None, body }, &keys, now)
            }
            Self::Body(signature) => signature.verify(headers, body, secrets),
        }
    }
}

/// An HMAC over the raw body, written into a header as the configuration says.
#[derive(Debug)]
pub struct BodySignature {
    header: String,
    algorithm: hmac::Algorithm,
    encoding: Encoding,
    /// What stands before the signature in its header.
    prefix: String,
}

impl BodySignature {
    /// Reads the table `signature`: `header`, `algorithm`, `encoding`, `prefix`.
    pub(super) fn read(node: &Node<'_>) -> Option<Self> {
        let table = node.table()?;
        let header = table.require("header", fields::header_name);
        let algorithms = [("sha256", hmac::HMAC_SHA256), ("sha512", hmac::HMAC_SHA512)];
        let algorithm = table.read("algorithm", value::one_of(&algorithms)).unwrap_or(hmac::HMAC_SHA256);
        let encodings = [("hex", Encoding::Hex), ("base64", Encoding::Base64)];
        let encoding = table.read("encoding", value::one_of(&encodings)).unwrap_or(Encoding::Hex);
        let prefix = table.read("prefix", value::string).unwrap_or_default();
        table.finish();
        Some(Self { header: header?, algorithm, encoding, prefix })
    }

    pub(super) fn verify(&self, headers: &Headers, body: &[u8], secrets: &[Secret]) -> Result<(), Rejection> {
        let text = signature::header(headers, &self.header)?;
        let text = text.strip_prefix(self.prefix.trim()).ok_or(Rejection::BadSignature)?;
        signature::verify(self.algorithm, self.encoding, text.trim(), body, secrets)
    }

    /// The header and what it has to say.
    #[cfg(feature = "sign")]
    pub(super) fn sign<'s>(&'s self, secret: &Secret, body: &[u8]) -> Result<(&'s str, String), super::Unsignable> {
        let tag = signature::sign(self.algorithm, self.encoding, secret, body)?;
        Ok((&self.header, format!("{}{tag}", self.prefix)))
    }

    /// Whether it is in the header `name`, given in lower case.
    pub(super) fn is_in(&self, name: &str) -> bool {
        name == self.header
    }
}
