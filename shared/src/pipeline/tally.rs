//! What became of a batch's exports, as metrics by pipeline.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use serde_json::Map;

use crate::telemetry::{Dimension, Metric, metrics};

/// Counts of one batch; its clones count together.
#[derive(Debug, Clone, Default)]
pub struct Tally(Arc<Mutex<BTreeMap<String, Counts>>>);

/// What became of the exports of one pipeline.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Counts {
    exported: u64,
    attempts_failed: u64,
    gave_up: u64,
    longest: Option<Duration>,
}

impl Tally {
    /// An export was made; of one that its webhook itself led to, the time that took.
    pub(super) fn exported(&self, pipeline: &str, lag: Option<Duration>) {
        let mut all = self.counts();
        let counts = all.entry(pipeline.to_owned()).or_default();
        counts.exported += 1;
        counts.longest = counts.longest.max(lag);
    }

    /// An attempt failed, and was the last one or not.
    pub(super) fn attempt_failed(&self, pipeline: &str, gave_up: bool) {
        let mut all = self.counts();
        let counts = all.entry(pipeline.to_owned()).or_default();
        counts.attempts_failed += 1;
        counts.gave_up += u64::from(gave_up);
    }

    /// An export is in error without an attempt.
    pub(super) fn gave_up(&self, pipeline: &str) {
        self.counts().entry(pipeline.to_owned()).or_default().gave_up += 1;
    }

    /// Writes the metrics: of each pipeline that something became of, and for all together.
    pub fn emit(&self) {
        for (pipeline, counts) in std::mem::take(&mut *self.counts()) {
            let function = [Dimension::Function("processor")];
            metrics(&[&function, &[Dimension::Pipeline(&pipeline)]], &counts.metrics(), Map::new());
        }
    }

    fn counts(&self) -> MutexGuard<'_, BTreeMap<String, Counts>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Counts {
    /// Without zeros: a metric costs in the hours that it has data in, and no alarm is on exports that are not made.
    fn metrics(self) -> Vec<(Metric, u64)> {
        let lag = self.longest.map(|longest| (Metric::Lag, u64::try_from(longest.as_millis()).unwrap_or(u64::MAX)));
        let counts = [
            (Metric::Exported, self.exported),
            (Metric::AttemptsFailed, self.attempts_failed),
            (Metric::GaveUp, self.gave_up),
        ];
        counts.into_iter().filter(|(_, count)| *count > 0).chain(lag).collect()
    }
}

/// How long ago that was; nothing, where the clocks of two machines say that it is still to come.
pub(super) fn since(then: Timestamp, now: Timestamp) -> Duration {
    Duration::try_from(now.duration_since(then)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_is_counted_by_pipeline() {
        let tally = Tally::default();
        let other = tally.clone();
        tally.exported("erp", Some(Duration::from_millis(20)));
        other.exported("erp", Some(Duration::from_millis(70)));
        tally.exported("erp", None);
        tally.attempt_failed("erp", false);
        tally.attempt_failed("erp", true);
        tally.gave_up("crm");
        let all = tally.counts().clone();
        let erp = all["erp"].metrics();
        let expected = [(Metric::Exported, 3), (Metric::AttemptsFailed, 2), (Metric::GaveUp, 1), (Metric::Lag, 70)];
        assert_eq!(erp, expected);
        let crm = all["crm"].metrics();
        assert_eq!(crm, [(Metric::GaveUp, 1)]);
        tally.emit();
        assert!(other.counts().is_empty(), "told once");
    }

    #[test]
    fn a_clock_that_goes_behind_makes_no_lag() -> Result<(), jiff::Error> {
        let (early, late) = ("2026-03-01T00:00:00Z".parse()?, "2026-03-01T00:00:01Z".parse()?);
        assert_eq!((since(early, late), since(late, early)), (Duration::from_secs(1), Duration::ZERO));
        Ok(())
    }
}
