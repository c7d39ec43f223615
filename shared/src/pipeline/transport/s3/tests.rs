//! Deliveries to a mocked S3.

use std::sync::{Arc, Mutex};

use aws_sdk_s3::Client;
use aws_sdk_s3::operation::put_object::{PutObjectInput, PutObjectOutput};
use aws_smithy_mocks::{Rule, RuleMode, mock, mock_client};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::http::StatusCode;
use aws_smithy_types::body::SdkBody;
use serde_json::json;
use toml::de::DeTable;

use super::*;
use crate::config::document::{Problem, Problems, Table};
use crate::order::Order;
use crate::pipeline::transport::egress::Egress;
use crate::secrets::{Secret, Secrets};
use crate::webhook::Headers;

fn load(settings: &str) -> (Option<Box<dyn Transport>>, Vec<Problem>) {
    let text = format!("transport = {{ type = \"s3\", {settings} }}\n");
    let document = DeTable::parse(&text).unwrap();
    let problems = Problems::new("ordersync.toml", &text);
    let node = Table::root(document.get_ref(), &problems).get("transport").unwrap();
    let transport = crate::pipeline::transport::read(&node, &Egress::default());
    (transport, problems.into_sorted())
}

fn order(number: &str) -> Order {
    let order = json!({
        "id": "5501", "number": number, "shop": "acme-eu", "placed_at": "2026-03-01T12:00:00Z",
        "utc_offset": "+01:00", "currency": "EUR", "total": "10.00", "payment": {"paid": true}, "customer": {},
        "billing": {}, "delivery": {}, "items": [], "extra": {}
    });
    serde_json::from_value(order).unwrap()
}

async fn deliver(settings: &str, rule: &Rule, number: &str) -> Result<Receipt, Failure> {
    let (transport, problems) = load(settings);
    assert_eq!(problems, []);
    let s3 = mock_client!(aws_sdk_s3, RuleMode::Sequential, [rule], |config| config
        .retry_config(aws_sdk_s3::config::retry::RetryConfig::disabled()));
    let clients = Clients::new(s3, "stack-bucket", Secrets::fixed::<String>([]), Egress::default());
    let (order, headers) = (order(number), Headers::default());
    let export = Export {
        pipeline: "archive",
        order: &order,
        raw: b"",
        headers: &headers,
        idempotency_key: "acme-eu:5501:archive",
    };
    let document = Document { body: b"{\"a\":1}".to_vec(), media_type: "application/json".into(), headers: vec![] };
    transport.unwrap().deliver(&clients, export, &document, Duration::from_mins(1)).await
}

/// Accepts any object and keeps what was asked for.
fn accepting() -> (Rule, Arc<Mutex<Vec<String>>>) {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&seen);
    let rule = mock!(Client::put_object)
        .match_requests(move |input| {
            kept.lock().unwrap().push(shown(input));
            true
        })
        .then_output(|| PutObjectOutput::builder().build());
    (rule, seen)
}

fn shown(input: &PutObjectInput) -> String {
    let mut metadata: Vec<_> =
        input.metadata().unwrap().iter().map(|(name, value)| format!("{name}={value}")).collect();
    metadata.sort();
    let text = |value: Option<&str>| value.unwrap_or("-").to_owned();
    let (bucket, key) = (text(input.bucket()), text(input.key()));
    let (media_type, encoding) = (text(input.content_type()), text(input.content_encoding()));
    let body = String::from_utf8_lossy(input.body().bytes().unwrap_or_default());
    let body = if encoding == "gzip" { "(gzip)".into() } else { body };
    format!("{bucket} {key}\n{media_type} {encoding} {}\n{body}", metadata.join(" "))
}

