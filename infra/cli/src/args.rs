//! What can be asked for.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::commands;

const EXIT_CODES: &str = "\
Exit codes:
  0    done
  1    something was found wrong, or failed
  2    called wrongly
  3    what was named is not there
  4    refused: it would harm
  5    AWS or the shop's URL does not answer, or lets nobody in
  130  interrupted; what can be resumed says so

Credentials and region are found as the AWS CLI finds them; --local takes those of the local stack.";

/// The command line of ordersync.
#[derive(Debug, Parser)]
#[command(name = "ordersync", version, about, after_help = EXIT_CODES, max_term_width = 100)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What every command understands.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Where")]
pub(crate) struct Global {
    /// Name of the deployed stack.
    #[arg(long, global = true, env = "ORDERSYNC_STACK", value_name = "NAME", default_value = "ordersync")]
    pub(crate) stack: String,
    /// The local stack instead, by its file of variables.
    #[arg(long, global = true, value_name = "FILE", num_args = 0..=1, require_equals = true,
        default_missing_value = ".local/stack.env")]
    pub(crate) local: Option<PathBuf>,
    #[arg(
        long,
        help = "Directory with ordersync.toml and its files, or s3://bucket/prefix/ [default: what the stack says]",
        global = true,
        env = "ORDERSYNC_CONFIG",
        value_name = "DIR"
    )]
    pub(crate) config: Option<String>,
    /// Region of the stack.
    #[arg(long, global = true, value_name = "REGION")]
    pub(crate) region: Option<String>,
    /// Profile of the AWS configuration.
    #[arg(long, global = true, value_name = "NAME")]
    pub(crate) profile: Option<String>,
    /// Print results as JSON.
    #[arg(long, global = true)]
    pub(crate) json: bool,
}

/// The commands, each in a file of its own.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Check(commands::check::Check),
    Render(commands::render::Render),
    Send(commands::send::Send),
    List(commands::list::List),
    Show(commands::show::Show),
    Tail(commands::tail::Tail),
    /// Have exports tried again, with their attempts counted anew
    Reset(commands::act::Act),
    /// Have exports tried at once, and queued where that fails
    ExportNow(commands::act::Act),
    /// End exports that wait or are in error: they are not made
    Cancel(commands::act::Act),
    /// The same, on record as exports that nobody wants
    Skip(commands::act::Act),
    /// Remove the rows of exports: the next webhook of the order begins anew
    Delete(commands::act::Act),
    Replay(commands::replay::Replay),
    Backfill(commands::backfill::Backfill),
    ImportStatus(commands::import_status::ImportStatus),
    Pause(commands::pause::Pause),
    Resume(commands::pause::Resume),
    HashPassword(commands::hash_password::HashPassword),
    Completions(commands::completions::Completions),
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_arguments_make_sense() {
        Cli::command().debug_assert();
    }

    #[test]
    fn the_local_stack_needs_no_file_and_takes_no_command_for_one() {
        let cli = Cli::try_parse_from(["ordersync", "--local", "pause", "--all"]).unwrap();
        assert_eq!(cli.global.local, Some(PathBuf::from(".local/stack.env")));
        let cli = Cli::try_parse_from(["ordersync", "pause", "--all", "--local=other.env"]).unwrap();
        assert_eq!(cli.global.local, Some(PathBuf::from("other.env")));
    }
}
