//! `ordersync check`.

use std::path::PathBuf;

use clap::Args;
use ordersync::config::document::Problem;
use ordersync::config::{Config, LoadError, load_directory};
use serde::Serialize;

use crate::exit::{Exit, Failure};
use crate::output::Out;

const EXAMPLES: &str = "\
Examples:
  ordersync check examples/quickstart
  ordersync check config --max-receive-count 20     # where the stack is deployed with MaxReceiveCount=20
  ordersync check config --json | jq '.problems[] | \"\\(.file):\\(.line) \\(.message)\"'";

/// Check a configuration as the functions do when they start
///
/// Every problem is printed with file, line, path and what was expected. Ends with 1 where there is one.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Check {
    /// Directory with ordersync.toml and the files that it names.
    #[arg(value_name = "DIR", default_value = ".")]
    directory: PathBuf,
    /// How often the stack's queue delivers a message, its parameter `MaxReceiveCount`: no pipeline may try more often.
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=1000))]
    max_receive_count: u32,
}

/// What was found, as JSON.
#[derive(Debug, Serialize)]
struct Report<'a> {
    directory: String,
    ok: bool,
    shops: usize,
    pipelines: usize,
    problems: Vec<Found<'a>>,
}

#[derive(Debug, Serialize)]
struct Found<'a> {
    file: &'a str,
    line: usize,
    path: &'a str,
    message: &'a str,
}

impl<'a> From<&'a Problem> for Found<'a> {
    fn from(problem: &'a Problem) -> Self {
        Self { file: &problem.file, line: problem.line, path: &problem.path, message: &problem.message }
    }
}

impl Check {
    pub(crate) fn run(&self, out: Out) -> Result<Exit, Failure> {
        let directory = self.directory.display().to_string();
        match load_directory::<Config>(&self.directory, self.max_receive_count) {
            Ok(config) => {
                let (shops, pipelines) = (config.shops.len(), config.pipelines.len());
                let report = Report { directory, ok: true, shops, pipelines, problems: Vec::new() };
                out.result(&report, || {
                    let directory = &report.directory;
                    format!("{directory}: nothing is wrong (shops: {shops}, pipelines: {pipelines})")
                });
                Ok(Exit::Done)
            }
            Err(LoadError::Invalid(invalid)) => {
                let problems = invalid.0.iter().map(Found::from).collect();
                let report = Report { directory, ok: false, shops: 0, pipelines: 0, problems };
                out.result(&report, || format!("{}: {invalid}", report.directory));
                Ok(Exit::Wrong)
            }
            Err(error) => Err(error.into()),
        }
    }
}
