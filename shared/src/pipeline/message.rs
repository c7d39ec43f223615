//! From a message of the queue to its order, and through every pipeline that wants it.

use std::collections::BTreeSet;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream;
use jiff::Timestamp;
use tokio::sync::OnceCell;

use super::Keeper;
use super::keeper::with_order;
use super::reference::Missing;
use super::run::{Arrival, Runner};
use super::verdict::Verdict;
use crate::clock;
use crate::config::{Config, Pipeline, Shop};
use crate::ledger::{ExportKey, Facts, Fault, FindBy, LedgerError, Observation, Origin, PayloadStore, Recorded, Told};
use crate::order::Order;
use crate::queue::{BadEnvelope, Envelope, Fields, REDRIVEN, named_export};
use crate::webhook::{self, BadOrder, Body, Event, Identity, Rejection, Subject, Webhook};

/// Pipelines of one order that run at the same time.
const PIPELINES_AT_ONCE: usize = 16;
/// `DynamoDB` takes keys of an index up to 2048 bytes, and a character has at most four.
const LONGEST_NUMBER: usize = 512;

/// What was read of a webhook's body.
struct Found {
    identity: Identity,
    /// The order and whether it is a test, or why it cannot be read; nothing where the body only names it.
    read: Option<Result<(Order, bool), Missing>>,
}

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
    /// Takes a message's order through every pipeline that wants it, or the one export that it names.
    pub async fn process(
        &self,
        config: &Config,
        payloads: &PayloadStore,
        mut message: Message,
    ) -> Result<Verdict, MessageError> {
        // What is left is the envelope that the ledger keeps and recognises the webhook by.
        message.fields.remove(REDRIVEN);
        match named_export(&message.fields)? {
            Some(key) => self.process_export(config, payloads, &key, &message).await,
            None => self.process_webhook(config, payloads, message).await,
        }
    }

    async fn process_webhook(
        &self,
        config: &Config,
        payloads: &PayloadStore,
        message: Message,
    ) -> Result<Verdict, MessageError> {
        let envelope = Envelope::from_fields(&message.fields)?;
        let shop = config.shops.get(&envelope.shop).ok_or_else(|| MessageError::UnknownShop(envelope.shop.clone()))?;
        let owner = self.owner(&message);
        let Message { fields, body, receive_count, .. } = message;
        let raw = match &envelope.payload_key {
            Some(key) => payloads.read(key).await?,
            None => body.into_bytes(),
        };
        let webhook = Webhook { headers: &envelope.headers, topic: envelope.topic.as_deref(), body: &raw };
        let Found { identity, read } = match find(shop, webhook) {
            Ok(Some(found)) => found,
            Ok(None) => return Ok(Verdict::Done),
            Err(rejection) => return Err(MessageError::Poison(rejection.to_string())),
        };
        let (raw, missing) = match self.whole(shop, &identity.order_id, raw, receive_count).await {
            Ok(whole) => whole,
            Err(again) => return Ok(again),
        };
        let keeper = Keeper {
            ledger: &self.ledger,
            payloads,
            shop: &shop.code,
            order_id: &identity.order_id,
            raw: &raw,
            envelope: &fields,
            kept: OnceCell::new(),
        };
        let origin = Origin::of(&fields);
        let fetched = || order_of(shop, &raw, missing).map(|order| (order, shop.platform.is_test(&raw)));
        let (order, is_test) = match read.unwrap_or_else(fetched) {
            Ok(read) => read,
            Err(missing) => {
                let unread = unread_facts(&identity, envelope.received_at, origin, config.find_by);
                let unread = with_order(&unread, Some(&keeper)).await?;
                return match Observation::named(identity.event, unread.told) {
                    // Some platforms name the order that was deleted or refunded, and say no more of it.
                    Some(said) => self.note_named(config, shop, &identity, &unread, &said).await,
                    None => self.refuse(config, shop, &identity, &unread, &missing).await,
                };
            }
        };
        let happened = webhook::events(identity.event, &order);
        let told_at = webhook::told_at(&identity, Some(&order), envelope.received_at);
        let is_canceled = happened.contains(&Event::Canceled);
        let facts = Facts::of(&order, is_canceled, Told::by(&happened, told_at), origin, config.find_by);
        let arrival = Arrival {
            order: &order,
            facts: &facts,
            raw: &raw,
            headers: &envelope.headers,
            received_at: envelope.received_at,
            receive_count,
            owner: &owner,
            keeper: Some(&keeper),
            row: None,
        };
        if is_test {
            return self.skip(arrival, "a test notification of the platform").await;
        }
        let is_news = !happened.contains(&Event::Placed);
        self.dispatch(config, shop, &happened, is_news, arrival).await
    }

    /// Who holds the leases taken: this delivery of this message. Of the message's identifier, a UUID, the end will do.
    pub(super) fn owner(&self, message: &Message) -> String {
        let id = message.id.rsplit('-').next().unwrap_or_default();
        format!("{}/{id}/{}", self.invocation, message.receive_count)
    }

    async fn dispatch(
        &self,
        config: &Config,
        shop: &Shop,
        happened: &BTreeSet<Event>,
        is_news: bool,
        arrival: Arrival<'_>,
    ) -> Result<Verdict, MessageError> {
        let mut pipelines: Vec<&Pipeline> = wanted(config, &shop.code, happened).collect();
        let known = if is_news { Some(self.note(config, shop, happened, arrival).await?) } else { None };
        let (reopened, facts) = known.map(|known| (known.reopened, known.facts)).unwrap_or_default();
        pipelines.extend(reopened);
        let arrival = Arrival { facts: facts.as_ref().unwrap_or(arrival.facts), ..arrival };
        if arrival.receive_count > 1 {
            self.end_orphans(config, happened, arrival).await?;
        }
        if pipelines.is_empty() && !is_news {
            return self.skip(arrival, "no pipeline takes orders of this shop").await;
        }
        // Each delivery begins with another pipeline, so that slow ones cannot keep the others from their turn.
        let turn = usize::try_from(arrival.receive_count).unwrap_or(0) % pipelines.len().max(1);
        pipelines.rotate_left(turn);
        let begun: Vec<_> = pipelines.into_iter().map(|pipeline| (pipeline, self.record.begin())).collect();
        let runs = stream::iter(begun).map(|(pipeline, going)| self.run_begun(pipeline, arrival, going));
        Ok(runs.buffer_unordered(PIPELINES_AT_ONCE).fold(Verdict::Done, async |all, one| all.and(one)).await)
    }

    /// Exports that were begun for a pipeline that is no longer there for the shop, or by this message for one that no
    /// longer runs on its event, have nobody to end them.
    async fn end_orphans(
        &self,
        config: &Config,
        happened: &BTreeSet<Event>,
        arrival: Arrival<'_>,
    ) -> Result<(), LedgerError> {
        let order = arrival.order;
        for row in self.ledger.order(&order.shop, &order.id).await? {
            let is_ours = row.is_begun_by(&arrival.facts.origin.webhook);
            let is_served = |pipeline: &Pipeline| {
                pipeline.code == row.key.pipeline
                    && pipeline.serves(&order.shop)
                    && (!is_ours || !pipeline.on.is_disjoint(happened) || row.reopened_at.is_some())
            };
            if row.is_open() && !config.pipelines.iter().any(is_served) {
                let (reason, kept) =
                    ("the pipeline is no longer configured for this shop and event", arrival.kept().await?);
                let ended = self.ledger.abandon(&row, reason, Fault::Orphaned, kept, clock::now()).await?;
                if ended == Recorded::Written {
                    let (export, pipeline) = (row.key.idempotency_key(), &row.key.pipeline);
                    tracing::error!(export, "gave up on order {} of {} to {pipeline}: {reason}", order.id, order.shop);
                }
            }
        }
        Ok(())
    }

    async fn skip(&self, arrival: Arrival<'_>, reason: &str) -> Result<Verdict, MessageError> {
        let (order, facts) = (arrival.order, with_order(arrival.facts, arrival.keeper).await?);
        let key = ExportKey::new(&order.shop, &order.id, ExportKey::NO_PIPELINE);
        self.ledger.skip(&key, &facts, reason, clock::now()).await?;
        tracing::info!(export = key.idempotency_key(), reason, "skipped order {} of {}", order.id, order.shop);
        Ok(Verdict::Done)
    }

    /// An order that cannot be read is an error of every export that it should have had.
    async fn refuse(
        &self,
        config: &Config,
        shop: &Shop,
        identity: &Identity,
        facts: &Facts,
        Missing { error, fault }: &Missing,
    ) -> Result<Verdict, MessageError> {
        let (order_id, reason) = (&identity.order_id, format!("the order cannot be read: {error}"));
        let happened = BTreeSet::from([identity.event]);
        let mut pipelines: Vec<&str> =
            wanted(config, &shop.code, &happened).map(|pipeline| pipeline.code.as_str()).collect();
        if pipelines.is_empty() && identity.event == Event::Placed {
            pipelines.push(ExportKey::NO_PIPELINE);
        }
        for pipeline in pipelines {
            let key = ExportKey::new(&shop.code, order_id, pipeline);
            if self.ledger.reject(&key, facts, &reason, *fault, clock::now()).await? == Recorded::Written {
                self.tally.gave_up(pipeline);
            }
        }
        tracing::error!(shop = shop.code, order_id, error = %error, "order {order_id} of {} cannot be read", shop.code);
        // What else happened stands in an order that could not be had: the message goes to the dead letters, and from
        // there once more to the queue.
        Ok(if *fault == Fault::Exhausted { Verdict::Retry(Duration::ZERO) } else { Verdict::Done })
    }
}

