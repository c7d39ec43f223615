//! Queueing exports again. First a conditional write takes the export and leaves it due again in some minutes, then its
//! message is sent, then a last write says so. Of two runs at once, one takes the export; a run that ends in between
//! loses nothing, as the ledger hands the export out again.

use std::time::Duration;

use futures_util::{StreamExt, stream};
use jiff::Timestamp;
use ordersync::clock;
use ordersync::ledger::{ExportKey, Ledger, LedgerError, Recorded, Reset, Row, Summary, Waiting};
use ordersync::schedule::Report;

use crate::round::{Round, WRITES_AT_ONCE, count, noted};

/// Added to the delay of a message that is sent early: should it come before its export is due by the processor's clock,
/// it would be taken for one that has nothing to do.
const CLOCKS_AGREE_WITHIN: Duration = Duration::from_secs(1);

/// An export to be queued again, as it was seen.
#[derive(Debug)]
pub(crate) enum Taking {
    /// It waits in the ledger.
    Waiting(Waiting),
    /// It is in error.
    Error(Summary, Reset),
    /// Whoever had it stopped without a word.
    Lease(Box<Row>),
}

impl Taking {
    fn key(&self) -> &ExportKey {
        match self {
            Self::Waiting(waiting) => &waiting.key,
            Self::Error(summary, _) => &summary.key,
            Self::Lease(row) => &row.key,
        }
    }

    async fn take(&self, ledger: &Ledger, now: Timestamp) -> Result<Recorded, LedgerError> {
        match self {
            Self::Waiting(waiting) => ledger.release(waiting, now).await,
            Self::Error(summary, how) => ledger.reset(summary, *how, now).await,
            Self::Lease(row) => ledger.expire(row, true, now).await,
        }
    }

    /// How long its message is held back.
    fn delay(&self, now: Timestamp) -> Duration {
        match self {
            Self::Waiting(waiting) => delay(waiting.due.at, now),
            Self::Error(..) | Self::Lease(_) => Duration::ZERO,
        }
    }
}

/// How long the message of an export is held back that is due at a time.
fn delay(due: Timestamp, now: Timestamp) -> Duration {
    match Duration::try_from(due.duration_since(now)) {
        Ok(wait) if !wait.is_zero() => wait + CLOCKS_AGREE_WITHIN,
        _ => Duration::ZERO,
    }
}

impl Round<'_> {
    /// Queues exports again; those that are, count as changed under the name `what`.
    pub(crate) async fn hand_out(&self, what: &'static str, takings: Vec<Taking>) -> Report {
        let mut report = self.run.report();
        if takings.is_empty() {
            return report;
        }
        if self.run.dry_run {
            report.changed(what, count(takings.len()));
            return report;
        }
        let now = clock::now();
        let taken = self.take_all(takings, now, &mut report).await;
        let sent = self.send(what, &taken, &mut report).await;
        stream::iter(sent).for_each_concurrent(WRITES_AT_ONCE, |key| self.settle(key, now)).await;
        report
    }

    /// Sends the messages of exports that were taken, and returns those that the queue has.
    async fn send<'t>(&self, what: &'static str, taken: &'t [Taking], report: &mut Report) -> Vec<&'t ExportKey> {
        let now = clock::now();
        let exports: Vec<_> = taken.iter().map(|taking| (taking.key(), taking.delay(now))).collect();
        let (mut sent, mut unsent) = (Vec::new(), None);
        for ((key, _), outcome) in exports.iter().zip(self.requeue.send_all_after(&exports).await) {
            match outcome {
                Ok(()) => {
                    tracing::info!(export = key.idempotency_key(), what, "queued again, {what}: {}", key.name());
                    report.changed(what, 1);
                    sent.push(*key);
                }
                Err(error) => {
                    report.failed(1);
                    unsent = Some(error);
                }
            }
        }
        if let Some(error) = unsent {
            tracing::error!(error = %error, "what could not be queued is handed out again in some minutes: {error}");
        }
        sent
    }

    /// Takes exports; those that it got are the caller's to send.
    async fn take_all(&self, takings: Vec<Taking>, now: Timestamp, report: &mut Report) -> Vec<Taking> {
        let take = async |taking: Taking| (self.write(taking.take(self.ledger, now)).await, taking);
        let outcomes = stream::iter(takings).map(take).buffer_unordered(WRITES_AT_ONCE);
        let mut taken = Vec::new();
        for (outcome, taking) in outcomes.collect::<Vec<_>>().await {
            if noted(outcome, taking.key(), report) {
                taken.push(taking);
            }
        }
        taken
    }

    /// Says that an export's message is in the queue. Should that fail, it is sent once more, which does no harm.
    async fn settle(&self, key: &ExportKey, now: Timestamp) {
        if let Err(error) = self.write(self.ledger.settle(key, now)).await {
            tracing::warn!(export = key.idempotency_key(), error = %error, "will be queued twice: {}", key.name());
        }
    }
}
