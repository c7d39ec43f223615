//! What back offices say later, as files in the bucket.

use std::time::Duration;

use futures_util::future::join_all;
use ordersync::ledger::{Fault, Ledger, Recorded, Status};
use ordersync::{aws, clock};
use serde_json::{Value, json};

use crate::support::eventually;
use crate::support::shop::{generic, order};
use crate::support::stack::Stack;

const SHOP: &str = "it-answers";

/// Has an order exported by the pipelines of this shop.
async fn exported(stack: &Stack, shop: &str, id: &str) {
    stack.accept(shop, &generic(&order(id))).await;
    stack.export(shop, id, "answers", Status::Exported).await;
}

/// The reason that stands beside a file that failed, as soon as the file is there.
async fn reason(stack: &Stack, name: &str) -> Value {
    let failed = format!("responses/failed/{name}");
    eventually(&failed, async || stack.has_object(&failed).await.then_some(())).await;
    let (reason, media_type, _) = stack.object(&format!("{failed}.reason.json")).await;
    assert_eq!(media_type, "application/json");
    serde_json::from_slice(&reason).unwrap()
}

async fn done(stack: &Stack, name: &str) {
    let (done, original) = (format!("responses/done/{name}"), format!("responses/{name}"));
    eventually(&done, async || stack.has_object(&done).await.then_some(())).await;
    // It is removed once the copy is there.
    eventually("the original to go", async || (!stack.has_object(&original).await).then_some(())).await;
}

/// The notification of a version of an object.
fn notification(stack: &Stack, key: &str, version: &str) -> Value {
    let mut event: Value = serde_json::from_str(include_str!("../../events/responses-s3.json")).unwrap();
    event["Records"][0]["s3"]["bucket"]["name"] = json!(stack.bucket);
    event["Records"][0]["s3"]["object"]["key"] = json!(key);
    event["Records"][0]["s3"]["object"]["versionId"] = json!(version);
    event
}

fn function() -> String {
    aws::variable("FN_RESPONSES").expect("FN_RESPONSES of stack.env")
}

#[tokio::test]
async fn a_file_acknowledges_and_refuses() {
    let stack = Stack::get();
    join_all(["file-1", "file-2"].map(|id| exported(&stack, SHOP, id))).await;
    assert!(stack.row(SHOP, "file-1", "answers").await.unwrap().due.is_some(), "an answer is expected");
    let results = json!({ "results": [
        { "order": "N-file-1", "id": "E-1" },
        { "order": "N-file-2", "error": "no such\ncustomer: Erika" },
    ] });
    stack.put("responses/answers/2026/Jörg + 1 %.json", &results.to_string()).await;
    let row = stack.export(SHOP, "file-1", "answers", Status::Acknowledged).await;
    assert_eq!((row.external_id.as_deref(), row.due, row.last_error), (Some("E-1"), None, None));
    let row = stack.export(SHOP, "file-2", "answers", Status::Error).await;
    assert_eq!((row.fault, row.due), (Some(Fault::Rejected), None));
    assert_eq!(row.last_error.as_deref(), Some("the back office refused it: no such customer: Erika"));
    assert_eq!(row.attempts, 1, "a refusal is no attempt");
    done(&stack, "answers/2026/Jörg + 1 %.json").await;
    let (kept, ..) = stack.object("responses/done/answers/2026/Jörg + 1 %.json").await;
    assert_eq!(kept, results.to_string().into_bytes());
    let other = stack.row(SHOP, "file-1", "answers-xml").await.unwrap();
    assert_eq!(other.status, Status::Exported, "what one pipeline's back office says is not about another's");
}

#[tokio::test]
async fn a_file_that_failed_can_be_put_back_once_its_cause_is_gone() {
    let stack = Stack::get();
    exported(&stack, SHOP, "again-1").await;
    let results = json!({ "results": [{ "order": "N-again-2" }, { "order": "N-again-1" }, { "id": "E-3" }] });
    stack.put("responses/answers/again.json", &results.to_string()).await;
    let failure = reason(&stack, "answers/again.json").await;
    let expected = json!([
        { "index": 0, "order": "N-again-2", "reason": "this pipeline has no export of this order" },
        { "index": 2, "path": "/order", "reason": "expected a text or a number" },
    ]);
    assert_eq!((&failure["failed"], &failure["reason"]), (&expected, &json!("2 of 3 results did not count")));
    assert!(!stack.has_object("responses/answers/again.json").await);
    let first = stack.export(SHOP, "again-1", "answers", Status::Acknowledged).await;

    exported(&stack, SHOP, "again-2").await;
    // As `aws s3 mv` does.
    let source = format!("{}/responses/failed/answers/again.json", stack.bucket);
    let copy = stack.s3.copy_object().bucket(&stack.bucket).key("responses/answers/again.json").copy_source(source);
    copy.send().await.unwrap();
    let delete = stack.s3.delete_object().bucket(&stack.bucket).key("responses/failed/answers/again.json");
    delete.send().await.unwrap();
    stack.export(SHOP, "again-2", "answers", Status::Acknowledged).await;
    let failure = reason(&stack, "answers/again.json").await;
    assert_eq!(failure["reason"], "1 of 3 results did not count");
    let now = stack.row(SHOP, "again-1", "answers").await.unwrap();
    assert_eq!(now.updated_at, first.updated_at, "a repeated result changes nothing");
}

