//! What a shop says of an order after it was placed: noted in the ledger, in the order in which the shop said it.

use std::collections::BTreeSet;

use super::Keeper;
use super::keeper::with_order;
use super::message::{MessageError, wanted};
use super::run::{Arrival, Runner};
use super::verdict::Verdict;
use crate::clock;
use crate::config::{Config, Pipeline, Shop};
use crate::ledger::{ExportKey, Facts, LedgerError, Observation, Row};
use crate::webhook::{Event, Identity};

/// Pipelines whose exports of an order a webhook still to come would begin, if nobody knew better: its own one, and of a
/// cancelled order any one that was said before.
fn expected<'a>(config: &'a Config, shop: &'a str, is_canceled: bool) -> impl Iterator<Item = &'a Pipeline> {
    let is_expected = move |pipeline: &&Pipeline| {
        if is_canceled { !pipeline.outlives_cancellation() } else { pipeline.on.contains(&Event::Placed) }
    };
    config.pipelines.iter().filter(move |pipeline| pipeline.serves(shop)).filter(is_expected)
}

/// What the ledger knows of an order when something is said of it.
#[derive(Debug)]
pub(super) struct Known<'a> {
    /// The pipelines whose exports the webhook makes beside those of its event: a cancellation had ended them, and is
    /// taken back.
    pub(super) reopened: Vec<&'a Pipeline>,
    /// What is to be recorded of the order's state in place of what the webhook says, where something later is known.
    pub(super) facts: Option<Facts>,
}

impl Runner {
    /// Notes what a webhook with the whole order says, also where the order's own webhook has not come yet.
    pub(super) async fn note<'a>(
        &self,
        config: &'a Config,
        shop: &Shop,
        happened: &BTreeSet<Event>,
        arrival: Arrival<'_>,
    ) -> Result<Known<'a>, LedgerError> {
        let (order, facts) = (arrival.order, arrival.facts);
        let said = Observation::of(order, happened.contains(&Event::Canceled), facts.told);
        let rows = self.note_in_rows(config, shop, &order.id, (facts, arrival.keeper), &said, happened).await?;
        let is_run_anyway = |pipeline: &Pipeline| !pipeline.on.is_disjoint(happened);
        let is_reopened = |pipeline: &&Pipeline| {
            let row = rows.iter().find(|row| row.key.pipeline == pipeline.code);
            pipeline.serves(&shop.code) && !is_run_anyway(pipeline) && row.is_some_and(|row| row.is_reopened_by(&said))
        };
        let latest = rows.iter().filter(|row| row.observed > Some(said.told)).max_by_key(|row| row.observed);
        Ok(Known {
            reopened: config.pipelines.iter().filter(is_reopened).collect(),
            facts: latest.map(|row| facts.with_state_of(row)),
        })
    }

    /// Notes what a webhook says that names an order and says no more of it: there is nothing to export.
    pub(super) async fn note_named(
        &self,
        config: &Config,
        shop: &Shop,
        identity: &Identity,
        facts: &Facts,
        said: &Observation,
    ) -> Result<Verdict, MessageError> {
        let (order_id, happened) = (&identity.order_id, BTreeSet::from([identity.event]));
        let (order_state, payment_state) = (said.order_state.clone(), said.payment_state.clone());
        let facts = &Facts { order_state, payment_state, ..facts.clone() };
        let rows = self.note_in_rows(config, shop, order_id, (facts, None), said, &happened).await?;
        let is_new = |pipeline: &&Pipeline| !rows.iter().any(|row| row.key.pipeline == pipeline.code);
        for pipeline in wanted(config, &shop.code, &happened).filter(is_new) {
            let key = ExportKey::new(&shop.code, order_id, &pipeline.code);
            self.ledger.skip(&key, facts, "the webhook names the order and says no more of it", clock::now()).await?;
        }
        Ok(Verdict::Done)
    }

    /// Notes it in every row of the order, and for every export that there is none of yet. The rows as they were.
    async fn note_in_rows(
        &self,
        config: &Config,
        shop: &Shop,
        order_id: &str,
        (facts, keeper): (&Facts, Option<&Keeper<'_>>),
        said: &Observation,
        happened: &BTreeSet<Event>,
    ) -> Result<Vec<Row>, LedgerError> {
        let now = clock::now();
        let kept = config.pipelines.iter().filter(|pipeline| pipeline.outlives_cancellation());
        let kept: Vec<&str> = kept.map(|pipeline| pipeline.code.as_str()).collect();
        let rows = self.ledger.observe(&shop.code, order_id, said, &kept, now).await?;
        let has_row = |pipeline: &Pipeline| rows.iter().any(|row| row.key.pipeline == pipeline.code);
        let is_run = |pipeline: &Pipeline| !pipeline.on.is_disjoint(happened);
        let unseen = |pipeline: &&Pipeline| !has_row(pipeline) && !is_run(pipeline);
        let mut is_anywhere = !rows.is_empty() || wanted(config, &shop.code, happened).next().is_some();
        for pipeline in expected(config, &shop.code, said.is_canceled).filter(unseen) {
            let key = ExportKey::new(&shop.code, order_id, &pipeline.code);
            self.ledger.foresee(&key, &with_order(facts, keeper).await?, said, now).await?;
            is_anywhere = true;
        }
        if !is_anywhere {
            let key = ExportKey::new(&shop.code, order_id, ExportKey::NO_PIPELINE);
            let facts = with_order(facts, keeper).await?;
            self.ledger.skip(&key, &facts, "no pipeline takes orders of this shop", now).await?;
        }
        Ok(rows)
    }
}

#[cfg(test)]
mod tests;
