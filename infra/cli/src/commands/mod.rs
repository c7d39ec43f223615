//! The commands, one file each.

pub(crate) mod act;
pub(crate) mod backfill;
pub(crate) mod check;
pub(crate) mod completions;
mod exports;
pub(crate) mod hash_password;
pub(crate) mod import_status;
pub(crate) mod list;
pub(crate) mod pause;
pub(crate) mod render;
pub(crate) mod replay;
pub(crate) mod send;
pub(crate) mod show;
pub(crate) mod tail;

use ordersync_admin::Action;

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
        Command::List(list) => list.run(global, *out).await,
        Command::Show(show) => show.run(global, *out).await,
        Command::Tail(tail) => tail.run(global, *out).await,
        Command::Reset(act) => act.run(Action::Reset, global, *out).await,
        Command::ExportNow(act) => act.run(Action::ExportNow, global, *out).await,
        Command::Cancel(act) => act.run(Action::Cancel, global, *out).await,
        Command::Skip(act) => act.run(Action::Skip, global, *out).await,
        Command::Delete(act) => act.run(Action::Delete, global, *out).await,
        Command::Replay(replay) => replay.run(global, *out).await,
        Command::Backfill(backfill) => Box::pin(backfill.run(global, *out)).await,
        Command::ImportStatus(import) => Box::pin(import.run(global, *out)).await,
        Command::Pause(pause) => pause.run(global, *out).await,
        Command::Resume(resume) => resume.run(global, *out).await,
        Command::HashPassword(hash) => hash.run(*out),
        Command::Completions(completions) => Ok(completions.run()),
    }
}
