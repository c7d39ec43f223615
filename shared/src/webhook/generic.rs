//! Any other sender that signs the raw body with an HMAC: how, and where the order's fields stand, is configuration.

use std::sync::Arc;

use jiff::Timestamp;
use ring::hmac;

use super::fields::{self, Defaults, Fields};
use super::identity::{self, Document};
use super::json;
use super::signature::{self, Encoding};
use super::{BadOrder, Platform, Rejection, Subject, Webhook};
use crate::config::document::Table;
use crate::config::value;
use crate::order::Order;
use crate::secrets::Secret;

const DEFAULTS: Defaults = Defaults { order: None, topic: None };

/// A sender of the merchant's own.
#[derive(Debug)]
pub(super) struct Generic {
    header: String,
    algorithm: hmac::Algorithm,
    encoding: Encoding,
    /// What stands before the signature in its header.
    prefix: String,
    fields: Fields,
}

impl Generic {
    /// Reads the shop's settings: `signature` and `fields`.
    pub(super) fn read(shop: &Table<'_>) -> Option<Arc<dyn Platform>> {
        let fields = Fields::read(shop, DEFAULTS);
        let table = shop.required("signature")?.table()?;
        let header = table.require("header", fields::header_name);
        let algorithms = [("sha256", hmac::HMAC_SHA256), ("sha512", hmac::HMAC_SHA512)];
        let algorithm = table.read("algorithm", value::one_of(&algorithms)).unwrap_or(hmac::HMAC_SHA256);
        let encodings = [("hex", Encoding::Hex), ("base64", Encoding::Base64)];
        let encoding = table.read("encoding", value::one_of(&encodings)).unwrap_or(Encoding::Hex);
        let prefix = table.read("prefix", value::string).unwrap_or_default();
        table.finish();
        Some(Arc::new(Self { header: header?, algorithm, encoding, prefix, fields: fields? }))
    }
}

impl Platform for Generic {
    fn verify(&self, webhook: Webhook<'_>, secrets: &[Secret], _now: Timestamp) -> Result<(), Rejection> {
        let text = signature::header(webhook.headers, &self.header)?;
        let text = text.strip_prefix(self.prefix.trim()).ok_or(Rejection::BadSignature)?;
        signature::verify(self.algorithm, self.encoding, text.trim(), webhook.body, secrets)
    }

    fn identify(&self, webhook: Webhook<'_>) -> Result<Subject, Rejection> {
        let document = Document::parse(webhook.body)?;
        let event = self.fields.event(document, webhook)?;
        let delivery = self.fields.delivery_id(document, webhook);
        let (id, path) = self.fields.order_id(document);
        identity::subject(id, &path, event, delivery, None)
    }

    fn read(&self, shop: &str, body: &[u8]) -> Result<Order, BadOrder> {
        self.fields.order(shop, &json::parse(body)?)
    }

    fn owns_header(&self, name: &str) -> bool {
        name == self.header || self.fields.names_header(name)
    }
}
