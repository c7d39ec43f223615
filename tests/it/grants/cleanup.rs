//! What cleanup is for.

use aws_sdk_dynamodb::types::AttributeValue;
use ordersync::aws;
use ordersync::ledger::{Fault, NextStep, Row, Status, customer_key};
use serde_json::{Value, json};

use super::role::Grant;
use super::{Need, process, record};
use crate::cleanup::{clean_up, days_ago, exported, failed, key, large, object};
use crate::support::noise;
use crate::support::shop::order;
use crate::support::stack::{Stack, variable};

const SHOP: &str = "it-erase-two";

pub(super) fn need(grant: &Grant) -> Option<Need> {
    let removes = Need::Work("an export past its retention is removed", |stack, id| Box::pin(removes(stack, id)));
    let erases = Need::Work("an order is erased", |stack, id| Box::pin(erases(stack, id)));
    Some(match (grant.sid.as_str(), grant.action.as_str(), grant.resource.as_str()) {
        ("FindExports", _, resource) if resource.ends_with("index/by-number") => {
            Need::Work("an order is erased by its number", |stack, id| Box::pin(by_number(stack, id)))
        }
        ("FindExports", _, resource) if resource.ends_with("index/by-customer") => {
            Need::Work("a customer is erased", |stack, id| Box::pin(by_customer(stack, id)))
        }
        ("WalkThroughTheTable", "dynamodb:GetItem", _) => {
            Need::Work("a run goes on where the last one stopped", |stack, id| Box::pin(goes_on(stack, id)))
        }
        ("WalkThroughTheTable", ..) | ("RemoveExports", "dynamodb:DeleteItem", _) => removes,
        ("RemoveExports", "dynamodb:UpdateItem", _) => {
            Need::Work("an export whose message was lost is made an error", |stack, id| Box::pin(lost(stack, id)))
        }
        ("FindObjects", "s3:ListBucket", _) | ("RemoveObjects", "s3:DeleteObject", _) => {
            Need::Work("the payload of an export goes with it", |stack, id| Box::pin(with_payload(stack, id)))
        }
        ("RemoveObjects", ..) => {
            Need::Work("an order is erased with the older versions of its document", |stack, id| {
                Box::pin(erases_own_versions(stack, id))
            })
        }
        ("FindExports" | "RemoveExports" | "FindObjects" | "WriteReceipts", ..) => erases,
        ("TellWhoWroteAnObject", "s3:GetObject", _) => {
            Need::Work("the document of an export goes with it", |stack, id| Box::pin(with_document(stack, id)))
        }
        ("TellWhoWroteAnObject", ..) => {
            Need::Work("an order is erased, an overwritten version of its document too", |stack, id| {
                Box::pin(erases_versions(stack, id))
            })
        }
        ("RewritePacks", ..) => {
            Need::Work("an order is erased from the object that it shares", |stack, id| Box::pin(from_pack(stack, id)))
        }
        _ => return None,
    })
}

async fn rows(stack: &Stack, shop: &str, id: &str) -> Vec<Row> {
    stack.ledger.order(shop, id).await.unwrap()
}

async fn removes(stack: &Stack, id: &str) {
    let payload = stack.payloads.keep("it-cleanup", id, b"{}").await.unwrap();
    exported(stack, &key(id, "erp"), &payload, "https://erp.example.com", 400).await;
    sweep(stack).await;
    assert_eq!(rows(stack, "it-cleanup", id).await, []);
}

async fn goes_on(stack: &Stack, id: &str) {
    let payload = stack.payloads.keep("it-cleanup", id, b"{}").await.unwrap();
    exported(stack, &key(id, "erp"), &payload, "https://erp.example.com", 400).await;
    // As if a run had come as far as to this row, and its time had been over then.
    let text = |text: &str| AttributeValue::S(text.to_owned());
    let put = table().put_item().table_name(variable("TABLE"));
    let put = put.item("pk", text("control")).item("sk", text("walk#cleanup"));
    let put = put.item("next_pk", text(&format!("it-cleanup#{id}"))).item("next_sk", text("erp"));
    put.send().await.unwrap();
    clean_up(stack, json!({})).await;
    assert_eq!(rows(stack, "it-cleanup", id).await.len(), 1, "it began anew");
}

fn table() -> aws_sdk_dynamodb::Client {
    aws::dynamodb_client(&aws::sdk_config().unwrap())
}

/// A run through the whole table, wherever an earlier one stopped that was denied something.
async fn sweep(stack: &Stack) {
    let text = |text: &str| AttributeValue::S(text.to_owned());
    let delete = table().delete_item().table_name(variable("TABLE"));
    delete.key("pk", text("control")).key("sk", text("walk#cleanup")).send().await.unwrap();
    clean_up(stack, json!({})).await;
}

async fn lost(stack: &Stack, id: &str) {
    let payload = stack.payloads.keep("it-cleanup", id, b"{}").await.unwrap();
    let retry = NextStep::Retry { not_before: days_ago(3000) };
    failed(stack, &key(id, "erp"), &payload, retry, 3000).await;
    sweep(stack).await;
    let row = rows(stack, "it-cleanup", id).await.remove(0);
    assert_eq!((row.status, row.fault), (Status::Error, Some(Fault::Orphaned)));
}

