//! Unpaid orders that are cancelled at the shop: finding them, holding one while the shop is asked, and putting on
//! record what came of it.

use jiff::Timestamp;

use super::due::again_at;
use super::facts::capped;
use super::keys::{self, Item, export_key};
use super::pages::Pages;
use super::{
    ExportKey, Facts, FindBy, Kept, Ledger, LedgerError, Observation, Origin, Recorded, Row, Status, Told, transition,
};
use crate::queue::{Envelope, Fields};
use crate::shop::OrderState;
use crate::webhook::Event;

/// What the index of unpaid orders holds of an export.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unpaid {
    /// Which export.
    pub key: ExportKey,
    /// When the customer placed the order.
    pub placed_at: Timestamp,
    /// The platform's code of the payment method.
    pub payment_method: Option<String>,
    /// The platform's word for the order's state when it was last told.
    pub order_state: Option<String>,
    /// Not before then is the order tried to be cancelled again.
    pub cancel_after: Option<Timestamp>,
}

/// What is known of an order that has a row in the index of unpaid orders: by what the shop said last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// The row that says who tries to cancel the order, and until when: the first by pipeline of those in the index.
    pub key: ExportKey,
    /// The number that the customer and the merchant see.
    pub number: String,
    /// When the customer placed it.
    pub placed_at: Timestamp,
    /// The platform's code of the payment method.
    pub payment_method: Option<String>,
    /// The platform's word for the order's state.
    pub order_state: Option<String>,
    /// The platform's word for the payment's state.
    pub payment_state: Option<String>,
    /// Whether something is left to pay. If not, a row is in the index that knows less than another one.
    pub is_unpaid: bool,
    /// Whether it was cancelled.
    pub is_canceled: bool,
    /// When the shop said so.
    pub told: Option<Told>,
    /// States of its exports.
    pub exports: Vec<Status>,
    /// Tries to cancel it so far.
    pub tries: u32,
    /// Not before then is it tried again.
    pub after: Option<Timestamp>,
}

impl Standing {
    /// What the rows of an order say together; nothing where none of them is in the index.
    pub fn of(rows: &[Row]) -> Option<Self> {
        let first = rows.iter().filter(|row| row.is_unpaid).min_by_key(|row| &row.key.pipeline)?;
        // A row of a webhook that could not be read knows nothing of the order.
        let is_read = |row: &&Row| row.placed_at.is_some();
        // Of two that know the same, the other one was set aside, and this one was put back.
        let latest = rows.iter().filter(is_read).max_by_key(|row| (row.observed, row.is_unpaid))?;
        let is_export = |row: &&Row| row.key.pipeline != ExportKey::NO_PIPELINE;
        let canceled = |told: Told| told.rank == Told::by(&[Event::Canceled], told.at).rank;
        Some(Self {
            key: first.key.clone(),
            number: latest.number.clone(),
            placed_at: latest.placed_at?,
            payment_method: latest.payment_method.clone(),
            order_state: latest.order_state.clone(),
            payment_state: latest.payment_state.clone(),
            is_unpaid: latest.is_unpaid,
            is_canceled: latest.observed.is_some_and(canceled),
            told: latest.observed,
            exports: rows.iter().filter(is_export).map(|row| row.status).collect(),
            tries: first.cancellation.as_ref().map_or(0, |tried| tried.tries),
            after: rows.iter().filter_map(|row| Some(row.cancellation.as_ref()?.after)).max(),
        })
    }

    /// The same as an observation, for the rows that have not heard of it.
    pub fn observation(&self) -> Option<Observation> {
        Some(Observation {
            order_state: self.order_state.clone(),
            payment_state: self.payment_state.clone(),
            payment_method: self.payment_method.clone(),
            is_unpaid: self.is_unpaid,
            is_canceled: self.is_canceled,
            told: self.told?,
        })
    }
}

impl Observation {
    /// What the shop says of an order when it is asked at `now`. It is never older than what was `known` when it was
    /// asked: shops whose clock or whose time of the last change lags behind would else not be heard.
    pub fn asked(state: &OrderState, known: Option<Told>, now: Timestamp) -> Self {
        let event = match state {
            OrderState { is_canceled: true, .. } => Event::Canceled,
            OrderState { is_paid: true, .. } => Event::Paid,
            _ => Event::Updated,
        };
        let told = Told::by(&[event], state.updated_at.unwrap_or(now));
        let told = match known {
            Some(known) if known.at >= told.at => Told { at: known.at, rank: told.rank.max(known.rank) },
            _ => told,
        };
        Self {
            order_state: capped(state.order_state.as_ref()),
            payment_state: capped(state.payment_state.as_ref()),
            payment_method: capped(state.payment_method.as_ref()),
            is_unpaid: !state.is_paid && !state.is_canceled,
            is_canceled: state.is_canceled,
            told,
        }
    }
}

