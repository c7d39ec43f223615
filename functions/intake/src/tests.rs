//! Requests as API Gateway sends them (`events/`), with SQS and S3 mocked.

use std::path::Path;

use aws_sdk_sqs::operation::send_message::{SendMessageError, SendMessageOutput};
use aws_smithy_mocks::{Rule, RuleMode, mock, mock_client};
use ordersync::aws::{Bucket, Sdk};
use ordersync::config::{Live, Source};
use ordersync::queue::Inbound;
use ordersync::secrets::{Secret, Secrets};
use ordersync::webhook::PublicKeys;
use serde_json::Value;

use crate::answer::Response;
use crate::handler::Intake;
use crate::request::Request;

const SHOPIFY: &str = include_str!("../../../events/intake-shopify.json");
const WOOCOMMERCE: &str = include_str!("../../../events/intake-woocommerce.json");
const MAGENTO: &str = include_str!("../../../events/intake-magento.json");
const ADOBE: &str = include_str!("../../../events/intake-adobe-io-events.json");
const GENERIC: &str = include_str!("../../../events/intake-generic.json");

/// Intake with the configuration of the end-to-end tests and the secrets of the sample events.
async fn intake(sqs: &[&Rule]) -> Intake {
    intake_with(sqs, "http://127.0.0.1:1").await
}

/// The same, with S3 at `endpoint`.
async fn intake_with(sqs: &[&Rule], endpoint: &str) -> Intake {
    let sqs = mock_client!(aws_sdk_sqs, RuleMode::Sequential, sqs, |config| config
        .retry_config(aws_sdk_sqs::config::retry::RetryConfig::disabled()));
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/config");
    let config = Live::start(Source::Directory(directory), 10).await.unwrap();
    let secrets: std::collections::BTreeMap<String, String> =
        serde_json::from_str(include_str!("../../../events/secrets.json")).unwrap();
    let secrets = Secrets::fixed(secrets.into_iter().map(|(name, value)| (name, Secret::new(value))));
    let inbound = Inbound {
        sqs,
        queue_url: "https://queue.example.com/orders".into(),
        bucket: Bucket::new(&Sdk::at(endpoint).unwrap(), "bucket"),
    };
    Intake { config, secrets, keys: PublicKeys::default(), inbound }
}

fn request(event: &str) -> Request {
    serde_json::from_str(event).unwrap()
}

fn body(response: &Response) -> Value {
    serde_json::from_str(&response.body).unwrap()
}

#[tokio::test]
async fn an_order_costs_one_call_and_carries_what_the_processor_needs() {
    for (event, shop) in [
        (SHOPIFY, "demo-shopify"),
        (WOOCOMMERCE, "demo-woocommerce"),
        (MAGENTO, "demo-magento"),
        (GENERIC, "demo-generic"),
    ] {
        let sent = request(event).body.unwrap();
        let rule = mock!(aws_sdk_sqs::Client::send_message)
            .match_requests(move |input| {
                let attributes = input.message_attributes().unwrap();
                input.message_body() == Some(&sent)
                    && input.message_group_id() == Some(shop)
                    && attributes["shop"].string_value() == Some(shop)
                    && attributes.contains_key("received_at")
                    && attributes["headers"].string_value().unwrap().contains("signature") != (shop == "demo-shopify")
            })
            .then_output(|| SendMessageOutput::builder().build());
        let response = intake(&[&rule]).await.handle(request(event)).await;
        assert_eq!(response.status_code, 202, "{shop}: {}", body(&response));
        assert_eq!(rule.num_calls(), 1);
    }
}

#[tokio::test]
async fn a_queue_that_fails_is_a_503_that_asks_to_try_again() {
    let rule = mock!(aws_sdk_sqs::Client::send_message)
        .then_error(|| SendMessageError::unhandled("the queue is on fire at https://queue.example.com"));
    let response = intake(&[&rule]).await.handle(request(SHOPIFY)).await;
    assert_eq!(response.status_code, 503);
    assert_eq!(response.headers["retry-after"], "5");
    let body = body(&response);
    assert_eq!(body["error"], "queue_unavailable");
    assert!(!body.to_string().contains("fire"), "what went wrong is for the log");
}

