//! `docs/performance.md`: written anew from the last run and from the prose beside this file.

mod chart;
mod figures;
mod goals;
pub mod machine;

use std::fs;
use std::io;
use std::path::Path;

use minijinja::syntax::SyntaxConfig;
use minijinja::value::Serde;
use minijinja::{Environment, UndefinedBehavior, context};

use self::machine::Machine;
use crate::results::{self, Results, ResultsError};
use crate::run::plan::Plan;

/// The page, from the workspace's root.
pub const PAGE: &str = "docs/performance.md";
/// Its chart.
const CHART: &str = "docs/performance.svg";
const PROSE: &str = include_str!("performance.md.j2");

/// The page cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// There are no results.
    #[error("{0}; `make bench` makes them")]
    Results(#[from] ResultsError),
    /// There is no description of the machine, or the page cannot be written.
    #[error("{0}: {1}")]
    Io(&'static str, io::Error),
    /// The prose asks for something that there is not.
    #[error("the page cannot be rendered: {0:#}")]
    Prose(#[from] minijinja::Error),
    /// The chart.
    #[error("the chart cannot be drawn: {0}")]
    Chart(String),
}

/// Writes the page and its chart.
///
/// # Errors
/// There was no run, or a file cannot be written.
pub fn write(root: &Path) -> Result<(), ReportError> {
    let results = Results::read(&root.join(results::PLACE))?;
    let machine = Machine::read(&root.join(machine::PLACE)).map_err(|error| ReportError::Io(machine::PLACE, error))?;
    let page = page(&results, &machine)?;
    let chart = chart::draw(&results).map_err(ReportError::Chart)?;
    fs::write(root.join(PAGE), page).map_err(|error| ReportError::Io(PAGE, error))?;
    fs::write(root.join(CHART), chart).map_err(|error| ReportError::Io(CHART, error))
}

fn page(results: &Results, machine: &Machine) -> Result<String, minijinja::Error> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    let syntax = SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).keep_trailing_newline(true).build()?;
    environment.set_syntax(syntax);
    let figures = results.clone();
    let table = move |metric: &str, works: Vec<String>| figures::table(&figures, metric, &works);
    environment.add_function("table", table);
    let figures = results.clone();
    environment.add_function("profile", move |work: &str| figures::profile(&figures, work));
    let figures = results.clone();
    let median = move |target: &str, work: &str, metric: &str| {
        let figure = figures.0.iter().find(|f| f.target.to_string() == target && f.work == work && f.metric == metric);
        figure.map_or_else(|| "–".to_owned(), |figure| figures::rounded(figure.median))
    };
    environment.add_function("median", median);
    let goals = goals::outcomes(results);
    let reached = goals.iter().filter(|goal| goal.is_reached == Some(true)).count();
    let missed = goals.iter().filter(|goal| goal.is_reached == Some(false)).count();
    let (cold, rounds) = (Plan::FULL.cold, Plan::FULL.rounds);
    environment
        .render_str(PROSE, context! { machine => Serde(machine), goals => Serde(goals), reached, missed, cold, rounds })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::results::Target;

    #[test]
    fn the_page_has_prose_tables_and_goals() {
        let mut results = Results::default();
        results.add(Target::Ordersync, "intake/2k", "first_ms", vec![4.0]);
        results.add(Target::Floor, "intake/2k", "first_ms", vec![3.5]);
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let page = page(&results, &Machine::look(&root, &root.join("target"))).unwrap();
        for part in
            ["| intake/2k | **4** | 3.5 (0.9×) |", "| intake, spawn to first 202 | 1.3 × floor | 1.14 × floor |"]
        {
            assert!(page.contains(part), "{part} in\n{page}");
        }
    }
}