/// Which order a webhook is about, and the order; nothing for a platform's test of the connection. The body is taken
/// apart once for all of it.
fn find(shop: &Shop, webhook: Webhook<'_>) -> Result<Option<Found>, Rejection> {
    let body = Body::parse(webhook.body);
    let Subject::Order(identity) = shop.platform.subject(webhook, Some(&body))? else { return Ok(None) };
    let read = || {
        let order = shop.platform.read_from(&shop.code, &body).and_then(within_limits).map_err(permanent)?;
        Ok((order, shop.platform.is_test_in(webhook.body, Some(&body))))
    };
    let is_whole = !shop.platform.is_reference(webhook.body);
    Ok(Some(Found { identity, read: is_whole.then(read) }))
}

/// The order in a webhook's body.
pub(super) fn read_order(shop: &Shop, raw: &[u8]) -> Result<Order, BadOrder> {
    shop.platform.read(&shop.code, raw).and_then(within_limits)
}

/// The order in a webhook's body, unless it is known already that there is none.
pub(super) fn order_of(shop: &Shop, raw: &[u8], missing: Option<Missing>) -> Result<Order, Missing> {
    missing.map_or_else(|| read_order(shop, raw).map_err(permanent), Err)
}

fn permanent(error: BadOrder) -> Missing {
    Missing { error, fault: Fault::Permanent }
}

