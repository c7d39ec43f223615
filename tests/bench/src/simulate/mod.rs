//! `bench simulate`: a day with a flash sale, a destination with a limited rate, and an outage; and `docs/scaling.md`.

mod agenda;
mod arrivals;
mod attempt;
mod chart;
mod day;
mod limits;
mod mapping;
mod page;
mod record;
mod scenario;
mod settle;
mod table;
#[cfg(test)]
mod tests;
mod world;

pub use chart::ChartError;
pub use day::{Day, Sum};
pub use record::{Hour, Minute, Used};
pub use scenario::{Scenario, Timing};

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use clap::Args;

use crate::cost::assumed::ASSUMED;
use crate::cost::measured::{Batch, Measured, Missing, Sink, Size};
use crate::cost::order::{Setting, intake_ms, processor_ms};
use crate::cost::prices::{self, Prices, PricesError};
use crate::results::{self, Results, ResultsError, Target};
use limits::Needs;

/// Simulate a day with a flash sale, a limited destination and an outage; write `docs/scaling.md`.
///
/// Durations are those of the last run of the bench, if there was one.
#[derive(Debug, Args)]
pub struct Options {
    #[command(flatten)]
    scenario: Scenario,
    /// Milliseconds of intake, if not as measured.
    #[arg(long)]
    intake_ms: Option<f64>,
    /// Milliseconds of the processor's own work on a batch, if not as measured.
    #[arg(long)]
    batch_ms: Option<f64>,
    /// Milliseconds until the destination answers, on average.
    #[arg(long, default_value_t = ASSUMED.destination_ms)]
    destination_ms: f64,
    /// What was measured.
    #[arg(long, value_name = "FILE", default_value = results::PLACE)]
    results: PathBuf,
    /// The list prices.
    #[arg(long, value_name = "FILE", default_value = prices::PLACE)]
    prices: PathBuf,
    /// Print everything as JSON.
    #[arg(long)]
    json: bool,
    /// Draw a chart of the day, as SVG.
    #[arg(long, value_name = "FILE")]
    chart: Option<PathBuf>,
    /// Write docs/scaling.md and its chart, of what was measured.
    #[arg(long)]
    docs: bool,
}

/// The day cannot be simulated, or the page not be made.
#[derive(Debug, thiserror::Error)]
pub enum SimulateError {
    /// Nothing was measured.
    #[error(transparent)]
    Results(#[from] ResultsError),
    /// Too little was measured.
    #[error(transparent)]
    Missing(#[from] Missing),
    /// There are no prices.
    #[error(transparent)]
    Prices(#[from] PricesError),
    /// The page's template is wrong.
    #[error("the page's template: {0:#}")]
    Template(#[from] minijinja::Error),
    /// The chart cannot be drawn.
    #[error(transparent)]
    Chart(#[from] ChartError),
    /// The day cannot be written as JSON.
    #[error("the day as JSON: {0}")]
    Json(#[from] serde_json::Error),
    /// Nothing can be printed.
    #[error("standard output: {0}")]
    Unprinted(io::Error),
    /// The page cannot be written.
    #[error("{}: {cause}", .file.display())]
    Unwritten {
        /// Which file.
        file: PathBuf,
        /// Why.
        cause: io::Error,
    },
}

const PAGE: &str = "docs/scaling.md";
const CHART: &str = "docs/scaling.svg";
/// Until something was measured: intake and a batch, about as prototypes had them.
const UNMEASURED: (f64, f64) = (12.0, 10.0);

/// Simulates the day and prints it, or writes the page.
///
/// # Errors
/// What is measured is needed and not there; a file cannot be read or written.
pub fn run(options: &Options) -> Result<(), SimulateError> {
    let prices = Prices::read(&options.prices)?;
    // Without results a day can be simulated all the same, but no page be written.
    let measured = match Results::read(&options.results) {
        Ok(results) => Measured::of(&results, Target::Ordersync).map_err(SimulateError::from),
        Err(error) => Err(error.into()),
    };
    let needs = measured.as_ref().ok().and_then(needs);
    let day = Day::of(&options.scenario, timing(options, needs), &prices);
    if let Some(file) = &options.chart {
        chart::draw(&day, file)?;
    }
    if options.docs {
        let needs = needs_of(&measured?)?;
        let text = page::render(&day, needs, &prices)?;
        chart::draw(&day, Path::new(CHART))?;
        return fs::write(PAGE, text).map_err(|cause| SimulateError::Unwritten { file: PAGE.into(), cause });
    }
    let text = if options.json { serde_json::to_string_pretty(&day)? + "\n" } else { table::text(&day) };
    match io::stdout().lock().write_all(text.as_bytes()) {
        // Whoever reads has read enough.
        Err(cause) if cause.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => written.map_err(SimulateError::Unprinted),
    }
}

fn timing(options: &Options, needs: Option<Needs>) -> Timing {
    let measured = needs.map(|needs| (needs.intake_ms, needs.own_ms));
    let (intake_ms, batch_ms) = measured.unwrap_or(UNMEASURED);
    Timing {
        intake_ms: options.intake_ms.unwrap_or(intake_ms),
        ledger_ms: ASSUMED.ledger_ms,
        batch_ms: options.batch_ms.unwrap_or(batch_ms),
        destination_ms: options.destination_ms,
        is_measured: measured.is_some() && options.intake_ms.is_none() && options.batch_ms.is_none(),
    }
}

fn needs_of(measured: &Measured) -> Result<Needs, Missing> {
    needs(measured).ok_or_else(|| Missing(vec!["intake/10k and processor/http/template/10/10k".to_owned()]))
}

/// What an order of 10 KB to an endpoint needs, in batches of ten.
fn needs(measured: &Measured) -> Option<Needs> {
    let setting = Setting::DEFAULT;
    let intake = measured.intake.get(&Size::Middle)?;
    let batch = measured.processor.get(&(Sink::Http, Batch::Ten, Size::Middle))?;
    let batch_ms = processor_ms(batch, &setting);
    // What is left without the calls is its own work.
    let calls = batch.ledger_calls * ASSUMED.ledger_ms + ASSUMED.destination_ms;
    Some(Needs {
        intake_ms: intake_ms(intake, &setting),
        batch_ms,
        own_ms: (batch_ms - calls).max(0.0),
        write_units: measured.unkept_write_units.get(&Size::Middle).copied()?,
        log_bytes: intake.log_bytes + batch.log_bytes + ASSUMED.platform_log_bytes * (1.0 + 1.0 / Batch::Ten.orders()),
    })
}
