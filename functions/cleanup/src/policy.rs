//! Which exports go, by status and age. Pure.

use std::time::Duration;

use jiff::Timestamp;
use ordersync::config;
use ordersync::ledger::{Row, Status};

/// How long exports are kept.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Policy<'a> {
    pub(crate) settings: &'a config::Cleanup,
    /// Where the settings say nothing of a status.
    pub(crate) default: Duration,
}

impl Policy<'_> {
    /// How long exports of a status are kept after they came to it; nothing for those that stay.
    fn keeps(self, status: Status) -> Option<Duration> {
        let configured = self.settings.retention.get(&status).copied();
        match status {
            // Not over, whatever the settings say.
            Status::Pending | Status::Processing => None,
            // Somebody has to look at it. Only who says so loses it.
            Status::Error => configured,
            Status::Exported | Status::Acknowledged | Status::Skipped | Status::Canceled => {
                Some(configured.unwrap_or(self.default))
            }
        }
    }

    /// Exports that came to the status then or earlier have been kept long enough; nothing for a status that stays.
    pub(crate) fn cutoff(self, status: Status, now: Timestamp) -> Option<Timestamp> {
        // Before the beginning of time there was none.
        now.checked_sub(self.keeps(status)?).ok()
    }

    /// Whether an export has been kept long enough. One that the back office has still to acknowledge is not over; what
    /// is left of an erased one has its own end, or a late webhook would begin it anew.
    pub(crate) fn is_due(self, row: &Row, now: Timestamp) -> bool {
        let is_old = self.cutoff(row.status, now).is_some_and(|cutoff| row.updated_at <= cutoff);
        is_old && row.due.is_none() && row.erased_at.is_none()
    }

    /// What a walk through the table looks for: by status, what came to it then or earlier.
    pub(crate) fn cutoffs(self, now: Timestamp) -> Vec<(Status, Timestamp)> {
        let lost = |status| Some((status, now.checked_sub(LOST_AFTER).ok()?));
        let open = [Status::Pending, Status::Processing].into_iter().filter_map(lost);
        let over = Status::ALL.into_iter().filter_map(|status| Some((status, self.cutoff(status, now)?)));
        over.chain(open).collect()
    }

    /// Whether a pipeline's exported objects stay when their rows go.
    pub(crate) fn keeps_documents(self, pipeline: &str) -> bool {
        self.settings.keep_documents.contains(pipeline)
    }

    /// The statuses that are kept for longer than `most`, of those that the table removes by itself.
    pub(crate) fn beyond(self, most: Duration) -> Vec<(Status, Duration)> {
        let kept = self.settings.retention.iter().map(|(status, kept)| (*status, *kept));
        kept.filter(|(status, kept)| *status != Status::Error && *kept > most).collect()
    }
}

/// The queue keeps a message for 14 days. What has not changed for longer has none any more; a message that was put back
/// from the dead letters may still come, and takes up what was given up for want of it.
const LOST_AFTER: Duration = Duration::from_hours(15 * 24);