#[tokio::test]
async fn an_object_in_the_own_bucket() {
    let (rule, seen) = accepting();
    let receipt = deliver("key = \"orders/{{ order.shop }}/{{ order.number }}.json\"", &rule, "1001").await.unwrap();
    assert_eq!(
        receipt,
        Receipt { destination: "s3://stack-bucket/orders/acme-eu/1001.json".into(), ..Receipt::default() }
    );
    insta::assert_snapshot!(seen.lock().unwrap()[0], @r#"
stack-bucket orders/acme-eu/1001.json
application/json - ordersync-export=acme-eu:5501:archive
{"a":1}
"#);
}

#[tokio::test]
async fn an_object_elsewhere_with_every_setting() {
    let (rule, seen) = accepting();
    let settings = r#"bucket = "erp-inbox", key = "responses/{{ order.number }}", content_type = "text/x-order",
        metadata = { source = "shop" }, gzip = true"#;
    let receipt = deliver(&settings.replace('\n', " "), &rule, "1001").await.unwrap();
    assert_eq!(receipt.destination, "s3://erp-inbox/responses/1001");
    insta::assert_snapshot!(seen.lock().unwrap()[0], @r"
erp-inbox responses/1001
text/x-order gzip ordersync-export=acme-eu:5501:archive source=shop
(gzip)
");
}

#[tokio::test]
async fn an_order_number_cannot_leave_its_prefix() {
    for number in ["../../config/ordersync.toml", "..", "/etc/passwd", "a/b", "a\\..\\b", "%2e%2e", "x\ny"] {
        let (rule, _) = accepting();
        let receipt = deliver("key = \"orders/{{ order.number }}\"", &rule, number).await.unwrap();
        let name = receipt.destination.strip_prefix("s3://stack-bucket/orders/").unwrap();
        assert!(!name.contains('/') && !matches!(name, "" | "." | ".."), "{number:?} became {name:?}");
    }
}

#[tokio::test]
async fn a_key_is_judged_once_more_when_it_is_rendered() {
    for (key, number, expected) in [
        ("{{ order.number }}/x", "responses", "begins with \"responses/\""),
        ("pay{{ order.number }}/x", "loads", "begins with \"payloads/\""),
        ("{% if false %}x{% endif %}/{{ order.number }}", "1", "empty segment"),
    ] {
        let (rule, seen) = accepting();
        let failure = deliver(&format!("key = \"{key}\""), &rule, number).await.unwrap_err();
        assert_eq!(failure.retry, Retry::No);
        assert!(failure.message.contains(expected) || failure.message.contains("begins with /"), "{failure}");
        assert!(seen.lock().unwrap().is_empty());
    }
}

fn refusing(status: u16, code: &'static str) -> Rule {
    let body = format!("<Error><Code>{code}</Code><Message>so it is</Message></Error>");
    mock!(Client::put_object).then_http_response(move || {
        HttpResponse::new(StatusCode::try_from(status).unwrap(), SdkBody::from(body.clone()))
    })
}

#[tokio::test]
async fn which_refusals_are_tried_again() {
    for (status, code, retry) in [
        (503, "SlowDown", Retry::Backoff),
        (500, "InternalError", Retry::Backoff),
        (400, "RequestTimeout", Retry::Backoff),
        (400, "ExpiredToken", Retry::Backoff),
        (400, "BadDigest", Retry::Backoff),
        (403, "RequestTimeTooSkewed", Retry::Backoff),
        (409, "OperationAborted", Retry::Backoff),
        (429, "TooManyRequests", Retry::Backoff),
        (404, "NoSuchBucket", Retry::No),
        (403, "AccessDenied", Retry::No),
        (400, "InvalidRequest", Retry::No),
        (400, "KeyTooLongError", Retry::No),
        (301, "PermanentRedirect", Retry::No),
    ] {
        let failure = deliver("key = \"orders/x\"", &refusing(status, code), "1001").await.unwrap_err();
        assert_eq!(failure.retry, retry, "{code}");
        assert_eq!(failure.message, format!("bucket \"stack-bucket\": {code}: so it is"));
    }
}

#[tokio::test]
async fn no_connection_is_tried_again() {
    let rule = mock!(Client::put_object)
        .then_http_response(|| HttpResponse::new(StatusCode::try_from(200).unwrap(), SdkBody::empty()));
    assert!(deliver("key = \"orders/x\"", &rule, "1001").await.is_ok());
    let error = SdkError::dispatch_failure(ConnectorError::io("connection reset".into()));
    let failure = failed("stack-bucket", &error);
    assert_eq!(failure.retry, Retry::Backoff);
    assert!(failure.message.contains("connection reset"), "{failure}");
    let error = SdkError::timeout_error("too slow");
    assert_eq!(failed("stack-bucket", &error).retry, Retry::Backoff);
}

#[tokio::test]
async fn the_sdk_repeats_a_503_itself() {
    let rule = mock!(Client::put_object)
        .sequence()
        .http_status(503, None)
        .times(2)
        .output(|| PutObjectOutput::builder().build())
        .build();
    let s3 = mock_client!(aws_sdk_s3, RuleMode::Sequential, [&rule]);
    let clients = Clients::new(s3, "stack-bucket", Secrets::fixed([("unused", Secret::new(""))]), Egress::default());
    let (order, headers) = (order("1001"), Headers::default());
    let export = Export { pipeline: "archive", order: &order, raw: b"", headers: &headers, idempotency_key: "k" };
    let document = Document { body: vec![], media_type: "text/plain".into(), headers: vec![] };
    let (transport, _) = load("key = \"orders/x\"");
    transport.unwrap().deliver(&clients, export, &document, Duration::from_mins(1)).await.unwrap();
    assert_eq!(rule.num_calls(), 3);
}

#[test]
fn settings_that_are_not_as_expected() {
    let settings = r#"bucket = "Inbox", key = "/orders/{{ order.number }}", content_type = "json", gzip = 1,
        metadata = { Source = "a", ordersync-export = "b", lines = "a\nb", tone = "ü" }, acl = "public-read""#;
    let (transport, problems) = load(&settings.replace('\n', " "));
    assert!(transport.is_none());
    let problems: Vec<_> = problems.iter().map(|problem| format!("{}: {}", problem.path, problem.message)).collect();
    insta::assert_snapshot!(problems.join("\n"), @r#"
transport.acl: unknown key, expected one of: bucket, content_type, gzip, key, metadata, pack, type
transport.bucket: expected the name of a bucket: 3 to 63 lower-case letters, digits, - and ., found the string "Inbox"
transport.content_type: expected a media type such as "application/json", found the string "json"
transport.gzip: expected true or false, found the number 1
transport.key: the object key has an empty segment or one of dots: expected folder/name, without / at either end
transport.metadata.Source: expected a name of lower-case letters, digits, - and _, and not "ordersync-export" or "ordersync-pack"
transport.metadata.lines: expected a string of printable ASCII characters, found the string "a\nb"
transport.metadata.ordersync-export: expected a name of lower-case letters, digits, - and _, and not "ordersync-export" or "ordersync-pack"
transport.metadata.tone: expected a string of printable ASCII characters, found the string "ü"
"#);
    let (_, problems) = load("key = \"responses/{{ order.number }}\"");
    insta::assert_snapshot!(problems[0].message, @r#"the object key begins with "responses/", which ordersync keeps for itself in this bucket"#);
    let (_, problems) = load("bucket = \"erp-inbox\"");
    insta::assert_snapshot!(problems[0].message, @r#"the key "key" is missing"#);
}

#[test]
fn settings_of_packs_that_are_not_as_expected() {
    let problems = |settings: &str| {
        let (_, problems) = load(settings);
        problems.iter().map(|problem| format!("{}: {}", problem.path, problem.message)).collect::<Vec<_>>().join("\n")
    };
    assert_eq!(problems(r#"key = "packs/{{ pack.id }}", pack = {}"#), "");
    assert_eq!(problems(r#"bucket = "lake", key = "dt={{ pack.date }}/{{ pack.id }}", pack = { max_orders = 1 }"#), "");
    insta::assert_snapshot!(problems(r#"key = "orders/{{ pack.id }}", pack = { orders = 10, max_orders = 101, max_bytes = 10, max_wait = "6s" }"#), @r#"
    transport.key: in the stack's own bucket keys of objects of many orders begin with "packs/"
    transport.pack.max_bytes: expected a whole number from 1000 to 100000000, found the number 10
    transport.pack.max_orders: expected a whole number from 1 to 100, found the number 101
    transport.pack.max_wait: expected a length of time such as "30s" or "1h", above zero and at most 5s, found the string "6s"
    transport.pack.orders: unknown key, expected one of: max_bytes, max_orders, max_wait
    "#);
    insta::assert_snapshot!(problems(r#"key = "packs/{{ pack.date }}", pack = true"#), @r"
    transport.key: key:1: expected `pack.id` in it: packs with one key would replace each other
    transport.pack: expected a table, found true
    ");
    let long = "x".repeat(700);
    insta::assert_snapshot!(problems(&format!(r#"key = "packs/{{{{ pack.id }}}}", pack = {{}}, metadata = {{ a = "{long}" }}"#)), @"transport.pack: with 100 orders in an object there is room for 634 bytes of metadata of yours");
    assert_eq!(
        problems(&format!(
            r#"key = "packs/{{{{ pack.id }}}}", pack = {{ max_orders = 50 }}, metadata = {{ a = "{long}" }}"#
        )),
        ""
    );
    insta::assert_snapshot!(problems(r#"key = "packs/{{ order.number }}""#), @r#"transport.key: the object key begins with "packs/", which ordersync keeps for itself in this bucket"#);
}
