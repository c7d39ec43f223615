//! One work by all targets: first whether each does it right, then how fast.

use std::collections::BTreeMap;

use super::measure::{Round, number, number_u64};
use super::session::Session;
use super::{Bench, RunError, TargetError, check};
use crate::results::{Results, Target};
use crate::stand_in::dynamodb::Units;
use crate::stand_in::tally::Counts;
use crate::work::Work;
use crate::work::input::Input;

/// Number of the first order that all targets are compared by.
const COMPARED: u64 = 90_000_000;
/// Batches that they are compared by.
const COMPARED_INPUTS: u64 = 2;
/// With a greater share of the time for itself, the harness would measure itself.
const MOST_OWN_SHARE: f64 = 0.75;

/// A warm target, and what was measured of it.
struct Warm {
    target: Target,
    session: Session,
    rounds: Vec<Round>,
    counts: Counts,
    units: Units,
    orders: usize,
}

impl Bench {
    /// Everything of one work.
    pub(super) async fn work(&mut self, work: Work, targets: &[Target]) -> Result<(), RunError> {
        if self.plan.is_timed {
            Self::say(&format!("{work} …"));
        }
        let mut ready = Vec::new();
        for target in targets.iter().copied().filter(|target| !work.is_variant() || *target == Target::Ordersync) {
            match self.compare(target, work).await {
                Ok(()) => ready.push(target),
                Err(RunError::Target(missing @ TargetError::NotBuilt(_))) if target != Target::Ordersync => {
                    self.say_once(&format!("{target} is left out: {missing}"));
                }
                Err(error) => return Err(error),
            }
        }
        if !work.is_variant() {
            self.starts(work, &ready).await?;
        }
        let mut warm = Vec::new();
        for target in &ready {
            warm.push(self.warm(*target, work).await?);
        }
        for _ in 0..self.plan.rounds {
            for warm in &mut warm {
                self.measured_round(warm, work).await?;
            }
        }
        for warm in warm {
            self.last(warm, work).await?;
        }
        self.stand_ins.aws.dynamodb.clear();
        Ok(())
    }

    /// Whether a target does what it is asked, and the same as the others.
    async fn compare(&mut self, target: Target, work: Work) -> Result<(), RunError> {
        self.stand_ins.aws.dynamodb.clear();
        self.stand_ins.aws.s3.take();
        let mut session = self.start(target, work).await?;
        session.asked().await?;
        self.stand_ins.tally.keep_requests(true);
        let orders = u64::try_from(work.orders()).unwrap_or_default();
        let inputs: Vec<Input> =
            (0..COMPARED_INPUTS).map(|at| Input::new(work, COMPARED + at * orders)).collect::<Result<_, _>>()?;
        for input in &inputs {
            let answer = session.invoke(input.event()).await?.answer;
            input.check_answer(&answer).map_err(|wrong| session.unexpected(&wrong))?;
        }
        let kept = self.stand_ins.tally.take_kept();
        self.stand_ins.tally.keep_requests(false);
        let wrong = |wrong: String| RunError::Wrong { target, work: work.to_string(), wrong };
        if let Some(complaint) = self.stand_ins.tally.take_complaints().first() {
            return Err(session.unexpected(&format!("was refused: {complaint}")).into());
        }
        if let Work::Intake(_) = work {
            return check::messages(&inputs, &kept).map_err(wrong);
        }
        let numbers: Vec<String> = inputs.iter().flat_map(Input::numbers).collect();
        let documents = check::documents(work, &numbers, &kept, &self.stand_ins.aws.s3.take()).map_err(wrong)?;
        if let Some(reference) = self.references.get(&work) {
            return check::same(work, reference, &documents).map_err(wrong);
        }
        self.references.insert(work, documents);
        Ok(())
    }

    /// Starts of all targets in turns, so that what the machine does meanwhile hits all alike.
    async fn starts(&mut self, work: Work, targets: &[Target]) -> Result<(), RunError> {
        let (starts, quota) = (self.plan.starts(work), self.plan.quota);
        let mut samples: BTreeMap<(Target, &str), Vec<f64>> = BTreeMap::new();
        for at in 0..starts {
            for target in targets {
                let start = self.cold(*target, work).await?;
                for (metric, value) in
                    [("next_ms", start.next_ms), ("first_ms", start.first_ms), ("cpu_first_us", start.cpu_first_us)]
                {
                    samples.entry((*target, metric)).or_default().push(value);
                }
                let limited =
                    if at < quota && work.orders() == 1 { self.first_under_quota(*target, work).await? } else { None };
                if let Some(limited) = limited {
                    samples.entry((*target, "first_quota_ms")).or_default().push(limited);
                }
            }
            self.stand_ins.aws.s3.take();
        }
        for ((target, metric), samples) in samples {
            self.results.add(target, &work.to_string(), metric, samples);
        }
        Ok(())
    }

    async fn warm(&mut self, target: Target, work: Work) -> Result<Warm, RunError> {
        let mut session = self.start(target, work).await?;
        session.asked().await?;
        self.warm_up(&mut session, work, self.plan.warm_up(work)).await?;
        let (rounds, counts) = (Vec::new(), Counts::new());
        Ok(Warm { target, session, rounds, counts, units: Units::default(), orders: 0 })
    }