impl Facts {
    /// The facts of an export that tells of a cancellation which ordersync learned of without a webhook: the order as
    /// the latest webhook of it had it. Nothing where no raw order is kept any more.
    pub fn of_cancellation(rows: &[Row], said: &Observation, find_by: FindBy) -> Option<Self> {
        let is_whole = |row: &&Row| row.placed_at.is_some() && row.payload.is_some();
        let envelopes = rows.iter().filter(is_whole).filter_map(|row| Some((row, envelope(&row.envelope)?)));
        let (row, mut envelope) = envelopes.max_by_key(|(_, envelope)| envelope.received_at)?;
        envelope.event = Some(Event::Canceled);
        Some(Self {
            number: row.number.clone(),
            placed_at: row.placed_at,
            order_state: said.order_state.clone().or_else(|| row.order_state.clone()),
            payment_state: said.payment_state.clone().or_else(|| row.payment_state.clone()),
            payment_method: said.payment_method.clone().or_else(|| row.payment_method.clone()),
            is_unpaid: false,
            told: said.told,
            customer: row.customer.clone(),
            origin: Origin::of(&envelope.fields()),
            kept: Some(Kept { payload: row.payload.clone()?, envelope: envelope.fields() }),
            find_by,
        })
    }
}

fn envelope(fields: &Fields) -> Option<Envelope> {
    Envelope::from_fields(fields).ok()
}

impl Pages {
    /// The next page of unpaid orders.
    pub async fn unpaid(&mut self) -> Result<Option<Vec<Unpaid>>, LedgerError> {
        let Some(items) = self.items().await? else { return Ok(None) };
        items.iter().map(unpaid).collect::<Result<_, _>>().map(Some)
    }
}

fn unpaid(item: &Item) -> Result<Unpaid, LedgerError> {
    let key = export_key(item)?;
    let text = |name: &str| item.get(name).and_then(|value| value.as_s().ok()).cloned();
    let time = |name: &str| text(name).and_then(|text| text.parse::<Timestamp>().ok());
    let bad = || LedgerError::BadRow { key: key.idempotency_key(), expected: "a time in placed_at".into() };
    Ok(Unpaid {
        placed_at: time("placed_at").ok_or_else(bad)?,
        payment_method: text("payment_method"),
        order_state: text("order_state"),
        cancel_after: time("cancel_after"),
        key,
    })
}

impl Ledger {
    /// The rows of unpaid orders that were placed at `until` or before, oldest first, shard by shard.
    pub fn unpaid(&self, shard: u64, until: Timestamp) -> Pages {
        self.pages(keys::UNPAID, ("unpaid_key", &format!("unpaid#{shard}")), Some(("placed_at", until)))
    }

    /// Takes an unpaid order to cancel it, until `until`: of several that try, one succeeds. Counts a try.
    pub async fn hold(&self, order: &Standing, until: Timestamp, now: Timestamp) -> Result<Option<Hold>, LedgerError> {
        let hold = Hold { key: order.key.clone(), tries: order.tries + 1, until };
        let recorded = self.untouched(&order.key, transition::hold(&hold, now)).await?;
        Ok((recorded == Recorded::Written).then_some(hold))
    }

    /// Has a held order wait until `after`, with `tries` counted, and records why.
    pub async fn postpone(
        &self,
        hold: &Hold,
        tries: u32,
        after: Timestamp,
        outcome: &str,
    ) -> Result<Recorded, LedgerError> {
        self.untouched(&hold.key, transition::postpone(hold, tries, after, outcome)).await
    }

    /// Records what came of a held order's cancellation, which is over.
    pub async fn conclude(&self, hold: &Hold, outcome: &str) -> Result<Recorded, LedgerError> {
        self.untouched(&hold.key, transition::conclude(hold, outcome)).await
    }

    /// Lets go of a held order that is not to be cancelled, as if nothing had been tried.
    pub async fn let_go(&self, hold: &Hold) -> Result<Recorded, LedgerError> {
        self.untouched(&hold.key, transition::let_go(hold)).await
    }

    /// Records that a held order is not to be tried again until the shop says something new of it, and why. `known` is
    /// what the shop had last said when it was held: rows that have heard more since are left to the next run.
    pub async fn refuse_to_cancel(&self, hold: &Hold, known: Option<Told>, outcome: &str) -> Result<(), LedgerError> {
        let mut rows = self.order(&hold.key.shop, &hold.key.order_id).await?;
        // The row with the hold comes last: should this end before, the order is still found.
        rows.sort_by_key(|row| row.key == hold.key);
        for row in rows.iter().filter(|row| row.is_unpaid && row.observed <= known) {
            let outcome = (row.key == hold.key).then_some(outcome);
            self.untouched(&row.key, transition::set_aside(row, outcome)).await?;
        }
        Ok(())
    }

    /// Has a pipeline export a cancellation, unless it has done something about the order already. The caller sends the
    /// export's message and says so by [`Ledger::settle`] with the same `now`.
    pub async fn announce(&self, key: &ExportKey, facts: &Facts, now: Timestamp) -> Result<Recorded, LedgerError> {
        let announce = |state| transition::announce(key, facts, state, again_at(now), now);
        Ok(self.first(key, announce).await?.into())
    }

    /// Records that the filter declines an export that was announced and not tried yet.
    pub async fn decline(&self, row: &Row, reason: &str, now: Timestamp) -> Result<Recorded, LedgerError> {
        self.untouched(&row.key, transition::decline(row, reason, now, self.retention)).await
    }
}

/// The right to cancel an order, until a time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hold {
    pub(super) key: ExportKey,
    pub(super) until: Timestamp,
    /// Number of this try, from 1.
    pub tries: u32,
}

#[cfg(test)]
mod tests;
