//! What a shop says of an order after it was placed: noted in the ledger, in the order in which the shop said it.

use std::collections::BTreeSet;

use super::message::{MessageError, wanted};
use super::run::{Arrival, Runner, Verdict};
use crate::clock;
use crate::config::{Config, Pipeline, Shop};
use crate::ledger::{ExportKey, Facts, LedgerError, Observation, Row};
use crate::webhook::{Event, Identity};

impl Runner {
    /// Notes what a webhook with the whole order says, also where the order's own webhook has not come yet.
    pub(super) async fn note(
        &self,
        config: &Config,
        shop: &Shop,
        is_canceled: bool,
        run_by_it: &[&Pipeline],
        arrival: Arrival<'_>,
    ) -> Result<(), LedgerError> {
        let (order, facts, now) = (arrival.order, arrival.facts, clock::now());
        let said = Observation::of(order, is_canceled, facts.told);
        let kept: Vec<&str> = run_by_it.iter().map(|pipeline| pipeline.code.as_str()).collect();
        let rows = self.ledger.observe(&order.shop, &order.id, &said, &kept, now).await?;
        if is_canceled {
            self.end_unseen(config, shop, &order.id, facts, &kept, &rows).await?;
        } else if rows.is_empty() && run_by_it.is_empty() {
            let key = ExportKey::new(&order.shop, &order.id, ExportKey::NO_PIPELINE);
            self.ledger.skip(&key, facts, "the order's own webhook has not come yet", now).await?;
        }
        Ok(())
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
        let order_id = &identity.order_id;
        let rows = self.ledger.observe(&shop.code, order_id, said, &[], clock::now()).await?;
        if said.is_canceled {
            self.end_unseen(config, shop, order_id, facts, &[], &rows).await?;
        }
        let happened = BTreeSet::from([identity.event]);
        let is_new = |pipeline: &&Pipeline| !rows.iter().any(|row| row.key.pipeline == pipeline.code);
        for pipeline in wanted(config, &shop.code, &happened).filter(is_new) {
            let key = ExportKey::new(&shop.code, order_id, &pipeline.code);
            self.ledger.skip(&key, facts, "the webhook names the order and says no more of it", clock::now()).await?;
        }
        Ok(Verdict::Done)
    }

    /// Exports that a cancelled order has not had yet: should its own webhook come late, it begins none of them.
    async fn end_unseen(
        &self,
        config: &Config,
        shop: &Shop,
        order_id: &str,
        facts: &Facts,
        kept: &[&str],
        rows: &[Row],
    ) -> Result<(), LedgerError> {
        let placed = BTreeSet::from([Event::Placed]);
        let has_row = |pipeline: &str| rows.iter().any(|row| row.key.pipeline == pipeline);
        let codes = wanted(config, &shop.code, &placed).map(|pipeline| pipeline.code.as_str());
        for pipeline in codes.filter(|pipeline| !kept.contains(pipeline) && !has_row(pipeline)) {
            self.ledger.end_unseen(&ExportKey::new(&shop.code, order_id, pipeline), facts, clock::now()).await?;
        }
        Ok(())
    }
}