    async fn measured_round(&mut self, warm: &mut Warm, work: Work) -> Result<(), RunError> {
        let units = self.stand_ins.aws.dynamodb.units();
        let (round, counts) = self.round(&mut warm.session, work).await?;
        let after = self.stand_ins.aws.dynamodb.units();
        warm.units.write += after.write - units.write;
        warm.units.read += after.read - units.read;
        for (operation, count) in counts {
            let sum = warm.counts.entry(operation).or_default();
            sum.calls += count.calls;
            sum.sent += count.sent;
            sum.received += count.received;
        }
        warm.orders += round.latencies_us.len() * work.orders();
        warm.rounds.push(round);
        self.stand_ins.aws.dynamodb.clear();
        self.stand_ins.aws.s3.take();
        Ok(())
    }

    /// What comes after the rounds, and all figures of a target at a work.
    async fn last(&mut self, mut warm: Warm, work: Work) -> Result<(), RunError> {
        let (target, name) = (warm.target, work.to_string());
        let rss = number_u64(warm.session.process.peak_rss_kb()?);
        self.results.add(target, &name, "rss_kb", vec![rss]);
        if matches!(work, Work::Processor { .. }) && !work.is_variant() {
            let mut slow = Vec::new();
            for _ in 0..self.plan.slow {
                slow.push(self.slow(&mut warm.session, work).await?);
            }
            self.results.add(target, &name, "wall_us", slow);
        }
        if matches!(work, Work::Intake(_)) {
            let calls = self.syscalls(&mut warm.session, work).await?;
            self.results.add(target, &name, "syscalls", calls.into_iter().collect());
        }
        let share = median(&warm.rounds.iter().map(|round| round.harness_share).collect::<Vec<_>>());
        add_rounds(&mut self.results, target, &name, &warm.rounds);
        add_counts(&mut self.results, &name, &warm);
        self.summary(target, &name, share);
        if self.plan.is_timed && share > MOST_OWN_SHARE {
            return Err(RunError::Bottleneck { target, work: name, percent: share * 100.0 });
        }
        Ok(())
    }

    /// A line that says how it went.
    fn summary(&self, target: Target, work: &str, share: f64) {
        if !self.plan.is_timed {
            return Self::say(&format!("{work} {target}: counted"));
        }
        let figure = |metric: &str| {
            self.results.median(target, work, metric).map_or_else(|| "–".into(), |value| format!("{value:.1}"))
        };
        Self::say(&format!(
            "{work} {target}: first {} ms, at 7.2 % CPU {} ms; warm {} µs CPU, p50 {} µs, p99 {} µs, {} system calls, \
             {} KB; {} calls an order; harness {:.0} %",
            figure("first_ms"),
            figure("first_quota_ms"),
            figure("cpu_us"),
            figure("p50_us"),
            figure("p99_us"),
            figure("syscalls"),
            figure("rss_kb"),
            figure("aws_calls"),
            share * 100.0,
        ));
    }
}

fn add_rounds(results: &mut Results, target: Target, work: &str, rounds: &[Round]) {
    let samples = |of: fn(&Round) -> f64| rounds.iter().map(of).collect::<Vec<_>>();
    results.add(target, work, "cpu_us", samples(|round| round.cpu_us));
    results.add(target, work, "per_second", samples(|round| round.per_second));
    results.add(target, work, "log_bytes", samples(|round| round.log_bytes));
    results.add(target, work, "harness_share", samples(|round| round.harness_share));
    results.add(target, work, "target_share", samples(|round| round.target_share));
    results.add(target, work, "p50_us", samples(|round| percentile(&round.latencies_us, 50)));
    results.add(target, work, "p99_us", samples(|round| percentile(&round.latencies_us, 99)));
}

/// What was counted, by order.
fn add_counts(results: &mut Results, work: &str, warm: &Warm) {
    let orders = number(warm.orders);
    let mut add = |metric: &str, sum: f64| results.add(warm.target, work, metric, vec![sum / orders]);
    for (operation, count) in &warm.counts {
        add(&format!("calls/{operation}"), number_u64(count.calls));
    }
    let sum = |of: fn(&crate::stand_in::tally::Count) -> u64| number_u64(warm.counts.values().map(of).sum());
    add("sent_bytes", sum(|count| count.sent));
    add("received_bytes", sum(|count| count.received));
    let aws = warm.counts.iter().filter(|(operation, _)| !operation.starts_with("Destination."));
    add("aws_calls", number_u64(aws.map(|(_, count)| count.calls).sum()));
    if work.starts_with("processor") {
        add("write_units", number_u64(warm.units.write));
        add("read_units", warm.units.read);
    }
}

/// The value that so many of a hundred do not exceed.
fn percentile(values: &[f64], percent: usize) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let rank = (sorted.len() * percent).div_ceil(100).saturating_sub(1);
    sorted.get(rank).copied().unwrap_or_default()
}

fn median(values: &[f64]) -> f64 {
    percentile(values, 50)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_values_that_were_measured() {
        let values: Vec<f64> = (1..=200).map(f64::from).rev().collect();
        for (percent, expected) in [(50, 100.0), (99, 198.0), (100, 200.0)] {
            assert!((percentile(&values, percent) - expected).abs() < f64::EPSILON, "{percent}");
        }
        assert!((percentile(&[7.0], 99) - 7.0).abs() < f64::EPSILON);
    }
}
