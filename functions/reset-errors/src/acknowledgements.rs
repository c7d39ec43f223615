//! Exports that the back office should have acknowledged by now.

use futures_util::{StreamExt, stream};
use ordersync::clock;
use ordersync::ledger::{LedgerError, Pages, Recorded, Waiting};
use ordersync::schedule::Report;
use ordersync::telemetry::{Dimension, Metric, metrics};
use serde_json::Map;

use crate::round::{Round, WRITES_AT_ONCE, noted};

/// What has become of an export whose deadline has passed.
const UNACKNOWLEDGED: &str = "unacknowledged";

impl Round<'_> {
    /// Makes errors of exports whose deadline has passed, and takes the deadline from those that need none any more.
    pub(crate) async fn acknowledgements(&self) -> Report {
        let now = clock::now();
        let open = |shard| self.ledger.unacknowledged(shard, now);
        let report =
            self.sweep("ack", open, Pages::waiting, async |page| self.give_up_waiting(page).await).await.report;
        if !self.run.dry_run {
            say_unacknowledged(report.how_many_changed(UNACKNOWLEDGED));
        }
        report
    }

    async fn give_up_waiting(&self, page: Vec<Waiting>) -> Report {
        let mut report = self.run.report();
        let end = async |waiting: Waiting| (self.end(&waiting).await, waiting.key);
        let outcomes = stream::iter(page).map(end).buffer_unordered(WRITES_AT_ONCE);
        for ((what, outcome), key) in outcomes.collect::<Vec<_>>().await {
            if noted(outcome, &key, &mut report) {
                report.changed(what, 1);
            }
        }
        report
    }

    /// What was done, and what came of it.
    async fn end(&self, waiting: &Waiting) -> (&'static str, Result<Recorded, LedgerError>) {
        let within = self.pipeline(&waiting.key).and_then(|pipeline| pipeline.acknowledge_within);
        let what = if within.is_some() { UNACKNOWLEDGED } else { "deadlines_dropped" };
        if self.run.dry_run {
            return (what, Ok(Recorded::Written));
        }
        let now = clock::now();
        let outcome = match within {
            Some(within) => self.write(self.ledger.give_up_waiting(waiting, within, now)).await,
            None => self.write(self.ledger.drop_deadline(waiting)).await,
        };
        if let (Some(within), Ok(Recorded::Written)) = (within, &outcome) {
            let (export, within_s) = (waiting.key.idempotency_key(), within.as_secs());
            tracing::error!(export, within_s, "not acknowledged in time: {}", waiting.key.name());
        }
        (what, outcome)
    }
}

/// Tells of none too, so that an alarm has data.
fn say_unacknowledged(count: u64) {
    metrics(&[&[Dimension::Function("reset-errors")]], &[(Metric::Unacknowledged, count)], Map::new());
}
