//! The commands, one file each.

pub(crate) mod backfill;
pub(crate) mod check;
pub(crate) mod completions;
pub(crate) mod import_status;
pub(crate) mod pause;
pub(crate) mod render;
pub(crate) mod send;

use crate::args::{Cli, Command};
use crate::exit::{Exit, Failure};
use crate::output::Out;

/// Does what was asked.
pub(crate) async fn run(cli: Cli, out: &Out) -> Result<Exit, Failure> {
    let global = &cli.global;
    match cli.command {
        Command::Check(check) => check.run(*out),
        Command::Render(render) => render.run(global, *out).await,
        Command::Send(send) => send.run(global, *out).await,
        Command::Backfill(backfill) => Box::pin(backfill.run(global, *out)).await,
        Command::ImportStatus(import) => Box::pin(import.run(global, *out)).await,
        Command::Pause(pause) => pause.run(global, *out).await,
        Command::Resume(resume) => resume.run(global, *out).await,
        Command::Completions(completions) => Ok(completions.run()),
    }
}
