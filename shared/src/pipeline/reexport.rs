//! From a message that names an export to the attempt: the ledger's row has the order.

use super::filter;
use super::message::{Message, MessageError, order_of};
use super::run::{Arrival, Runner};
use super::verdict::{Verdict, over};
use crate::clock;
use crate::config::{Config, Pipeline};
use crate::ledger::{ExportKey, Facts, Fault, FindBy, Origin, PayloadStore, Recorded, Row, Status, Told};
use crate::order::Order;
use crate::queue::Envelope;
use crate::webhook::Event;

impl Runner {
    /// Tries an export again, from what its row has.
    pub(super) async fn process_export(
        &self,
        config: &Config,
        payloads: &PayloadStore,
        key: &ExportKey,
        message: &Message,
    ) -> Result<Verdict, MessageError> {
        let export = key.idempotency_key();
        let Some(row) = self.ledger.export(key).await? else {
            tracing::info!(export, "removed meanwhile: {}", key.name());
            return Ok(Verdict::Done);
        };
        if row.erased_at.is_some() {
            return Ok(over(key, row.status));
        }
        // Whoever sends such a message has set it pending. If it is anything else by now, it has been seen to.
        if !matches!(row.status, Status::Pending | Status::Processing) {
            return Ok(over(key, row.status));
        }
        if self.ledger.end_if_canceled(&row, clock::now()).await? == Recorded::Written {
            return Ok(over(key, Status::Canceled));
        }
        let shop = config.shops.get(&key.shop).ok_or_else(|| MessageError::UnknownShop(key.shop.clone()))?;
        let pipeline =
            config.pipelines.iter().find(|pipeline| pipeline.code == key.pipeline && pipeline.serves(&key.shop));
        let Some(pipeline) = pipeline else {
            return self.abandon(&row, "the pipeline is no longer configured for this shop", Fault::Orphaned).await;
        };
        let Some(payload) = &row.payload else {
            return self.without_order(&row).await;
        };
        let raw = payloads.fetch(payload).await?;
        let envelope = Envelope::from_fields(&row.envelope)?;
        let (raw, missing) = match self.whole(shop, &key.order_id, raw, message.receive_count).await {
            Ok(whole) => whole,
            Err(again) => return Ok(again),
        };
        let order = match order_of(shop, &raw, missing) {
            Ok(order) => order,
            Err(missing) => {
                let reason = format!("the order cannot be read: {}", missing.error);
                return self.abandon(&row, &reason, missing.fault).await;
            }
        };
        let order = if envelope.event == Some(Event::Canceled) { canceled(order, &row) } else { order };
        // The filter was asked about the webhook, not about what ordersync itself made happen since.
        let is_untried = row.attempts == 0 && row.history.is_empty();
        if envelope.event.is_some() && is_untried && self.is_declined(pipeline, &row, &order).await? {
            return Ok(Verdict::Done);
        }
        let (facts, owner) = (facts(&row, &order, config.find_by), self.owner(message));
        let arrival = Arrival {
            order: &order,
            facts: &facts,
            raw: &raw,
            headers: &envelope.headers,
            received_at: envelope.received_at,
            receive_count: message.receive_count,
            owner: &owner,
            keeper: None,
            row: Some(&row),
        };
        Ok(self.run(pipeline, arrival).await)
    }

    /// Whether the pipeline's filter ends an export that was not tried yet.
    async fn is_declined(&self, pipeline: &Pipeline, row: &Row, order: &Order) -> Result<bool, MessageError> {
        let now = clock::now();
        match pipeline.filter.decide(order, now) {
            Ok(filter::Verdict::Take) => Ok(false),
            Ok(filter::Verdict::Decline(reason)) => {
                let recorded = self.ledger.decline(row, &reason, now).await?;
                if recorded == Recorded::Written {
                    tracing::info!(export = row.key.idempotency_key(), reason, "skipped {}", row.key.name());
                }
                Ok(recorded == Recorded::Written)
            }
            Err(error) => self.abandon(row, &error.to_string(), Fault::Permanent).await.map(|_| true),
        }
    }

    /// An export whose row does not lead to the order. Where it was never made, the message of its webhook has the order,
    /// and comes; to end the export here would have that message find it over.
    async fn without_order(&self, row: &Row) -> Result<Verdict, MessageError> {
        if row.exported_at.is_some() {
            let reason = "the raw order is no longer kept: this pipeline keeps it until it is exported (keep_payload)";
            return self.abandon(row, reason, Fault::Permanent).await;
        }
        let export = row.key.idempotency_key();
        tracing::warn!(export, "left to the message of its webhook, which has the order: {}", row.key.name());
        Ok(Verdict::Done)
    }

    async fn abandon(&self, row: &Row, reason: &str, fault: Fault) -> Result<Verdict, MessageError> {
        let export = row.key.idempotency_key();
        tracing::error!(export, "gave up on {}: {reason}", row.key.name());
        self.ledger.abandon(row, reason, fault, None, clock::now()).await?;
        Ok(Verdict::Done)
    }
}

/// The order as it was placed, in the state that it is in since ordersync had it cancelled.
fn canceled(mut order: Order, row: &Row) -> Order {
    order.canceled = true;
    order.state = row.order_state.clone().or(order.state);
    order.payment.state = row.payment_state.clone().or(order.payment.state);
    order
}

/// What the row knows already, for the writes that need it.
fn facts(row: &Row, order: &Order, find_by: FindBy) -> Facts {
    let told = row.observed.unwrap_or(Told::by(&[Event::Placed], row.created_at));
    let origin = Origin { webhook: row.webhook.clone().unwrap_or_default(), inbound: row.inbound.clone() };
    Facts { is_unpaid: row.is_unpaid, ..Facts::of(order, false, told, origin, find_by) }
}
