//! Exports in error.

use aws_sdk_dynamodb::types::AttributeValue;
use ordersync::clock;
use ordersync::ledger::{ExportKey, Fault, Status};
use serde_json::{Value, json};

use super::seed::{
    ago, arrived, back_office, count, drained, fail, failed, now, primary, run, run_only, set, table, time,
};
use crate::support::eventually;
use crate::support::receiver::{Receiver, Reply};
use crate::support::stack::Stack;

#[tokio::test]
async fn errors_are_reset_or_go_on_or_stay() {
    let (stack, receiver) = (Stack::get(), back_office());
    let reset = failed(&stack, "err-old", Fault::Exhausted, 3, ago(61)).await;
    let rerun = failed(&stack, "err-raised", Fault::Exhausted, 2, ago(0)).await;
    let orphan = failed(&stack, "err-orphan", Fault::Orphaned, 1, ago(61)).await;
    let recent = failed(&stack, "err-recent", Fault::Exhausted, 3, ago(59)).await;
    let permanent = failed(&stack, "err-permanent", Fault::Permanent, 1, ago(61)).await;
    let capped = failed(&stack, "err-capped", Fault::Exhausted, 3, ago(61)).await;
    set(&capped, "resets", AttributeValue::N("3".into())).await;
    let gone = ExportKey::new("it-reset", "err-gone", "gone");
    fail(&stack, &gone, Fault::Exhausted, 3, ago(61)).await;
    let canceled = failed(&stack, "err-canceled", Fault::Exhausted, 3, ago(61)).await;
    set(&canceled, "canceled_at", time(ago(70))).await;
    let staying = [&recent, &permanent, &capped, &gone, &canceled];

    let dry = run(&stack, &json!({ "only": ["errors"], "dry_run": true })).await;
    assert!(count(&dry, "/changed/reset") >= 2 && count(&dry, "/changed/rerun") >= 1, "{dry}");
    assert_eq!(now(&stack, &reset).await.status, Status::Error);

    let since = clock::now().as_millisecond();
    let report = run_only(&stack, "errors").await;
    assert_eq!((&report["changed"], &report["skipped"]), (&dry["changed"], &dry["skipped"]), "as the dry run said");
    is_told_of_the_cap(&stack, since, count(&report, "/skipped/resets_used_up")).await;
    for reason in ["too_recent", "not_resettable", "resets_used_up", "pipeline_gone", "canceled"] {
        assert!(count(&report, &format!("/skipped/{reason}")) >= 1, "{reason}: {report}");
    }
    let row = arrived(&stack, &reset).await;
    assert_eq!((row.attempts, row.resets, row.fault, row.last_error), (1, 1, None, None), "counted anew");
    let row = arrived(&stack, &rerun).await;
    assert_eq!((row.attempts, row.resets), (3, 0), "its attempts count on, and it was no reset");
    assert_eq!(arrived(&stack, &orphan).await.resets, 1);
    drained(&stack).await;
    assert_eq!(receiver.requests().len(), 3);
    for key in staying {
        assert_eq!(now(&stack, key).await.status, Status::Error, "{key:?}");
    }
}

/// The metric that an alarm is for, in all and by pipeline.
async fn is_told_of_the_cap(stack: &Stack, since: i64, expected: u64) {
    eventually("the metric ResetsUsedUp", async || {
        let log = stack.logged("reset-errors", since).await;
        let lines = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        let told: Vec<_> = lines.filter(|line| line.get("ResetsUsedUp").is_some()).collect();
        let of =
            |name: &str, value: &str| told.iter().find(|line| line[name] == value).map(|line| &line["ResetsUsedUp"]);
        let (all, pipeline) = (of("function", "reset-errors")?, of("pipeline", super::seed::PIPELINE)?);
        assert_eq!(all, &json!(expected), "{told:?}");
        assert!(pipeline.as_u64().is_some_and(|count| (1..=expected).contains(&count)), "{told:?}");
        Some(())
    })
    .await;
}

#[tokio::test]
async fn an_export_that_fails_again_is_reset_as_often_as_allowed() {
    let stack = Stack::get();
    let receiver = Receiver::start(19500, |_, _| Reply::status("503 Service Unavailable"));
    let key = failed(&stack, "err-again", Fault::Exhausted, 3, ago(61)).await;
    set(&key, "resets", AttributeValue::N("2".into())).await;
    let report = run_only(&stack, "errors").await;
    assert!(count(&report, "/changed/reset") >= 1, "{report}");
    let row = stack.export(&key.shop, &key.order_id, &key.pipeline, Status::Error).await;
    assert_eq!((row.attempts, row.resets, row.fault), (3, 3, Some(Fault::Exhausted)));
    assert_eq!(receiver.about("err-again").len(), 3);
    // An hour later.
    set(&key, "updated_at", time(ago(61))).await;
    let report = run_only(&stack, "errors").await;
    assert!(count(&report, "/skipped/resets_used_up") >= 1, "{report}");
    assert_eq!(now(&stack, &key).await.status, Status::Error);
}

/// The command of `docs/troubleshooting.md`.
#[tokio::test]
async fn an_export_that_is_reset_by_hand_is_queued_by_the_next_release() {
    let (stack, receiver) = (Stack::get(), back_office());
    let key = failed(&stack, "err-by-hand", Fault::Permanent, 3, ago(1)).await;
    set(&key, "resets", AttributeValue::N("3".into())).await;
    let text = include_str!("../../../docs/troubleshooting.md");
    let quoted = |option: &str| text.split_once(option).unwrap().1.split('\'').nth(1).unwrap();
    let (client, table) = table();
    let (row, item) = (primary(&key), client.get_item().table_name(&table).set_key(Some(primary(&key))).send());
    let item = item.await.unwrap().item.unwrap();
    let shard = item["status_key"].as_s().unwrap().split_once('#').unwrap().1.to_owned();
    let words = [
        (":error", "error".to_owned()),
        (":pending", "pending".to_owned()),
        (":pending_key", format!("pending#{shard}")),
        (":due_key", format!("due#{shard}")),
        (":seen", item["updated_at"].as_s().unwrap().clone()),
    ];
    let update = client.update_item().table_name(&table).set_key(Some(row));
    let update = update.update_expression(quoted("--update-expression"));
    let update = update.condition_expression(quoted("--condition-expression"));
    let update = update.expression_attribute_names("#s", "status");
    let update = update.expression_attribute_values(":zero", AttributeValue::N("0".into()));
    let update = update.expression_attribute_values(":now", time(ago(0)));
    let value = |(name, word): (&str, String)| (name.to_owned(), AttributeValue::S(word));
    let update = words
        .map(value)
        .into_iter()
        .fold(update, |update, (name, word)| update.expression_attribute_values(name, word));
    update.clone().send().await.unwrap();
    assert!(update.send().await.is_err(), "it has changed since it was read");
    run_only(&stack, "due").await;
    let row = arrived(&stack, &key).await;
    assert_eq!((row.attempts, row.resets, row.fault, row.due), (1, 0, None, None));
    assert_eq!(receiver.about("err-by-hand").len(), 1);
}
