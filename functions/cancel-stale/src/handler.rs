//! What a run of cancel-stale does.

use lambda_runtime::Error;
use ordersync::config::Live;
use ordersync::ledger::Ledger;
use ordersync::schedule::{Report, Run};
use ordersync::secrets::Secrets;

/// The cancel-stale function: what it works with, built once.
#[derive(Debug)]
#[expect(dead_code, reason = "its steps come with the shops' clients")]
pub(crate) struct CancelStale {
    pub(crate) config: Live,
    pub(crate) ledger: Ledger,
    pub(crate) secrets: Secrets,
    pub(crate) sqs: aws_sdk_sqs::Client,
    pub(crate) queue_url: String,
}

impl CancelStale {
    /// One run.
    #[expect(clippy::unused_async, reason = "its steps come with the shops' clients")]
    pub(crate) async fn handle(&self, run: &Run) -> Result<Report, Error> {
        run.only(&[])?;
        Ok(run.report())
    }
}
