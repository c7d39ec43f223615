//! Erasure on request: nothing is left that says who ordered, and nothing comes back.

use std::time::Duration;

use jiff::ToSpan;
use ordersync::aws::variable;
use ordersync::clock;
use ordersync::ledger::{
    Claim, ExportKey, Facts, Fault, FindBy, Kept, NextStep, Origin, PARTS, Payload, Row, Status, Told, Wanted,
    customer_key,
};
use ordersync::queue::{Fields, Requeue};
use ordersync::webhook::Event;
use serde_json::{Value, json};

use crate::support::receiver::{Receiver, Reply};
use crate::support::shop::{generic, order};
use crate::support::stack::Stack;
use crate::support::{eventually, noise};

async fn erase(stack: &Stack, request: Value) -> Value {
    stack.invoke(&variable("FN_CLEANUP").unwrap(), &json!({ "erase": request })).await
}

/// An order of a customer whose data are found wherever they stand.
fn order_of(email: &str, id: &str) -> Value {
    let mut order = order(id);
    order["customer"] = json!({ "email": email, "name": "Annegret Unverwechselbar" });
    order["billing"] = json!({ "name": "Annegret Unverwechselbar", "street": "Nirgendwoweg 17" });
    order
}

/// What must not stand in any record of an erasure.
fn traces(order: &Value) -> Vec<String> {
    let text = |pointer| order.pointer(pointer).and_then(Value::as_str).unwrap().to_owned();
    let email = text("/customer/email");
    let derived = customer_key(&email);
    vec![email, derived, text("/customer/name"), text("/billing/street"), text("/number"), text("/id")]
}

fn assert_no_trace(what: &str, text: &str, order: &Value) {
    for trace in traces(order) {
        assert!(!text.contains(&trace), "{what} has {trace:?}: {text}");
    }
}

/// That a row says that it was erased, and nothing else.
fn assert_erased(row: &Row) {
    assert_eq!((row.status, row.last_error.as_deref()), (Status::Canceled, Some("erased on request")), "{row:?}");
    assert_eq!(
        (&row.payload, &row.customer, row.number.as_str()),
        (&None, &None, row.key.order_id.as_str()),
        "{row:?}"
    );
    assert!(row.envelope.is_empty() && row.history.is_empty() && row.destination.is_none(), "{row:?}");
}

async fn assert_all_erased(stack: &Stack, shop: &str, order_id: &str) {
    let rows = stack.ledger.order(shop, order_id).await.unwrap();
    assert!(!rows.is_empty());
    rows.iter().for_each(assert_erased);
}

/// What the function has logged since then, the receipt among it.
async fn log_of(stack: &Stack, answer: &Value, since: i64) -> String {
    let id = answer["receipt"]["id"].as_str().unwrap();
    eventually("the receipt in the log", async || {
        Some(stack.logged("cleanup", since).await).filter(|log| log.contains(id))
    })
    .await
}

/// How many rows of a customer there are in the whole table.
async fn of_customer(stack: &Stack, email: &str) -> usize {
    let (customer, mut found) = (customer_key(email), 0);
    for part in 0..PARTS {
        let mut walk = stack.ledger.walk_part(Wanted::Customer(&customer), part);
        while let Some(page) = walk.page().await.unwrap() {
            found += page.len();
        }
    }
    found
}

/// The receipt as it lies in the bucket.
async fn receipt(stack: &Stack, answer: &Value) -> String {
    let (body, ..) = stack.object(answer["receipt_key"].as_str().unwrap()).await;
    let text = String::from_utf8(body).unwrap();
    let stored: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(stored, answer["receipt"]);
    text
}

