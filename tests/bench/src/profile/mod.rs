//! Where the instructions of a warm invocation go, by part of the program, counted by callgrind.

mod parts;

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use clap::Args;

use crate::results::{self, Results, Target};
use crate::run::plan::Plan;
use crate::run::target::Places;
use crate::run::{RunError, Wish, instructions};
use crate::work::{Format, Size, Transport, Variant, Work};

/// What a metric's name begins with; the part follows.
pub const METRIC: &str = "instructions/";

/// What is looked at.
const WORKS: [Work; 3] = [
    Work::Intake(Size::Ten),
    Work::Processor {
        transport: Transport::S3,
        format: Format::Template,
        batch: 10,
        size: Size::Ten,
        variant: Variant::Usual,
    },
    Work::Processor {
        transport: Transport::Http,
        format: Format::Template,
        batch: 10,
        size: Size::Ten,
        variant: Variant::Usual,
    },
];

/// Count where the instructions of a warm invocation go, and add that to the last run's figures.
#[derive(Debug, Args)]
pub struct Options {
    /// Where the binaries of the functions and of the floor are, built with their symbols.
    #[arg(long, value_name = "DIR", default_value = "target/profile/release")]
    binaries: PathBuf,
    /// Only work whose name contains this.
    #[arg(long, value_name = "PATTERN", default_value = "")]
    only: String,
}

/// Counts, and adds what was counted to the results.
///
/// # Errors
/// As [`crate::run::run`]; callgrind is missing or says nothing.
pub async fn run(options: &Options) -> Result<(), RunError> {
    let root = std::env::current_dir()?;
    let binaries = root.join(&options.binaries);
    // The floor is looked for in `release` of a target directory.
    let target = binaries.parent().unwrap_or(&binaries).to_owned();
    let wish = Wish {
        places: Places { root, target, binaries },
        plan: Plan::COUNTED,
        works: WORKS.into_iter().filter(|work| work.to_string().contains(&options.only)).collect(),
        targets: vec![Target::Ordersync, Target::Floor],
    };
    let mut counted = Results::default();
    for ((target, work), functions) in instructions(&wish).await? {
        for (part, instructions) in by_part(&functions) {
            counted.add(target, &work.to_string(), &format!("{METRIC}{part}"), vec![instructions]);
        }
    }
    let place = Path::new(results::PLACE);
    let results = if place.exists() { Results::read(place)? } else { Results::default() };
    // Parts that are no more would stay.
    let others = results.0.into_iter().filter(|figure| !figure.metric.starts_with(METRIC));
    Ok(Results(others.chain(counted.0).collect()).write(place)?)
}

fn by_part(functions: &BTreeMap<String, f64>) -> BTreeMap<&'static str, f64> {
    let mut parts = BTreeMap::new();
    for (function, instructions) in functions {
        *parts.entry(parts::part(function)).or_default() += instructions;
    }
    parts
}

/// How a target is started, so that its instructions are counted; callgrind's notes go to `directory`.
pub(crate) fn counting(command: &[String], directory: &Path) -> Vec<String> {
    let out = format!("--callgrind-out-file={}", directory.join("callgrind").display());
    let valgrind = ["valgrind", "--tool=callgrind", "--quiet", "--collect-systime=no"];
    valgrind.into_iter().map(ToOwned::to_owned).chain([out]).chain(command.iter().cloned()).collect()
}

/// Forgets what a process was counted to have done.
pub(crate) fn forget(process: u32) -> io::Result<()> {
    said("callgrind_control", &["--zero", &process.to_string()]).map(drop)
}

/// Instructions by function since then.
pub(crate) fn counted(process: u32, directory: &Path) -> io::Result<BTreeMap<String, u64>> {
    said("callgrind_control", &["--dump", &process.to_string()])?;
    let last = directory.join("callgrind.1");
    // It is written when the process wakes up next.
    for _ in 0..100 {
        if std::fs::read_to_string(&last).is_ok_and(|text| text.contains("\ntotals:")) {
            break;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    let lines = said("callgrind_annotate", &["--threshold=100", "--show-percs=no", &last.display().to_string()])?;
    Ok(functions(&lines))
}

/// The lines of `callgrind_annotate`: a number, a file, a colon, a function, and its object in brackets.
fn functions(lines: &str) -> BTreeMap<String, u64> {
    let line = |line: &str| {
        let (number, rest) = line.trim_start().split_once("  ")?;
        let number: u64 = number.replace(',', "").parse().ok()?;
        let (_, function) = rest.trim_start().split_once(':')?;
        Some((function.split(" [").next().unwrap_or(function).to_owned(), number))
    };
    let total =
        lines.lines().find_map(|line| line.trim().strip_suffix("PROGRAM TOTALS")?.trim().replace(',', "").parse().ok());
    let mut functions = BTreeMap::new();
    // Those that have not returned are listed with all that they have called.
    let own = lines.lines().filter_map(line).filter(|(_, instructions)| Some(*instructions) != total);
    for (function, instructions) in own {
        *functions.entry(function).or_default() += instructions;
    }
    functions
}

fn said(program: &str, arguments: &[&str]) -> io::Result<String> {
    let output = Command::new(program).args(arguments).stdin(Stdio::null()).output();
    let output = output.map_err(|error| io::Error::new(error.kind(), format!("{program} (of valgrind): {error}")))?;
    if !output.status.success() {
        return Err(io::Error::other(format!("{program}: {}", String::from_utf8_lossy(&output.stderr).trim())));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_are_read_from_their_lines() {
        let lines = "--------\nIr\n--------\n3,000 PROGRAM TOTALS\n\n\
            3,000  ???:main [/functions/intake]\n\
            1,200  ???:<hyper::proto::h1::Conn as core::future::Future>::poll [/functions/intake]\n  \
            800  ./string/../sysdeps/memmove.S:__memcpy [/usr/lib/libc.so.6]\n  \
            100  ???:<hyper::proto::h1::Conn as core::future::Future>::poll [/functions/intake]\n";
        let expected = [("<hyper::proto::h1::Conn as core::future::Future>::poll", 1300), ("__memcpy", 800)];
        assert_eq!(functions(lines), expected.map(|(name, count)| (name.to_owned(), count)).into());
    }
}
