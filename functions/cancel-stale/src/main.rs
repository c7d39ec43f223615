//! Cancel-stale: on a schedule, cancels unpaid orders at their shop when a rule says so.

mod cancel;
mod ended;
mod failure;
mod handler;
mod listing;
mod memory;
mod rules;

use std::process::ExitCode;
use std::sync::Arc;

use lambda_runtime::{Error, LambdaEvent, Runtime, service_fn};
use ordersync::queue::Requeue;
use ordersync::schedule::answer;
use ordersync::secrets::Secrets;
use ordersync::setup::Setup;
use ordersync::{aws, telemetry};
use serde_json::Value;

use handler::CancelStale;
use memory::Memory;

const NAME: &str = "cancel-stale";

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

async fn start() -> Result<CancelStale, Error> {
    let setup = Setup::from_environment().await?;
    Ok(CancelStale {
        requeue: Requeue { sqs: aws::sqs_client(&setup.sdk), queue_url: aws::required_variable("QUEUE_URL")? },
        memory: Memory::default(),
        s3: setup.s3,
        secrets: Secrets::new(aws::secrets_client(&setup.sdk)),
        config: setup.config,
        ledger: setup.ledger,
    })
}
