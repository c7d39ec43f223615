//! `bench`: measures, compares with the goals, and writes the documents that say so.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use bench::cost;
use bench::gate;
use bench::micro;
use bench::profile;
use bench::report::{self, machine};
use bench::results::{self, Results, ResultsError, Target};
use bench::run::plan::{Plan, works};
use bench::run::target::Places;
use bench::run::{RunError, Wish, run};
use bench::simulate;
use clap::{Args, Parser};

/// Measures the functions beside what a user would pick instead.
#[derive(Debug, Parser)]
enum Command {
    /// Measure, and keep what was measured in target/bench/results.json.
    Run(RunOptions),
    /// Count what does not depend on the machine, and hold it against tests/bench/limits.toml.
    Gate(GateOptions),
    Profile(profile::Options),
    /// Write docs/performance.md anew from the last run.
    Report,
    /// Print the figures of the last run, one a line.
    Show,
    Cost(cost::Options),
    Simulate(Box<simulate::Options>),
}

#[derive(Debug, Args)]
struct RunOptions {
    /// Fewer kinds of work, and fewer of each, in a few minutes.
    #[arg(long)]
    quick: bool,
    /// Only what is counted and not timed, of all kinds of work.
    #[arg(long, conflicts_with = "quick")]
    counted: bool,
    /// Only work whose name contains this, such as intake/10k or s3/template.
    #[arg(long, value_name = "PATTERN", default_value = "")]
    only: String,
    /// Who is measured.
    #[arg(long, value_delimiter = ',', default_value = "ordersync,floor,node,python", value_parser = target)]
    targets: Vec<Target>,
    /// Where the release binaries of the functions are.
    #[arg(long, value_name = "DIR", default_value = "target/release")]
    binaries: PathBuf,
    /// Cargo's target directory, where the others are.
    #[arg(long, value_name = "DIR", default_value = "target")]
    target_dir: PathBuf,
    /// Keep the figures of earlier runs that this one does not measure anew.
    #[arg(long)]
    merge: bool,
}

#[derive(Debug, Args)]
struct GateOptions {
    /// Where the release binaries of the functions are.
    #[arg(long, value_name = "DIR", default_value = "target/release")]
    binaries: PathBuf,
}

fn main() -> ExitCode {
    let done: Result<(), Box<dyn Error>> = match Command::parse() {
        Command::Run(options) => measure(&options),
        Command::Gate(options) => gate(&options),
        Command::Profile(options) => profiled(&options).map_err(Into::into),
        Command::Report => std::env::current_dir().map_err(Into::into).and_then(|root| Ok(report::write(&root)?)),
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

#[tokio::main(flavor = "current_thread")]
async fn measure(options: &RunOptions) -> Result<(), Box<dyn Error>> {
    let root = std::env::current_dir()?;
    let binaries = root.join(&options.binaries);
    let works = works(options.quick).into_iter().filter(|work| work.to_string().contains(&options.only));
    let wish = Wish {
        places: Places { target: root.join(&options.target_dir), binaries, root },
        plan: match (options.quick, options.counted) {
            (true, _) => Plan::QUICK,
            (_, true) => Plan::COUNTED,
            _ => Plan::FULL,
        },
        works: works.collect(),
        targets: options.targets.clone(),
    };
    // Before the run, which keeps to one of the cores.
    let machine = machine::Machine::look(&wish.places.root, &wish.places.target);
    let place = Path::new(results::PLACE);
    let earlier = if options.merge && place.exists() { Results::read(place)? } else { Results::default() };
    let keep = |measured: &Results| earlier.clone().updated(measured.clone()).write(place);
    let mut measured = run(&wish, keep).await?;
    micro::add(&mut measured, &wish.places.target);
    keep(&measured)?;
    machine.write(Path::new(machine::PLACE))?;
    Ok(())
}

#[tokio::main(flavor = "current_thread")]
async fn profiled(options: &profile::Options) -> Result<(), RunError> {
    profile::run(options).await
}

#[tokio::main(flavor = "current_thread")]
#[expect(clippy::print_stdout, reason = "a command-line tool")]
async fn gate(options: &GateOptions) -> Result<(), Box<dyn Error>> {
    let root = std::env::current_dir()?;
    let limits = gate::limits(&root.join("tests/bench/limits.toml"))?;
    let works = works(false).into_iter().filter(|work| limits.iter().any(|limit| limit.work == work.to_string()));
    let wish = Wish {
        works: works.collect(),
        places: Places { target: root.join("target"), binaries: root.join(&options.binaries), root },
        plan: Plan::COUNTED,
        targets: vec![Target::Ordersync],
    };
    let verdicts = gate::judge(limits, &run(&wish, |_| Ok(())).await?);
    for verdict in &verdicts {
        println!("{verdict}");
    }
    let exceeded = verdicts.iter().filter(|verdict| !verdict.is_kept()).count();
    if exceeded > 0 { Err(gate::GateError::Exceeded(exceeded).into()) } else { Ok(()) }
}

fn target(name: &str) -> Result<Target, String> {
    let known = Target::ALL.into_iter().find(|target| target.to_string() == name);
    known.ok_or_else(|| format!("expected one of {}", Target::ALL.map(|target| target.to_string()).join(", ")))
}

#[expect(clippy::print_stdout, reason = "a command-line tool")]
fn show() -> Result<(), ResultsError> {
    for figure in Results::read(Path::new(results::PLACE))?.0 {
        let results::Figure { target, work, metric, median, min, max, n } = figure;
        println!("{target} {work} {metric}: {median} ({min} to {max}, n = {n})");
    }
    Ok(())
}
