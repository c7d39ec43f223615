//! What the tasks on the ledger have in common: reading an index shard by shard, and writing with a bound.

use futures_util::{StreamExt, stream};
use ordersync::config::{Config, Pipeline};
use ordersync::ledger::{ExportKey, Ledger, LedgerError, Pages, Recorded};
use ordersync::queue::Requeue;
use ordersync::schedule::{Report, Run};
use tokio::sync::Semaphore;

use crate::handler::ResetErrors;

/// Shards of an index that are read at the same time.
const SHARDS_AT_ONCE: usize = 8;
/// Writes at the same time, of all shards together: some three thousand a second, which is what a new table takes.
pub(crate) const WRITES_AT_ONCE: usize = 16;

/// One run of the function over the ledger.
#[derive(Debug)]
pub(crate) struct Round<'a> {
    pub(crate) ledger: &'a Ledger,
    pub(crate) requeue: &'a Requeue,
    pub(crate) config: &'a Config,
    pub(crate) run: &'a Run,
    writes: Semaphore,
}

/// What came of reading an index.
#[derive(Debug)]
pub(crate) struct Swept {
    /// What was done with its rows.
    pub(crate) report: Report,
    /// Whether it was read to its end and had no rows at all.
    pub(crate) was_empty: bool,
}

impl<'a> Round<'a> {
    pub(crate) fn new(function: &'a ResetErrors, config: &'a Config, run: &'a Run) -> Self {
        let (ledger, requeue) = (&function.ledger, &function.requeue);
        Self { ledger, requeue, config, run, writes: Semaphore::new(WRITES_AT_ONCE) }
    }

    /// The pipeline of an export, if it and the shop are still configured.
    pub(crate) fn pipeline(&self, key: &ExportKey) -> Option<&'a Pipeline> {
        pipeline(self.config, key)
    }

    /// Reads the shards of an index side by side and gives `work` a page at a time, as long as there is time. A shard
    /// that cannot be read counts as one failure and keeps none of the others.
    pub(crate) async fn sweep<T>(
        &self,
        index: &str,
        open: impl Fn(u64) -> Pages,
        next: impl AsyncFn(&mut Pages) -> Result<Option<Vec<T>>, LedgerError>,
        work: impl AsyncFn(Vec<T>) -> Report,
    ) -> Swept {
        let shard = async |number| self.shard(index, open(number), &next, &work).await;
        let shards = stream::iter(0..Ledger::SHARDS).map(shard).buffer_unordered(SHARDS_AT_ONCE);
        let nothing = Swept { report: self.run.report(), was_empty: true };
        shards
            .fold(nothing, async |mut all, one| {
                all.report.merge(one.report);
                all.was_empty &= one.was_empty;
                all
            })
            .await
    }

    async fn shard<T>(
        &self,
        index: &str,
        mut pages: Pages,
        next: &impl AsyncFn(&mut Pages) -> Result<Option<Vec<T>>, LedgerError>,
        work: &impl AsyncFn(Vec<T>) -> Report,
    ) -> Swept {
        let (mut report, mut was_empty) = (self.run.report(), true);
        loop {
            match next(&mut pages).await {
                Ok(None) => break,
                Ok(Some(rows)) if rows.is_empty() => {}
                Ok(Some(rows)) if !self.run.has_time() => {
                    report.left(count(rows.len()));
                    was_empty = false;
                    break;
                }
                Ok(Some(rows)) => {
                    report.saw(count(rows.len()));
                    was_empty = false;
                    report.merge(work(rows).await);
                }
                Err(error) => {
                    tracing::error!(index, error = %error, "{index} cannot be read on: {error}");
                    report.failed(1);
                    was_empty = false;
                    break;
                }
            }
        }
        report.failed(pages.passed_over());
        Swept { report, was_empty: was_empty && pages.passed_over() == 0 }
    }

    /// Makes a write in its turn.
    pub(crate) async fn write<T>(&self, write: impl Future<Output = T>) -> T {
        // The semaphore is never closed; without a permit the write would be made all the same.
        let _turn = self.writes.acquire().await;
        write.await
    }
}

/// The pipeline of an export, if it and the shop are still configured.
pub(crate) fn pipeline<'a>(config: &'a Config, key: &ExportKey) -> Option<&'a Pipeline> {
    let is_its = |pipeline: &&Pipeline| pipeline.code == key.pipeline && pipeline.serves(&key.shop);
    config.pipelines.iter().find(is_its).filter(|_| config.shops.contains_key(&key.shop))
}

pub(crate) fn count(rows: usize) -> u64 {
    u64::try_from(rows).unwrap_or(u64::MAX)
}

/// Notes what became of a write; whether it was made.
pub(crate) fn noted(outcome: Result<Recorded, LedgerError>, key: &ExportKey, report: &mut Report) -> bool {
    match outcome {
        Ok(Recorded::Written) => return true,
        // By another run, by a message that came after all, by the shop or by hand.
        Ok(Recorded::LeftAsIs) => report.skipped("changed_meanwhile", 1),
        Err(error) => {
            tracing::error!(export = key.idempotency_key(), error = %error, "ledger failed for {}", key.name());
            report.failed(1);
        }
    }
    false
}
