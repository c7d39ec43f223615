//! What the console is for.

use std::sync::LazyLock;

use aws_sdk_dynamodb::types::AttributeValue;
use ordersync::ledger::{Status, day_of};
use ordersync::{aws, clock};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tokio::sync::OnceCell;

use super::role::{Grant, leading_keys};
use super::{Need, process, record, restart};
use crate::console::Program;
use crate::support::fake_shop::{FakeShop, Kind};
use crate::support::shop::order;
use crate::support::stack::{Stack, variable};

/// A shop whose orders are put into the stack's bucket.
const SHOP: &str = "it-cleanup";
const PIPELINE: &str = "cleanup-keeps";
/// A shop that cancels orders when it is asked to.
const CANCELS: &str = "it-admin-shop";

pub(super) fn need(grant: &Grant) -> Option<Need> {
    Some(match (grant.sid.as_str(), grant.action.as_str(), grant.resource.as_str()) {
        ("FindExports", _, resource) if resource.ends_with("index/by-status") => {
            Need::Work("exports are listed", |stack, id| Box::pin(lists(stack, id)))
        }
        ("FindExports", _, resource) if resource.ends_with("index/by-number") => {
            Need::Work("an order is found by its number", |stack, id| Box::pin(finds(stack, id)))
        }
        ("FindExports", _, resource) if resource.ends_with("index/by-external-id") => {
            Need::Work("an order is found by the back office's identifier", |stack, id| Box::pin(finds(stack, id)))
        }
        ("FindExports", ..) => Need::Work("an order is shown", |stack, id| Box::pin(shows(stack, id))),
        ("LookAtExports" | "ChangeExportsAndPauses", ..) => {
            Need::Work("an export is reset", |stack, id| Box::pin(resets(stack, id)))
        }
        ("QueueExports", ..) => {
            Need::Work("an export that is reset is queued", |stack, id| Box::pin(queues(stack, id)))
        }
        ("DeleteExports", ..) => Need::Work("an export is deleted", |stack, id| Box::pin(deletes(stack, id))),
        ("WriteAuditLog", ..) => {
            Need::Work("personal data is shown, which is noted", |stack, id| Box::pin(reveals(stack, id)))
        }
        ("ShowOrders", ..) => {
            Need::Work("the document in the bucket is shown", |stack, id| Box::pin(shows_document(stack, id)))
        }
        ("CountMessages", _, resource) if resource.starts_with("DeadLetter") => {
            Need::Work("dead letters are counted", |_, _| Box::pin(counts("/dead_letters")))
        }
        ("CountMessages", ..) => {
            Need::Work("messages that wait are counted", |_, _| Box::pin(counts("/queue/waiting")))
        }
        ("ExportNow", ..) => {
            Need::Work("an export is made while somebody waits", |stack, id| Box::pin(exports_now(stack, id)))
        }
        ("ReadUsers", ..) => {
            Need::Work("a new instance signs somebody in", |stack, id| Box::pin(new_instance(stack, id)))
        }
        ("ReadShopSecrets", ..) => {
            Need::Work("an order is cancelled at its shop", |stack, id| Box::pin(cancels(stack, id)))
        }
        ("ChangeTemplates", "s3:PutObject", _) => Need::Second("a template is saved"),
        ("ChangeTemplates", ..) => Need::Second("a template is made what it was before"),
        ("ListVersionsOfTemplates", ..) => Need::Second("the versions of a template are listed"),
        _ => return None,
    })
}

/// What the API answers to an operator, who has signed in once for all.
async fn asked(method: Method, path: &str, body: Option<Value>) -> Value {
    static ADA: OnceCell<Program> = OnceCell::const_new();
    let ada = ADA.get_or_init(|| Program::of("ada")).await;
    let (status, answer) = ada.told(method, path, body).await;
    assert_eq!(status, StatusCode::OK, "{path}: {answer}");
    answer
}

async fn act(id: &str, action: &str) -> Value {
    asked(Method::POST, &format!("/orders/{SHOP}/{id}/{PIPELINE}/act"), Some(json!({ "action": action }))).await
}

async fn exported(stack: &Stack, id: &str) {
    process(stack, record(SHOP, &order(id), &[])).await;
    assert_eq!(stack.row(SHOP, id, PIPELINE).await.unwrap().status, Status::Exported);
}

async fn lists(stack: &Stack, id: &str) {
    exported(stack, id).await;
    let listing = asked(Method::GET, &format!("/exports?shop={SHOP}&status=exported"), None).await;
    assert!(listing["exports"].as_array().unwrap().iter().any(|row| row["key"]["order"] == id), "{listing}");
}