#[tokio::test]
async fn a_bucket_that_fails_is_a_503_and_nothing_is_sent() {
    let endpoint = refusing();
    let mut event = request(SHOPIFY);
    let mut order: Value = serde_json::from_str(event.body.as_deref().unwrap()).unwrap();
    order["note"] = Value::String("x".repeat(1_100_000));
    event.body = Some(order.to_string());
    let tag = ring_signature(event.body.as_deref().unwrap());
    event.headers.as_mut().unwrap().insert("x-shopify-hmac-sha256".into(), tag);
    let response = intake_with(&[], &endpoint).await.handle(event).await;
    assert_eq!((response.status_code, body(&response)["error"].as_str()), (503, Some("queue_unavailable")));
}

/// An S3 that takes nothing. Its URL.
fn refusing() -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let refused = b"HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
            std::io::Write::write_all(&mut stream, refused).unwrap();
            // What is still being sent is read, so that the answer is not lost with it.
            let _all = std::io::copy(&mut stream, &mut std::io::sink());
        }
    });
    format!("http://{address}")
}

fn ring_signature(body: &str) -> String {
    use base64::Engine as _;
    let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, b"example-shopify-client-secret");
    base64::engine::general_purpose::STANDARD.encode(ring::hmac::sign(&key, body.as_bytes()))
}

#[tokio::test]
async fn a_body_that_is_not_base64_after_all_is_refused() {
    let mut event = request(SHOPIFY);
    event.is_base64_encoded = Some(true);
    let response = intake(&[]).await.handle(event).await;
    assert_eq!((response.status_code, body(&response)["error"].as_str()), (400, Some("body_malformed")));
}

/// A GET of the shop's URL.
fn get(shop: &str, query: &[(&str, &str)]) -> Request {
    let mut event: Value = serde_json::from_str(ADOBE).unwrap();
    event["requestContext"]["http"]["method"] = "GET".into();
    event["pathParameters"]["shop"] = shop.into();
    event["queryStringParameters"] =
        query.iter().map(|(name, value)| ((*name).to_owned(), Value::from(*value))).collect();
    request(&event.to_string())
}

#[tokio::test]
async fn a_challenge_is_sent_back_to_platforms_that_ask_and_only_if_it_means_nothing() {
    let intake = intake(&[]).await;
    let uuid = "8ec8d794-e0ab-42df-9017-e3dada8e84f7";
    let (longest, too_long) = ("a".repeat(100), "a".repeat(101));
    for (shop, query, status) in [
        ("demo-adobe", &[("challenge", uuid)][..], 200),
        ("demo-adobe", &[("challenge", &longest)], 200),
        ("demo-adobe", &[("challenge", &too_long)], 400),
        ("demo-adobe", &[("challenge", "")], 400),
        ("demo-adobe", &[("challenge", "<script>alert(1)</script>")], 400),
        ("demo-adobe", &[("challenge", "a\r\nset-cookie: b")], 400),
        ("demo-adobe", &[("other", uuid)], 400),
        ("demo-adobe", &[], 400),
        ("demo-shopify", &[("challenge", uuid)], 405),
        ("nobody", &[("challenge", uuid)], 404),
    ] {
        let response = intake.handle(get(shop, query)).await;
        assert_eq!(response.status_code, status, "{shop} {query:?}");
        assert_eq!(response.headers["x-content-type-options"], "nosniff");
        assert_eq!(response.headers["content-type"], "application/json");
        let body = body(&response);
        if status == 200 {
            assert_eq!(body, serde_json::json!({ "challenge": query[0].1 }));
        } else {
            assert!(query.iter().all(|(_, value)| value.is_empty() || !body.to_string().contains(value)), "{body}");
        }
    }
}

#[tokio::test]
async fn a_signature_whose_key_is_not_to_be_had_is_a_503_that_asks_to_try_again() {
    // Nobody publishes keys at the address in the configuration of the tests while these run.
    let response = intake(&[]).await.handle(request(ADOBE)).await;
    assert_eq!((response.status_code, body(&response)["error"].as_str()), (503, Some("keys_unavailable")));
    assert_eq!(response.headers["retry-after"], "5");
}

#[tokio::test]
async fn a_request_to_confirm_the_url_by_hand_is_acknowledged() {
    for (url, status) in [("https://csm.adobe.io/csm/registrations/validate?id=1", 200), ("https://example.com/", 401)]
    {
        let mut event: Value = serde_json::from_str(ADOBE).unwrap();
        event["headers"] = serde_json::json!({ "content-type": "application/json" });
        event["body"] = serde_json::json!({ "validationUrl": url }).to_string().into();
        let response = intake(&[]).await.handle(request(&event.to_string())).await;
        assert_eq!(response.status_code, status, "{url}");
    }
}
