//! Exports whose holder stopped without a word, and whose message has not come again.

use std::time::Duration;

use futures_util::{StreamExt, stream};
use jiff::Timestamp;
use ordersync::clock::{self, earlier};
use ordersync::config::Pipeline;
use ordersync::ledger::{Fault, LedgerError, Pages, Recorded, Row, Status, Summary};
use ordersync::schedule::Report;

use crate::hand_out::Taking;
use crate::round::{Round, WRITES_AT_ONCE, noted};

/// How much longer than the queue needs to deliver the message again is waited for that.
const MARGIN: Duration = Duration::from_mins(1);

/// What becomes of an export whose lease ran out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    /// It is tried again.
    QueueAgain,
    /// It has used up its attempts.
    Exhausted,
    /// Its pipeline is gone.
    Orphaned,
    /// Its order was cancelled.
    Canceled,
    /// The message of its webhook has the order, and brings it or is among the dead letters.
    Left,
}

impl Fate {
    /// Under which name it is counted.
    fn name(self) -> &'static str {
        match self {
            Self::QueueAgain => "leases_expired",
            Self::Exhausted => "exhausted",
            Self::Orphaned => "orphaned",
            Self::Canceled => "canceled",
            Self::Left => "left_to_message",
        }
    }
}

/// What becomes of an export; nothing while somebody may still work on it or the queue bring it again.
fn fate(row: &Row, pipeline: Option<&Pipeline>, ended_by: Timestamp) -> Option<Fate> {
    if row.status != Status::Processing || row.lease_until.is_none_or(|until| until > ended_by) {
        return None;
    }
    Some(match pipeline {
        _ if row.canceled_at.is_some() => Fate::Canceled,
        _ if row.wants_order() => Fate::Left,
        None => Fate::Orphaned,
        Some(pipeline) if row.attempts < pipeline.retries.max_attempts => Fate::QueueAgain,
        Some(_) => Fate::Exhausted,
    })
}

impl Round<'_> {
    /// Sees to exports whose lease ended so long ago that the queue should have delivered their message again.
    pub(crate) async fn leases(&self, visibility_timeout: Duration) -> Report {
        let ended_by = earlier(clock::now(), visibility_timeout + MARGIN);
        let open = |shard| self.ledger.by_status(Status::Processing, shard, ended_by);
        let work = async |page| Box::pin(self.expire(page, ended_by)).await;
        self.sweep("processing", open, Pages::summaries, work).await.report
    }

    async fn expire(&self, page: Vec<Summary>, ended_by: Timestamp) -> Report {
        let mut report = self.run.report();
        let mut again = Vec::new();
        let look = async |summary: Summary| (self.look(&summary, ended_by).await, summary.key);
        let found = stream::iter(page).map(look).buffer_unordered(WRITES_AT_ONCE);
        for (found, key) in found.collect::<Vec<_>>().await {
            match found {
                Ok(Some((Fate::QueueAgain, row))) => again.push(Taking::Lease(Box::new(row))),
                Ok(Some((Fate::Left, _))) => report.skipped(Fate::Left.name(), 1),
                Ok(Some((fate, row))) => report.merge(self.end_expired(fate, &row).await),
                Ok(None) => report.skipped("lease_holds", 1),
                Err(error) => drop(noted(Err(error), &key, &mut report)),
            }
        }
        report.merge(self.hand_out(Fate::QueueAgain.name(), again).await);
        report
    }

    /// The export as it is, if its lease ran out, and what becomes of it.
    async fn look(&self, seen: &Summary, ended_by: Timestamp) -> Result<Option<(Fate, Row)>, LedgerError> {
        if seen.lease_until.is_none_or(|until| until > ended_by) {
            return Ok(None);
        }
        let row = self.ledger.export(&seen.key).await?;
        Ok(row.and_then(|row| Some((fate(&row, self.pipeline(&seen.key), ended_by)?, row))))
    }

    /// Ends an export that is not to be tried again.
    async fn end_expired(&self, fate: Fate, row: &Row) -> Report {
        let mut report = self.run.report();
        let (now, gone) = (clock::now(), "the pipeline is no longer configured for this shop");
        let outcome = match fate {
            _ if self.run.dry_run => Ok(Recorded::Written),
            Fate::Canceled => self.write(self.ledger.end_if_canceled(row, now)).await,
            Fate::Orphaned => self.write(self.ledger.abandon(row, gone, Fault::Orphaned, None, now)).await,
            Fate::QueueAgain | Fate::Exhausted | Fate::Left => self.write(self.ledger.expire(row, false, now)).await,
        };
        if noted(outcome, &row.key, &mut report) {
            let (export, what) = (row.key.idempotency_key(), fate.name());
            tracing::warn!(export, what, dry_run = self.run.dry_run, "lease ran out, {what}: {}", row.key.name());
            report.changed(what, 1);
        }
        report
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::world::{config, item, minutes, row, text};

    #[tokio::test]
    async fn a_lease_that_ran_out_long_ago_ends_as_its_export_allows() {
        let config = config();
        let erp = config.pipelines.iter().find(|pipeline| pipeline.code == "erp");
        let ended_by = clock::now();
        for (status, lease_until, attempts, is_canceled, pipeline, expected) in [
            ("processing", -1, "4", false, erp, Some(Fate::QueueAgain)),
            ("processing", -1, "5", false, erp, Some(Fate::Exhausted)),
            ("processing", -1, "6", false, erp, Some(Fate::Exhausted)),
            ("processing", -1, "1", false, None, Some(Fate::Orphaned)),
            ("processing", -1, "1", true, erp, Some(Fate::Canceled)),
            ("processing", -1, "5", true, None, Some(Fate::Canceled)),
            ("processing", 1, "1", false, erp, None),
            ("processing", 1, "1", true, None, None),
            ("pending", -1, "1", false, erp, None),
            ("exported", -1, "1", false, None, None),
        ] {
            let number = aws_sdk_dynamodb::types::AttributeValue::N(attempts.into());
            let attributes = [("status", text(status)), ("lease_until", minutes(lease_until)), ("attempts", number)];
            let canceled = is_canceled.then(|| ("canceled_at", minutes(-2)));
            let row = row(item("1", attributes.into_iter().chain(canceled))).await;
            assert_eq!(fate(&row, pipeline, ended_by), expected, "{status} {lease_until} {attempts} {is_canceled}");
        }
    }

    #[tokio::test]
    async fn a_lease_without_an_end_is_nobodys_to_take() {
        let row = row(item("1", [("status", text("processing"))])).await;
        assert_eq!(fate(&row, None, clock::now()), None);
    }
}