/// Whether nobody comes for an export any more: no message can still be there, no lease is held, and the ledger does not
/// hand it out.
pub(crate) fn is_lost(row: &Row, now: Timestamp) -> bool {
    let is_held = row.lease_until.is_some_and(|until| until > now);
    let is_old = now.checked_sub(LOST_AFTER).is_ok_and(|cutoff| row.updated_at <= cutoff);
    row.is_open() && is_old && !is_held && row.due.is_none()
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use proptest::prelude::*;

    use super::*;
    use crate::plan::tests::row;

    const DAY: Duration = Duration::from_hours(24);

    fn settings(retention: &[(Status, u32)]) -> config::Cleanup {
        let retention = retention.iter().map(|(status, days)| (*status, DAY * *days)).collect::<BTreeMap<_, _>>();
        config::Cleanup { retention, keep_documents: BTreeSet::from(["archive".to_owned()]) }
    }

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    proptest! {
        #[test]
        fn what_is_due_stays_due_and_what_is_not_over_never_is(
            status in 0..Status::ALL.len(), came in 0i64..4_000_000_000, now in 0i64..4_000_000_000,
            later in 0i64..1_000_000_000, days in 1u32..3660, is_erased: bool,
        ) {
            let at = |second| Timestamp::from_second(second).unwrap();
            let status = Status::ALL[status];
            let settings = settings(&[(status, days)]);
            let policy = Policy { settings: &settings, default: DAY };
            let row = Row { updated_at: at(came), erased_at: is_erased.then(|| at(came)), ..row("1", "erp", status) };
            let (is_due, is_due_later) = (policy.is_due(&row, at(now)), policy.is_due(&row, at(now + later)));
            prop_assert!(!is_due || is_due_later);
            prop_assert!(!is_due || now - came >= i64::from(days) * 24 * 3600);
            let never = is_erased || matches!(status, Status::Pending | Status::Processing);
            prop_assert!(!(never && is_due_later));
        }
    }

    #[test]
    fn each_status_has_its_retention() {
        let silent = settings(&[]);
        let named = settings(&[(Status::Exported, 180), (Status::Skipped, 30), (Status::Error, 700)]);
        for (status, unnamed_days, named_days) in [
            (Status::Pending, None, None),
            (Status::Processing, None, None),
            (Status::Exported, Some(365), Some(180)),
            (Status::Acknowledged, Some(365), Some(365)),
            (Status::Skipped, Some(365), Some(30)),
            (Status::Canceled, Some(365), Some(365)),
            (Status::Error, None, Some(700)),
        ] {
            let days =
                |settings| Policy { settings, default: DAY * 365 }.keeps(status).map(|kept| kept.div_duration_f64(DAY));
            assert_eq!(days(&silent), unnamed_days.map(f64::from), "{status}, not named");
            assert_eq!(days(&named), named_days.map(f64::from), "{status}, named");
        }
    }

    #[test]
    fn an_export_that_is_not_over_stays_even_if_it_were_named() {
        let settings = settings(&[(Status::Pending, 1), (Status::Processing, 1)]);
        let policy = Policy { settings: &settings, default: DAY };
        for status in [Status::Pending, Status::Processing] {
            assert_eq!(policy.cutoff(status, at("2026-08-01T00:00:00Z")), None, "{status}");
        }
    }

    #[test]
    fn what_is_old_and_over_is_due() {
        let settings = settings(&[(Status::Exported, 30)]);
        let policy = Policy { settings: &settings, default: DAY * 365 };
        let (now, old) = (at("2026-08-01T12:00:00Z"), at("2026-07-02T12:00:00Z"));
        for (updated_at, expected) in
            [("2020-01-01T00:00:00Z", true), ("2026-07-02T12:00:00Z", true), ("2026-07-02T12:00:00.001Z", false)]
        {
            let row = Row { updated_at: at(updated_at), ..row("1", "erp", Status::Exported) };
            assert_eq!(policy.is_due(&row, now), expected, "{updated_at}");
        }
        for (status, expected) in [(Status::Exported, true), (Status::Skipped, false), (Status::Error, false)] {
            let row = Row { updated_at: old, ..row("1", "erp", status) };
            assert_eq!(policy.is_due(&row, now), expected, "{status}");
        }
        let erased = Row { updated_at: old, erased_at: Some(old), ..row("1", "erp", Status::Exported) };
        assert!(!policy.is_due(&erased, now), "what is left of an erased export has its own end");
    }

    #[test]
    fn what_no_message_can_come_for_is_lost() {
        let (now, old, young) = (at("2026-08-01T12:00:00Z"), at("2026-07-17T12:00:00Z"), at("2026-07-17T12:00:01Z"));
        let row = |status, updated_at| Row { updated_at, ..row("1", "erp", status) };
        for status in Status::ALL {
            let is_open = matches!(status, Status::Pending | Status::Processing);
            assert_eq!(is_lost(&row(status, old), now), is_open, "{status}");
            assert!(!is_lost(&row(status, young), now), "{status}");
        }
        let held = |until| Row { lease_until: Some(at(until)), ..row(Status::Processing, old) };
        assert!(!is_lost(&held("2026-08-01T12:00:01Z"), now));
        assert!(is_lost(&held("2026-08-01T12:00:00Z"), now));
        let silent = settings(&[]);
        let cutoffs = Policy { settings: &silent, default: DAY * 365 }.cutoffs(now);
        let of = |wanted| cutoffs.iter().find(|(status, _)| *status == wanted).map(|(_, at)| *at);
        assert_eq!((of(Status::Pending), of(Status::Processing), of(Status::Error)), (Some(old), Some(old), None));
        assert_eq!(of(Status::Exported), Some(at("2025-08-01T12:00:00Z")));
    }

    #[test]
    fn a_retention_that_reaches_before_the_beginning_of_time_removes_nothing() {
        let settings = settings(&[(Status::Exported, 3660)]);
        let policy = Policy { settings: &settings, default: DAY };
        assert_eq!(policy.cutoff(Status::Exported, Timestamp::MIN), None);
    }

    #[test]
    fn a_retention_that_the_table_does_not_wait_for_is_named() {
        let settings = settings(&[(Status::Exported, 396), (Status::Skipped, 395), (Status::Error, 3650)]);
        let policy = Policy { settings: &settings, default: DAY * 365 };
        assert_eq!(policy.beyond(DAY * 395), [(Status::Exported, DAY * 396)]);
    }
}
