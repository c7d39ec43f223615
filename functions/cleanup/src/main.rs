//! Cleanup: on a schedule, removes finished exports past their retention; on demand, all that is kept of an order or customer.

mod bucket;
mod erase;
mod failed;
mod handler;
mod patience;
mod plan;
mod policy;
mod sweep;
#[cfg(test)]
mod world;

use std::process::ExitCode;
use std::sync::Arc;

use lambda_runtime::{Error, LambdaEvent, Runtime, service_fn};
use ordersync::schedule::answer;
use ordersync::setup::Setup;
use ordersync::{aws, telemetry};
use serde_json::Value;

use bucket::Bucket;
use handler::Cleanup;

const NAME: &str = "cleanup";

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
    Runtime::new(service_fn(move |event: LambdaEvent<Value>| {
        let function = Arc::clone(&function);
        async move {
            let ledger = function.ledger.clone();
            let work = |run| async move { function.handle(&run).await };
            answer(NAME, &event.payload, event.context.deadline, &ledger, work).await
        }
    }))
    .run()
    .await?;
    Ok(ExitCode::SUCCESS)
}

async fn start() -> Result<Cleanup, Error> {
    let setup = Setup::from_environment().await?;
    let bucket = Bucket::new(setup.s3, aws::required_variable("BUCKET")?);
    let cleanup = Cleanup { bucket, config: setup.config, ledger: setup.ledger, retention: setup.retention };
    cleanup.warn_of_what_the_table_removes_first().await;
    Ok(cleanup)
}
