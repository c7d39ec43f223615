//! From a message of the queue to its order, and through every pipeline that wants it.

use futures_util::StreamExt;
use futures_util::stream;
use jiff::Timestamp;

use super::run::{Arrival, Runner, Verdict};
use crate::clock;
use crate::config::{Config, Pipeline, Shop};
use crate::ledger::{ExportKey, Facts, LedgerError, Observation, PayloadStore, Recorded, Row, Status};
use crate::order::Order;
use crate::queue::{BadEnvelope, Envelope, Fields};
use crate::webhook::{BadOrder, Event, Identity, Subject, Webhook};

/// Pipelines of one order that run at the same time.
const PIPELINES_AT_ONCE: usize = 16;
/// `DynamoDB` takes keys of an index up to 2048 bytes, and a character has at most four.
const LONGEST_NUMBER: usize = 512;

/// A message as the queue delivers it.
#[derive(Debug, Clone)]
pub struct Message {
    /// The queue's identifier of the message.
    pub id: String,
    /// Message attributes.
    pub fields: Fields,
    /// Message body.
    pub body: String,
    /// How often it has been delivered, this time included.
    pub receive_count: u32,
}

/// A message that cannot be worked on.
#[derive(Debug, thiserror::Error)]
pub enum MessageError {
    /// It is not one of ours, or not what its platform sends. It ends in the dead-letter queue.
    #[error("not an order's message: {0}")]
    Poison(String),
    /// Its shop is not configured, perhaps not yet.
    #[error("no shop {0:?} is configured")]
    UnknownShop(String),
    /// The ledger or the bucket cannot be reached.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

impl From<BadEnvelope> for MessageError {
    fn from(error: BadEnvelope) -> Self {
        Self::Poison(error.to_string())
    }
}

impl Runner {
    /// Takes a message's order through every pipeline that wants it.
    pub async fn process(
        &self,
        config: &Config,
        payloads: &PayloadStore,
        message: Message,
    ) -> Result<Verdict, MessageError> {
        let envelope = Envelope::from_fields(&message.fields)?;
        let shop = config.shops.get(&envelope.shop).ok_or_else(|| MessageError::UnknownShop(envelope.shop.clone()))?;
        let raw = match &envelope.payload_key {
            Some(key) => payloads.read(key).await?,
            None => message.body.into_bytes(),
        };
        let webhook = Webhook { headers: &envelope.headers, topic: envelope.topic.as_deref(), body: &raw };
        let identity = match shop.platform.identify(webhook) {
            Ok(Subject::Order(identity)) => identity,
            Ok(Subject::Ping) => return Ok(Verdict::Done),
            Err(rejection) => return Err(MessageError::Poison(rejection.to_string())),
        };
        let payload = payloads.keep(&shop.code, &identity.order_id, &raw).await?;
        let unread = unread_facts(&identity, payload, message.fields);
        match shop.platform.read(&shop.code, &raw).and_then(within_limits) {
            Ok(order) => {
                let facts = Facts::of(&order, identity.event == Event::Canceled, unread.payload, unread.envelope);
                let headers = &envelope.headers;
                let receive_count = message.receive_count;
                let owner = format!("{}/{}/{receive_count}", self.invocation, message.id);
                let arrival =
                    Arrival { order: &order, facts: &facts, raw: &raw, headers, receive_count, owner: &owner };
                self.dispatch(config, shop, identity.event, envelope.received_at, arrival).await
            }
            Err(_) if identity.event == Event::Canceled => {
                // Some platforms name a deleted order and say no more of it.
                let said = Observation::canceled(envelope.received_at);
                let rows = self.ledger.observe(&shop.code, &identity.order_id, &said, &[], clock::now()).await?;
                self.skip_named_only(config, shop, &identity, &unread, &rows).await
            }
            // Others name the order that was refunded.
            Err(_) if identity.event == Event::Refunded => {
                self.skip_named_only(config, shop, &identity, &unread, &[]).await
            }
            Err(error) => self.refuse(config, shop, &identity, &unread, &error).await,
        }
    }

    async fn dispatch(
        &self,
        config: &Config,
        shop: &Shop,
        event: Event,
        received_at: Timestamp,
        arrival: Arrival<'_>,
    ) -> Result<Verdict, MessageError> {
        let order = arrival.order;
        if shop.platform.is_test(arrival.raw) {
            return self.skip(order, arrival.facts, "a test notification of the platform").await;
        }
        let mut pipelines: Vec<&Pipeline> = wanted(config, &shop.code, event).collect();
        if event != Event::Placed {
            let said = Observation::of(order, event == Event::Canceled, received_at);
            let kept: Vec<&str> = pipelines.iter().map(|pipeline| pipeline.code.as_str()).collect();
            self.ledger.observe(&order.shop, &order.id, &said, &kept, clock::now()).await?;
        }
        if arrival.receive_count > 1 {
            self.end_orphans(config, event, arrival).await?;
        }
        if pipelines.is_empty() && event == Event::Placed {
            return self.skip(order, arrival.facts, "no pipeline takes orders of this shop").await;
        }
        // Each delivery begins with another pipeline, so that slow ones cannot keep the others from their turn.
        let turn = usize::try_from(arrival.receive_count).unwrap_or(0) % pipelines.len().max(1);
        pipelines.rotate_left(turn);
        let runs = stream::iter(pipelines).map(|pipeline| self.run(pipeline, arrival));
        Ok(runs.buffer_unordered(PIPELINES_AT_ONCE).fold(Verdict::Done, async |all, one| all.and(one)).await)
    }

