//! Reset-errors: on a schedule, puts exports that ended in `error` and those that are due back into the queue.

mod acknowledgements;
mod dead_letters;
mod due;
mod errors;
mod hand_out;
mod handler;
mod leases;
mod round;
mod tasks;
#[cfg(test)]
mod tests;

use std::process::ExitCode;
use std::sync::Arc;

use lambda_runtime::{Error, LambdaEvent, Runtime, service_fn};
use ordersync::schedule::answer;
use ordersync::telemetry;
use serde_json::Value;

use handler::ResetErrors;

const NAME: &str = "reset-errors";

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<ExitCode, Error> {
    telemetry::start();
    let function = match ResetErrors::start().await {
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