/// An order whose number is longer than the ledger's index by number takes is as unreadable as one without.
fn within_limits(order: Order) -> Result<Order, BadOrder> {
    if order.number.chars().count() <= LONGEST_NUMBER {
        return Ok(order);
    }
    Err(BadOrder { path: "number".into(), expected: format!("expected at most {LONGEST_NUMBER} characters") })
}

/// The pipelines that run on what happened to a shop's orders.
pub(super) fn wanted<'a>(
    config: &'a Config,
    shop: &'a str,
    happened: &'a BTreeSet<Event>,
) -> impl Iterator<Item = &'a Pipeline> {
    config.pipelines.iter().filter(move |pipeline| pipeline.serves(shop) && !pipeline.on.is_disjoint(happened))
}

fn unread_facts(identity: &Identity, received_at: Timestamp, origin: Origin, find_by: FindBy) -> Facts {
    Facts {
        number: identity.order_id.clone(),
        placed_at: None,
        order_state: None,
        payment_state: None,
        payment_method: None,
        is_unpaid: false,
        told: Told::by(&[identity.event], webhook::told_at(identity, None, received_at)),
        customer: None,
        origin,
        kept: None,
        find_by,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_has_512_characters_at_most() {
        let order = crate::template::sample::order();
        for (length, is_taken) in [(LONGEST_NUMBER, true), (LONGEST_NUMBER + 1, false)] {
            let order = Order { number: "\u{1f34e}".repeat(length), ..order.clone() };
            assert_eq!(within_limits(order).is_ok(), is_taken, "{length}");
        }
    }
}
