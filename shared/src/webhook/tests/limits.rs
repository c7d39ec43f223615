//! The limits on webhooks and what they say: each is kept to, and none is smaller than it says.

use serde_json::json;

use super::*;
use crate::webhook::{Identity, Rejection, Subject};

/// A body of the standard model, with some of its fields changed.
fn standard(changes: &[(&str, serde_json::Value)]) -> Vec<u8> {
    super::orders::changed("standard-webhooks", changes)
}

fn read(body: &[u8]) -> Result<crate::order::Order, crate::webhook::BadOrder> {
    sample_platforms()["demo-standard"].read("demo-standard", body)
}

fn subject(topic: &str, body: &[u8]) -> Result<Identity, Rejection> {
    let headers = Headers::default();
    let webhook = Webhook { headers: &headers, topic: Some(topic), body };
    match sample_platforms()["demo-generic"].identify(webhook)? {
        Subject::Order(identity) => Ok(identity),
        Subject::Ping => panic!("no ping"),
    }
}

#[test]
fn an_order_may_have_five_thousand_items() {
    let item = json!({ "name": "x", "quantity": 1, "unit_price": "1.00", "total": "1.00" });
    for (count, is_taken) in [(5_000, true), (5_001, false)] {
        let order = read(&standard(&[("/data/items", json!(vec![item.clone(); count]))]));
        assert_eq!(order.as_ref().is_ok_and(|order| order.items.len() == count), is_taken, "{count}");
    }
}

#[test]
fn an_order_may_be_nested_127_levels_deep_and_is_known_at_any_depth() {
    let nested = |levels: usize| {
        let order = String::from_utf8(standard(&[("/deep", json!("@"))])).unwrap();
        order.replace("\"@\"", &format!("{}{}", "[".repeat(levels - 1), "]".repeat(levels - 1))).into_bytes()
    };
    let platforms = sample_platforms();
    let headers = headers("standard-webhooks");
    for (levels, is_read) in [(127, true), (128, false), (10_000, false), (1_000_000, false)] {
        let body = nested(levels);
        assert_eq!(read(&body).is_ok(), is_read, "{levels}");
        let subject = platforms["demo-standard"].identify(webhook(&headers, &body));
        assert!(matches!(subject, Ok(Subject::Order(_))), "{levels}: an error of this order, on record");
    }
}

#[test]
fn a_topic_has_two_hundred_characters_at_most() {
    for (topic, is_known) in
        [("x".repeat(200), true), ("x".repeat(201), false), ("a\u{1b}[31m".into(), false), ("a\nb".into(), false)]
    {
        match subject(&topic, b"{\"order\":{\"uid\":1}}") {
            Err(Rejection::UnknownTopic(said)) => assert_eq!((said, is_known), (topic.clone(), true)),
            Err(Rejection::Malformed(_)) => assert!(!is_known, "{topic:?}"),
            other => panic!("{topic:?}: {other:?}"),
        }
    }
}

#[test]
fn a_number_is_what_the_shop_wrote_or_the_order_is_refused() {
    for (number, expected) in [
        ("-0", Some("0")),
        ("-0.00", Some("0.00")),
        ("1e2", Some("100")),
        ("0.1", Some("0.1")),
        ("9999999999999999999999999999", Some("9999999999999999999999999999")),
        ("99999999999999999999999999999999", None),
        ("1e400", None),
        ("-1e400", None),
        ("1e-400", None),
        ("NaN", None),
        ("Infinity", None),
        ("0x10", None),
        ("1_000", None),
        ("01", None),
    ] {
        let body = String::from_utf8(standard(&[("/data/total", json!("@"))])).unwrap().replace("\"@\"", number);
        let total = read(body.as_bytes()).ok().map(|order| order.total.decimal());
        assert_eq!(total, expected.map(|expected| expected.parse().unwrap()), "{number}");
    }
}

#[test]
fn of_a_key_given_twice_the_last_counts_for_everybody() {
    let body = br#"{"order":{"uid":1,"uid":2},"order":{"uid":3,"uid":4}}"#;
    assert_eq!(subject("placed", body).unwrap().order_id, "4");
    let order = String::from_utf8(body_of_generic()).unwrap().replacen("\"uid\":", "\"uid\": 7, \"uid\":", 1);
    let read = sample_platforms()["demo-generic"].read("demo-generic", order.as_bytes()).unwrap();
    assert_eq!(read.id, subject("placed", order.as_bytes()).unwrap().order_id);
}

fn body_of_generic() -> Vec<u8> {
    super::body("generic")
}

#[test]
fn what_is_no_text_is_refused() {
    for body in [
        &b"{\"order\":{\"uid\":\"\xff\"}}"[..],
        b"{\"order\":{\"uid\":\"\xed\xa0\x80\"}}",
        b"{\"order\":{\"uid\":\"\xc0\xaf\"}}",
        b"\xff\xfe{\0}\0",
        b"\xef\xbb\xbf\xef\xbb\xbf{\"order\":{\"uid\":1}}",
    ] {
        assert!(matches!(subject("placed", body), Err(Rejection::Malformed(_))), "{}", String::from_utf8_lossy(body));
    }
    assert_eq!(subject("placed", b"\xef\xbb\xbf{\"order\":{\"uid\":1}}").unwrap().order_id, "1", "one byte order mark");
}

#[test]
fn half_of_a_surrogate_pair_is_no_text() {
    for half in ["\\ud800", "\\udc00\\ud800", "\\ud83dx"] {
        let named = format!("{{\"order\":{{\"uid\":\"{half}\"}}}}");
        assert!(matches!(subject("placed", named.as_bytes()), Err(Rejection::NoOrder { .. })), "{half}");
        let noted = String::from_utf8(standard(&[("/data/note", json!("@"))])).unwrap().replace('@', half);
        assert!(read(noted.as_bytes()).is_err_and(|bad| bad.path == "body"), "{half}");
    }
}

#[test]
fn what_names_an_order_has_no_control_characters() {
    for id in ["a\u{0}b", "a\nb", "a\r\nX-Header: 1", "\u{1b}[31m", "a\u{7f}", "a\u{9b}31m", "a\tb"] {
        let body = json!({ "order": { "uid": id } }).to_string();
        assert!(matches!(subject("placed", body.as_bytes()), Err(Rejection::NoOrder { .. })), "{id:?}");
    }
}
