//! Removing what has been kept long enough: through the table to orders, from these to their objects and rows. No index
//! leads there: an entry for each export that is over would cost as much as its row.

mod lost;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use futures_util::{StreamExt, stream};
use jiff::Timestamp;
use ordersync::clock;
use ordersync::ledger::{ExportKey, Removed, Row, STORED_PAYLOADS, WalkPlace, Wanted, stored_payloads};
use ordersync::schedule::{Report, Run};
use tokio::time::Instant;

use crate::bucket::{Fates, Object, Refused, Target};
use crate::failed::Failed;
use crate::handler::Cleanup;
use crate::patience::patiently;
use crate::plan::{Plan, own_document, payload_key};
use crate::policy::{Policy, is_lost};

/// Orders that are worked on at the same time.
const AT_ONCE: usize = 16;
/// No page is begun with less time left: enough to ask a few times for what is throttled.
const LEAST: Duration = Duration::from_secs(10);
/// Under which name it is kept where a run stopped.
const WALK: &str = "cleanup";

/// One run of it.
struct Sweep<'a> {
    cleanup: &'a Cleanup,
    run: &'a Run,
    policy: Policy<'a>,
    now: Timestamp,
    stored: Stored,
}

/// The payloads of orders in the bucket. Most orders have none there, and to ask for each costs as much as to remove its
/// rows.
enum Stored {
    /// All there are, as one request told.
    Whole(Vec<Object>),
    /// Too many for one request, so that each order is asked for.
    Large,
}

/// An order of which something goes.
struct Doomed {
    plan: Plan,
    objects: Vec<Object>,
}

impl Cleanup {
    /// Removes the exports that have been kept long enough, with what belongs to them, and ends those that nobody comes for
    /// any more. Where a run stops, the next one goes on.
    pub(crate) async fn sweep(&self, run: &Run) -> Report {
        let config = self.config.current().await;
        let policy = Policy { settings: &config.cleanup, default: self.retention };
        let stored = match self.bucket.first_objects(STORED_PAYLOADS).await {
            Ok((objects, true)) => Stored::Whole(objects),
            // What is wrong with the bucket shows with each order.
            Ok((_, false)) | Err(_) => Stored::Large,
        };
        let sweep = Sweep { cleanup: self, run, policy, now: clock::now(), stored };
        // A dry run tells of all there is.
        if run.dry_run {
            return sweep.walk(None).await.0;
        }
        let from = match patiently(run.deadline(), async || self.ledger.walked_to(WALK).await).await {
            Ok(from) => from,
            Err(error) => {
                tracing::error!(error = %error, "where the last run stopped cannot be read, so this one begins anew: {error}");
                None
            }
        };
        let (mut report, stopped_at) = sweep.walk(from.clone()).await;
        if stopped_at != from
            && let Err(error) = self.ledger.remember_walk(WALK, stopped_at.as_ref(), clock::now()).await
        {
            tracing::error!(error = %error, "where this run stopped is not recorded, the next one repeats it: {error}");
            report.failed(1);
        }
        report
    }
}

