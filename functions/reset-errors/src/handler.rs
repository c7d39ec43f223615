//! What a run of reset-errors does: its tasks, one after the other.

use std::time::Duration;

use lambda_runtime::Error;
use ordersync::aws;
use ordersync::config::Live;
use ordersync::ledger::{Ledger, PayloadStore};
use ordersync::queue::Requeue;
use ordersync::schedule::{Report, Run};
use ordersync::setup::Setup;

use crate::dead_letters::DeadLetters;
use crate::round::Round;
use crate::tasks::{self, Task};

/// The reset-errors function: what it works with, built once.
#[derive(Debug)]
pub(crate) struct ResetErrors {
    pub(crate) config: Live,
    pub(crate) ledger: Ledger,
    pub(crate) payloads: PayloadStore,
    pub(crate) requeue: Requeue,
    pub(crate) dead_letter_queue_url: String,
    /// How long the queue waits until it delivers a message again that nobody answered for.
    pub(crate) visibility_timeout: Duration,
}

impl ResetErrors {
    /// From the environment.
    pub(crate) async fn start() -> Result<Self, Error> {
        let setup = Setup::from_environment().await?;
        let queue_url = aws::required_variable("QUEUE_URL")?;
        Ok(Self {
            requeue: Requeue { sqs: aws::sqs_client(&setup.sdk), queue_url },
            dead_letter_queue_url: aws::required_variable("DLQ_URL")?,
            payloads: PayloadStore { s3: setup.s3, bucket: aws::required_variable("BUCKET")? },
            visibility_timeout: Duration::from_secs(aws::whole_number("VISIBILITY_TIMEOUT", 180)?.into()),
            config: setup.config,
            ledger: setup.ledger,
        })
    }

    /// One run. `only` in its input names the tasks; without it, all are done. What goes wrong in one task keeps none of
    /// the others from being done.
    pub(crate) async fn handle(&self, run: &Run) -> Result<Report, Error> {
        run.only(&[tasks::ONLY])?;
        let named = tasks::named(&run.input)?;
        let config = self.config.current().await;
        let round = Round::new(self, &config, run);
        let is_asked = |task: &Task| named.as_ref().is_none_or(|named| named.contains(task));
        let mut report = run.report();
        for task in Task::NAMES.map(|(_, task)| task).iter().filter(|task| is_asked(task)) {
            if !run.has_time() {
                report.count("tasks_left", 1);
                continue;
            }
            report.merge(match task {
                Task::Due => round.due(named.is_none()).await,
                Task::Acknowledgements => round.acknowledgements().await,
                Task::Leases => round.leases(self.visibility_timeout).await,
                Task::Errors => round.errors().await,
                Task::DeadLetters => DeadLetters::new(self, &config, run).work_through().await,
            });
        }
        Ok(report)
    }
}
