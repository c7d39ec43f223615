//! Exports in error: which are set back, and why the others are not.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;
use ordersync::clock::{self, earlier};
use ordersync::config::{Pipeline, ResetErrors};
use ordersync::ledger::{ExportKey, Fault, Pages, Reset, Status, Summary};
use ordersync::schedule::Report;
use ordersync::telemetry::{Dimension, Metric, metrics};
use serde_json::Map;

use crate::hand_out::Taking;
use crate::round::Round;

/// What an alarm is for: exports that are no longer reset by themselves.
const USED_UP: &str = "resets_used_up";

/// What becomes of an export in error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Decision {
    /// It is set back.
    Reset(Reset),
    /// It stays, for this reason.
    Stays(&'static str),
}

/// Decides on an export in error.
fn decide(export: &Summary, pipeline: Option<&Pipeline>, settings: &ResetErrors, now: Timestamp) -> Decision {
    use Decision::Stays;
    if export.key.pipeline == ExportKey::NO_PIPELINE {
        return Stays("unread");
    }
    if export.canceled_at.is_some() {
        return Stays("canceled");
    }
    let Some(pipeline) = pipeline else { return Stays("pipeline_gone") };
    let has_attempts = (1..pipeline.retries.max_attempts).contains(&export.attempts);
    match export.fault {
        // Its limit was raised. Each run of it makes an attempt, so this comes to an end.
        Some(Fault::Exhausted) if has_attempts => Decision::Reset(Reset::GoOn),
        Some(fault) if !settings.faults.contains(&fault) => Stays("not_resettable"),
        None => Stays("not_resettable"),
        Some(_) if export.resets >= settings.max_resets => Stays(USED_UP),
        Some(_) if export.updated_at > earlier(now, settings.after) => Stays("too_recent"),
        Some(_) => Decision::Reset(Reset::Anew),
    }
}

impl Round<'_> {
    /// Sets back what may be set back, and queues it.
    pub(crate) async fn errors(&self) -> Report {
        let (now, used_up) = (clock::now(), Mutex::default());
        let open = |shard| self.ledger.by_status(Status::Error, shard, now);
        let work = async |page| self.reset(page, now, &used_up).await;
        let swept = self.sweep("errors", open, Pages::summaries, work).await;
        if !self.run.dry_run {
            say_used_up(&used_up.into_inner().unwrap_or_else(PoisonError::into_inner));
        }
        swept.report
    }

    async fn reset(&self, page: Vec<Summary>, now: Timestamp, used_up: &Mutex<BTreeMap<String, u64>>) -> Report {
        let mut report = self.run.report();
        let (mut anew, mut go_on) = (Vec::new(), Vec::new());
        for export in page {
            match decide(&export, self.pipeline(&export.key), &self.config.reset_errors, now) {
                Decision::Reset(Reset::Anew) => anew.push(Taking::Error(export, Reset::Anew)),
                Decision::Reset(Reset::GoOn) => go_on.push(Taking::Error(export, Reset::GoOn)),
                Decision::Stays(reason) => {
                    report.skipped(reason, 1);
                    if reason == USED_UP {
                        let mut used_up = used_up.lock().unwrap_or_else(PoisonError::into_inner);
                        *used_up.entry(export.key.pipeline).or_default() += 1;
                    }
                }
            }
        }
        report.merge(self.hand_out("reset", anew).await);
        report.merge(self.hand_out("rerun", go_on).await);
        report
    }
}

