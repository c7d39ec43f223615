//! The overview.

use ordersync::clock;
use ordersync::ledger::{ExportKey, Status};
use ordersync_admin::{Count, Overview};
use serde_json::json;

use super::lists::{exported, failed};
use super::{ada, admin};
use crate::support::stack::{Stack, variable};

/// How many exports of the pipeline there are in a state.
fn count(overview: &Overview, status: Status, pipeline: &str) -> u64 {
    let is_it = |count: &&Count| count.status == status && count.pipeline == pipeline;
    overview.counts.iter().find(is_it).map_or(0, |count| count.count)
}

fn last_hours(overview: &Overview) -> (u64, u64) {
    // The test may begin in one hour and end in the next.
    let hours = &overview.hours[overview.hours.len() - 2..];
    (hours.iter().map(|hour| hour.exported).sum(), hours.iter().map(|hour| hour.failed).sum())
}

#[tokio::test]
async fn the_overview_says_how_everything_is() {
    let stack = Stack::get();
    let admin = admin(&stack);
    let before = admin.overview().await.unwrap();
    let (shop, pipeline, all_fail) = ("it-admin-overview", "it-overview", "it-overview-failing");
    for number in 0..7 {
        exported(&stack.ledger, &ExportKey::new(shop, &format!("o-{number}"), pipeline), "N", None).await;
    }
    failed(&stack.ledger, &ExportKey::new(shop, "o-7", pipeline), "no such sku").await;
    failed(&stack.ledger, &ExportKey::new(shop, "o-8", all_fail), "no such sku").await;
    admin.pause(&ada(), Some(pipeline), "it moves").await.unwrap();
    let destination = "https://it-overview.example.com";
    stack.ledger.slot(destination, std::time::Duration::from_mins(10), clock::now()).await.unwrap();
    // A part of the work that looks at nobody's exports.
    let report = stack.invoke(&variable("FN_RESET_ERRORS"), &json!({ "only": ["acknowledgements"] })).await;

    let overview = admin.overview().await.unwrap();
    assert!(!overview.is_partial);
    assert_eq!(count(&overview, Status::Exported, pipeline), 7);
    assert_eq!(count(&overview, Status::Error, pipeline), 1);
    let (made, lost) = last_hours(&overview);
    assert!(made >= 7 && lost >= 2, "{made} and {lost}");
    let failing: Vec<_> = overview.failing.iter().map(|failing| failing.pipeline.as_str()).collect();
    assert!(failing.contains(&all_fail) && !failing.contains(&pipeline), "{failing:?}");
    assert!(overview.queue.is_some() && overview.dead_letters.is_some(), "{:?}", overview.queue);
    let paused = overview.pauses.iter().find(|pause| pause.pipeline.as_deref() == Some(pipeline)).unwrap();
    assert!(paused.is_on);
    let throttled = overview.throttled.iter().find(|throttled| throttled.destination == destination).unwrap();
    assert!(throttled.until > overview.at);
    let run = overview.runs.iter().find(|run| run.name == "reset-errors/acknowledgements").unwrap();
    assert!(run.is_ok && run.ended_at > before.at);
    assert_eq!(run.report.as_ref().unwrap()["seen"], report["seen"]);
    admin.resume(&ada(), Some(pipeline)).await.unwrap();
    stack.forget_pause(pipeline).await;
}
