//! What a run of cleanup does.

use std::borrow::Borrow;
use std::time::Duration;

use lambda_runtime::Error;
use ordersync::config::Live;
use ordersync::ledger::Ledger;
use ordersync::schedule::{Report, Run};
use serde::Serialize;

use crate::bucket::Bucket;
use crate::erase::{Erasure, Request};
use crate::policy::Policy;

/// The cleanup function: what it works with, built once.
#[derive(Debug)]
pub(crate) struct Cleanup {
    pub(crate) config: Live,
    pub(crate) ledger: Ledger,
    pub(crate) bucket: Bucket,
    /// How long exports are kept where the configuration does not say otherwise.
    pub(crate) retention: Duration,
}

/// What a run answers: its report, and after an erasure the receipt for it.
#[derive(Debug, Serialize)]
pub(crate) struct Answer {
    #[serde(flatten)]
    report: Report,
    #[serde(flatten)]
    erasure: Option<Erasure>,
}

impl Borrow<Report> for Answer {
    fn borrow(&self) -> &Report {
        &self.report
    }
}

impl Cleanup {
    /// One run. `erase` in its input names the order or customer of whom nothing is to be kept; nothing else is removed
    /// then.
    pub(crate) async fn handle(&self, run: &Run) -> Result<Answer, Error> {
        run.only(&["erase"])?;
        match run.input.get("erase") {
            None => Ok(Answer { report: self.sweep(run).await, erasure: None }),
            Some(request) => {
                let (report, erasure) = self.erase(run, &Request::read(request)?).await?;
                Ok(Answer { report, erasure })
            }
        }
    }

    /// Says which retention is longer than the table keeps rows: it cannot be kept to, and what belongs to such a row
    /// stays in the bucket.
    pub(crate) async fn warn_of_what_the_table_removes_first(&self) {
        let config = self.config.current().await;
        let policy = Policy { settings: &config.cleanup, default: self.retention };
        for (status, kept) in policy.beyond(self.retention.saturating_add(Ledger::BEHIND_CLEANUP)) {
            let (days, net) = (whole_days(kept), whole_days(self.retention) + whole_days(Ledger::BEHIND_CLEANUP));
            tracing::warn!(
                %status,
                "cleanup.retention.{status} is {days} days, but the table itself removes exports after {net}: raise \
                 LedgerRetentionDays"
            );
        }
    }
}

fn whole_days(duration: Duration) -> u64 {
    duration.as_secs() / (24 * 3600)
}