/// How many exports are no longer reset by themselves: in all, zero too, so that an alarm has data; and by pipeline
/// where there are any, as each pipeline is a metric that costs.
fn say_used_up(by_pipeline: &BTreeMap<String, u64>) {
    let metric = |value| [(Metric::ResetsUsedUp, value)];
    metrics(&[&[Dimension::Function("reset-errors")]], &metric(by_pipeline.values().sum()), Map::new());
    for (pipeline, count) in by_pipeline {
        metrics(&[&[Dimension::Pipeline(pipeline)]], &metric(*count), Map::new());
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;
    use crate::tests::world::config;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + second).unwrap()
    }

    /// An export to the ERP, whose limit is 5 attempts, in error since the time 0.
    fn export(fault: Option<Fault>, attempts: u32, resets: u32) -> Summary {
        Summary {
            key: ExportKey::new("acme", "1", "erp"),
            number: "1".into(),
            status: Status::Error,
            updated_at: at(0),
            attempts,
            resets,
            fault,
            lease_until: None,
            last_error: None,
            canceled_at: None,
            external_id: None,
            placed_at: None,
            exported_at: None,
            not_before: None,
            waits_for: None,
        }
    }

    fn settings(faults: &[Fault]) -> ResetErrors {
        let faults = faults.iter().copied().collect::<BTreeSet<_>>();
        ResetErrors { after: Duration::from_hours(1), max_resets: 3, faults }
    }

    fn decided(export: &Summary, settings: &ResetErrors, second: i64) -> Decision {
        let config = config();
        decide(export, crate::round::pipeline(&config, &export.key), settings, at(second))
    }

    #[test]
    fn what_another_attempt_may_mend_is_reset_after_its_time_and_no_more_often_than_allowed() {
        use Decision::Stays;
        use Fault::{Exhausted, Orphaned, Permanent, Rejected, Unacknowledged};
        let (anew, go_on) = (Decision::Reset(Reset::Anew), Decision::Reset(Reset::GoOn));
        for (fault, attempts, resets, second, expected) in [
            (Some(Exhausted), 5, 0, 3600, anew),
            (Some(Exhausted), 5, 0, 3599, Stays("too_recent")),
            (Some(Exhausted), 5, 2, 3600, anew),
            (Some(Exhausted), 5, 3, 3600, Stays("resets_used_up")),
            (Some(Exhausted), 5, 3, 10, Stays("resets_used_up")),
            // The limit was raised, or its deliveries were used up before its attempts: at once, and no reset is counted.
            (Some(Exhausted), 4, 0, 0, go_on),
            (Some(Exhausted), 1, 3, 0, go_on),
            (Some(Exhausted), 6, 0, 3600, anew),
            (Some(Exhausted), 0, 0, 3600, anew),
            (Some(Orphaned), 2, 0, 3600, anew),
            (Some(Orphaned), 2, 0, 3599, Stays("too_recent")),
            (Some(Permanent), 1, 0, 3600, Stays("not_resettable")),
            (Some(Rejected), 1, 0, 3600, Stays("not_resettable")),
            (Some(Unacknowledged), 1, 0, 3600, Stays("not_resettable")),
            (None, 1, 0, 3600, Stays("not_resettable")),
        ] {
            let decision = decided(&export(fault, attempts, resets), &settings(&[Exhausted, Orphaned]), second);
            assert_eq!(decision, expected, "{fault:?} {attempts} {resets} {second}");
        }
        let chosen = decided(&export(Some(Permanent), 1, 0), &settings(&[Permanent]), 3600);
        assert_eq!(chosen, anew, "whoever asks for it gets it");
    }

    #[test]
    fn what_no_attempt_can_be_made_of_stays() {
        let whole = export(Some(Fault::Exhausted), 5, 0);
        let key = |shop, pipeline| Summary { key: ExportKey::new(shop, "1", pipeline), ..whole.clone() };
        for (export, reason) in [
            (key("acme", ExportKey::NO_PIPELINE), "unread"),
            (key("acme", "gone"), "pipeline_gone"),
            (key("gone", "erp"), "pipeline_gone"),
            (Summary { canceled_at: Some(at(1)), ..whole.clone() }, "canceled"),
        ] {
            let decision = decided(&export, &settings(&[Fault::Exhausted]), 3600);
            assert_eq!(decision, Decision::Stays(reason), "{:?}", export.key);
        }
    }

    proptest! {
        #[test]
        fn whatever_is_reset_was_resettable_old_enough_and_below_the_cap(
            fault in proptest::option::of(0..Fault::NAMES.len()), attempts in 0u32..12, resets in 0u32..6,
            second in 0i64..7200, is_canceled in any::<bool>(),
        ) {
            let fault = fault.map(|index| Fault::NAMES[index].1);
            let canceled_at = is_canceled.then(|| at(1));
            let export = Summary { canceled_at, ..export(fault, attempts, resets) };
            match decided(&export, &settings(&[Fault::Exhausted, Fault::Orphaned]), second) {
                Decision::Reset(how) => {
                    prop_assert!(!is_canceled && matches!(fault, Some(Fault::Exhausted | Fault::Orphaned)));
                    let goes_on = fault == Some(Fault::Exhausted) && (1..5).contains(&attempts);
                    prop_assert_eq!(how == Reset::GoOn, goes_on);
                    prop_assert!(goes_on || (resets < 3 && second >= 3600));
                }
                Decision::Stays(reason) => prop_assert_eq!(reason == "canceled", is_canceled),
            }
        }
    }
}