#[tokio::test]
async fn of_an_erased_order_nothing_is_left_and_its_late_webhook_does_nothing() {
    let stack = Stack::get();
    let receiver = Receiver::start(19540, |_, _| Reply::ok(""));
    let since = clock::now().as_millisecond();
    let email = "annegret.large@unverwechselbar.example";
    let mut large = order_of(email, "erase-large-81");
    // No message can carry it, and no row.
    large["attachment"] = json!(noise(1_500_000, 81));
    stack.accept("it-erase", &generic(&large)).await;
    let archived = stack.export("it-erase", "erase-large-81", "erase-archive", Status::Exported).await;
    stack.export("it-erase", "erase-large-81", "erase-erp", Status::Exported).await;
    let inbound = archived.envelope["payload_key"].clone();
    let document = "it-erase/it-erase/N-erase-large-81.json";
    let payloads = "payloads/orders/it-erase/erase-large-81/";
    for prefix in [payloads, inbound.as_str(), document] {
        assert_ne!(stack.versions(prefix).await, Vec::<String>::new(), "{prefix}");
    }
    // A version that a delete marker hides, and one under a key that begins the same.
    let delete = stack.s3.delete_object().bucket(&stack.bucket).key(document);
    delete.send().await.unwrap();
    let other = stack.payloads.keep("it-erase", "erase-large-8", noise(100_000, 8).as_bytes()).await.unwrap();

    let answer = erase(&stack, json!({ "shop": "it-erase", "order": "erase-large-81" })).await;
    assert_eq!((&answer["receipt"]["complete"], &answer["receipt"]["rows"]), (&json!(true), &json!(2)), "{answer}");
    for prefix in [payloads, inbound.as_str(), document] {
        assert_eq!(stack.versions(prefix).await, Vec::<String>::new(), "{prefix}");
    }
    assert!(stack.payloads.fetch(&other).await.is_ok());
    assert_all_erased(&stack, "it-erase", "erase-large-81").await;
    assert_eq!(stack.ledger.by_number("N-erase-large-81").await, Ok(Vec::new()));

    stack.accept("it-erase", &generic(&large)).await;
    let said = "nothing is kept of order erase-large-81 of it-erase: it was erased";
    eventually(said, async || stack.logged("processor", since).await.contains(said).then_some(())).await;
    assert_all_erased(&stack, "it-erase", "erase-large-81").await;
    for prefix in [payloads, document] {
        assert_eq!(stack.versions(prefix).await, Vec::<String>::new(), "{prefix}, after the late webhook");
    }
    assert_eq!(receiver.about("erase-large-81").len(), 1);

    assert_no_trace("the answer", &answer.to_string(), &large);
    assert_no_trace("the receipt", &receipt(&stack, &answer).await, &large);
    assert_no_trace("the log", &log_of(&stack, &answer, since).await, &large);
}

#[tokio::test]
async fn a_customer_is_erased_in_every_shop_and_no_pipeline_begins_anew() {
    let stack = Stack::get();
    let receiver = Receiver::start(19541, |_, _| Reply::ok(""));
    let since = clock::now().as_millisecond();
    let email = "Annegret.Two@Unverwechselbar.example";
    let (one, two) = (order_of(email, "erase-one-71"), order_of(email, "erase-two-72"));
    let stranger = order_of("somebody.else@unverwechselbar.example", "erase-other-73");
    stack.accept("it-erase-paid", &generic(&one)).await;
    for order in [&two, &stranger] {
        stack.accept("it-erase-two", &generic(order)).await;
    }
    stack.export("it-erase-paid", "erase-one-71", "erase-placed", Status::Exported).await;
    stack.export("it-erase-two", "erase-two-72", "erase-archive", Status::Exported).await;
    stack.export("it-erase-two", "erase-other-73", "erase-archive", Status::Exported).await;

    let dry = json!({ "dry_run": true, "erase": { "email": email } });
    let dry = stack.invoke(&variable("FN_CLEANUP").unwrap(), &dry).await;
    assert_eq!((&dry["changed"]["erased"], &dry["orders"], dry.get("receipt")), (&json!(2), &json!(2), None), "{dry}");
    assert_eq!(of_customer(&stack, email).await, 2);

    let answer = erase(&stack, json!({ "email": "annegret.two@unverwechselbar.EXAMPLE " })).await;
    assert_eq!((&answer["receipt"]["complete"], &answer["receipt"]["orders"]), (&json!(true), &json!(2)), "{answer}");
    assert_all_erased(&stack, "it-erase-paid", "erase-one-71").await;
    assert_all_erased(&stack, "it-erase-two", "erase-two-72").await;
    assert_eq!(of_customer(&stack, email).await, 0);
    let documents = stack.versions("it-erase/it-erase-two/").await;
    assert!(documents.iter().all(|version| version.starts_with("it-erase/it-erase-two/N-erase-other-73.json ")));
    assert!(!documents.is_empty());

    // Its payment, which a pipeline runs on that had no export of the order, and the order's own webhook once more.
    let mut paid = one.clone();
    paid["payment"]["state"] = json!("paid");
    assert_eq!(stack.post("it-erase-paid?topic=paid", &generic(&paid)).await.status(), 202);
    stack.accept("it-erase-paid", &generic(&one)).await;
    for pipeline in ["erase-placed", "erase-paid"] {
        let said = format!("nothing to do: order erase-one-71 of it-erase-paid to {pipeline}");
        eventually(&said, async || stack.logged("processor", since).await.contains(&said).then_some(())).await;
    }
    let named = ExportKey::new("it-erase-two", "erase-two-72", "erase-archive");
    let requeue = Requeue { sqs: stack.sqs.clone(), queue_url: stack.queue_url.clone() };
    requeue.send(&named, Duration::ZERO).await.unwrap();
    let said = "nothing to do: order erase-two-72 of it-erase-two to erase-archive";
    eventually(said, async || stack.logged("processor", since).await.contains(said).then_some(())).await;
    assert_all_erased(&stack, "it-erase-paid", "erase-one-71").await;
    assert_all_erased(&stack, "it-erase-two", "erase-two-72").await;
    assert_eq!(receiver.about("erase-one-71").len(), 1);

    for order in [&one, &two] {
        assert_no_trace("the answer", &answer.to_string(), order);
        assert_no_trace("the receipt", &receipt(&stack, &answer).await, order);
        assert_no_trace("the log", &log_of(&stack, &answer, since).await, order);
    }
    assert!(!log_of(&stack, &answer, since).await.to_lowercase().contains("unverwechselbar"));
}

