//! Console: pages and a JSON API about what happened to each order, and to make it right.

mod access;
mod app;
mod assets;
mod failure;
mod headers;
mod pages;
mod place;
mod sign_in;

use std::process::ExitCode;
use std::sync::Arc;

use lambda_http::Error;
use ordersync::secrets::Secrets;
use ordersync::setup::Setup;
use ordersync::{aws, telemetry};

use access::claims::Claims;
use app::Console;

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
    Ok(Console {
        secrets: Secrets::new(aws::secrets_client(&setup.sdk)),
        secret: aws::required_variable("CONSOLE_SECRET")?.into(),
        ledger: Arc::new(setup.ledger),
        claims: by_claims.map(|(name, role)| Arc::new(Claims { name, role })),
    })
}
