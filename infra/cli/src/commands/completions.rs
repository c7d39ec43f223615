//! `ordersync completions`.

use clap::{Args, CommandFactory as _};
use clap_complete::Shell;

use crate::args::Cli;
use crate::exit::Exit;
use crate::output::Out;

const EXAMPLES: &str = "\
Examples:
  ordersync completions bash >~/.local/share/bash-completion/completions/ordersync
  ordersync completions zsh >~/.zfunc/_ordersync
  ordersync completions fish >~/.config/fish/completions/ordersync.fish";

/// Print the completions of a shell
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Completions {
    /// The shell.
    shell: Shell,
}

impl Completions {
    pub(crate) fn run(&self) -> Exit {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut Cli::command(), "ordersync", &mut script);
        Out::document(&script);
        Exit::Done
    }
}