#[tokio::test]
async fn a_number_of_two_shops_needs_the_shop() {
    let stack = Stack::get();
    join_all([SHOP, "it-answers-too"].map(|shop| exported(&stack, shop, "twin"))).await;
    stack.put("responses/answers/twin-1.json", r#"{"results": {"order": "N-twin"}}"#).await;
    let failure = reason(&stack, "answers/twin-1.json").await;
    assert_eq!(failure["failed"][0]["reason"], "several orders are called so: expected the shop as well");
    let results = r#"{"results": {"order": "N-twin", "shop": "it-answers-too", "id": "E-too"}}"#;
    stack.put("responses/answers/twin-2.json", results).await;
    let row = stack.export("it-answers-too", "twin", "answers", Status::Acknowledged).await;
    assert_eq!(row.external_id.as_deref(), Some("E-too"));
    assert_eq!(stack.row(SHOP, "twin", "answers").await.unwrap().status, Status::Exported);
}

#[tokio::test]
async fn what_cannot_be_read_is_set_aside() {
    let stack = Stack::get();
    let nobody = "expected a key of the form responses/{pipeline}/…, with a pipeline that has responses";
    let huge = format!("{{\"results\": \"{}\"}}", "x".repeat(10_000_000));
    let files = [
        ("answers/broken.json", "{\"results\": [", "it is no JSON that can be read: line 1, column 13"),
        ("answers-xml/bomb.xml", "<!DOCTYPE results><results/>", "it has a document type, which is not read"),
        ("answers/huge.json", &huge, "expected at most 10000000 bytes: split it"),
        ("nobody/a.json", "{}", nobody),
        ("json/a.json", "{}", nobody),
        ("lonely.json", "{}", nobody),
    ];
    join_all(files.iter().map(|(name, body, expected)| {
        let stack = &stack;
        async move {
            stack.put(&format!("responses/{name}"), body).await;
            let failure = reason(stack, name).await;
            assert!(failure["reason"].as_str().unwrap().contains(expected), "{name}: {failure}");
            assert_eq!(failure["file"], format!("responses/{name}"));
            assert!(!stack.has_object(&format!("responses/{name}")).await);
            let (kept, ..) = stack.object(&format!("responses/failed/{name}")).await;
            assert_eq!(kept.len(), body.len());
        }
    }))
    .await;
}

#[tokio::test]
async fn notifications_that_come_again_or_together_change_nothing() {
    let stack = Stack::get();
    exported(&stack, SHOP, "dup-answer").await;
    let key = "responses/answers/dup.json";
    let version = stack.put(key, r#"{"results": [{"order": "N-dup-answer", "id": "E-1"}]}"#).await;
    let event = notification(&stack, key, &version);
    // With the one that the bucket sends by itself.
    let function = function();
    let answers = join_all((0..4).map(|_| stack.invoke(&function, &event))).await;
    assert_eq!(answers, vec![Value::Null; 4]);
    let first = stack.export(SHOP, "dup-answer", "answers", Status::Acknowledged).await;
    done(&stack, "answers/dup.json").await;
    assert_eq!(stack.invoke(&function, &event).await, Value::Null);
    assert_eq!(stack.row(SHOP, "dup-answer", "answers").await.unwrap().updated_at, first.updated_at);
    assert!(!stack.has_object("responses/failed/answers/dup.json").await);
}

/// A run that ended in the middle has recorded a result and moved nothing; the next one goes on.
#[tokio::test]
async fn a_run_that_ended_in_the_middle_is_made_up_for() {
    let stack = Stack::get();
    join_all(["half-1", "half-2"].map(|id| exported(&stack, SHOP, id))).await;
    let row = stack.row(SHOP, "half-1", "answers").await.unwrap();
    stack.ledger.acknowledge(&row, Some("E-1"), clock::now()).await.unwrap();
    let results = r#"{"results": [{"order": "N-half-1", "id": "E-1"}, {"order": "N-half-2", "id": "E-2"}]}"#;
    stack.put("responses/answers/half.json", results).await;
    stack.export(SHOP, "half-2", "answers", Status::Acknowledged).await;
    done(&stack, "answers/half.json").await;
}

#[tokio::test]
async fn a_word_after_the_deadline_counts() {
    let stack = Stack::get();
    exported(&stack, SHOP, "overdue").await;
    let (now, later) = (clock::now(), clock::now() + jiff::SignedDuration::from_hours(25));
    let mut gave_up = false;
    for shard in 0..Ledger::SHARDS {
        let mut pages = stack.ledger.unacknowledged(shard, later);
        while let Some(page) = pages.waiting().await.unwrap() {
            for waiting in page.iter().filter(|waiting| waiting.key.order_id == "overdue") {
                let given_up = stack.ledger.give_up_waiting(waiting, Duration::from_hours(24), now).await;
                gave_up |= given_up == Ok(Recorded::Written);
            }
        }
    }
    assert!(gave_up, "it waits for an answer");
    let row = stack.export(SHOP, "overdue", "answers", Status::Error).await;
    assert_eq!(row.fault, Some(Fault::Unacknowledged));
    stack.put("responses/answers/overdue.json", r#"{"results": [{"order": "N-overdue", "id": "E-9"}]}"#).await;
    let row = stack.export(SHOP, "overdue", "answers", Status::Acknowledged).await;
    assert_eq!((row.external_id.as_deref(), row.fault, row.last_error), (Some("E-9"), None, None));
}
