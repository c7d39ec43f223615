//! Back offices that call back.

use aws_lambda_events::apigw::ApiGatewayV2httpRequest;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use jiff::Timestamp;
use ring::hmac;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::objects::Objects;
use super::table::Table;
use super::{SECRET, in_a_minute, responses, sample};

/// Status, headers and body of an answer.
struct Answer(u64, Value, Value);

impl Answer {
    fn of(answer: &Value) -> Self {
        let body = serde_json::from_str(answer["body"].as_str().unwrap()).unwrap();
        Self(answer["statusCode"].as_u64().unwrap(), answer["headers"].clone(), body)
    }

    /// Status, and the code of the error.
    fn error(&self) -> (u64, &str) {
        (self.0, self.2["error"].as_str().unwrap_or_default())
    }
}

fn signed(body: &str, secret: &str) -> Value {
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes()), body.as_bytes());
    let signature: String = tag.as_ref().iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat();
    let mut event = sample("responses-http.json");
    event["rawPath"] = json!("/responses/answers-xml");
    event["pathParameters"] = json!({ "pipeline": "answers-xml" });
    event["headers"] = json!({ "content-type": "application/xml", "x-signature": format!("sha256={signature}") });
    event["body"] = json!(body);
    event
}

async fn call(table: &Table, event: Value) -> Answer {
    Answer::of(&responses(table, &Objects::default()).await.handle(event, in_a_minute()).await.unwrap())
}

fn result(number: &str, more: &str) -> String {
    format!("<result><number>{number}</number>{more}</result>")
}

fn all(results: &[String]) -> String {
    format!("<results>{}</results>", results.concat())
}

#[tokio::test]
async fn the_sample_event_is_true() {
    let table = Table::of(&["demo-shopify 7 10042 erp exported"]);
    let responses = responses(&table, &Objects::default()).await;
    let config = responses.config.current().await;
    let request: ApiGatewayV2httpRequest = serde_json::from_value(sample("responses-http.json")).unwrap();
    let deadline = Instant::now() + std::time::Duration::from_mins(1);
    let signed_at: Timestamp = "2026-08-01T12:00:00Z".parse().unwrap();
    let answer = responses.request(&config, &request, signed_at, deadline).await;
    let Answer(status, _, body) = Answer::of(&serde_json::to_value(answer).unwrap());
    let expected = json!({ "acknowledged": 1, "refused": 0, "failed": [], "request_id": "HnT1kFictional=" });
    assert_eq!((status, body), (200, expected));
    assert_eq!(table.row("demo-shopify", "7", "erp"), "acknowledged ERP-2026-004711 -");
    let later = signed_at + jiff::SignedDuration::from_secs(301);
    let answer = responses.request(&config, &request, later, deadline).await;
    let answer = Answer::of(&serde_json::to_value(answer).unwrap());
    assert_eq!(answer.error(), (401, "timestamp_out_of_tolerance"));
}

#[tokio::test]
async fn every_live_secret_counts() {
    let body = all(&[result("N-1", "")]);
    for secret in [SECRET, "a-secret-before"] {
        let table = Table::of(&["it-answers 1 N-1 answers-xml exported"]);
        assert_eq!(call(&table, signed(&body, secret)).await.0, 200);
        assert_eq!(table.row("it-answers", "1", "answers-xml"), "acknowledged - -");
    }
    let table = Table::of(&["it-answers 1 N-1 answers-xml exported"]);
    let mut unsigned = signed(&body, SECRET);
    unsigned["headers"].as_object_mut().unwrap().remove("x-signature");
    let mut changed = signed(&body, SECRET);
    changed["body"] = json!(all(&[result("N-2", "")]));
    for (event, code) in [
        (signed(&body, "another"), "signature_invalid"),
        (unsigned, "signature_missing"),
        (changed, "signature_invalid"),
    ] {
        assert_eq!(call(&table, event).await.error(), (401, code));
    }
    assert_eq!((table.reads(), table.writes()), (0, 0));
}

#[tokio::test]
async fn an_answer_says_which_results_did_not_count() {
    let rows = ["it-answers 1 N-1 answers-xml exported", "it-answers 2 N-2 answers-xml exported"];
    let table = Table::of(&rows);
    let results = [result("N-1", "<id>E-1</id>"), result("N-9", ""), result("N-2", "<error>full</error>")];
    let Answer(status, headers, body) = call(&table, signed(&all(&results), SECRET)).await;
    let expected = json!({
        "acknowledged": 1,
        "refused": 1,
        "failed": [{ "index": 1, "order": "N-9", "reason": "this pipeline has no export of this order" }],
        "error": "results_failed",
        "message": "some results did not count, the others did",
        "request_id": "HnT1kFictional=",
    });
    assert_eq!((status, body), (422, expected));
    assert_eq!(headers, json!({ "content-type": "application/json", "cache-control": "no-store" }));
    assert_eq!(table.row("it-answers", "2", "answers-xml"), "error - the back office refused it: full");
}

