//! `bench`: measures, compares with the goals, and writes the documents that say so.

use std::error::Error;
use std::path::Path;
use std::process::ExitCode;

use bench::cost;
use bench::results::{self, Results, ResultsError};
use bench::simulate;
use clap::Parser;

/// Measures the functions beside what a user would pick instead.
#[derive(Debug, Parser)]
enum Command {
    /// Print the figures of the last run, one a line.
    Show,
    Cost(cost::Options),
    Simulate(Box<simulate::Options>),
}

fn main() -> ExitCode {
    let done: Result<(), Box<dyn Error>> = match Command::parse() {
        Command::Show => show().map_err(Into::into),
        Command::Cost(options) => cost::run(&options).map_err(Into::into),
        Command::Simulate(options) => simulate::run(&options).map_err(Into::into),
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
