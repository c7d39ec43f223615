//! Any other sender that signs the raw body with an HMAC: how, and where the order's fields stand, is configuration.

use jiff::Timestamp;

use super::fields::{Defaults, Fields};
use super::identity;
use super::scan::Scan;
use super::verifier::BodySignature;
use super::{BadOrder, Body, Platform, Rejection, Sender, Subject, Webhook};
#[cfg(feature = "sign")]
use super::{Signed, ToSign, Unsignable};
use crate::config::document::Table;
use crate::order::Order;
use crate::secrets::Secret;

const DEFAULTS: Defaults = Defaults { order: None, topic: None };

/// A sender of the merchant's own.
#[derive(Debug)]
pub(super) struct Generic {
    signature: BodySignature,
    fields: Fields,
}

impl Generic {
    /// Reads the shop's settings: `signature` and `fields`.
    pub(super) fn read(shop: &Table<'_>) -> Option<Self> {
        let fields = Fields::read(shop, DEFAULTS);
        let signature = BodySignature::read(&shop.required("signature")?);
        Some(Self { signature: signature?, fields: fields? })
    }
}

impl Sender for Generic {
    fn verify(&self, webhook: Webhook<'_>, secrets: &[Secret], _now: Timestamp) -> Result<(), Rejection> {
        self.signature.verify(webhook.headers, webhook.body, secrets)
    }

    fn subject(&self, webhook: Webhook<'_>, read: Option<&Body<'_>>) -> Result<Subject, Rejection> {
        let scan = Scan::new(webhook.body, read)?;
        let document = scan.document();
        let event = self.fields.event(document, webhook)?;
        let delivery = self.fields.delivery_id(document, webhook);
        let (id, path) = self.fields.order_id(document);
        identity::subject(id, &path, event, delivery, None)
    }

    #[cfg(feature = "sign")]
    fn sign(&self, webhook: &ToSign<'_>) -> Result<Signed, Unsignable> {
        let (name, value) = self.signature.sign(webhook.secret, webhook.body)?;
        Ok(webhook.with([(name, value)]).in_query(webhook.topic.map(ToOwned::to_owned)))
    }

    fn owns_header(&self, name: &str) -> bool {
        self.signature.is_in(name) || self.fields.names_header(name)
    }
}

impl Platform for Generic {
    fn read_from(&self, shop: &str, body: &Body<'_>) -> Result<Order, BadOrder> {
        self.fields.order(shop, body.tree()?)
    }
}
