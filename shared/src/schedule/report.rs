//! What a run did: its answer, its line in the log, its metrics.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Map, Value};

use crate::telemetry::{Dimension, Metric, metrics};

/// What a run did. Serializes as the function's answer:
/// `{"dry_run":…,"seen":…,"changed":{what:n},"skipped":{reason:n},"failed":…,"left":…}` and the counts by name.
///
/// In a dry run, `changed` is what would have been changed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    dry_run: bool,
    seen: u64,
    changed: BTreeMap<&'static str, u64>,
    skipped: BTreeMap<&'static str, u64>,
    failed: u64,
    left: u64,
    #[serde(flatten)]
    counts: BTreeMap<&'static str, u64>,
}

impl Report {
    /// An empty one; [`super::Run::report`] makes it for a run.
    pub fn new(dry_run: bool) -> Self {
        Self { dry_run, ..Self::default() }
    }

    /// `n` more rows, messages or objects were looked at.
    pub fn saw(&mut self, n: u64) {
        self.seen += n;
    }

    /// `n` more were changed, and how: `reset`, `canceled`.
    pub fn changed(&mut self, what: &'static str, n: u64) {
        *self.changed.entry(what).or_default() += n;
    }

    /// How many were changed in this way.
    pub fn how_many_changed(&self, what: &str) -> u64 {
        self.changed.get(what).copied().unwrap_or_default()
    }

    /// `n` more were left as they are, and why: `paused`, `not_due`.
    pub fn skipped(&mut self, reason: &'static str, n: u64) {
        *self.skipped.entry(reason).or_default() += n;
    }

    /// `n` more could not be dealt with. The reason of each has been logged where it was met.
    pub fn failed(&mut self, n: u64) {
        self.failed += n;
    }

    /// `n` more are known to wait for the next run, as time ran out.
    pub fn left(&mut self, n: u64) {
        self.left += n;
    }

    /// Anything else that is counted, such as `bytes`. The names of the report's own members are not to be used.
    pub fn count(&mut self, name: &'static str, n: u64) {
        *self.counts.entry(name).or_default() += n;
    }

    /// Adds what another part of the same run did.
    pub fn merge(&mut self, other: Self) {
        let add = |mine: &mut BTreeMap<_, _>, theirs: BTreeMap<_, u64>| {
            for (name, n) in theirs {
                *mine.entry(name).or_default() += n;
            }
        };
        self.seen += other.seen;
        self.failed += other.failed;
        self.left += other.left;
        add(&mut self.changed, other.changed);
        add(&mut self.skipped, other.skipped);
        add(&mut self.counts, other.counts);
    }

    /// Puts the run on record: one log line with all counts, and the metrics.
    pub fn finish(&self, function: &str) {
        let (changed, skipped) = (total(&self.changed), total(&self.skipped));
        tracing::info!(
            function,
            dry_run = self.dry_run,
            seen = self.seen,
            changed,
            skipped,
            failed = self.failed,
            left = self.left,
            "{function}: {}",
            self.words()
        );
        if !self.dry_run {
            self.emit(function);
        }
    }

    /// The metrics, zeros too: an alarm on what did not happen needs data. Counts by name go along as members of the
    /// line, which Logs Insights can query; as metrics each would cost.
    pub(super) fn emit(&self, function: &str) {
        let members = |counts: &BTreeMap<&str, u64>| {
            counts.iter().map(|(name, n)| ((*name).to_owned(), Value::from(*n))).collect::<Map<_, _>>()
        };
        let mut properties = members(&self.counts);
        properties.insert("changed".into(), members(&self.changed).into());
        properties.insert("skipped".into(), members(&self.skipped).into());
        let values = [
            (Metric::Seen, self.seen),
            (Metric::Changed, total(&self.changed)),
            (Metric::Skipped, total(&self.skipped)),
            (Metric::Failed, self.failed),
            (Metric::Left, self.left),
        ];
        metrics(&[&[Dimension::Function(function)]], &values, properties);
    }

    /// `seen 7, reset 3, skipped 2 (paused 2), failed 0, left 2`.
    pub(super) fn words(&self) -> String {
        let list = |counts: &BTreeMap<&str, u64>| {
            counts.iter().map(|(name, n)| format!("{name} {n}")).collect::<Vec<_>>().join(", ")
        };
        let changed = if self.changed.is_empty() { "changed 0".to_owned() } else { list(&self.changed) };
        let reasons = if self.skipped.is_empty() { String::new() } else { format!(" ({})", list(&self.skipped)) };
        let mut words = vec![
            format!("seen {}", self.seen),
            changed,
            format!("skipped {}{reasons}", total(&self.skipped)),
            format!("failed {}", self.failed),
            format!("left {}", self.left),
        ];
        if self.dry_run {
            words.insert(0, "dry run".to_owned());
        }
        if !self.counts.is_empty() {
            words.push(list(&self.counts));
        }
        words.join(", ")
    }
}

fn total(counts: &BTreeMap<&str, u64>) -> u64 {
    counts.values().sum()
}
