//! What responses is for.

use ordersync::ledger::Status;
use serde_json::{Value, json};

use super::role::Grant;
use super::{Need, process, record, restart};
use crate::support::shop::{SECRET, generic_text, order};
use crate::support::stack::{Stack, variable};

const SHOP: &str = "it-answers";

pub(super) fn need(grant: &Grant) -> Option<Need> {
    Some(match (grant.sid.as_str(), grant.action.as_str()) {
        ("FindExports" | "RecordResponses", _) => {
            Need::Work("a callback acknowledges an order", |stack, id| Box::pin(callback(stack, id)))
        }
        ("ReadResponseSecrets", _) => {
            Need::Work("a new instance takes a callback", |stack, id| Box::pin(new_instance(stack, id)))
        }
        ("TakeResponses", _) => {
            Need::Work("a file acknowledges an order and is put aside", |stack, id| Box::pin(file(stack, id)))
        }
        ("SetResponsesAside", _) if grant.resource.contains("done") => {
            Need::Work("a file acknowledges an order and is put aside", |stack, id| Box::pin(file(stack, id)))
        }
        ("SetResponsesAside", _) => {
            Need::Work("a file that cannot be read is put aside with the reason", |stack, id| {
                Box::pin(unreadable(stack, id))
            })
        }
        ("TellWhatIsMissing", _) => {
            Need::S3("a notification of a file that is gone is done with", |stack, id| Box::pin(gone(stack, id)))
        }
        _ => return None,
    })
}

async fn exported(stack: &Stack, id: &str) {
    process(stack, record(SHOP, &order(id), &[])).await;
    for pipeline in ["answers", "answers-xml"] {
        assert_eq!(stack.row(SHOP, id, pipeline).await.unwrap().status, Status::Exported);
    }
}

async fn callback(stack: &Stack, id: &str) {
    exported(stack, id).await;
    let results = format!("<results><result><number>N-{id}</number></result></results>");
    let response = generic_text(&results, SECRET).with("content-type", "application/xml");
    let answer = stack.call_back("answers-xml", &response).await;
    assert!(answer.status().is_success(), "{:?}", answer.text().await);
    assert_eq!(stack.row(SHOP, id, "answers-xml").await.unwrap().status, Status::Acknowledged);
}

async fn new_instance(stack: &Stack, id: &str) {
    restart(stack, "FN_RESPONSES").await;
    callback(stack, id).await;
}

/// Puts a file where nobody is notified of it, and hands it to the function.
async fn hand_over(stack: &Stack, name: &str, text: &str) {
    let key = format!("responses/answers/{name}");
    let version = stack.put(&key, text).await;
    notify(stack, &key, &version).await;
    assert!(!stack.has_object(&key).await, "it is put aside");
}

async fn notify(stack: &Stack, key: &str, version: &str) {
    let mut event: Value = serde_json::from_str(include_str!("../../../events/responses-s3.json")).unwrap();
    event["Records"][0]["s3"]["bucket"]["name"] = json!(stack.bucket);
    event["Records"][0]["s3"]["object"]["key"] = json!(key);
    event["Records"][0]["s3"]["object"]["versionId"] = json!(version);
    stack.invoke(&variable("FN_RESPONSES"), &event).await;
}

async fn gone(stack: &Stack, id: &str) {
    notify(stack, &format!("responses/answers/{id}.json"), "0123456789abcdef0123456789abcdef").await;
}

async fn file(stack: &Stack, id: &str) {
    exported(stack, id).await;
    hand_over(stack, &format!("{id}.json"), &json!({ "results": [{ "order": format!("N-{id}") }] }).to_string()).await;
    assert_eq!(stack.row(SHOP, id, "answers").await.unwrap().status, Status::Acknowledged);
    assert!(stack.has_object(&format!("responses/done/answers/{id}.json")).await);
}

async fn unreadable(stack: &Stack, id: &str) {
    hand_over(stack, &format!("{id}.json"), "no JSON").await;
    assert!(stack.has_object(&format!("responses/failed/answers/{id}.json.reason.json")).await);
}
