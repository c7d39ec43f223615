//! Exports in error.

use aws_sdk_dynamodb::types::AttributeValue;
use ordersync::ledger::{ExportKey, Fault, Status};
use serde_json::json;

use super::seed::{ago, arrived, back_office, count, drained, fail, failed, now, run, run_only, set};
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
    set(&canceled, "canceled_at", super::seed::time(ago(70))).await;
    let staying = [&recent, &permanent, &capped, &gone, &canceled];

    let dry = run(&stack, &json!({ "only": ["errors"], "dry_run": true })).await;
    assert!(count(&dry, "/changed/reset") >= 2 && count(&dry, "/changed/rerun") >= 1, "{dry}");
    assert_eq!(now(&stack, &reset).await.status, Status::Error);

    let report = run_only(&stack, "errors").await;
    assert_eq!((&report["changed"], &report["skipped"]), (&dry["changed"], &dry["skipped"]), "as the dry run said");
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

#[tokio::test]
async fn an_export_that_fails_again_is_reset_as_often_as_allowed() {
    let stack = Stack::get();
    let receiver = crate::support::receiver::Receiver::start(19500, |_, _| {
        crate::support::receiver::Reply::status("503 Service Unavailable")
    });
    let key = failed(&stack, "err-again", Fault::Exhausted, 3, ago(61)).await;
    set(&key, "resets", AttributeValue::N("2".into())).await;
    let report = run_only(&stack, "errors").await;
    assert!(count(&report, "/changed/reset") >= 1, "{report}");
    let row = stack.export(&key.shop, &key.order_id, &key.pipeline, Status::Error).await;
    assert_eq!((row.attempts, row.resets, row.fault), (3, 3, Some(Fault::Exhausted)));
    assert_eq!(receiver.about("err-again").len(), 3);
    // An hour later.
    set(&key, "updated_at", super::seed::time(ago(61))).await;
    let report = run_only(&stack, "errors").await;
    assert!(count(&report, "/skipped/resets_used_up") >= 1, "{report}");
    assert_eq!(now(&stack, &key).await.status, Status::Error);
}
