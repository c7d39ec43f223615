//! Console: pages and a JSON API about what happened to each order, and to make it right.

mod access;
mod api;
mod app;
mod assets;
mod chart;
mod failure;
mod headers;
mod logs;
mod pages;
mod place;
mod sign_in;
mod view;

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use lambda_http::Error;
use ordersync::config::Location;
use ordersync::ledger::PayloadStore;
use ordersync::queue::Requeue;
use ordersync::secrets::Secrets;
use ordersync::setup::Setup;
use ordersync::{aws, telemetry};
use ordersync_admin::{Admin, Processor};

use access::claims::Claims;
use app::Console;
use logs::Logs;

/// How long an export may take that is made while somebody waits: the endpoint waits for 30 s.
const INLINE: Duration = Duration::from_secs(24);

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<ExitCode, Error> {
    telemetry::start();
    let console = match start().await {
        Ok(console) => console,
        Err(error) => {
            tracing::error!("the console cannot start: {error}");
            return Ok(ExitCode::FAILURE);
        }
    };
    lambda_http::run(app::service(console)).await?;
    Ok(ExitCode::SUCCESS)
}

async fn start() -> Result<Console, Error> {
    let setup = Setup::from_environment().await?;
    let by_claims = aws::variable("CONSOLE_NAME_CLAIM").zip(aws::variable("CONSOLE_ROLE_CLAIM"));
    let sqs = aws::sqs_client(&setup.sdk);
    let admin = Admin {
        payloads: PayloadStore { s3: setup.s3, bucket: aws::required_variable("BUCKET")? },
        requeue: Requeue { sqs, queue_url: aws::required_variable("QUEUE_URL")? },
        dead_letters: Some(aws::required_variable("DEAD_LETTER_QUEUE_URL")?),
        processor: Some(Processor::new(setup.sdk.config(), aws::required_variable("PROCESSOR")?, INLINE)),
        source: Some(Location::from_environment()?.open(&setup.sdk)),
        ledger: setup.ledger,
        max_receive_count: setup.max_receive_count,
    };
    Ok(Console {
        secrets: Secrets::new(aws::secrets_client(&setup.sdk)),
        secret: aws::required_variable("CONSOLE_SECRET")?.into(),
        admin: Arc::new(admin),
        config: Arc::new(setup.config),
        logs: logs().map(Arc::new),
        claims: by_claims.map(|(name, role)| Arc::new(Claims { name, role })),
    })
}

/// The functions' log groups, where the template names them.
fn logs() -> Option<Logs> {
    let groups = aws::variable("LOG_GROUPS")?.split(',').map(ToOwned::to_owned).collect();
    Some(Logs { region: aws::variable("AWS_REGION")?, groups })
}
