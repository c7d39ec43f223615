//! The ledger: one row per export (shop, order, pipeline), changed only by conditional writes that name the state
//! they expect.

mod attempt;
mod by_hand;
mod change;
mod control;
#[cfg(test)]
mod costs;
mod count;
mod due;
mod facts;
mod import;
mod journal;
mod kept;
mod keys;
#[cfg(test)]
mod model;
mod newest;
mod observe;
mod pages;
mod payload;
mod recover;
mod remove;
mod row;
mod runs;
mod scan;
mod size;
mod stale;
mod state;
mod transition;
mod write;

use std::time::Duration;

use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::types::AttributeValue;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use percent_encoding::percent_decode_str;

use crate::aws;
use crate::config::value::is_code;
use crate::pipeline::idempotency_key;

pub use attempt::{Attempt, Outcome};
pub use control::{Pause, Pauses};
pub use due::{Due, HAND_OUT_AGAIN, Parked, Wait, Waiting, Why};
pub use facts::{Completion, Facts, FindBy, Holder, Lease, NextStep, Observation, Recorded, Told, customer_key};
pub use import::{Import, Imported};
pub use journal::{Note, NotePlace, day_before, day_of};
pub use kept::{Keep, Kept, Origin, webhook_digest};
pub use newest::{Counted, Span, Stamp};
pub use pages::{Pages, Summary};
pub use payload::{Payload, PayloadStore, STORED_PAYLOADS, stored_payloads};
pub use recover::{Answered, Reset};
pub use remove::Removed;
pub use row::{CancelTry, Row};
pub use runs::{LastRun, NextSlot};
pub use scan::{PARTS, Place as WalkPlace, Walk, Wanted};
#[cfg(test)]
pub(crate) use size::item_bytes;
pub use stale::{Hold, Standing, Unpaid};
pub(crate) use state::refusal;
pub use state::{Claim, Fault, Status};

/// The ledger's table.
#[derive(Debug, Clone)]
pub struct Ledger {
    client: aws_sdk_dynamodb::Client,
    table: String,
    /// How long the table keeps rows that are over.
    retention: Duration,
}

/// One export.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ExportKey {
    /// Code of the shop.
    pub shop: String,
    /// The platform's identifier of the order.
    pub order_id: String,
    /// Code of the pipeline; [`ExportKey::NO_PIPELINE`] in the row of an order that no pipeline takes.
    pub pipeline: String,
}

impl ExportKey {
    /// Stands for the pipeline in the row of an order that no pipeline takes.
    pub const NO_PIPELINE: &'static str = "-";

    /// The export of an order by a pipeline.
    pub fn new(shop: &str, order_id: &str, pipeline: &str) -> Self {
        Self { shop: shop.to_owned(), order_id: order_id.to_owned(), pipeline: pipeline.to_owned() }
    }

    /// What people call it: the order's identifier, the shop and the pipeline.
    pub fn name(&self) -> String {
        format!("order {} of {} to {}", self.order_id, self.shop, self.pipeline)
    }

    /// The same for every attempt at this export.
    pub fn idempotency_key(&self) -> String {
        idempotency_key(&self.shop, &self.order_id, &self.pipeline)
    }

    /// The export that an idempotency key is of; nothing for what is none.
    pub fn from_idempotency_key(text: &str) -> Option<Self> {
        let mut parts = text.split(':');
        let (shop, order_id, pipeline) = (parts.next()?, parts.next()?, parts.next()?);
        let order_id = percent_decode_str(order_id).decode_utf8().ok()?;
        let key = Self::new(shop, &order_id, pipeline);
        // As it is written and no other way, so that nothing else is taken for one.
        (parts.next().is_none() && is_code(shop) && key.idempotency_key() == text).then_some(key)
    }
}

/// Why the ledger did not do what was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LedgerError {
    /// The lease ran out and somebody else has the export, or it was changed by hand meanwhile.
    #[error("the lease on the export is no longer held")]
    LeaseLost,
    /// The table did not answer, throttled, or refused: another attempt may help.
    #[error("the ledger cannot be reached: {0}")]
    Unavailable(String),
    /// A row is not as this version writes it.
    #[error("ledger row {key}: {expected}")]
    BadRow {
        /// Key of the row.
        key: String,
        /// What was expected in it.
        expected: String,
    },
}

