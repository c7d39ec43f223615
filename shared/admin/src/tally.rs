//! Counts of exports by state and pipeline, and by the hour. Pure.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use ordersync::clock::earlier;
use ordersync::ledger::{Stamp, Status};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Hours of the series: a week.
pub(crate) const HOURS: u64 = 7 * 24;
/// Seconds of an hour.
const HOUR: i64 = 3600;

/// How many exports of a pipeline are in a state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Count {
    /// The state.
    pub status: Status,
    /// Code of the pipeline; `-` for orders that no pipeline takes.
    pub pipeline: String,
    /// How many.
    pub count: u64,
}

/// What came to an end within an hour.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Hour {
    /// When the hour began.
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub at: Timestamp,
    /// Exports that the destination took.
    pub exported: u64,
    /// Exports that failed for good, and are in error still.
    pub failed: u64,
}

/// A pipeline of which everything that ended within the last hour failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Failing {
    /// Code of the pipeline.
    pub pipeline: String,
    /// How many of its exports failed for good within it.
    pub failed: u64,
}

/// The counts so far.
#[derive(Debug, Clone)]
pub(crate) struct Tally {
    now: Timestamp,
    /// When the first hour of the series begins, in seconds.
    first: i64,
    counts: BTreeMap<(Status, String), u64>,
    hours: Vec<(u64, u64)>,
    /// By pipeline, of the last hour: what was exported, and what failed.
    recent: BTreeMap<String, (u64, u64)>,
}

impl Tally {
    pub(crate) fn new(now: Timestamp) -> Self {
        let hours = usize::try_from(HOURS).unwrap_or_default();
        let current = now.as_second().div_euclid(HOUR) * HOUR;
        let first = current - (i64::try_from(HOURS).unwrap_or_default() - 1) * HOUR;
        Self { now, first, counts: BTreeMap::new(), hours: vec![(0, 0); hours], recent: BTreeMap::new() }
    }

    /// From when on what is over is counted.
    pub(crate) fn since(&self) -> Timestamp {
        Timestamp::from_second(self.first).unwrap_or(Timestamp::UNIX_EPOCH)
    }

    /// Counts an export in.
    pub(crate) fn add(&mut self, status: Status, stamp: &Stamp) {
        *self.counts.entry((status, stamp.pipeline.clone())).or_default() += 1;
        let (exported, failed) = match status {
            Status::Exported | Status::Acknowledged => (1, 0),
            Status::Error => (0, 1),
            Status::Pending | Status::Processing | Status::Skipped | Status::Canceled => return,
        };
        let hour = usize::try_from((stamp.at.as_second() - self.first).div_euclid(HOUR)).ok();
        if let Some(hour) = hour.and_then(|hour| self.hours.get_mut(hour)) {
            *hour = (hour.0 + exported, hour.1 + failed);
        }
        if stamp.at > earlier(self.now, Duration::from_hours(1)) {
            let recent = self.recent.entry(stamp.pipeline.clone()).or_default();
            *recent = (recent.0 + exported, recent.1 + failed);
        }
    }

    pub(crate) fn counts(&self) -> Vec<Count> {
        let count = |((status, pipeline), count): (&(Status, String), &u64)| Count {
            status: *status,
            pipeline: pipeline.clone(),
            count: *count,
        };
        self.counts.iter().map(count).collect()
    }

    /// Every hour, oldest first; the last one is not over yet.
    pub(crate) fn hours(&self) -> Vec<Hour> {
        let at = |index: usize| {
            let second = self.first + i64::try_from(index).unwrap_or_default() * HOUR;
            Timestamp::from_second(second).unwrap_or(Timestamp::UNIX_EPOCH)
        };
        let hour = |(index, (exported, failed)): (usize, &(u64, u64))| Hour {
            at: at(index),
            exported: *exported,
            failed: *failed,
        };
        self.hours.iter().enumerate().map(hour).collect()
    }

    pub(crate) fn failing(&self) -> Vec<Failing> {
        let is_failing = |(_, (exported, failed)): &(&String, &(u64, u64))| *exported == 0 && *failed > 0;
        let failing =
            |(pipeline, (_, failed)): (&String, &(u64, u64))| Failing { pipeline: pipeline.clone(), failed: *failed };
        self.recent.iter().filter(is_failing).map(failing).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exports_are_counted_by_state_and_pipeline_and_by_the_hour_in_which_they_ended() {
        let now: Timestamp = "2026-03-08T10:30:00Z".parse().unwrap();
        let mut tally = Tally::new(now);
        assert_eq!(tally.since(), "2026-03-01T11:00:00Z".parse().unwrap());
        for (status, pipeline, at) in [
            (Status::Exported, "erp", "2026-03-08T10:29:59Z"),
            (Status::Acknowledged, "erp", "2026-03-08T10:00:00Z"),
            (Status::Exported, "erp", "2026-03-08T09:59:59.999Z"),
            (Status::Exported, "erp", "2026-03-01T11:00:00Z"),
            (Status::Error, "wms", "2026-03-08T10:10:00Z"),
            (Status::Error, "erp", "2026-03-08T10:10:00Z"),
            (Status::Error, "old", "2026-01-01T00:00:00Z"),
            (Status::Pending, "erp", "2026-03-08T10:10:00Z"),
        ] {
            tally.add(status, &Stamp { pipeline: pipeline.into(), at: at.parse().unwrap() });
        }
        let counts: Vec<_> =
            tally.counts().into_iter().map(|count| (count.status, count.pipeline, count.count)).collect();
        let count = |status, pipeline: &str, count| (status, pipeline.to_owned(), count);
        assert_eq!(
            counts,
            [
                count(Status::Pending, "erp", 1),
                count(Status::Exported, "erp", 3),
                count(Status::Acknowledged, "erp", 1),
                count(Status::Error, "erp", 1),
                count(Status::Error, "old", 1),
                count(Status::Error, "wms", 1),
            ]
        );
        let hours = tally.hours();
        assert_eq!(
            (hours.len(), hours[0].at, hours[167].at),
            (168, tally.since(), "2026-03-08T10:00:00Z".parse().unwrap())
        );
        let ended: Vec<_> = hours.iter().map(|hour| (hour.exported, hour.failed)).collect();
        assert_eq!((ended[0], ended[166], ended[167]), ((1, 0), (1, 0), (2, 2)));
        assert_eq!(ended.iter().map(|hour| hour.0 + hour.1).sum::<u64>(), 6, "what is older is in no hour");
        assert_eq!(tally.failing(), [Failing { pipeline: "wms".into(), failed: 1 }]);
    }
}
