//! Erasure on request (GDPR, article 17): of an order, or of all orders of a customer, nothing stays but that they were
//! erased. Nothing that names the order or the customer is logged.

mod find;
mod objects;
mod receipt;
mod request;

use std::collections::BTreeSet;

use jiff::Timestamp;
use ordersync::clock;
use ordersync::config::Config;
use ordersync::ledger::{ExportKey, Recorded, Row, Status};
use ordersync::schedule::{Report, Run};

use crate::bucket::Target;
use crate::failed::Failed;
use crate::handler::Cleanup;
use crate::patience::patiently;

use find::Found;
pub(crate) use receipt::Erasure;
use receipt::{Receipt, Tally};
pub(crate) use request::Request;

/// An order: its shop and the platform's identifier.
type Order = (String, String);

/// The exports of an order that is to be erased.
#[derive(Debug, Default)]
struct Exports {
    /// To be erased.
    open: Vec<Row>,
    /// Somebody holds the lease and is trying them right now.
    busy: Vec<Row>,
    /// Erased before.
    erased: Vec<Row>,
}

impl Exports {
    fn of(rows: Vec<Row>, now: Timestamp) -> Self {
        let mut exports = Self::default();
        for row in rows {
            let is_held = row.status == Status::Processing && row.lease_until.is_some_and(|until| until > now);
            match (row.erased_at, is_held) {
                (Some(_), _) => exports.erased.push(row),
                (None, true) => exports.busy.push(row),
                (None, false) => exports.open.push(row),
            }
        }
        exports
    }

    fn all(&self) -> impl Iterator<Item = &Row> {
        self.open.iter().chain(&self.busy).chain(&self.erased)
    }
}

impl Cleanup {
    /// Erases what is asked for, as far as time allows, and writes the receipt. In a dry run only says how much it is.
    pub(crate) async fn erase(&self, run: &Run, request: &Request) -> Result<(Report, Option<Erasure>), Failed> {
        let Found { orders, is_cut_short } = self.find(run, request).await.map_err(Failed::unnamed)?;
        let config = self.config.current().await;
        let id = receipt::new_id();
        let mut tally = Tally { left: u64::from(is_cut_short), ..Tally::default() };
        if is_cut_short {
            tracing::error!(
                receipt = id,
                "the table was not read to its end: an index finds orders at once (ledger.find_by)"
            );
        }
        for (done, order) in orders.iter().enumerate() {
            if !run.has_time() {
                tally.left = (orders.len() - done) as u64 + u64::from(is_cut_short);
                break;
            }
            tally.orders += 1;
            if let Err(error) = self.erase_order(run, &config, order, &mut tally).await {
                let error = error.unnamed();
                tracing::error!(receipt = id, error = %error, "an order is not erased: {error}");
                tally.failed += 1;
            }
        }
        if run.dry_run {
            return Ok((tally.report(run), None));
        }
        let receipt = Receipt::of(id, clock::now(), request, tally);
        let is_stored = self.store(&receipt).await;
        let report = receipt.tally.report(run);
        Ok((report, Some(Erasure::of(receipt, is_stored))))
    }

    /// First the objects, then the rows: what falls in between is found again by its rows.
    async fn erase_order(
        &self,
        run: &Run,
        config: &Config,
        (shop, order_id): &Order,
        tally: &mut Tally,
    ) -> Result<(), Failed> {
        let rows = patiently(run.deadline(), async || self.ledger.outlines(shop, order_id).await).await?;
        let exports = Exports::of(rows, clock::now());
        tally.before += exports.erased.len() as u64;
        let found = self.objects_of(shop, order_id, &exports).await?;
        if run.dry_run {
            tally.busy += exports.busy.len() as u64;
            tally.rows += exports.open.len() as u64;
            tally.objects += found.versions.len() as u64;
            tally.packs += found.packs.len() as u64;
            return Ok(());
        }
        for (key, export) in &found.packs {
            tally.packs += u64::from(self.bucket.take_out(key, export).await?);
        }
        self.remove_versions(run, found.versions, tally).await?;
        for row in &exports.open {
            let recorded = patiently(run.deadline(), async || self.ledger.erase(row, clock::now()).await).await?;
            tally.rows += u64::from(recorded == Recorded::Written);
        }
        self.bar(run, config, shop, order_id, &exports).await?;
        // What somebody took or began while this was done is not erased. From here on nothing more can begin.
        let rows = patiently(run.deadline(), async || self.ledger.outlines(shop, order_id).await).await?;
        let exports = Exports::of(rows, clock::now());
        tally.busy += (exports.open.len() + exports.busy.len()) as u64;
        // A webhook that came meanwhile may have left its payload before it found the rows erased.
        let late = self.payloads_of(shop, order_id, &exports).await?;
        self.remove_versions(run, late, tally).await
    }

    async fn remove_versions(&self, run: &Run, targets: BTreeSet<Target>, tally: &mut Tally) -> Result<(), Failed> {
        let fates = self.bucket.delete(targets, run.deadline()).await;
        tally.objects += fates.values().filter(|fate| fate.is_ok()).count() as u64;
        match fates.into_values().find_map(Result::err) {
            Some(refused) => Err(refused.into()),
            None => Ok(()),
        }
    }

    /// Exports that the order has not had yet are not begun either by what comes late: a pipeline may run on its payment,
    /// or be new. Of an order without rows nothing is known, not even that it exists, so it is left alone.
    async fn bar(
        &self,
        run: &Run,
        config: &Config,
        shop: &str,
        order_id: &str,
        exports: &Exports,
    ) -> Result<(), Failed> {
        let known: BTreeSet<&str> = exports.all().map(|row| row.key.pipeline.as_str()).collect();
        if known.is_empty() {
            return Ok(());
        }
        let served = config.pipelines.iter().filter(|pipeline| pipeline.serves(shop));
        let codes = served.map(|pipeline| pipeline.code.as_str()).chain([ExportKey::NO_PIPELINE]);
        for code in codes.filter(|code| !known.contains(code)) {
            let key = ExportKey::new(shop, order_id, code);
            patiently(run.deadline(), async || self.ledger.bar(&key, clock::now()).await).await?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