impl Sweep<'_> {
    /// Walks through the table as far as time allows. Returns where the next run goes on, nothing for the beginning.
    async fn walk(&self, from: Option<WalkPlace>) -> (Report, Option<WalkPlace>) {
        let mut report = self.run.report();
        let cutoffs = self.policy.cutoffs(self.now);
        let mut walk = self.cleanup.ledger.walk(Wanted::Since(&cutoffs), from.as_ref());
        let mut done_to = from;
        let is_whole = loop {
            if Instant::now() + LEAST > self.run.deadline() {
                break false;
            }
            match patiently(self.run.deadline(), async || walk.page().await).await {
                Ok(None) => break true,
                Ok(Some(page)) => report.merge(self.page(&page).await),
                Err(error) => {
                    tracing::error!(error = %error, "exports cannot be looked for: {error}");
                    report.failed(1);
                    break false;
                }
            }
            // What of a page there was no time for is met again.
            if self.run.has_time() {
                done_to = walk.place();
            }
        };
        report.failed(walk.passed_over());
        report.count("passes_finished", u64::from(is_whole));
        tracing::info!(
            is_whole,
            "cleanup {}",
            if is_whole { "has been through the whole table" } else { "goes on there next time" }
        );
        (report, done_to.filter(|_| !is_whole))
    }

    /// First the objects of all orders of a page together, then their rows: what falls in between is found again by its
    /// row, while an object without a row would stay for ever.
    async fn page(&self, page: &[ExportKey]) -> Report {
        let mut report = self.run.report();
        let mut orders: BTreeMap<(&str, &str), BTreeSet<&str>> = BTreeMap::new();
        for ExportKey { shop, order_id, pipeline } in page {
            orders.entry((shop, order_id)).or_default().insert(pipeline);
        }
        let looked = stream::iter(orders).map(|((shop, order_id), pipelines)| self.look(shop, order_id, pipelines));
        let mut doomed = Vec::new();
        for (part, order) in looked.buffer_unordered(AT_ONCE).collect::<Vec<_>>().await {
            report.merge(part);
            doomed.extend(order);
        }
        let targets =
            doomed.iter().flat_map(|order| &order.objects).map(|object| Target::object(&object.key)).collect();
        let fates = if self.run.dry_run {
            Fates::new()
        } else {
            self.cleanup.bucket.delete(targets, self.run.deadline()).await
        };
        let removed = stream::iter(&doomed).map(|order| self.remove(order, &fates));
        removed
            .buffer_unordered(AT_ONCE)
            .fold(report, async |mut report, part| {
                report.merge(part);
                report
            })
            .await
    }

    /// What goes of an order that `pipelines` lead to.
    async fn look(&self, shop: &str, order_id: &str, pipelines: BTreeSet<&str>) -> (Report, Option<Doomed>) {
        let mut report = self.run.report();
        if !self.run.has_time() {
            report.left(1);
            return (report, None);
        }
        let doomed = match self.doom(shop, order_id).await {
            Ok((order, lost)) => {
                // Each is met once.
                for key in lost.iter().filter(|key| pipelines.contains(key.pipeline.as_str())) {
                    report.merge(self.lose(key).await);
                }
                Ok(order)
            }
            Err(error) => Err(error),
        };
        match doomed {
            // Where nothing is removed, the order is met again by each of its exports, and counted by one.
            Ok(order) if self.run.dry_run && !order.plan.is_led_to_by(&pipelines) => (report, None),
            Ok(order) => {
                report.saw(order.plan.due.len() as u64);
                (report, Some(order).filter(|order| !order.plan.due.is_empty()))
            }
            Err(error) => {
                tracing::error!(shop, order_id, error = %error, "order {order_id} of {shop} cannot be looked at: {error}");
                report.failed(1);
                (report, None)
            }
        }
    }

    /// What goes of an order, and which of its exports nobody comes for.
    async fn doom(&self, shop: &str, order_id: &str) -> Result<(Doomed, Vec<ExportKey>), Failed> {
        let Cleanup { ledger, bucket, .. } = self.cleanup;
        let rows = patiently(self.run.deadline(), async || ledger.outlines(shop, order_id).await).await?;
        let lost = rows.iter().filter(|row| is_lost(row, self.now)).map(|row| row.key.clone()).collect();
        let plan = Plan::of(rows, self.policy, self.now);
        let mut objects = if plan.may_remove_payloads() {
            plan.payloads(self.stored_of(&stored_payloads(shop, order_id)).await?)
        } else {
            Vec::new()
        };
        for (row, key) in plan.documents(bucket.name(), self.policy) {
            // Under a key that does not depend on the order alone, another export may have written since.
            if let Some(head) = bucket.head(key, None).await?
                && head.written_by == Some(row.key.idempotency_key())
            {
                objects.push(Object { key: key.to_owned(), bytes: head.bytes });
            }
        }
        Ok((Doomed { plan, objects }, lost))
    }

    /// The payloads of an order in the bucket.
    async fn stored_of(&self, prefix: &str) -> Result<Vec<Object>, Refused> {
        match &self.stored {
            Stored::Whole(all) => Ok(all.iter().filter(|object| object.key.starts_with(prefix)).cloned().collect()),
            Stored::Large => self.cleanup.bucket.objects(prefix).await,
        }
    }

    /// Removes the rows of an order whose objects are gone.
    async fn remove(&self, order: &Doomed, fates: &Fates) -> Report {
        let mut report = self.run.report();
        let fate = |object: &Object| fates.get(&Target::object(&object.key)).cloned().unwrap_or(Ok(None));
        let rows = &order.plan.due;
        let refused: Vec<Refused> = order.objects.iter().filter_map(|object| fate(object).err()).collect();
        if let (Some(error), Some(row)) = (refused.first(), rows.first()) {
            let (shop, order_id) = (&row.key.shop, &row.key.order_id);
            let count = refused.len();
            tracing::error!(shop, order_id, error = %error, "{count} objects of order {order_id} of {shop} stay: {error}");
            report.failed(rows.len() as u64);
            // They may be reset before the next run.
            for row in rows {
                self.restore(row, &order.objects, fates).await;
            }
            return report;
        }
        let mut kept = BTreeSet::new();
        if self.run.dry_run {
            report.changed("removed", rows.len() as u64);
        } else {
            for row in rows {
                if self.remove_row(row, &mut report).await == Stays::AsItIsNow {
                    kept.extend(self.restore(row, &order.objects, fates).await);
                }
            }
        }
        for object in order.objects.iter().filter(|object| !kept.contains(object.key.as_str())) {
            report.count("objects", 1);
            report.count("object_bytes", object.bytes);
        }
        report
    }

    async fn remove_row(&self, row: &Row, report: &mut Report) -> Stays {
        let ledger = &self.cleanup.ledger;
        match patiently(self.run.deadline(), async || ledger.remove(row).await).await {
            Ok(Removed::Gone { bytes }) => {
                report.changed("removed", 1);
                report.count("row_bytes", bytes);
                Stays::No
            }
            // By another run.
            Ok(Removed::Missing) => {
                report.skipped("gone", 1);
                Stays::No
            }
            Ok(Removed::Changed) => {
                report.skipped("changed", 1);
                Stays::AsItIsNow
            }
            Err(error) => {
                let export = row.key.idempotency_key();
                tracing::error!(export, error = %error, "export {export} cannot be removed: {error}");
                report.failed(1);
                Stays::ForTheNextRun
            }
        }
    }

    /// Brings back what a row needs that stays after all, by removing the delete markers just written. Returns the keys.
    async fn restore<'a>(&self, row: &'a Row, objects: &[Object], fates: &Fates) -> BTreeSet<&'a str> {
        let bucket = &self.cleanup.bucket;
        let needed = [payload_key(row), own_document(row, bucket.name())].into_iter().flatten();
        let removed: BTreeSet<&str> = needed.filter(|key| objects.iter().any(|object| object.key == *key)).collect();
        let marker = |key: &&str| {
            let marker = fates.get(&Target::object(key))?.clone().ok()??;
            Some(Target { key: (*key).to_owned(), version: Some(marker) })
        };
        let markers: BTreeMap<Target, &str> = removed.iter().filter_map(|key| Some((marker(key)?, *key))).collect();
        let fates = bucket.delete(markers.keys().cloned().collect(), self.run.deadline()).await;
        let export = row.key.idempotency_key();
        for refused in fates.values().filter_map(|fate| fate.as_ref().err()) {
            tracing::error!(export, error = %refused, "an object of export {export}, which stays, is not restored");
        }
        markers
            .into_iter()
            .filter(|(target, _)| fates.get(target).is_some_and(Result::is_ok))
            .map(|(_, key)| key)
            .collect()
    }
}

/// Whether a row stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stays {
    No,
    /// It changed, and needs what belongs to it.
    AsItIsNow,
    /// It could not be removed.
    ForTheNextRun,
}

#[cfg(test)]
mod tests;
