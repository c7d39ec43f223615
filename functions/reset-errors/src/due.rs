//! Exports whose time has come, and those that waited for the end of a pause.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::Timestamp;
use ordersync::clock::{self, earlier};
use ordersync::ledger::{Pages, Pause, Pauses, Waiting};
use ordersync::schedule::Report;

use crate::hand_out::Taking;
use crate::round::Round;

/// What is due this soon is sent now, to be delivered in time: the next run comes in a minute.
const LOOK_AHEAD: Duration = Duration::from_mins(1);
/// How long a pause that has ended is remembered. Invocations of the processor that knew of it last 15 minutes at most,
/// and may have had exports wait until their end.
const REMEMBERED_FOR: Duration = Duration::from_mins(20);

impl Round<'_> {
    /// Queues what is due. A run `of_everything` also looks for what waits in pipelines of which no pause is known any
    /// more.
    pub(crate) async fn due(&self, of_everything: bool) -> Report {
        let until = clock::now().saturating_add(LOOK_AHEAD).unwrap_or(Timestamp::MAX);
        let open = |shard| self.ledger.due(shard, until);
        let swept = self.sweep("due", open, Pages::waiting, async |page| self.release("released", page).await).await;
        let mut report = swept.report;
        match self.ledger.pauses().await {
            Ok(pauses) => report.merge(self.resume(&pauses, of_everything).await),
            Err(error) => {
                tracing::error!(error = %error, "what is paused cannot be read: {error}");
                report.failed(1);
            }
        }
        report
    }

    async fn resume(&self, pauses: &Pauses, of_everything: bool) -> Report {
        let configured: Vec<_> = self.config.pipelines.iter().map(|pipeline| pipeline.code.as_str()).collect();
        let mut report = self.run.report();
        let mut idle = BTreeSet::new();
        for pipeline in resumed(pauses, &configured, of_everything) {
            let open = |shard| self.ledger.paused(pipeline, shard);
            let release = async |page| self.release("resumed", page).await;
            let swept = self.sweep("paused", open, Pages::waiting, release).await;
            report.merge(swept.report);
            if swept.was_empty {
                idle.insert(pipeline);
            }
        }
        let now = clock::now();
        for (pipeline, pause) in pauses.iter() {
            if !self.run.dry_run && is_over(pipeline, pause, pauses, &configured, &idle, now) {
                match self.ledger.forget_pause(pipeline, pause).await {
                    Ok(()) => report.changed("pauses_forgotten", 1),
                    Err(error) => {
                        tracing::error!(error = %error, "a pause that has ended cannot be removed: {error}");
                        report.failed(1);
                    }
                }
            }
        }
        report
    }

    async fn release(&self, what: &'static str, page: Vec<Waiting>) -> Report {
        self.hand_out(what, page.into_iter().map(Taking::Waiting).collect()).await
    }
}

/// The pipelines whose exports need not wait for the end of a pause any more.
fn resumed<'a>(pauses: &'a Pauses, configured: &[&'a str], of_everything: bool) -> BTreeSet<&'a str> {
    let ended = |pause: &Pause| !pause.is_on;
    let everything_ended = pauses.iter().any(|(pipeline, pause)| pipeline.is_none() && ended(pause));
    let named = pauses.iter().filter(|(_, pause)| ended(pause)).filter_map(|(pipeline, _)| pipeline);
    let all = configured.iter().copied().filter(|_| of_everything || everything_ended);
    named.chain(all).filter(|pipeline| !pauses.holds(pipeline)).collect()
}

/// Whether a pause may be forgotten: it ended a while ago, and nothing waited any more where it was looked.
fn is_over(
    pipeline: Option<&str>,
    pause: &Pause,
    pauses: &Pauses,
    configured: &[&str],
    idle: &BTreeSet<&str>,
    now: Timestamp,
) -> bool {
    let is_old = !pause.is_on && pause.since <= earlier(now, REMEMBERED_FOR);
    is_old
        && match pipeline {
            Some(pipeline) => idle.contains(pipeline),
            // What waits where a pipeline has a pause of its own waits for the end of that one.
            None => configured.iter().all(|pipeline| idle.contains(pipeline) || pauses.holds(pipeline)),
        }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ERP: Option<&str> = Some("erp");
    const ALL: Option<&str> = None;

    fn at(minute: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + minute * 60).unwrap()
    }

    fn pauses(pauses: &[(Option<&str>, bool)]) -> Pauses {
        let pause = |is_on| Pause { is_on, since: at(0), reason: None };
        pauses.iter().map(|(pipeline, is_on)| (pipeline.map(ToOwned::to_owned), pause(*is_on))).collect()
    }

    #[test]
    fn what_was_paused_and_is_no_longer_is_resumed() {
        for (paused, of_everything, expected) in [
            (&[][..], false, &[][..]),
            (&[], true, &["erp", "wms"]),
            (&[(ERP, true)], false, &[]),
            (&[(ERP, true)], true, &["wms"]),
            (&[(ERP, false)], false, &["erp"]),
            (&[(ERP, false), (ALL, true)], false, &[]),
            (&[(ERP, false), (ALL, true)], true, &[]),
            (&[(ALL, true)], true, &[]),
            (&[(ALL, false)], false, &["erp", "wms"]),
            (&[(ALL, false), (ERP, true)], false, &["wms"]),
            (&[(ALL, false), (ERP, false)], false, &["erp", "wms"]),
            (&[(Some("gone"), false)], false, &["gone"]),
        ] {
            let pauses = pauses(paused);
            let resumed = resumed(&pauses, &["erp", "wms"], of_everything);
            assert_eq!(resumed, expected.iter().copied().collect(), "{paused:?} {of_everything}");
        }
    }

    #[test]
    fn a_pause_is_forgotten_when_it_ended_long_ago_and_nothing_waits() {
        for (pipeline, paused, idle, minute, expected) in [
            (ERP, &[(ERP, false)][..], &["erp"][..], 20, true),
            (ERP, &[(ERP, false)], &["erp"], 19, false),
            (ERP, &[(ERP, false)], &[], 20, false),
            (ERP, &[(ERP, true)], &["erp"], 20, false),
            (ALL, &[(ALL, false)], &["erp", "wms"], 20, true),
            (ALL, &[(ALL, false)], &["wms"], 20, false),
            (ALL, &[(ALL, false), (ERP, true)], &["wms"], 20, true),
            (ALL, &[(ALL, true)], &["erp", "wms"], 20, false),
        ] {
            let pauses = pauses(paused);
            let (_, pause) = pauses.iter().find(|(name, _)| *name == pipeline).unwrap();
            let idle = idle.iter().copied().collect();
            let over = is_over(pipeline, pause, &pauses, &["erp", "wms"], &idle, at(minute));
            assert_eq!(over, expected, "{paused:?} {idle:?} {minute}");
        }
    }
}