    /// Exports that were begun for a pipeline that is no longer there for the shop, or by this message for one that no
    /// longer runs on its event, have nobody to end them.
    async fn end_orphans(&self, config: &Config, event: Event, arrival: Arrival<'_>) -> Result<(), LedgerError> {
        let order = arrival.order;
        for row in self.ledger.order(&order.shop, &order.id).await? {
            let is_ours = row.envelope == arrival.facts.envelope;
            let is_served = |pipeline: &Pipeline| {
                pipeline.code == row.key.pipeline
                    && pipeline.serves(&order.shop)
                    && (!is_ours || pipeline.on.contains(&event))
            };
            let is_open = matches!(row.status, Status::Pending | Status::Processing);
            if is_open && !config.pipelines.iter().any(is_served) {
                let reason = "the pipeline is no longer configured for this shop and event";
                if self.ledger.abandon(&row, reason, clock::now()).await? == Recorded::Written {
                    let (export, pipeline) = (row.key.idempotency_key(), &row.key.pipeline);
                    tracing::error!(export, "gave up on order {} of {} to {pipeline}: {reason}", order.id, order.shop);
                }
            }
        }
        Ok(())
    }

    async fn skip(&self, order: &Order, facts: &Facts, reason: &str) -> Result<Verdict, MessageError> {
        let key = ExportKey::new(&order.shop, &order.id, ExportKey::NO_PIPELINE);
        self.ledger.skip(&key, facts, reason, clock::now()).await?;
        tracing::info!(export = key.idempotency_key(), reason, "skipped order {} of {}", order.id, order.shop);
        Ok(Verdict::Done)
    }

    /// A cancellation or a refund that says no more than which order it is: there is nothing to export of it.
    async fn skip_named_only(
        &self,
        config: &Config,
        shop: &Shop,
        identity: &Identity,
        facts: &Facts,
        rows: &[Row],
    ) -> Result<Verdict, MessageError> {
        let is_new = |pipeline: &&Pipeline| !rows.iter().any(|row| row.key.pipeline == pipeline.code);
        for pipeline in wanted(config, &shop.code, identity.event).filter(is_new) {
            let key = ExportKey::new(&shop.code, &identity.order_id, &pipeline.code);
            self.ledger.skip(&key, facts, "the webhook names the order and says no more of it", clock::now()).await?;
        }
        Ok(Verdict::Done)
    }

    /// An order that cannot be read is an error of every export that it should have had.
    async fn refuse(
        &self,
        config: &Config,
        shop: &Shop,
        identity: &Identity,
        facts: &Facts,
        error: &BadOrder,
    ) -> Result<Verdict, MessageError> {
        let (order_id, reason) = (&identity.order_id, format!("the order cannot be read: {error}"));
        let mut pipelines: Vec<&str> =
            wanted(config, &shop.code, identity.event).map(|pipeline| pipeline.code.as_str()).collect();
        if pipelines.is_empty() && identity.event == Event::Placed {
            pipelines.push(ExportKey::NO_PIPELINE);
        }
        for pipeline in pipelines {
            let key = ExportKey::new(&shop.code, order_id, pipeline);
            self.ledger.reject(&key, facts, &reason, clock::now()).await?;
        }
        tracing::error!(shop = shop.code, order_id, error = %error, "order {order_id} of {} cannot be read", shop.code);
        Ok(Verdict::Done)
    }
}

/// An order whose number is longer than the ledger's index by number takes is as unreadable as one without.
fn within_limits(order: Order) -> Result<Order, BadOrder> {
    if order.number.chars().count() <= LONGEST_NUMBER {
        return Ok(order);
    }
    Err(BadOrder { path: "number".into(), expected: format!("expected at most {LONGEST_NUMBER} characters") })
}

/// The pipelines that an event runs for a shop's orders.
fn wanted<'a>(config: &'a Config, shop: &'a str, event: Event) -> impl Iterator<Item = &'a Pipeline> {
    config.pipelines.iter().filter(move |pipeline| pipeline.serves(shop) && pipeline.on.contains(&event))
}

fn unread_facts(identity: &Identity, payload: crate::ledger::Payload, envelope: Fields) -> Facts {
    Facts {
        number: identity.order_id.clone(),
        placed_at: None,
        order_state: None,
        payment_state: None,
        payment_method: None,
        is_unpaid: false,
        payload,
        envelope,
    }
}
