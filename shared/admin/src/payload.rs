//! What came from the shop.

use ordersync::config::Config;
use ordersync::ledger::Row;
use ordersync::order::Order;
use ordersync::queue::Envelope;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::mask::mask_value;
use crate::{Actor, Admin, AdminError, Entry, Key, mask};

/// A document to look at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Text {
    /// What it says; JSON is pretty-printed.
    pub text: String,
    /// Whether personal data is hidden in it.
    pub is_masked: bool,
}

/// The raw order of an export, and the order as ordersync reads it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PayloadView {
    /// The webhook as it came.
    pub webhook: Text,
    /// The order as every format sees it, as JSON; nothing where it cannot be read from the webhook.
    pub order: Option<Text>,
    /// Why there is no order.
    pub problem: Option<String>,
}

impl Text {
    /// A document, personal data hidden unless it is revealed.
    pub(crate) fn of(text: &str, reveal: bool) -> Self {
        let text = if reveal { pretty(text) } else { mask(text) };
        Self { text, is_masked: !reveal }
    }
}

/// What is kept of an order: the webhook, and its envelope.
pub(crate) struct Raw {
    pub(crate) body: Vec<u8>,
    pub(crate) envelope: Envelope,
}

impl Admin {
    /// The webhook that an export is of, and the order in it. Personal data is hidden unless it is revealed to somebody,
    /// which is noted first.
    ///
    /// # Errors
    /// There is no such export, or nothing is kept of its order; what it is to be revealed to cannot be noted.
    pub async fn payload(
        &self,
        config: Option<&Config>,
        key: &Key,
        reveal_to: Option<&Actor>,
    ) -> Result<PayloadView, AdminError> {
        let row = self.row(key).await?;
        let raw = self.raw(&row).await?;
        self.revealed(reveal_to, "reveal-payload", key).await?;
        let reveal = reveal_to.is_some();
        let webhook = Text::of(&String::from_utf8_lossy(&raw.body), reveal);
        let order = match config {
            Some(config) => read(config, &row.key.shop, &raw.body),
            None => Err("the configuration is not at hand here, which says how to read it".to_owned()),
        };
        let text = order.as_ref().ok().and_then(|order| normalised(order, reveal));
        Ok(PayloadView { webhook, order: text, problem: order.err() })
    }

    /// What is kept of an export's order.
    pub(crate) async fn raw(&self, row: &Row) -> Result<Raw, AdminError> {
        let Some(payload) = &row.payload else {
            return Err(AdminError::not_found(
                "the raw order is not kept: its message has it still, or the pipeline keeps it until it is exported",
            ));
        };
        let body = self.payloads.fetch(payload).await?;
        let envelope = Envelope::from_fields(&row.envelope);
        let envelope = envelope.map_err(|error| AdminError::unavailable(format!("ledger row: {error}")))?;
        Ok(Raw { body, envelope })
    }

    /// Notes that personal data is shown to somebody; nothing is shown that is not noted.
    pub(crate) async fn revealed(&self, to: Option<&Actor>, action: &str, key: &Key) -> Result<(), AdminError> {
        let Some(actor) = to else { return Ok(()) };
        self.note_first(&Entry::new(actor, action, &key.export().idempotency_key(), true, "shown")).await
    }
}

/// The order in a webhook, or why it cannot be read.
pub(crate) fn read(config: &Config, shop: &str, body: &[u8]) -> Result<Order, String> {
    let shop = config.shops.get(shop).ok_or_else(|| format!("no shop {shop:?} is configured"))?;
    if shop.platform.is_reference(body) {
        return Err("the webhook only names the order, which is fetched from the shop for each export".into());
    }
    shop.platform.read(&shop.code, body).map_err(|error| error.to_string())
}

fn normalised(order: &Order, reveal: bool) -> Option<Text> {
    let mut value: Value = serde_json::to_value(order).ok()?;
    if !reveal {
        mask_value(&mut value);
    }
    let text = serde_json::to_string_pretty(&value).ok()?;
    Some(Text { text, is_masked: !reveal })
}

fn pretty(text: &str) -> String {
    let value = serde_json::from_str::<Value>(text).and_then(|value| serde_json::to_string_pretty(&value));
    value.unwrap_or_else(|_| text.to_owned())
}
