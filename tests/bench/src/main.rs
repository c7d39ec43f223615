//! `bench`: measures, compares with the goals, and writes the documents that say so.

use std::path::Path;
use std::process::ExitCode;

use bench::results::{self, Results, ResultsError};
use clap::Parser;

/// Measures the functions beside what a user would pick instead.
#[derive(Debug, Parser)]
enum Command {
    /// Print the figures of the last run, one a line.
    Show,
}

fn main() -> ExitCode {
    let done = match Command::parse() {
        Command::Show => show(),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

#[expect(clippy::print_stdout, reason = "a command-line tool")]
fn show() -> Result<(), ResultsError> {
    for figure in Results::read(Path::new(results::PLACE))?.0 {
        let results::Figure { target, work, metric, median, min, max, n } = figure;
        println!("{target} {work} {metric}: {median} ({min} to {max}, n = {n})");
    }
    Ok(())
}
