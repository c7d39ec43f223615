//! Back offices that call back: `POST /responses/{pipeline}`.

use std::sync::mpsc;
use std::time::Duration;

use ordersync::clock;
use ordersync::ledger::{Fault, Status};
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::eventually;
use crate::support::receiver::{Receiver, Reply, Request};
use crate::support::shop::{SECRET, Signed, generic, generic_text, order, standard_with};
use crate::support::stack::{Stack, json};

const SHOP: &str = "it-answers";
const PIPELINE: &str = "answers-xml";

async fn exported(stack: &Stack, id: &str) {
    stack.accept(SHOP, &generic(&order(id))).await;
    stack.export(SHOP, id, PIPELINE, Status::Exported).await;
}

/// Results in XML, signed.
fn results(secret: &str, results: &[&str]) -> Signed {
    let results: Vec<String> = results.iter().map(|result| format!("<result>{result}</result>")).collect();
    generic_text(&format!("<results>{}</results>", results.concat()), secret).with("content-type", "application/xml")
}

/// Status and body of an answer.
async fn call(stack: &Stack, pipeline: &str, response: &Signed) -> (u16, Value) {
    let answer = stack.call_back(pipeline, response).await;
    let (status, mut body) = (answer.status().as_u16(), json(answer).await);
    assert!(body["request_id"].as_str().is_some_and(|id| !id.is_empty()), "{body}");
    body.as_object_mut().unwrap().remove("request_id");
    (status, body)
}

#[tokio::test]
async fn results_are_recorded_and_answered_for() {
    let stack = Stack::get();
    exported(&stack, "call-1").await;
    exported(&stack, "call-2").await;
    let response = results(
        SECRET,
        &["<number>N-call-1</number><id>E-1</id>", "<number>N-call-2</number><error>no such customer</error>"],
    );
    let whole = json!({ "acknowledged": 1, "refused": 1, "failed": [] });
    for _ in 0..2 {
        assert_eq!(call(&stack, PIPELINE, &response).await, (200, whole.clone()), "also when it is repeated");
    }
    let row = stack.row(SHOP, "call-1", PIPELINE).await.unwrap();
    assert_eq!((row.status, row.external_id.as_deref()), (Status::Acknowledged, Some("E-1")));
    let row = stack.row(SHOP, "call-2", PIPELINE).await.unwrap();
    assert_eq!((row.status, row.fault), (Status::Error, Some(Fault::Rejected)));

    let response = results(SECRET, &["<number>N-call-9</number>", "<number>N-call-2</number>", "<id>E-3</id>"]);
    let (status, body) = call(&stack, PIPELINE, &response).await;
    let expected = json!([
        { "index": 0, "order": "N-call-9", "reason": "this pipeline has no export of this order" },
        { "index": 2, "path": "/number", "reason": "expected a text or a number" },
    ]);
    assert_eq!((status, &body["failed"], &body["error"]), (422, &expected, &json!("results_failed")));
    assert_eq!(stack.row(SHOP, "call-2", PIPELINE).await.unwrap().status, Status::Acknowledged);
}

#[tokio::test]
async fn other_requests_are_told_what_was_expected() {
    let stack = Stack::get();
    let good = results(SECRET, &["<number>N-none</number>"]);
    for (pipeline, response, status, code) in [
        ("nobody", good.clone(), 404, "pipeline_unknown"),
        ("answers", good.clone(), 404, "pipeline_unknown"),
        (PIPELINE, good.clone().with("content-type", "application/json"), 415, "media_type_unsupported"),
        (PIPELINE, good.clone().without("x-signature"), 401, "signature_missing"),
        (PIPELINE, good.clone().with("x-signature", "sha256=00"), 401, "signature_invalid"),
        (PIPELINE, results("another", &[]), 401, "signature_invalid"),
        (PIPELINE, generic_text("<results>", SECRET).with("content-type", "text/xml"), 400, "body_malformed"),
        (
            PIPELINE,
            generic_text(&" ".repeat(1_000_001), SECRET).with("content-type", "text/xml"),
            413,
            "body_too_large",
        ),
    ] {
        let (found, body) = call(&stack, pipeline, &response).await;
        assert_eq!((found, body["error"].as_str()), (status, Some(code)), "{pipeline}");
    }
    for method in [Method::GET, Method::PUT, Method::DELETE] {
        let answer = stack.request(method, &format!("/responses/{PIPELINE}")).await;
        assert_eq!((answer.status().as_u16(), answer.headers()["allow"].to_str().unwrap()), (405, "POST"));
    }
}

