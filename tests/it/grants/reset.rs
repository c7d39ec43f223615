//! What reset-errors is for.

use ordersync::ledger::{Claim, ExportKey, Facts, Fault, NextStep, Payload, Status};
use ordersync::queue::export_fields;
use serde_json::json;

use super::Need;
use super::role::Grant;
use crate::reset::letters::{give_up, seen, webhook};
use crate::reset::seed::{PIPELINE, SHOP, ago, count, exported, facts, failed, key, run_only};
use crate::reset::waiting::delayed;
use crate::support::noise;
use crate::support::shop::order;
use crate::support::stack::Stack;

pub(super) fn need(grant: &Grant) -> Option<Need> {
    Some(match (grant.sid.as_str(), grant.action.as_str(), grant.resource.as_str()) {
        ("FindExports", _, resource) if resource.ends_with("index/by-status") => {
            Need::Work("an error is reset", |stack, id| Box::pin(error(stack, id)))
        }
        ("FindExports", _, resource) if resource.ends_with("index/due") => {
            Need::Work("what is due is queued", |stack, id| Box::pin(due(stack, id)))
        }
        ("FindExports", ..) | ("TakeDeadLetters", "sqs:ReceiveMessage" | "sqs:DeleteMessage", _) => {
            Need::Work("a dead letter with nothing left to do is removed", |stack, id| Box::pin(letter(stack, id)))
        }
        ("ResetExports", "dynamodb:GetItem", _) => {
            Need::Work("a dead letter that names an export is judged", |stack, id| Box::pin(named(stack, id)))
        }
        ("ResetExports" | "QueueExports", ..) => {
            Need::Work("an error is reset", |stack, id| Box::pin(error(stack, id)))
        }
        ("ForgetPauses", ..) => Need::Work("an old pause is forgotten", |stack, id| Box::pin(pause(stack, id))),
        ("TakeDeadLetters", "sqs:ChangeMessageVisibility", _) => {
            Need::Work("a dead letter that stays is seen at once", |stack, id| Box::pin(stays(stack, id)))
        }
        ("TakeDeadLetters", "sqs:GetQueueAttributes", _) => {
            Need::Unit("a run that its time ends says how many dead letters are left")
        }
        ("ReadInboundPayloads", ..) => {
            Need::Work("a dead letter whose body is in the bucket is judged", |stack, id| Box::pin(inbound(stack, id)))
        }
        ("KeepLargeOrders", ..) => {
            Need::Work("a large order of a dead letter is kept", |stack, id| Box::pin(keeps(stack, id)))
        }
        _ => return None,
    })
}

async fn error(stack: &Stack, id: &str) {
    failed(stack, id, Fault::Exhausted, 1, ago(61)).await;
    run_only(stack, "errors").await;
    let row = crate::reset::seed::now(stack, &key(id)).await;
    assert!(row.status != Status::Error, "{row:?}");
}

async fn due(stack: &Stack, id: &str) {
    delayed(stack, id, ago(1)).await;
    let report = run_only(stack, "due").await;
    assert!(count(&report, "/changed/released") >= 1, "{report}");
}

async fn removed(stack: &Stack, id: &str) {
    let report = run_only(stack, "dead_letters").await;
    assert!(count(&report, "/changed/dead_letters_removed") >= 1, "{report}");
    assert!(!seen(stack).await.contains(id));
}

async fn letter(stack: &Stack, id: &str) {
    let name = format!("dl-{id}");
    exported(stack, &key(&name), ago(90), None).await;
    give_up(stack, &order(&name).to_string(), &webhook(&[])).await;
    removed(stack, id).await;
}

async fn named(stack: &Stack, id: &str) {
    let key = key(&format!("dl-{id}"));
    exported(stack, &key, ago(90), None).await;
    give_up(stack, &json!({ "export": key.idempotency_key() }).to_string(), &export_fields(&key)).await;
    removed(stack, id).await;
}

async fn inbound(stack: &Stack, id: &str) {
    let (name, object) = (format!("dl-{id}"), format!("payloads/inbound/it-reset/{id}"));
    stack.put(&object, &order(&name).to_string()).await;
    exported(stack, &key(&name), ago(90), None).await;
    give_up(stack, &json!({ "note": name }).to_string(), &webhook(&[("payload_key", &object)])).await;
    removed(stack, id).await;
}

async fn stays(stack: &Stack, id: &str) {
    let body = format!("dl-{id} is no order");
    give_up(stack, &body, &webhook(&[])).await;
    run_only(stack, "dead_letters").await;
    let is_seen = seen(stack).await.contains(id);
    assert!(is_seen, "it is hidden");
}

/// An export that waits for a message which nobody takes up any more, of an order that no row can hold.
async fn keeps(stack: &Stack, id: &str) {
    let key = ExportKey::new(SHOP, &format!("dl-{id}"), PIPELINE);
    let facts = Facts { kept: None, ..facts(stack, &key, ago(90)).await };
    let claim = stack.ledger.claim(&key, &facts, "owner", ago(90), ago(89)).await.unwrap();
    let Claim::Granted(lease) = claim else { panic!("{claim:?}") };
    let next = NextStep::Retry { not_before: ago(80) };
    stack.ledger.fail(&lease, "HTTP 503", None, next, None, ago(89)).await.unwrap();
    let mut large = order(&key.order_id);
    large["attachment"] = json!(noise(100_000, 7));
    give_up(stack, &large.to_string(), &webhook(&[("redriven", "1")])).await;
    run_only(stack, "dead_letters").await;
    let row = stack.ledger.export(&key).await.unwrap().unwrap();
    assert!(matches!(row.payload, Some(Payload::Stored(_))), "{row:?}");
}

async fn pause(stack: &Stack, _: &str) {
    stack.ledger.pause(Some("reset-later"), "stock-taking", ago(30)).await.unwrap();
    stack.ledger.resume(Some("reset-later"), ago(21)).await.unwrap();
    let report = run_only(stack, "due").await;
    assert!(count(&report, "/changed/pauses_forgotten") >= 1, "{report}");
}