impl LedgerError {
    fn unavailable<E, R>(failure: &SdkError<E, R>) -> Self
    where
        E: std::error::Error + ProvideErrorMetadata + 'static,
        R: std::fmt::Debug + 'static,
    {
        Self::Unavailable(aws::reason(failure))
    }

    /// A row that changes whenever it is written.
    fn keeps_changing() -> Self {
        Self::Unavailable("the export keeps changing".into())
    }
}

impl Ledger {
    /// How much longer than cleanup's own default the table keeps rows that are over. Its TTL is the net behind cleanup,
    /// which removes what belongs to a row from the bucket as well, and is given time for several runs.
    pub const BEHIND_CLEANUP: Duration = Duration::from_hours(30 * 24);

    /// The ledger in `table`, from which cleanup removes what is over after `retention` where the configuration does
    /// not say otherwise; the table does so itself [`Ledger::BEHIND_CLEANUP`] later.
    pub fn new(client: aws_sdk_dynamodb::Client, table: String, retention: Duration) -> Self {
        Self { client, table, retention: retention.saturating_add(Self::BEHIND_CLEANUP) }
    }

    /// One export, if there is a row for it. Read consistently: the message of an export may come within milliseconds
    /// of the write that it belongs to.
    pub async fn export(&self, key: &ExportKey) -> Result<Option<Row>, LedgerError> {
        let request = self.client.get_item().table_name(&self.table).set_key(Some(keys::primary(key)));
        let answer = request.consistent_read(true).send().await;
        let answer = answer.map_err(|failure| LedgerError::unavailable(&failure))?;
        answer.item.as_ref().map(Row::from_item).transpose()
    }

    /// Every export of an order, by pipeline. Read consistently: webhooks of one order follow each other closely.
    pub async fn order(&self, shop: &str, order_id: &str) -> Result<Vec<Row>, LedgerError> {
        let items = self.now(shop, order_id).into_paginator().items().send().collect::<Result<Vec<_>, _>>().await;
        items.map_err(|failure| LedgerError::unavailable(&failure))?.iter().map(Row::from_item).collect()
    }

    /// The exports of every order with this number, in whatever shop, as far as the index goes: an order whose number is
    /// its identifier is not in it, for its key says all there is to say.
    pub async fn by_number(&self, number: &str) -> Result<Vec<ExportKey>, LedgerError> {
        self.keys_in(keys::BY_NUMBER, "number", number).await
    }

    /// The exports that the back office knows by this identifier, in whatever shop and pipeline.
    pub async fn by_external_id(&self, external_id: &str) -> Result<Vec<ExportKey>, LedgerError> {
        self.keys_in(keys::BY_EXTERNAL_ID, "external_id", external_id).await
    }

    /// The exports in one partition of an index.
    async fn keys_in(&self, index: &str, name: &str, value: &str) -> Result<Vec<ExportKey>, LedgerError> {
        let pages = self.client.query().table_name(&self.table).index_name(index);
        let (alias, place) = (format!("#{name}"), format!(":{name}"));
        let pages = pages.key_condition_expression(format!("{alias} = {place}"));
        let pages = pages.expression_attribute_names(alias, name);
        let pages = pages.expression_attribute_values(place, AttributeValue::S(value.to_owned()));
        let items = pages.into_paginator().items().send().collect::<Result<Vec<_>, _>>().await;
        items.map_err(|failure| LedgerError::unavailable(&failure))?.iter().map(keys::export_key).collect()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_no_idempotency_key_names_no_export() {
        for text in
            ["", "acme", "acme:1", "acme:1:erp:x", ":1:erp", "Acme:1:erp", "a#b:1:erp", "acme:%31:erp", "acme:%ff:erp"]
        {
            assert_eq!(ExportKey::from_idempotency_key(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn an_idempotency_key_names_its_export(shop in "[a-z0-9][a-z0-9_-]{0,20}", order_id in "\\PC{1,60}", pipeline in "[a-z]{1,9}") {
            let key = ExportKey::new(&shop, &order_id, &pipeline);
            prop_assert_eq!(ExportKey::from_idempotency_key(&key.idempotency_key()), Some(key));
        }
    }
}
