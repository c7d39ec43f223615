//! Responses: takes what back offices answer later, as files under `responses/` of the bucket or by HTTP.

mod answer;
mod bucket;
mod event;
mod file;
mod handler;
mod key;
mod place;
mod request;
mod tally;
#[cfg(test)]
mod tests;

use std::process::ExitCode;
use std::sync::Arc;

use lambda_runtime::{Error, LambdaEvent, Runtime, service_fn};
use ordersync::secrets::Secrets;
use ordersync::setup::Setup;
use ordersync::{aws, telemetry};
use serde_json::Value;

use handler::Responses;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<ExitCode, Error> {
    telemetry::start();
    let responses = match start().await {
        Ok(responses) => Arc::new(responses),
        Err(error) => {
            tracing::error!("responses cannot start: {error}");
            return Ok(ExitCode::FAILURE);
        }
    };
    Runtime::new(service_fn(move |event: LambdaEvent<Value>| {
        let responses = Arc::clone(&responses);
        async move { responses.handle(event.payload, event.context.deadline).await }
    }))
    .run()
    .await?;
    Ok(ExitCode::SUCCESS)
}

async fn start() -> Result<Responses, Error> {
    let setup = Setup::from_environment().await?;
    Ok(Responses {
        s3: setup.s3,
        secrets: Secrets::new(aws::secrets_client(&setup.sdk)),
        config: setup.config,
        ledger: setup.ledger,
    })
}
