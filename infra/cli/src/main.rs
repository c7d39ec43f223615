//! The command line of ordersync: finds exports and has them made again, checks and previews a configuration, sends webhooks,
//! feeds in orders that were placed before, pauses and resumes. It does by the library what the functions do, and by the typed API
//! what the console does.

mod args;
mod commands;
mod configured;
mod confirm;
mod exit;
mod output;
mod pace;
mod stack;
mod when;

use std::process::ExitCode;

use clap::Parser as _;

use args::Cli;
use output::Out;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let cli = Cli::parse();
    let out = Out::new(cli.global.json);
    match commands::run(cli, &out).await {
        Ok(exit) => exit.into(),
        Err(failure) => {
            out.failure(&failure);
            failure.exit().into()
        }
    }
}