async fn finds(stack: &Stack, id: &str) {
    exported(stack, id).await;
    let found = asked(Method::GET, &format!("/orders?q=N-{id}"), None).await;
    assert_eq!(found[0]["order"]["order"], id, "{found}");
}

async fn shows(stack: &Stack, id: &str) {
    exported(stack, id).await;
    let shown = asked(Method::GET, &format!("/orders/{SHOP}/{id}"), None).await;
    assert_eq!(shown["exports"].as_array().map(Vec::len), Some(1), "{shown}");
}

async fn resets(stack: &Stack, id: &str) {
    exported(stack, id).await;
    act(id, "reset").await;
}

async fn queues(stack: &Stack, id: &str) {
    exported(stack, id).await;
    let done = act(id, "reset").await;
    assert_eq!(done["is_queued"], true, "{done}");
}

async fn deletes(stack: &Stack, id: &str) {
    exported(stack, id).await;
    act(id, "delete").await;
    assert_eq!(stack.row(SHOP, id, PIPELINE).await, None);
}

async fn reveals(stack: &Stack, id: &str) {
    exported(stack, id).await;
    let shown = asked(Method::POST, &format!("/orders/{SHOP}/{id}/{PIPELINE}/payload/reveal"), None).await;
    assert!(shown["webhook"]["text"].as_str().unwrap().contains("it@example.com"), "{shown}");
}

async fn shows_document(stack: &Stack, id: &str) {
    exported(stack, id).await;
    let shown = asked(Method::GET, &format!("/orders/{SHOP}/{id}/{PIPELINE}/artefact"), None).await;
    assert!(shown["from"]["object"].is_string(), "made anew: {shown}");
}

async fn counts(what: &str) {
    let overview = asked(Method::GET, "/overview", None).await;
    assert!(overview.pointer(what).is_some_and(Value::is_u64), "{overview}");
}

async fn exports_now(stack: &Stack, id: &str) {
    exported(stack, id).await;
    let done = act(id, "export-now").await;
    assert_eq!((&done["note"], &done["export"]["status"]), (&Value::Null, &json!("exported")), "{done}");
}

async fn new_instance(stack: &Stack, _: &str) {
    restart(stack, "FN_CONSOLE").await;
    Program::of("ada").await;
}

async fn cancels(stack: &Stack, id: &str) {
    static SHOPS: LazyLock<FakeShop> = LazyLock::new(|| FakeShop::start(Kind::Generic, 19587));
    SHOPS.place(id, "invoice");
    process(stack, record(CANCELS, &order(id), &[])).await;
    restart(stack, "FN_CONSOLE").await;
    let answer = asked(Method::POST, &format!("/orders/{CANCELS}/{id}/cancel"), None).await;
    assert!(answer == "canceled" && SHOPS.is_canceled(id), "{answer}");
}

/// Whether a text is as a pattern of IAM says.
fn is_like(text: &[u8], pattern: &[u8]) -> bool {
    match pattern {
        [] => text.is_empty(),
        [b'*', rest @ ..] => (0..=text.len()).any(|at| is_like(&text[at..], rest)),
        [first, rest @ ..] => {
            text.split_first().is_some_and(|(byte, text)| (*first == b'?' || first == byte) && is_like(text, rest))
        }
    }
}

/// Whether there is anything in a partition of the table.
async fn is_there(partition: &str) -> bool {
    let query = aws::dynamodb_client(&aws::sdk_config().unwrap()).query().table_name(variable("TABLE")).limit(1);
    let query = query.key_condition_expression("pk = :pk");
    let query = query.expression_attribute_values(":pk", AttributeValue::S(partition.to_owned()));
    query.send().await.unwrap().count() == 1
}

/// The emulator does not know `dynamodb:LeadingKeys`, so that this is what shows that the role fits the table.
#[tokio::test]
async fn what_the_console_may_change_in_the_table_is_all_but_the_audit_log() {
    let stack = Stack::get();
    reveals(&stack, "leading-keys").await;
    let journal = format!("journal-{}", day_of(clock::now()));
    let keys = |sid| leading_keys("Console", sid);
    let is_one = |key: &str, sid| keys(sid).iter().any(|pattern| is_like(key.as_bytes(), pattern.as_bytes()));
    for (key, expected) in [
        (format!("{SHOP}#leading-keys"), [true, true, false]),
        ("control".to_owned(), [false, true, false]),
        (journal, [false, false, true]),
    ] {
        assert!(is_there(&key).await, "the table has nothing under {key}");
        let granted = ["DeleteExports", "ChangeExportsAndPauses", "WriteAuditLog"].map(|sid| is_one(&key, sid));
        assert_eq!(granted, expected, "{key}");
    }
}