async fn with_payload(stack: &Stack, id: &str) {
    let payload = large(stack, id, 3).await;
    exported(stack, &key(id, "erp"), &payload, "https://erp.example.com", 400).await;
    sweep(stack).await;
    assert_eq!(stack.visible(&format!("payloads/orders/it-cleanup/{id}/")).await, Vec::<String>::new());
}

async fn with_document(stack: &Stack, id: &str) {
    let payload = stack.payloads.keep("it-cleanup", id, b"{}").await.unwrap();
    let (export, place) = (key(id, "erp"), format!("it-cleanup/{id}.json"));
    object(stack, &place, &export).await;
    exported(stack, &export, &payload, &format!("s3://{}/{place}", stack.bucket), 400).await;
    sweep(stack).await;
    assert!(!stack.has_object(&place).await);
}

fn of(email: &str, id: &str) -> Value {
    let mut order = order(id);
    order["customer"] = json!({ "email": email });
    order
}

async fn erase(stack: &Stack, request: Value) -> Value {
    let answer = stack.invoke(&variable("FN_CLEANUP"), &json!({ "erase": request })).await;
    assert_eq!(answer["receipt"]["complete"], true, "{answer}");
    answer
}

async fn erases(stack: &Stack, id: &str) {
    process(stack, record(SHOP, &of("a@example.com", id), &[])).await;
    let answer = erase(stack, json!({ "shop": SHOP, "order": id })).await;
    assert_eq!(stack.versions(&format!("it-erase/{SHOP}/N-{id}.json")).await, Vec::<String>::new());
    assert!(stack.has_object(answer["receipt_key"].as_str().unwrap()).await);
    assert!(rows(stack, SHOP, id).await.iter().all(|row| row.erased_at.is_some()));
}

async fn erases_versions(stack: &Stack, id: &str) {
    process(stack, record(SHOP, &of("a@example.com", id), &[])).await;
    let place = format!("it-erase/{SHOP}/N-{id}.json");
    object(stack, &place, &key(id, "another")).await;
    erase(stack, json!({ "shop": SHOP, "order": id })).await;
    assert_eq!(stack.versions(&place).await.len(), 1, "what another export wrote stays");
}

async fn erases_own_versions(stack: &Stack, id: &str) {
    process(stack, record(SHOP, &of("a@example.com", id), &[])).await;
    let place = format!("it-erase/{SHOP}/N-{id}.json");
    let export = stack.ledger.order(SHOP, id).await.unwrap().remove(0).key;
    object(stack, &place, &export).await;
    erase(stack, json!({ "shop": SHOP, "order": id })).await;
    assert_eq!(stack.versions(&place).await, Vec::<String>::new());
}

async fn by_number(stack: &Stack, id: &str) {
    process(stack, record(SHOP, &of("a@example.com", id), &[])).await;
    erase(stack, json!({ "shop": SHOP, "number": format!("N-{id}") })).await;
    assert!(rows(stack, SHOP, id).await.iter().all(|row| row.erased_at.is_some()));
}

async fn by_customer(stack: &Stack, id: &str) {
    let email = format!("{id}@example.com");
    process(stack, record(SHOP, &of(&email, id), &[])).await;
    assert!(rows(stack, SHOP, id).await.iter().all(|row| row.customer.as_deref() == Some(&customer_key(&email))));
    erase(stack, json!({ "email": email })).await;
    assert!(rows(stack, SHOP, id).await.iter().all(|row| row.erased_at.is_some()));
}

async fn from_pack(stack: &Stack, id: &str) {
    let ids = [format!("{id}a"), format!("{id}b")];
    let records: Vec<Value> = ids.iter().enumerate().map(|(n, id)| packed(id, n)).collect();
    let answer = stack.invoke(&variable("FN_PROCESSOR"), &json!({ "Records": records })).await;
    assert_eq!(answer["batchItemFailures"], json!([]), "{answer}");
    let [first, second] = [&ids[0], &ids[1]].map(|id| stack.row("it-pack", id, "pack"));
    let (first, second) = (first.await.unwrap(), second.await.unwrap());
    assert_eq!(first.destination, second.destination, "they share an object");
    erase(stack, json!({ "shop": "it-pack", "order": ids[0] })).await;
    let place = second.destination.unwrap();
    let (body, ..) = stack.object(place.strip_prefix(&format!("s3://{}/", stack.bucket)).unwrap()).await;
    let text = String::from_utf8(body).unwrap();
    assert!(!text.contains(&ids[0]) && text.contains(&ids[1]), "{text}");
}

fn packed(id: &str, number: usize) -> Value {
    let mut order = order(id);
    (order["number"], order["payment"]["method"], order["note"]) = (json!("1"), json!("grants"), json!(noise(10, 1)));
    let mut record = record("it-pack", &order, &[]);
    record["messageId"] = json!(format!("m{number}"));
    record
}
