//! What a run of reset-errors does.

use std::time::Duration;

use lambda_runtime::Error;
use ordersync::config::Live;
use ordersync::ledger::{Ledger, PayloadStore};
use ordersync::schedule::{Report, Run};

/// The reset-errors function: what it works with, built once.
#[derive(Debug)]
#[expect(dead_code, reason = "its steps come with the ledger's queries")]
pub(crate) struct ResetErrors {
    pub(crate) config: Live,
    pub(crate) ledger: Ledger,
    pub(crate) payloads: PayloadStore,
    pub(crate) sqs: aws_sdk_sqs::Client,
    pub(crate) queue_url: String,
    pub(crate) dead_letter_queue_url: String,
    pub(crate) max_receive_count: u32,
    pub(crate) visibility_timeout: Duration,
}

impl ResetErrors {
    /// One run. `only` in its input names the steps to take; without it, all are taken.
    #[expect(clippy::unused_async, reason = "its steps come with the ledger's queries")]
    pub(crate) async fn handle(&self, run: &Run) -> Result<Report, Error> {
        run.only(&["only"])?;
        Ok(run.report())
    }
}
