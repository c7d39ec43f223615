//! Processor: takes each message of an SQS batch through the pipelines that want its order.

mod batch;
mod handler;

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use aws_lambda_events::sqs::SqsEvent;
use lambda_runtime::{Error, LambdaEvent, Runtime, service_fn};
use ordersync::aws::Host;
use ordersync::config::{Live, Location};
use ordersync::ledger::{Ledger, PayloadStore};
use ordersync::pipeline::wait::PauseBoard;
use ordersync::queue::Requeue;
use ordersync::secrets::Secrets;
use ordersync::{aws, telemetry};

use handler::{Connected, Processor};

#[tokio::main(flavor = "local")]
async fn main() -> Result<ExitCode, Error> {
    telemetry::start();
    let processor = match start().await {
        Ok(processor) => Arc::new(processor),
        Err(error) => {
            tracing::error!("processor cannot start: {error}");
            return Ok(ExitCode::FAILURE);
        }
    };
    let runtime = Runtime::new(service_fn(move |event: LambdaEvent<SqsEvent>| {
        let processor = Arc::clone(&processor);
        async move { Ok::<_, Error>(processor.handle(event.payload, &event.context).await) }
    }));
    // As a task: whenever one wakes what `main` itself waits for, tokio asks the kernel for news first.
    tokio::task::spawn_local(runtime.run()).await??;
    Ok(ExitCode::SUCCESS)
}

async fn start() -> Result<Processor, Error> {
    let sdk = aws::sdk_config()?;
    let s3 = aws::s3_client(&sdk);
    let bucket = aws::required_variable("BUCKET")?;
    let max_receive_count = aws::max_receive_count()?;
    let retention = Duration::from_secs(u64::from(aws::whole_number("RETENTION_DAYS", 365)?) * 24 * 3600);
    // While it starts, a function has a whole processor: what the first batch needs is made ready now.
    sdk.connect_ahead(&[Host::DynamoDb, Host::Bucket(&bucket)]).await;
    Ok(Processor {
        config: Live::start(Location::from_environment()?.open(&sdk), max_receive_count).await?,
        ledger: Ledger::new(aws::dynamodb_client(&sdk), aws::required_variable("TABLE")?, retention),
        payloads: PayloadStore { s3: s3.clone(), bucket: bucket.clone() },
        requeue: Requeue { sqs: aws::sqs_client(&sdk), queue_url: aws::required_variable("QUEUE_URL")? },
        pauses: PauseBoard::default(),
        connected: Connected::new(s3, bucket, Secrets::new(aws::secrets_client(&sdk))),
        max_receive_count,
    })
}
