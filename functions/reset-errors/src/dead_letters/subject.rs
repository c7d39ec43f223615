//! What a dead letter is about, read as the processor reads it.

use jiff::Timestamp;
use ordersync::config::Config;
use ordersync::ledger::{ExportKey, LedgerError, PayloadStore};
use ordersync::pipeline::about;
use ordersync::queue::{Envelope, Fields, REDRIVEN, named_export};

use super::judge::{Errand, Letter};
use super::mailbox::Mail;

/// What a message is about.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Subject {
    /// Somebody else wrote it, or its shop is not configured.
    NotOurs,
    /// A platform's test of the connection.
    Nothing,
    /// An order.
    Order(Box<Order>),
}

/// The order that a message is about, and what it is to do with it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Order {
    pub(super) shop: String,
    /// The platform's identifier.
    pub(super) id: String,
    pub(super) letter: Letter,
    pub(super) errand: Errand,
    /// The webhook's body; nothing in a message that names an export.
    pub(super) raw: Option<Vec<u8>>,
}

impl Order {
    /// The export of the order by a pipeline.
    pub(super) fn key(&self, pipeline: &str) -> ExportKey {
        ExportKey::new(&self.shop, &self.id, pipeline)
    }
}

/// Reads a message; its body from the bucket, where it lies there.
pub(super) async fn subject(config: &Config, payloads: &PayloadStore, mail: &Mail) -> Result<Subject, LedgerError> {
    let text = |(name, value): (&String, &aws_sdk_sqs::types::MessageAttributeValue)| {
        Some((name.clone(), value.string_value()?.to_owned()))
    };
    let mut fields: Fields = mail.attributes.iter().filter_map(text).collect();
    fields.remove(REDRIVEN);
    // Where the queue does not say when, nothing counts as having happened since.
    let letter = Letter::new(mail.sent_at.unwrap_or(Timestamp::MAX), mail.redriven(), fields);
    match named_export(&letter.fields) {
        Ok(None) => {}
        Ok(Some(ExportKey { shop, order_id, pipeline })) if config.shops.contains_key(&shop) => {
            let errand = Errand::Export(pipeline);
            return Ok(Subject::Order(Box::new(Order { shop, id: order_id, letter, errand, raw: None })));
        }
        Ok(Some(_)) | Err(_) => return Ok(Subject::NotOurs),
    }
    let Ok(envelope) = Envelope::from_fields(&letter.fields) else { return Ok(Subject::NotOurs) };
    let Some(shop) = config.shops.get(&envelope.shop) else { return Ok(Subject::NotOurs) };
    let raw = match &envelope.payload_key {
        Some(key) => payloads.read(key).await?,
        None => mail.body.clone().into_bytes(),
    };
    Ok(match about(config, shop, &envelope, &raw) {
        Err(_) => Subject::NotOurs,
        Ok(None) => Subject::Nothing,
        Ok(Some(found)) => {
            let errand = Errand::Webhook { pipelines: found.pipelines, is_whole: found.is_whole, news: found.news };
            Subject::Order(Box::new(Order { shop: envelope.shop, id: found.order_id, letter, errand, raw: Some(raw) }))
        }
    })
}
