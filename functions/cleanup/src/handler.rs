//! What a run of cleanup does.

use lambda_runtime::Error;
use ordersync::config::Live;
use ordersync::ledger::Ledger;
use ordersync::schedule::{Report, Run};

/// The cleanup function: what it works with, built once.
#[derive(Debug)]
#[expect(dead_code, reason = "its steps come with the ledger's queries")]
pub(crate) struct Cleanup {
    pub(crate) config: Live,
    pub(crate) ledger: Ledger,
    pub(crate) s3: aws_sdk_s3::Client,
    pub(crate) bucket: String,
}

impl Cleanup {
    /// One run. `erase` in its input names the order or customer of whom nothing is to be kept.
    #[expect(clippy::unused_async, reason = "its steps come with the ledger's queries")]
    pub(crate) async fn handle(&self, run: &Run) -> Result<Report, Error> {
        run.only(&["erase"])?;
        Ok(run.report())
    }
}
