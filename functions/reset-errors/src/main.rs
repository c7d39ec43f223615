//! Reset-errors: on a schedule, puts exports that ended in `error` and those that are due back into the queue.

mod handler;

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use ordersync::ledger::PayloadStore;
use ordersync::schedule::answer;
use ordersync::setup::Setup;
use ordersync::{aws, telemetry};
use serde_json::Value;

use handler::ResetErrors;

const NAME: &str = "reset-errors";

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<ExitCode, Error> {
    telemetry::start();
    let function = match start().await {
        Ok(function) => Arc::new(function),
        Err(error) => {
            tracing::error!("{NAME} cannot start: {error}");
            return Ok(ExitCode::FAILURE);
        }
    };
    run(service_fn(move |event: LambdaEvent<Value>| {
        let function = Arc::clone(&function);
        async move {
            let work = |run| async move { function.handle(&run).await };
            answer(NAME, &event.payload, event.context.deadline, work).await
        }
    }))
    .await?;
    Ok(ExitCode::SUCCESS)
}

async fn start() -> Result<ResetErrors, Error> {
    let setup = Setup::from_environment().await?;
    let bucket = aws::required_variable("BUCKET")?;
    Ok(ResetErrors {
        sqs: aws::sqs_client(&setup.sdk),
        queue_url: aws::required_variable("QUEUE_URL")?,
        dead_letter_queue_url: aws::required_variable("DLQ_URL")?,
        payloads: PayloadStore { s3: setup.s3, bucket },
        visibility_timeout: Duration::from_secs(aws::whole_number("VISIBILITY_TIMEOUT", 180)?.into()),
        config: setup.config,
        ledger: setup.ledger,
        max_receive_count: setup.max_receive_count,
    })
}
