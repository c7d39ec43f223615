//! Reading a platform's settings from its shop's table.

use super::*;
use crate::webhook::{Event, Subject};

fn problems(document: &str) -> Vec<String> {
    platforms_of(document).1.iter().map(ToString::to_string).collect()
}

#[test]
fn every_problem_of_a_shop_is_named_with_its_place() {
    let document = r#"
[[shops]]
code = "a"
platform = "oscommerce"

[[shops]]
code = "b"
platform = "generic"

[[shops]]
code = "c"
platform = "generic"
signature = { header = "x y", algorithm = "md5", encoding = "binary", key = 1 }

[[shops]]
code = "d"
platform = "standard-webhooks"
signature = { header = "x-signature" }
fields = { id = "id", colour = "/colour", items = { list = 7, size = "/size" }, billing = { name = ["/a", 1] } }

[[shops]]
code = "e"
platform = "shopify"
fields = { id = "/id" }
"#;
    insta::assert_json_snapshot!(problems(document));
}

#[test]
fn standard_webhooks_finds_the_order_with_and_without_an_envelope() {
    let (platforms, problems) = platforms_of("[[shops]]\ncode = 'own'\nplatform = 'standard-webhooks'\n");
    assert_eq!(problems, []);
    let enveloped: serde_json::Value = serde_json::from_slice(&body("standard-webhooks")).expect("JSON");
    let bare = enveloped["data"].to_string();
    let headers = headers("standard-webhooks");
    for (body, topic) in [(enveloped.to_string(), "order.placed"), (bare, "placed")] {
        let Ok(Subject::Order(identity)) = platforms["own"].identify(webhook(&headers, body.as_bytes())) else {
            panic!("expected an order")
        };
        assert_eq!((identity.order_id.as_str(), identity.topic.as_str()), ("ord_01K1FICTIONAL7Q2", topic));
        assert_eq!(identity.event, Event::Placed);
        assert_eq!(platforms["own"].read("own", body.as_bytes()).map(|order| order.number), Ok("T-2026-0815".into()));
    }
}

#[test]
fn our_own_order_comes_back_as_it_went() {
    let document = "[[shops]]\ncode = 'own'\nplatform = 'generic'\nsignature = { header = 'x-signature' }\n";
    let (platforms, problems) = platforms_of(document);
    assert_eq!(problems, []);
    for (name, shop) in PLATFORMS {
        let order = sample_platforms()[shop].read(shop, &order_body(name)).expect(name);
        let sent = serde_json::to_vec(&order).expect("JSON");
        assert_eq!(platforms["own"].read(shop, &sent), Ok(order), "{name}");
    }
}

#[test]
fn the_topic_is_the_headers_then_the_documents_then_the_urls() {
    let document = r#"
[[shops]]
code = "own"
platform = "generic"
signature = { header = "x-signature" }
fields = { topic = "/what", topic_header = "X-Topic", delivery_id_header = "X-Delivery" }
"#;
    let (platforms, problems) = platforms_of(document);
    assert_eq!(problems, []);
    let (none, header): (Headers, Headers) = (Headers::default(), [("x-topic", "order.paid")].into_iter().collect());
    for (headers, topic, body, expected) in [
        (&header, Some("order.canceled"), r#"{"id":1,"what":"order.updated"}"#, Event::Paid),
        (&none, Some("order.canceled"), r#"{"id":1,"what":"order.updated"}"#, Event::Updated),
        (&none, Some("order.canceled"), r#"{"id":1}"#, Event::Canceled),
        (&none, Some("  "), r#"{"id":1,"what":7}"#, Event::Placed),
        (&none, None, r#"{"id":1}"#, Event::Placed),
    ] {
        let subject = platforms["own"].identify(Webhook { headers, topic, body: body.as_bytes() });
        let Ok(Subject::Order(identity)) = subject else { panic!("{subject:?}") };
        assert_eq!(identity.event, expected, "{body}");
    }
    assert!(platforms["own"].owns_header("x-delivery") && platforms["own"].owns_header("x-signature"));
    assert!(!platforms["own"].owns_header("authorization"));
}

#[test]
fn texts_may_stand_in_several_places_and_nothing_else() {
    let document = r#"
[[shops]]
code = "own"
platform = "generic"
signature = { header = "x-signature" }
fields = { id = ["/shop", "/no"], number = ["/prefix", "/no"], placed_at = ["/date", "/time"] }
"#;
    let (_, problems) = platforms_of(document);
    let paths: Vec<&str> = problems.iter().map(|problem| problem.path.as_str()).collect();
    assert_eq!(paths, ["shops[0].fields.id", "shops[0].fields.placed_at"]);
    let (platforms, problems) = platforms_of(
        &document.replace(r#"["/shop", "/no"]"#, r#""/no""#).replace(r#"["/date", "/time"]"#, r#""/date""#),
    );
    assert_eq!(problems, []);
    let body = r#"{"no": 42, "prefix": "PRE", "date": "2026-03-01", "currency": "EUR", "total": 1, "items": []}"#;
    assert_eq!(platforms["own"].read("own", body.as_bytes()).map(|order| order.number), Ok("PRE 42".to_owned()));
}
