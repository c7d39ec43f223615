//! Intake: `POST /webhooks/{shop}`. Verifies the webhook, makes it durable with one SQS message, answers.

mod answer;
mod handler;
mod request;
#[cfg(test)]
mod tests;

use std::process::ExitCode;
use std::sync::Arc;

use lambda_runtime::{Error, LambdaEvent, Runtime, service_fn};
use ordersync::aws::{Bucket, Host};
use ordersync::config::{Live, Location};
use ordersync::queue::Inbound;
use ordersync::secrets::Secrets;
use ordersync::webhook::PublicKeys;
use ordersync::{aws, telemetry};

use handler::Intake;
use request::Request;

#[tokio::main(flavor = "local")]
async fn main() -> Result<ExitCode, Error> {
    telemetry::start();
    let intake = match start().await {
        Ok(intake) => Arc::new(intake),
        Err(error) => {
            tracing::error!("intake cannot start: {error}");
            return Ok(ExitCode::FAILURE);
        }
    };
    let runtime = Runtime::new(service_fn(move |event: LambdaEvent<Request>| {
        let intake = Arc::clone(&intake);
        async move { Ok::<_, Error>(intake.handle(event.payload).await) }
    }));
    // As a task: whenever one wakes what `main` itself waits for, tokio asks the kernel for news first.
    tokio::task::spawn_local(runtime.run()).await??;
    Ok(ExitCode::SUCCESS)
}

async fn start() -> Result<Intake, Error> {
    let sdk = aws::sdk_config()?;
    let inbound = Inbound {
        sqs: aws::sqs_client(&sdk),
        queue_url: aws::required_variable("QUEUE_URL")?,
        bucket: Bucket::new(&sdk, aws::required_variable("BUCKET")?),
    };
    let source = Location::from_environment()?.open(&sdk);
    let config = Live::start(source, aws::max_receive_count()?).await?;
    let secrets = Secrets::new(aws::secrets_client(&sdk));
    let intake = Intake { config, secrets, keys: PublicKeys::default(), inbound };
    // While it starts, a function has a whole processor: what the first webhook needs is made ready now.
    sdk.connect_ahead(&[Host::SecretsManager, Host::Queue(&intake.inbound.queue_url)]).await;
    intake.read_secrets().await;
    Ok(intake)
}
