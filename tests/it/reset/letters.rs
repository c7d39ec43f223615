//! Dead letters.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_sqs::types::MessageAttributeValue;
use ordersync::ledger::{ExportKey, Fault, Status};
use ordersync::queue::export_fields;
use serde_json::json;

use super::seed::{SHOP, ago, arrived, back_office, begun, count, drained, exported, failed, key, now, run, set, time};
use crate::support::shop::order;
use crate::support::stack::Stack;

type Fields = BTreeMap<String, String>;

/// Puts a message among the dead letters, as if it had been given up.
pub(crate) async fn give_up(stack: &Stack, body: &str, fields: &Fields) {
    let text = |value: &str| MessageAttributeValue::builder().data_type("String").string_value(value).build().unwrap();
    let attributes = fields.iter().map(|(name, value)| (name.clone(), text(value))).collect();
    let send = stack.sqs.send_message().queue_url(&stack.dlq_url).message_body(body);
    send.set_message_attributes(Some(attributes)).send().await.unwrap();
}

/// The attributes of a webhook.
pub(crate) fn webhook(further: &[(&str, &str)]) -> Fields {
    let fields = [("shop", SHOP), ("received_at", "2026-03-01T00:00:00Z")].into_iter();
    fields.chain(further.iter().copied()).map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

/// The order in each dead letter whose body tells of one of these tests, as anybody sees them who looks now.
pub(crate) async fn seen(stack: &Stack) -> BTreeSet<String> {
    let (mut bodies, mut handles) = (Vec::new(), Vec::new());
    loop {
        let receive = stack.sqs.receive_message().queue_url(&stack.dlq_url).max_number_of_messages(10);
        let messages = receive.visibility_timeout(60).send().await.unwrap().messages.unwrap_or_default();
        if messages.is_empty() {
            break;
        }
        for message in messages {
            bodies.extend(message.body);
            handles.extend(message.receipt_handle);
        }
    }
    for handle in handles {
        let show = stack.sqs.change_message_visibility().queue_url(&stack.dlq_url);
        show.receipt_handle(handle).visibility_timeout(0).send().await.unwrap();
    }
    let name = |body: &String| Some(body.split_once("dl-")?.1.split(['"', ' ']).next().unwrap().to_owned());
    bodies.iter().filter_map(name).collect()
}

#[tokio::test]
async fn dead_letters_go_stay_or_are_put_back_as_their_exports_need_it() {
    let (stack, receiver) = (Stack::get(), back_office());
    let letters = [
        ("done", webhook(&[])),
        ("unseen", webhook(&[])),
        ("lost", webhook(&[])),
        ("failed", webhook(&[])),
        ("again", webhook(&[("redriven", "3")])),
        ("nobodys", [("shop".to_owned(), "it-nobody".to_owned())].into()),
    ];
    exported(&stack, &key("dl-done"), ago(90), None).await;
    begun(&stack, &key("dl-lost"), 1, ago(10)).await;
    failed(&stack, "dl-failed", Fault::Permanent, 1, ago(90)).await;
    for (name, fields) in &letters {
        give_up(&stack, &order(&format!("dl-{name}")).to_string(), fields).await;
    }
    give_up(&stack, "dl-foreign is no order", &Fields::new()).await;
    let all = ["done", "unseen", "lost", "failed", "again", "nobodys", "foreign"];
    let names = |names: &[&str]| names.iter().map(ToString::to_string).collect::<BTreeSet<_>>();

    let input = json!({ "only": ["dead_letters"] });
    let dry = run(&stack, &json!({ "only": ["dead_letters"], "dry_run": true })).await;
    assert_eq!(seen(&stack).await, names(&all), "a dry run leaves all of them, for all to see");
    let report = run(&stack, &input).await;
    assert_eq!((&report["changed"], &report["skipped"]), (&dry["changed"], &dry["skipped"]), "as the dry run said");
    assert!(count(&report, "/changed/dead_letters_removed") >= 1, "{report}");
    assert!(count(&report, "/changed/dead_letters_put_back") >= 2, "{report}");
    for (reason, least) in [("waits_for_reset", 1), ("redriven_before", 1), ("not_ours", 2)] {
        assert!(count(&report, &format!("/skipped/{reason}")) >= least, "{reason}: {report}");
    }
    let staying = ["failed", "again", "nobodys", "foreign"];
    assert_eq!(seen(&stack).await, names(&staying), "who looks right after the run sees what stays");

    let row = arrived(&stack, &key("dl-unseen")).await;
    assert_eq!((row.attempts, row.envelope.contains_key("redriven")), (1, false));
    assert_eq!(arrived(&stack, &key("dl-lost")).await.attempts, 2);
    drained(&stack).await;
    assert_eq!(receiver.requests().len(), 2, "one each of those that were put back");
    assert!(stack.row(SHOP, "dl-again", "reset").await.is_none());
    assert_eq!(now(&stack, &key("dl-failed")).await.status, Status::Error);

    let report = run(&stack, &input).await;
    assert_eq!(count(&report, "/changed/dead_letters_put_back"), 0, "{report}");
    assert_eq!(seen(&stack).await, names(&staying));
    // Who sets the export back by hand has its message removed.
    set(&key("dl-failed"), "requeued_at", time(ago(0) + std::time::Duration::from_mins(5))).await;
    run(&stack, &input).await;
    assert_eq!(seen(&stack).await, names(&["again", "nobodys", "foreign"]));
}

#[tokio::test]
async fn a_body_in_the_bucket_is_read_from_there() {
    let stack = Stack::get();
    let object = "payloads/inbound/it-reset/2026/03/01/stored";
    let put = stack.s3.put_object().bucket(&stack.bucket).key(object);
    put.body(order("dl-stored").to_string().into_bytes().into()).send().await.unwrap();
    exported(&stack, &key("dl-stored"), ago(90), None).await;
    give_up(&stack, r#"{"note": "dl-pointer"}"#, &webhook(&[("payload_key", object)])).await;
    let report = run(&stack, &json!({ "only": ["dead_letters"] })).await;
    assert!(count(&report, "/changed/dead_letters_removed") >= 1, "{report}");
    assert!(!seen(&stack).await.contains("pointer"));
}

#[tokio::test]
async fn a_message_that_names_an_export_is_judged_by_that_export() {
    let (stack, receiver) = (Stack::get(), back_office());
    let (open, other) = (key("dl-open"), ExportKey::new(SHOP, "dl-open", "other"));
    begun(&stack, &open, 1, ago(10)).await;
    exported(&stack, &other, ago(90), None).await;
    for key in [&open, &other] {
        give_up(&stack, &json!({ "export": key.idempotency_key() }).to_string(), &export_fields(key)).await;
    }
    let report = run(&stack, &json!({ "only": ["dead_letters"] })).await;
    assert!(count(&report, "/changed/dead_letters_put_back") >= 1, "{report}");
    assert!(count(&report, "/changed/dead_letters_removed") >= 1, "{report}");
    assert_eq!(arrived(&stack, &open).await.attempts, 2);
    drained(&stack).await;
    assert_eq!(receiver.requests().len(), 1);
}
