//! An export as a line of a table.

use jiff::Timestamp;
use ordersync::ledger::{ExportKey, Fault, Row, Status, Summary, Why};
use schemars::JsonSchema;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};

use crate::mask::words;

/// No part of a key is empty in the ledger.
fn something<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let text = String::deserialize(deserializer)?;
    if text.is_empty() { Err(D::Error::invalid_length(0, &"at least one character")) } else { Ok(text) }
}

/// Which export.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub struct Key {
    /// Code of the shop.
    #[serde(deserialize_with = "something")]
    #[schemars(length(min = 1))]
    pub shop: String,
    /// The platform's identifier of the order.
    #[serde(deserialize_with = "something")]
    #[schemars(length(min = 1))]
    pub order: String,
    /// Code of the pipeline; `-` for an order that no pipeline takes.
    #[serde(deserialize_with = "something")]
    #[schemars(length(min = 1))]
    pub pipeline: String,
}

/// Which order.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub struct OrderKey {
    /// Code of the shop.
    #[serde(deserialize_with = "something")]
    #[schemars(length(min = 1))]
    pub shop: String,
    /// The platform's identifier of the order.
    #[serde(deserialize_with = "something")]
    #[schemars(length(min = 1))]
    pub order: String,
}

impl From<&ExportKey> for Key {
    fn from(key: &ExportKey) -> Self {
        Self { shop: key.shop.clone(), order: key.order_id.clone(), pipeline: key.pipeline.clone() }
    }
}

impl From<&Key> for ExportKey {
    fn from(key: &Key) -> Self {
        Self::new(&key.shop, &key.order, &key.pipeline)
    }
}

impl Key {
    /// The ledger's.
    pub fn export(&self) -> ExportKey {
        self.into()
    }

    /// Its order.
    pub fn order(&self) -> OrderKey {
        OrderKey { shop: self.shop.clone(), order: self.order.clone() }
    }

    /// From `shop:order:pipeline`, the order's identifier percent-encoded, as it stands in the log.
    pub fn parse(text: &str) -> Option<Self> {
        ExportKey::from_idempotency_key(text).as_ref().map(Self::from)
    }
}

/// An export as a line of a table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ExportRow {
    /// Which export.
    pub key: Key,
    /// The number that the customer and the merchant see.
    pub number: String,
    /// Its state.
    pub status: Status,
    /// When that last changed.
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub updated_at: Timestamp,
    /// Attempts so far.
    pub attempts: u32,
    /// How often it was reset by itself.
    pub resets: u32,
    /// Why it is in error.
    pub fault: Option<Fault>,
    /// What went wrong last, or why it was skipped; e-mail addresses in the destination's words are hidden.
    pub last_error: Option<String>,
    /// The back office's own identifier.
    pub external_id: Option<String>,
    /// When the customer placed the order.
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    pub placed_at: Option<Timestamp>,
    /// When the destination took it.
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    pub exported_at: Option<Timestamp>,
    /// When the next attempt is due.
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    pub not_before: Option<Timestamp>,
    /// Why it waits, where that is not for a retry.
    pub waits_for: Option<Why>,
    /// Until when somebody works on it.
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    pub lease_until: Option<Timestamp>,
}

impl From<Summary> for ExportRow {
    fn from(summary: Summary) -> Self {
        Self {
            key: Key::from(&summary.key),
            number: summary.number,
            status: summary.status,
            updated_at: summary.updated_at,
            attempts: summary.attempts,
            resets: summary.resets,
            fault: summary.fault.filter(|_| summary.status == Status::Error),
            last_error: summary.last_error.as_deref().map(words),
            external_id: summary.external_id,
            placed_at: summary.placed_at,
            exported_at: summary.exported_at,
            not_before: summary.not_before,
            waits_for: summary.waits_for,
            lease_until: summary.lease_until,
        }
    }
}

impl From<&Row> for ExportRow {
    fn from(row: &Row) -> Self {
        Self {
            key: Key::from(&row.key),
            number: row.number.clone(),
            status: row.status,
            updated_at: row.updated_at,
            attempts: row.attempts,
            resets: row.resets,
            fault: row.fault.filter(|_| row.status == Status::Error),
            last_error: row.last_error.as_deref().map(words),
            external_id: row.external_id.clone(),
            placed_at: row.placed_at,
            exported_at: row.exported_at,
            not_before: row.not_before,
            waits_for: row.waits_for,
            lease_until: row.lease_until,
        }
    }
}
