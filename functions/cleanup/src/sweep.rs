//! Removing what has been kept long enough: from the index by status to orders, from these to their objects and rows.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::{StreamExt, stream};
use jiff::Timestamp;
use ordersync::clock;
use ordersync::ledger::{ExportKey, Ledger, Removed, Row, STORED_PAYLOADS, Status, Summary, stored_payloads};
use ordersync::schedule::{Report, Run};

use crate::bucket::{Fates, Object, Refused, Target};
use crate::failed::Failed;
use crate::handler::Cleanup;
use crate::patience::patiently;
use crate::plan::{Plan, own_document, payload_key};
use crate::policy::Policy;

/// Orders that are worked on at the same time.
const AT_ONCE: usize = 16;

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
    /// Removes the exports that have been kept long enough, with what belongs to them.
    pub(crate) async fn sweep(&self, run: &Run) -> Report {
        let config = self.config.current().await;
        let policy = Policy { settings: &config.cleanup, default: self.retention };
        let stored = match self.bucket.first_objects(STORED_PAYLOADS).await {
            Ok((objects, true)) => Stored::Whole(objects),
            // What is wrong with the bucket shows with each order.
            Ok((_, false)) | Err(_) => Stored::Large,
        };
        let sweep = Sweep { cleanup: self, run, policy, now: clock::now(), stored };
        let mut partitions = sweep.partitions();
        // By chance, so that runs which have not time enough for all come to the last ones too.
        fastrand::shuffle(&mut partitions);
        let mut report = run.report();
        for (status, shard, cutoff) in partitions {
            report.merge(sweep.partition(status, shard, cutoff).await);
        }
        report
    }
}

impl Sweep<'_> {
    fn partitions(&self) -> Vec<(Status, u64, Timestamp)> {
        let cutoffs =
            Status::ALL.into_iter().filter_map(|status| Some((status, self.policy.cutoff(status, self.now)?)));
        cutoffs.flat_map(|(status, cutoff)| (0..Ledger::SHARDS).map(move |shard| (status, shard, cutoff))).collect()
    }

    /// One partition of the index, page by page.
    async fn partition(&self, status: Status, shard: u64, cutoff: Timestamp) -> Report {
        let mut report = self.run.report();
        let mut pages = self.cleanup.ledger.by_status(status, shard, cutoff);
        loop {
            if !self.run.has_time() {
                report.count("partitions_left", 1);
                return report;
            }
            match patiently(self.run.deadline(), async || pages.summaries().await).await {
                Ok(None) => return report,
                Ok(Some(page)) => report.merge(self.page(&page).await),
                Err(error) => {
                    tracing::error!(%status, shard, error = %error, "exports in {status} cannot be looked for: {error}");
                    report.failed(1);
                    return report;
                }
            }
        }
    }

    /// First the objects of all orders of a page together, then their rows: what falls in between is found again by its
    /// row, while an object without a row would stay for ever.
    async fn page(&self, page: &[Summary]) -> Report {
        let mut report = self.run.report();
        let mut orders: BTreeMap<(&str, &str), BTreeSet<&str>> = BTreeMap::new();
        for ExportKey { shop, order_id, pipeline } in page.iter().map(|seen| &seen.key) {
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
        match self.doom(shop, order_id).await {
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

    async fn doom(&self, shop: &str, order_id: &str) -> Result<Doomed, Failed> {
        let Cleanup { ledger, bucket, .. } = self.cleanup;
        let rows = patiently(self.run.deadline(), async || ledger.outlines(shop, order_id).await).await?;
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
        Ok(Doomed { plan, objects })
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
