//! What a destination receives.

use std::fmt::Write as _;
use std::io::Read as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::read::GzDecoder;
use ring::hmac;

use super::server::{Received, Server};
use super::*;

fn accepting() -> Server {
    Server::answering("201 Created", &["x-order-id: 77"], r#"{"id": 77}"#)
}

/// The request as text, without what differs from run to run.
fn shown(request: &Received) -> String {
    let mut text = request.line.clone();
    for (name, value) in &request.headers {
        let value = match name.as_str() {
            "host" | "webhook-timestamp" | "webhook-signature" => "…",
            "user-agent" => &value.replace(env!("CARGO_PKG_VERSION"), "…"),
            _ => value,
        };
        write!(text, "\n{name}: {value}").unwrap();
    }
    text + "\n\n" + &String::from_utf8_lossy(&request.body)
}

#[tokio::test]
async fn an_accepted_delivery() {
    let server = accepting();
    let bench = Bench::to(&server, "auth = \"erp-token\", headers = { X-Tenant = \"acme\" }");
    let receipt = bench.deliver().await.unwrap();
    assert_eq!(receipt.destination, format!("http://{}/orders", server.host()));
    assert_eq!((receipt.status, receipt.headers.get("x-order-id")), (Some(201), Some("77")));
    assert_eq!(receipt.body, br#"{"id": 77}"#);
    insta::assert_snapshot!(shown(&server.only_request()), @r#"
POST /orders?key=in-the-query HTTP/1.1
accept: */*
authorization: Bearer token-of-the-erp
content-length: 17
content-type: application/json
host: …
idempotency-key: acme-eu:5501:erp
user-agent: ordersync/…
x-tenant: acme

{"number":"1001"}
"#);
}

#[tokio::test]
async fn everything_at_once() {
    let server = accepting();
    let settings = r#"method = "PUT", gzip = true, auth = { type = "header", name = "X-Api-Key", secret = "erp-token" },
        signing_secret = "erp-signing", headers = { User-Agent = "acme", X-Shopify-Topic = "configured" }"#;
    let mut bench = Bench::to(&server, &settings.replace('\n', " "));
    bench.document.headers = [
        ("X-Shopify-Topic", "orders/create"),
        ("X-Shopify-Hmac-Sha256", "c2lnbmF0dXJl"),
        ("X-Name", "Jörg"),
        ("User-Agent", "Shopify"),
        ("Content-Length", "3"),
        ("Host", "evil.example"),
        ("Transfer-Encoding", "chunked"),
        ("Authorization", "Bearer stolen"),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .to_vec();
    bench.deliver().await.unwrap();
    let mut request = server.only_request();
    request.headers.insert("content-length".into(), "…".into());
    let mut unpacked = Vec::new();
    GzDecoder::new(&*request.body).read_to_end(&mut unpacked).unwrap();
    request.body = unpacked;
    insta::assert_snapshot!(shown(&request), @r#"
PUT /orders?key=in-the-query HTTP/1.1
accept: */*
content-encoding: gzip
content-length: …
content-type: application/json
host: …
idempotency-key: acme-eu:5501:erp
user-agent: acme
webhook-id: acme-eu:5501:erp
webhook-signature: …
webhook-timestamp: …
x-api-key: token-of-the-erp
x-name: Jörg
x-shopify-hmac-sha256: c2lnbmF0dXJl
x-shopify-topic: configured

{"number":"1001"}
"#);
}

#[tokio::test]
async fn a_signature_fits_the_bytes_on_the_wire_under_each_secret() {
    for gzip in [false, true] {
        let server = accepting();
        let settings = format!("signing_secret = [\"erp-signing\", \"erp-signing-old\"], gzip = {gzip}");
        Bench::to(&server, &settings).deliver().await.unwrap();
        let request = server.only_request();
        let (id, time) = (&request.headers["webhook-id"], &request.headers["webhook-timestamp"]);
        assert_eq!(id, &request.headers["idempotency-key"]);
        assert!((crate::clock::now().as_second() - time.parse::<i64>().unwrap()).abs() < 300);
        let signed = [id.as_bytes(), b".", time.as_bytes(), b".", &request.body].concat();
        let expected = ["MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "b2xkZXIga2V5"].map(|key| {
            let key = hmac::Key::new(hmac::HMAC_SHA256, &STANDARD.decode(key).unwrap());
            format!("v1,{}", STANDARD.encode(hmac::sign(&key, &signed)))
        });
        assert_eq!(request.headers["webhook-signature"], expected.join(" "));
    }
}

#[tokio::test]
async fn ways_to_say_who_we_are() {
    let basic = format!("Basic {}", STANDARD.encode("shop:pa:ss wörd"));
    for (auth, header, expected) in [
        ("\"erp-token\"", "authorization", "Bearer token-of-the-erp"),
        ("{ type = \"bearer\", secret = \"erp-token\" }", "authorization", "Bearer token-of-the-erp"),
        ("{ type = \"basic\", secret = \"erp-basic\" }", "authorization", &basic),
        ("{ type = \"header\", name = \"X-Api-Key\", secret = \"erp-token\" }", "x-api-key", "token-of-the-erp"),
        (
            "{ type = \"header\", name = \"Authorization\", secret = \"erp-token\" }",
            "authorization",
            "token-of-the-erp",
        ),
    ] {
        let server = accepting();
        Bench::to(&server, &format!("auth = {auth}")).deliver().await.unwrap();
        assert_eq!(server.only_request().headers[header], expected, "{auth}");
    }
}

#[tokio::test]
async fn secrets_that_are_missing_or_unusable_are_named_and_nothing_is_sent() {
    for (settings, expected) in [
        ("auth = \"nowhere\"", "secret \"nowhere\" cannot be read: no such secret"),
        ("auth = { type = \"basic\", secret = \"erp-no-pair\" }", "secret \"erp-no-pair\": expected user:password"),
        ("auth = \"erp-lines\"", "secret \"erp-lines\" has characters that no header may have"),
        ("signing_secret = \"nowhere\"", "secret \"nowhere\" cannot be read: no such secret"),
        ("signing_secret = \"erp-lines\"", "secret \"erp-lines\": expected \"whsec_\" and a key in base64"),
    ] {
        let server = accepting();
        assert_eq!(Bench::to(&server, settings).refused().await, Failure::retryable(expected));
        assert!(server.requests().is_empty(), "{settings}");
    }
}

#[tokio::test]
async fn a_line_break_in_a_value_never_begins_another_header() {
    let server = accepting();
    let mut bench = Bench::to(&server, "");
    for value in ["a\r\nX-Evil: 1", "a\nX-Evil: 1", "a\rX-Evil: 1", "a\0"] {
        bench.document.headers = vec![("X-Note".into(), value.into())];
        let expected = "the value of the header x-note has characters that no header may have";
        assert_eq!(bench.refused().await, Failure::permanent(expected));
    }
    bench.document.headers = vec![("X-Evil: 1\r\nX-Note".into(), "a".into())];
    assert_eq!(bench.refused().await, Failure::permanent("the document has a header whose name is not valid"));
    bench.document.headers.clear();
    bench.document.media_type = "text/plain\r\nX-Evil: 1".into();
    assert!(bench.refused().await.message.starts_with("the value of the header content-type"));
    assert!(server.requests().is_empty());
}
