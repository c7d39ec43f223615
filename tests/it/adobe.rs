//! Adobe I/O Events: the handshake, keys that are fetched, events that are not for us.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use ordersync::ledger::Status;
use serde_json::{Value, json};

use crate::support::receiver::{Receiver, Reply};
use crate::support::shop::{Signed, adobe, example};
use crate::support::stack::{Stack, json as body_of};

const SHOP: &str = "demo-adobe";
const PEM: &str = include_str!("../../events/adobe-keys-for-tests-only/public-key-for-tests-only.pem");

#[tokio::test]
async fn adobes_challenge_is_sent_back_and_nothing_else_is() {
    let stack = Stack::get();
    let get = async |path: &str| stack.request(reqwest::Method::GET, path).await;
    let answer = get("/webhooks/demo-adobe?challenge=8ec8d794-e0ab-42df-9017-e3dada8e84f7").await;
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.headers()["content-type"], "application/json");
    assert_eq!(answer.headers()["x-content-type-options"], "nosniff");
    assert_eq!(body_of(answer).await, json!({ "challenge": "8ec8d794-e0ab-42df-9017-e3dada8e84f7" }));
    for (path, status) in [
        ("/webhooks/demo-adobe", 400),
        ("/webhooks/demo-adobe?challenge=", 400),
        ("/webhooks/demo-adobe?challenge=%3Cscript%3E", 400),
        ("/webhooks/demo-shopify?challenge=a", 405),
        ("/webhooks/unknown?challenge=a", 404),
    ] {
        assert_eq!(get(path).await.status(), status, "{path}");
    }
}

#[tokio::test]
async fn an_event_waits_for_its_key_and_is_exported_once() {
    let stack = Stack::get();
    let path = format!("/prod/keys/pub-key-{}.pem", ordersync::clock::now().as_microsecond());
    let signed = |body: Vec<u8>| adobe(body, &path);
    let order = example("adobe", "7560").body;

    let answer = stack.post(SHOP, &signed(order.clone())).await;
    assert_eq!((answer.status().as_u16(), answer.headers()["retry-after"].to_str().unwrap()), (503, "5"));
    assert_eq!(body_of(answer).await["error"], "keys_unavailable");

    let is_up = Arc::new(AtomicBool::new(false));
    let switch = Arc::clone(&is_up);
    let server = Receiver::start(19560, move |_, _| {
        if switch.load(Ordering::Relaxed) { Reply::ok(PEM) } else { Reply::status("503 Service Unavailable") }
    });
    assert_eq!(stack.post(SHOP, &signed(order.clone())).await.status(), 503);
    is_up.store(true, Ordering::Relaxed);
    stack.accept(SHOP, &signed(order.clone())).await;
    let row = stack.export(SHOP, "7560", "adobe", Status::Exported).await;
    assert_eq!(row.attempts, 1);
    assert!(server.requests().iter().all(|request| request.path == path), "{:?}", server.requests());

    refuses_what_is_not_for_us(&stack, &signed).await;

    let mut later: Value = serde_json::from_slice(&order).unwrap();
    later["data"]["value"]["_isNew"] = json!(false);
    later["data"]["value"]["status"] = json!("processing");
    stack.accept(SHOP, &signed(later.to_string().into_bytes())).await;
    let row = stack.row(SHOP, "7560", "adobe").await.unwrap();
    assert_eq!((row.status, row.attempts), (Status::Exported, 1));
}

async fn refuses_what_is_not_for_us(stack: &Stack, signed: &impl Fn(Vec<u8>) -> Signed) {
    let order: Value = serde_json::from_slice(&example("adobe", "7561").body).unwrap();
    let bytes = |value: &Value| value.to_string().into_bytes();
    let mut tampered = signed(bytes(&order));
    tampered.body.push(b' ');
    let (mut other, mut invoice) = (order.clone(), order.clone());
    other["recipient_client_id"] = json!("somebody-else");
    invoice["type"] = json!("com.adobe.commerce.observer.sales_order_invoice_save_after");
    for (webhook, status, said) in [
        (tampered, 401, "signature_invalid"),
        (signed(bytes(&order)).with("x-adobe-public-key2-path", "/prod/keys/../a.pem"), 400, "body_malformed"),
        (signed(bytes(&other)), 401, "recipient_unknown"),
        (signed(bytes(&json!([order]))), 400, "body_malformed"),
        (signed(bytes(&invoice)), 200, "ignored"),
    ] {
        let answer = stack.post(SHOP, &webhook).await;
        assert_eq!(answer.status(), status, "{said}");
        let body = body_of(answer).await;
        assert!(body["error"] == said || body["status"] == said, "{said}: {body}");
    }
    assert!(stack.row(SHOP, "7561", "adobe").await.is_none());
}