#[tokio::test]
async fn a_new_secret_is_found_without_a_redeploy() {
    let stack = Stack::get();
    exported(&stack, "call-rotated").await;
    let before = results("a-secret-before", &["<number>N-call-rotated</number>"]);
    assert_eq!(call(&stack, PIPELINE, &before).await.0, 200);
    let after = results("a-secret-after", &["<number>N-call-rotated</number>"]);
    assert_eq!(call(&stack, PIPELINE, &after).await.0, 401);
    let put = stack.secrets.put_secret_value().secret_id("it-callback").secret_string("a-secret-after");
    put.send().await.unwrap();
    eventually("the new secret to be read", async || (call(&stack, PIPELINE, &after).await.0 == 200).then_some(()))
        .await;
    assert_eq!(call(&stack, PIPELINE, &results(SECRET, &["<number>N-call-rotated</number>"])).await.0, 200);
}

/// The ERP's word about the export that a request delivers, signed by Standard Webhooks.
fn word(request: &Request) -> Signed {
    let body = json!({ "key": request.key(), "state": "taken", "id": "E-fast" }).to_string();
    standard_with(b"signing-secret-of-the-tests", body.into_bytes(), clock::now().as_second())
}

/// Calls back from a thread of its own, as a back office would, and returns the status.
fn call_from_outside(word: &Signed) -> (u16, Option<String>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let answer = Stack::get().call_back("answers-fast", word).await;
        let retry_after = answer.headers().get("retry-after").map(|value| value.to_str().unwrap().to_owned());
        (answer.status().as_u16(), retry_after)
    })
}

#[tokio::test]
async fn an_erp_may_be_faster_than_the_record_of_the_export() {
    let stack = Stack::get();
    let (said, heard) = mpsc::channel();
    let _erp = Receiver::start(19550, move |_, request| {
        let (word, said) = (word(request), said.clone());
        let waits_for_its_answer = request.key().contains("waits");
        let call = std::thread::spawn(move || said.send(call_from_outside(&word)).unwrap());
        if waits_for_its_answer {
            call.join().unwrap();
            return Reply::ok("");
        }
        Reply::After(Duration::from_millis(700), Box::new(Reply::ok("")))
    });
    stack.accept("it-fast", &generic(&order("fast"))).await;
    let row = stack.export("it-fast", "fast", "answers-fast", Status::Acknowledged).await;
    assert_eq!((row.external_id.as_deref(), row.attempts), (Some("E-fast"), 1));
    assert_eq!(heard.recv().unwrap(), (200, None));

    // One that answers the export only after its own call was answered has to call again.
    stack.accept("it-fast", &generic(&order("fast-waits"))).await;
    let (status, retry_after) = eventually("the call to be answered", async || heard.try_recv().ok()).await;
    assert_eq!((status, retry_after.as_deref()), (409, Some("30")));
    stack.export("it-fast", "fast-waits", "answers-fast", Status::Exported).await;
    let key = "it-fast:fast-waits:answers-fast";
    let refusal = json!({ "key": key, "state": "full" }).to_string();
    let refusal = standard_with(b"signing-secret-of-the-tests", refusal.into_bytes(), clock::now().as_second());
    let whole = json!({ "acknowledged": 0, "refused": 1, "failed": [] });
    assert_eq!(call(&stack, "answers-fast", &refusal).await, (200, whole));
    let row = stack.export("it-fast", "fast-waits", "answers-fast", Status::Error).await;
    assert_eq!(row.last_error.as_deref(), Some("the back office refused it and did not say why"));
    let old = standard_with(b"signing-secret-of-the-tests", b"{}".to_vec(), clock::now().as_second() - 301);
    let (status, body) = call(&stack, "answers-fast", &old).await;
    assert_eq!((status, body["error"].as_str()), (401, Some("timestamp_out_of_tolerance")));
}
