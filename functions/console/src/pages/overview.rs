//! The state of everything on one page.

use std::collections::{BTreeMap, BTreeSet};

use askama::Template;
use axum::extract::{OriginalUri, State};
use axum::response::Response;
use ordersync::ledger::Status;
use ordersync_admin::{Count, Hour, Overview, RunView};

use crate::access::guard::Viewer;
use crate::app::Console;
use crate::chart;
use crate::failure::Failure;
use crate::place::Place;
use crate::view::{self, Frame};

/// Hours of the shorter chart.
const DAY: usize = 24;

#[derive(Template)]
#[template(path = "overview.html")]
struct Page {
    frame: Frame,
    overview: Overview,
    counts: Counts,
    day: String,
    week: String,
    /// The hours in which something ended, the last one first.
    busy: Vec<Hour>,
}

/// The counts as a table: pipelines, and how many exports of each are in which state.
#[derive(Debug, PartialEq, Eq)]
struct Counts {
    statuses: Vec<Status>,
    rows: Vec<(String, Vec<(Status, u64)>)>,
}

impl Counts {
    fn of(counts: &[Count]) -> Self {
        let by: BTreeMap<(&str, Status), u64> =
            counts.iter().map(|count| ((count.pipeline.as_str(), count.status), count.count)).collect();
        let pipelines: BTreeSet<&str> = by.keys().map(|(pipeline, _)| *pipeline).collect();
        let row = |pipeline: &str| {
            let number = |status: Status| (status, by.get(&(pipeline, status)).copied().unwrap_or(0));
            (pipeline.to_owned(), Status::ALL.map(number).to_vec())
        };
        Self { statuses: Status::ALL.to_vec(), rows: pipelines.into_iter().map(row).collect() }
    }
}

/// What a run did, in a few words.
fn said(run: &RunView) -> String {
    if let Some(error) = &run.error {
        return error.clone();
    }
    let Some(report) = &run.report else { return String::new() };
    let number = |name: &str| report.get(name).and_then(serde_json::Value::as_u64).unwrap_or(0);
    let mut words = vec![format!("{} seen", number("seen"))];
    for (name, count) in report.get("changed").and_then(serde_json::Value::as_object).into_iter().flatten() {
        words.push(format!("{count} {}", name.replace('_', " ")));
    }
    for name in ["failed", "left"] {
        words.extend(Some(number(name)).filter(|count| *count > 0).map(|count| format!("{count} {name}")));
    }
    words.join(", ")
}

/// The overview.
pub(crate) async fn page(
    State(console): State<Console>,
    OriginalUri(uri): OriginalUri,
    Viewer(who): Viewer,
) -> Result<Response, Failure> {
    let place = Place::of(&uri);
    let overview = console.admin.overview().await.map_err(|error| Failure::admin(&place, error))?;
    let frame = console.frame(place, who, "Overview").await?;
    let last = overview.hours.len().saturating_sub(DAY);
    let (day, week) = (chart::hours("Last day", &overview.hours[last..]), chart::hours("Last week", &overview.hours));
    let counts = Counts::of(&overview.counts);
    let busy = overview.hours.iter().rev().filter(|hour| hour.exported + hour.failed > 0).cloned().collect();
    let page = Page { frame, overview, counts, day, week, busy };
    Ok(page.frame.page(&page))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn counts_are_a_table_with_a_place_for_every_state() {
        let count = |status, pipeline: &str, count| Count { status, pipeline: pipeline.into(), count };
        let table = Counts::of(&[
            count(Status::Exported, "erp", 7),
            count(Status::Error, "erp", 1),
            count(Status::Pending, "wms", 2),
        ]);
        let at = |pipeline: usize, status| table.rows[pipeline].1.iter().find(|(one, _)| *one == status).unwrap().1;
        assert_eq!(table.rows.iter().map(|row| row.0.as_str()).collect::<Vec<_>>(), ["erp", "wms"]);
        assert_eq!(
            (at(0, Status::Exported), at(0, Status::Error), at(1, Status::Pending), at(1, Status::Error)),
            (7, 1, 2, 0)
        );
    }

    #[test]
    fn a_run_is_told_in_a_few_words() {
        let run = |report, error: Option<&str>| RunView {
            name: "reset-errors".into(),
            ended_at: "2026-03-01T12:00:00Z".parse().unwrap(),
            took_ms: 5,
            is_ok: error.is_none(),
            report,
            error: error.map(Into::into),
        };
        let report = json!({ "seen": 12, "changed": { "errors_reset": 3 }, "skipped": {}, "failed": 1, "left": 0 });
        assert_eq!(said(&run(Some(report), None)), "12 seen, 3 errors reset, 1 failed");
        assert_eq!(said(&run(None, Some("no table"))), "no table");
    }
}
