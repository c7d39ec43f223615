//! The goals: what each is about, what was measured, and whether that is enough. Pure.

use serde::Serialize;

use crate::results::{Results, Target};

/// What a figure is held against.
#[derive(Debug, Clone, Copy)]
enum Measure {
    /// The figure itself, over a divisor that gives it its unit.
    Own { over: f64 },
    /// Ours over another's.
    To(Target),
    /// At this work over at another.
    Work(&'static str),
    /// This metric over another.
    Metric(&'static str),
}

/// A goal of one figure.
#[derive(Debug, Clone, Copy)]
struct Goal {
    about: &'static str,
    work: &'static str,
    metric: &'static str,
    measure: Measure,
    most: f64,
    /// How the limit is written.
    limit: &'static str,
}

/// What became of a goal.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Outcome {
    /// What it is about.
    pub(super) about: String,
    /// The limit in words.
    pub(super) limit: String,
    /// What was measured.
    pub(super) measured: String,
    /// Whether that is enough; nothing where it was not measured.
    pub(super) is_reached: Option<bool>,
    /// How many times the limit it is.
    pub(super) times: f64,
}

const KB_PER_MB: f64 = 1024.0;
const BYTES_PER_MB: f64 = 1e6;
const BATCH: &str = "processor/s3/template/10/10k";
const ONE: &str = "processor/s3/template/1/10k";

/// The functions whose size is held against that of every other function.
const OTHERS: [&str; 5] = ["processor", "responses", "reset-errors", "cancel-stale", "cleanup"];

const fn goal(
    about: &'static str,
    work: &'static str,
    metric: &'static str,
    measure: Measure,
    most: f64,
    limit: &'static str,
) -> Goal {
    Goal { about, work, metric, measure, most, limit }
}

const OWN: Measure = Measure::Own { over: 1.0 };

/// The goals in the order of the page.
const GOALS: [Goal; 24] = [
    goal("intake, spawn to first 202", "intake/2k", "first_ms", Measure::To(Target::Floor), 1.3, "1.3 × floor"),
    goal(
        "intake, spawn to first 202",
        "intake/2k",
        "first_ms",
        Measure::To(Target::Node),
        1.0 / 40.0,
        "1/40 of Node.js",
    ),
    goal(
        "intake, spawn to first 202",
        "intake/2k",
        "first_ms",
        Measure::To(Target::Python),
        1.0 / 70.0,
        "1/70 of Python",
    ),
    goal("intake, first invocation at 7.2 % CPU", "intake/2k", "first_quota_ms", OWN, 1.0, "1 ms"),
    goal(
        "intake, first invocation at 7.2 % CPU",
        "intake/2k",
        "first_quota_ms",
        Measure::To(Target::Node),
        1.0 / 400.0,
        "1/400 of Node.js",
    ),
    goal("intake, CPU of a warm invocation", "intake/2k", "cpu_us", Measure::To(Target::Floor), 2.2, "2.2 × floor"),
    goal("intake, CPU of a warm invocation", "intake/2k", "cpu_us", Measure::To(Target::Node), 0.2, "1/5 of Node.js"),
    goal("intake, CPU of a warm invocation", "intake/2k", "cpu_us", Measure::To(Target::Python), 0.2, "1/5 of Python"),
    goal("intake, CPU at 100 KB", "intake/100k", "cpu_us", Measure::Work("intake/2k"), 3.0, "3 × that at 2 KB"),
    goal("intake, system calls of a warm invocation", "intake/2k", "syscalls", OWN, 12.0, "12"),
    goal("intake, p99 of warm invocations", "intake/2k", "p99_us", Measure::Metric("p50_us"), 1.5, "1.5 × p50"),
    goal("intake, peak memory", "intake/2k", "rss_kb", Measure::Own { over: KB_PER_MB }, 7.0, "7 MB"),
    goal("intake, zip", "intake", "zip_bytes", Measure::Own { over: BYTES_PER_MB }, 2.1, "2.1 MB"),
    goal("intake, AWS calls of an order", "intake/2k", "aws_calls", OWN, 1.0, "1"),
    goal("processor, CPU of a batch of 10", BATCH, "cpu_us", Measure::To(Target::Node), 0.2, "1/5 of Node.js"),
    goal("processor, CPU of a batch of 10", BATCH, "cpu_us", Measure::To(Target::Floor), 2.5, "2.5 × floor"),
    goal(
        "processor, spawn to first order exported",
        ONE,
        "first_ms",
        Measure::To(Target::Node),
        0.1,
        "1/10 of Node.js",
    ),
    goal(
        "processor, first invocation at 7.2 % CPU",
        ONE,
        "first_quota_ms",
        Measure::To(Target::Node),
        1.0 / 20.0,
        "1/20 of Node.js",
    ),
    goal("processor, AWS calls of an order to S3", BATCH, "aws_calls", OWN, 3.0, "3"),
    goal("processor, AWS calls of an order to HTTP", "processor/http/template/10/10k", "aws_calls", OWN, 2.0, "2"),
    goal("processor, a batch of 10, calls of 20 ms", BATCH, "wall_us", Measure::Work(ONE), 1.5, "1.5 × one order"),
    goal(
        "reset-errors, read units at 100,000 rows",
        "reset-errors/100000",
        "read_units",
        Measure::Work("reset-errors/1000"),
        1.05,
        "1.05 × those at 1,000 rows",
    ),
    goal("read and JSON of a 10 KB order", "micro/json", "times_serde_json", OWN, 2.5, "2.5 × serde_json's Value"),
    goal("read and CSV of a 10 KB order", "micro/csv", "times_serde_json", OWN, 2.5, "2.5 × serde_json's Value"),
];

/// What became of every goal.
pub(super) fn outcomes(results: &Results) -> Vec<Outcome> {
    let sizes = OTHERS.iter().map(|function| Goal {
        work: function,
        about: "zip",
        metric: "zip_bytes",
        measure: Measure::Own { over: BYTES_PER_MB },
        most: 4.0,
        limit: "4 MB",
    });
    GOALS.iter().copied().chain(sizes).map(|goal| outcome(goal, results)).collect()
}

fn outcome(goal: Goal, results: &Results) -> Outcome {
    let figure = |target, work: &str, metric: &str| results.median(target, work, metric);
    let own = figure(Target::Ordersync, goal.work, goal.metric);
    let base = match goal.measure {
        Measure::Own { over } => Some(over),
        Measure::To(target) => figure(target, goal.work, goal.metric),
        Measure::Work(work) => figure(Target::Ordersync, work, goal.metric),
        Measure::Metric(metric) => figure(Target::Ordersync, goal.work, metric),
    };
    let value = own.zip(base).map(|(own, base)| own / base);
    // Which pipelines are paused is read every few seconds, once for all orders of that time.
    let value = if goal.metric == "aws_calls" { value.map(|calls| (calls * 10.0).round() / 10.0) } else { value };
    let measured = value.map_or_else(|| "not measured".to_owned(), |value| written(goal, value));
    let times = value.map_or(0.0, |value| value / goal.most);
    let about = if goal.about == "zip" { format!("{}, zip", goal.work) } else { goal.about.to_owned() };
    Outcome { about, limit: goal.limit.to_owned(), measured, is_reached: value.map(|value| value <= goal.most), times }
}

/// The value as its limit is written.
fn written(goal: Goal, value: f64) -> String {
    match goal.measure {
        Measure::To(target @ (Target::Node | Target::Python)) => {
            let name = if target == Target::Node { "Node.js" } else { "Python" };
            format!("1/{:.*} of {name}", usize::from(value > 0.1), value.recip())
        }
        Measure::To(target) => format!("{value:.2} × {target}"),
        Measure::Own { over } if over > 1.0 => format!("{value:.2} MB"),
        Measure::Own { .. } if goal.metric.ends_with("_ms") => format!("{value:.2} ms"),
        Measure::Own { .. } => format!("{value:.1}"),
        Measure::Work(_) | Measure::Metric(_) => format!("{value:.2} ×"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn results() -> Results {
        let mut results = Results::default();
        for (target, value) in [(Target::Ordersync, 4.0), (Target::Floor, 3.2), (Target::Node, 155.0)] {
            results.add(target, "intake/2k", "first_ms", vec![value]);
        }
        results.add(Target::Ordersync, "intake", "zip_bytes", vec![2_000_000.0]);
        results.add(Target::Ordersync, BATCH, "aws_calls", vec![3.02]);
        results.add(Target::Ordersync, "processor/http/template/10/10k", "aws_calls", vec![2.1]);
        results
    }

    #[test]
    fn a_goal_is_reached_missed_or_was_not_measured() {
        let outcomes = outcomes(&results());
        let of = |about: &str, limit: &str| outcomes.iter().find(|o| o.about == about && o.limit == limit).unwrap();
        let first = "intake, spawn to first 202";
        let floor = of(first, "1.3 × floor");
        assert_eq!((floor.measured.as_str(), floor.is_reached), ("1.25 × floor", Some(true)));
        let node = of(first, "1/40 of Node.js");
        assert_eq!((node.measured.as_str(), node.is_reached), ("1/39 of Node.js", Some(false)));
        assert!(node.times > 1.0 && node.times < 1.1);
        assert_eq!(of(first, "1/70 of Python").is_reached, None);
        assert_eq!(of("processor, AWS calls of an order to S3", "3").is_reached, Some(true));
        assert_eq!(of("processor, AWS calls of an order to HTTP", "2").is_reached, Some(false));
        assert_eq!(of("intake, zip", "2.1 MB").measured, "2.00 MB");
        assert_eq!(of("cleanup, zip", "4 MB").is_reached, None);
    }

    #[test]
    fn every_goal_is_about_work_that_is_done() {
        let works: Vec<_> = crate::run::plan::works(false).iter().map(ToString::to_string).collect();
        for Goal { work, .. } in GOALS.iter().filter(|goal| goal.work.contains('/')) {
            assert!(works.iter().any(|known| known == work) || work.starts_with("micro/"), "{work}");
        }
    }
}