#[tokio::test]
async fn what_is_too_early_is_to_come_again() {
    let table = Table::of(&["it-answers 1 N-1 answers-xml processing", "it-answers 2 N-2 answers-xml exported"]);
    let event = signed(&all(&[result("N-1", ""), result("N-2", ""), result("N-9", "")]), SECRET);
    let answer = call(&table, event).await;
    assert_eq!((answer.error(), answer.1["retry-after"].as_str()), ((409, "too_early"), Some("30")));
    assert_eq!((answer.2["acknowledged"].as_u64(), answer.2["failed"].as_array().map(Vec::len)), (Some(1), Some(2)));
    assert!(table.row("it-answers", "2", "answers-xml").starts_with("acknowledged"));
}

#[tokio::test]
async fn other_requests_are_told_what_was_expected() {
    let table = Table::of(&["it-answers 1 N-1 answers-xml exported"]);
    let good = || signed(&all(&[result("N-1", "")]), SECRET);
    let to = |pipeline: &str| {
        let mut event = good();
        event["pathParameters"] = json!({ "pipeline": pipeline });
        event
    };
    let with = |pointer: &str, value: Value| {
        let mut event = good();
        *event.pointer_mut(pointer).unwrap() = value;
        event
    };
    for (event, status, code) in [
        (to("nobody"), 404, "pipeline_unknown"),
        (to("json"), 404, "pipeline_unknown"),
        // It has responses, but only as files.
        (to("answers"), 404, "pipeline_unknown"),
        (with("/requestContext/http/method", json!("GET")), 405, "method_not_allowed"),
        (with("/headers/content-type", json!("application/json")), 415, "media_type_unsupported"),
        (with("/isBase64Encoded", json!(true)), 400, "body_malformed"),
        (signed("<results>", SECRET), 400, "body_malformed"),
        (signed("<!DOCTYPE results><results/>", SECRET), 400, "body_malformed"),
        (signed("", SECRET), 400, "body_malformed"),
        (signed("<other/>", SECRET), 400, "body_malformed"),
        (signed("<other/>", "another"), 401, "signature_invalid"),
        (signed(&" ".repeat(1_000_001), SECRET), 413, "body_too_large"),
    ] {
        let answer = call(&table, event).await;
        assert_eq!(answer.error(), (status, code));
        assert_eq!(answer.1.get("allow").is_some(), status == 405);
        assert_eq!(answer.2["request_id"], "HnT1kFictional=");
    }
    assert_eq!(table.writes(), 0);
    let message = call(&table, signed("<other/>", SECRET)).await.2["message"].take();
    assert_eq!(message, "/results/result: expected elements that are results");
}

#[tokio::test]
async fn a_body_in_base64_is_what_was_signed() {
    let table = Table::of(&["it-answers 1 Jörg-1 answers-xml exported"]);
    let body = all(&[result("Jörg-1", "")]);
    let mut event = signed(&body, SECRET);
    event["body"] = json!(BASE64.encode(&body));
    event["isBase64Encoded"] = json!(true);
    assert_eq!(call(&table, event).await.0, 200);
}

#[tokio::test]
async fn what_is_not_to_be_had_is_a_503() {
    let body = all(&[result("N-1", "")]);
    let table = Table::of(&["it-answers 1 N-1 answers-xml exported"]).failing_after(0);
    let answer = call(&table, signed(&body, SECRET)).await;
    assert_eq!((answer.error(), answer.1["retry-after"].as_str()), ((503, "ledger_unavailable"), Some("5")));
    assert!(!answer.2.to_string().contains("down"), "what went wrong is for the log");

    table.mended();
    let function = responses(&table, &Objects::default()).await;
    let answer = function.handle(signed(&body, SECRET), 0).await.unwrap();
    assert_eq!(Answer::of(&answer).error(), (503, "out_of_time"));

    let mut blind = responses(&table, &Objects::default()).await;
    blind.secrets = ordersync::secrets::Secrets::fixed([("another", ordersync::secrets::Secret::new("x"))]);
    let answer = blind.handle(signed(&body, SECRET), in_a_minute()).await.unwrap();
    assert_eq!(Answer::of(&answer).error(), (503, "secrets_unavailable"));
}