#[tokio::test]
async fn an_export_that_is_being_tried_is_erased_by_another_run() {
    let stack = Stack::get();
    let key = ExportKey::new("it-erase-two", "erase-busy", "erase-archive");
    let payload = stack.payloads.keep(&key.shop, &key.order_id, noise(100_000, 9).as_bytes()).await.unwrap();
    let facts = Facts {
        number: "N-erase-busy".into(),
        placed_at: None,
        order_state: None,
        payment_state: None,
        payment_method: None,
        is_unpaid: false,
        told: Told::by(&[Event::Placed], clock::now()),
        customer: None,
        origin: Origin::default(),
        kept: None,
        find_by: FindBy::default(),
    };
    let claim = stack.ledger.claim(&key, &facts, "a-test", clock::now(), clock::now() + 600.seconds()).await.unwrap();
    let Claim::Granted(lease) = claim else { panic!("{claim:?}") };
    stack.ledger.keep(&key, &Kept { payload: payload.clone(), envelope: Fields::new() }).await.unwrap();

    let request = json!({ "shop": "it-erase-two", "number": "N-erase-busy" });
    let answer = erase(&stack, request.clone()).await;
    assert_eq!((&answer["receipt"]["busy"], &answer["receipt"]["complete"]), (&json!(1), &json!(false)), "{answer}");
    assert!(answer["next"].as_str().unwrap().contains("run it again"), "{answer}");
    assert!(matches!(&payload, Payload::Stored(_)) && stack.payloads.fetch(&payload).await.is_ok());

    let next = NextStep::GiveUp(Fault::Exhausted);
    stack.ledger.fail(&lease, "HTTP 503", None, next, None, clock::now()).await.unwrap();
    let answer = erase(&stack, request).await;
    assert_eq!((&answer["receipt"]["rows"], &answer["receipt"]["complete"]), (&json!(1), &json!(true)), "{answer}");
    assert_all_erased(&stack, "it-erase-two", "erase-busy").await;
    assert_eq!(stack.versions("payloads/orders/it-erase-two/erase-busy/").await, Vec::<String>::new());
}

#[tokio::test]
async fn what_is_left_of_an_erased_export_is_not_removed_by_age() {
    let stack = Stack::get();
    let key = ExportKey::new("it-erase-two", "erase-aged", "erase-archive");
    let long_ago = clock::now() - (400 * 24).hours();
    assert_eq!(stack.ledger.bar(&key, long_ago).await, Ok(ordersync::ledger::Recorded::Written));
    stack.invoke(&variable("FN_CLEANUP").unwrap(), &json!({})).await;
    assert_all_erased(&stack, "it-erase-two", "erase-aged").await;
}
