//! Erasure on request (GDPR, article 17): of an order, or of all orders of a customer, nothing stays but that they were
//! erased. Nothing that names the order or the customer is logged.

mod find;
mod receipt;
mod request;

use std::collections::BTreeSet;

use jiff::Timestamp;
use ordersync::clock;
use ordersync::config::Config;
use ordersync::ledger::{ExportKey, Recorded, Row, Status, stored_payloads};
use ordersync::schedule::{Report, Run};

use crate::bucket::{Refused, Target, Version};
use crate::failed::Failed;
use crate::handler::Cleanup;
use crate::patience::patiently;
use crate::plan::{own_document, payload_key};

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
        let orders = self.find(run, request).await.map_err(Failed::unnamed)?;
        let config = self.config.current().await;
        let id = receipt::new_id();
        let mut tally = Tally::default();
        for (done, order) in orders.iter().enumerate() {
            if !run.has_time() {
                tally.left = (orders.len() - done) as u64;
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
        let targets = self.objects_of(shop, order_id, &exports).await?;
        if run.dry_run {
            tally.busy += exports.busy.len() as u64;
            tally.rows += exports.open.len() as u64;
            tally.objects += targets.len() as u64;
            return Ok(());
        }
        self.remove_versions(run, targets, tally).await?;
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

    /// Every version of what the bucket has of an order, but for what an export that is being tried needs.
    async fn objects_of(&self, shop: &str, order_id: &str, exports: &Exports) -> Result<BTreeSet<Target>, Refused> {
        let mut targets = self.payloads_of(shop, order_id, exports).await?;
        let busy_inbound: BTreeSet<&str> = exports.busy.iter().filter_map(inbound_key).collect();
        let inbound: BTreeSet<&str> = exports.open.iter().filter_map(inbound_key).collect();
        for key in inbound.difference(&busy_inbound) {
            targets.extend(self.bucket.versions_of(key).await?.into_iter().map(|version| version.target));
        }
        for row in &exports.open {
            if let Some(key) = own_document(row, self.bucket.name()) {
                targets.extend(self.documents_of(row, key).await?);
            }
        }
        Ok(targets)
    }

    /// Every version of an order's payloads.
    async fn payloads_of(&self, shop: &str, order_id: &str, exports: &Exports) -> Result<BTreeSet<Target>, Refused> {
        let busy: BTreeSet<&str> = exports.busy.iter().filter_map(payload_key).collect();
        let versions = self.bucket.versions_under(&stored_payloads(shop, order_id)).await?;
        let targets = versions.into_iter().map(|version| version.target);
        Ok(targets.filter(|target| !busy.contains(target.key.as_str())).collect())
    }

    /// The versions of an exported object that this export wrote: under a key that does not depend on the order alone,
    /// others have written too. With them go the markers that hide them, unless one hides another export's version.
    async fn documents_of(&self, row: &Row, key: &str) -> Result<BTreeSet<Target>, Refused> {
        let (markers, versions): (Vec<Version>, Vec<Version>) =
            self.bucket.versions_of(key).await?.into_iter().partition(|version| version.is_marker);
        let (own, mut targets) = (Some(row.key.idempotency_key()), BTreeSet::new());
        let mut is_all_own = true;
        for Version { target, .. } in versions {
            match self.bucket.head(key, target.version.as_deref()).await? {
                Some(head) if head.written_by == own => {
                    targets.insert(target);
                }
                Some(_) => is_all_own = false,
                None => {}
            }
        }
        if is_all_own {
            targets.extend(markers.into_iter().map(|marker| marker.target));
        }
        Ok(targets)
    }
}

/// The key of the webhook's body as it came, where no message could carry it.
fn inbound_key(row: &Row) -> Option<&str> {
    let key = row.envelope.get("payload_key")?;
    key.starts_with(ordersync::queue::INBOUND_PREFIX).then_some(key)
}

#[cfg(test)]
mod tests;
