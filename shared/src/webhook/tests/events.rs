//! Every sample event parses as what AWS sends, is signed validly, and reads as the order that it is.

use aws_lambda_events::apigw::ApiGatewayV2httpRequest;
use aws_lambda_events::sqs::SqsEvent;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::*;
use crate::webhook::{Event, Identity, Rejection, Subject};

/// Path parameter, headers, topic of the URL and body of an event.
fn request(platform: &str) -> (String, Headers, Option<String>, Vec<u8>) {
    let event = event_file(&format!("intake-{platform}.json"));
    let request: ApiGatewayV2httpRequest = serde_json::from_slice(&event).expect("an API Gateway event");
    assert_eq!(request.request_context.http.method.as_str(), "POST");
    let shop = request.path_parameters["shop"].clone();
    let headers = request.headers.iter().map(|(name, value)| (name.as_str(), value.to_str().expect("a text")));
    let text = request.body.clone().expect("a body");
    let body = if request.is_base64_encoded { STANDARD.decode(&text).expect("base64") } else { text.into_bytes() };
    (shop, headers.collect(), request.query_string_parameters.first("topic").map(ToOwned::to_owned), body)
}

#[test]
fn every_event_is_signed_and_says_which_order_it_is() {
    let platforms = sample_platforms();
    for (name, shop, topic, order_id, delivery_id, occurred_at) in [
        (
            "shopify",
            "demo-shopify",
            "orders/create",
            "9131072415678934507",
            Some("0197f1c7-ab1e-7000-8000-0000000e7e27"),
            Some("2026-08-01T12:00:00Z"),
        ),
        ("woocommerce", "demo-woocommerce", "order.created", "5217", Some("0c9f1c7a0b7e4f1b8d2a6c5e3f1d9b70"), None),
        ("magento", "demo-magento", "sales.order.created", "40127", None, None),
        (
            "adobe-io-events",
            "demo-adobe",
            "com.adobe.commerce.observer.sales_order_save_commit_after",
            "35519",
            Some("dafb64a8-0000-4000-8000-00000000f1c7"),
            Some("2026-08-01T11:58:04.902Z"),
        ),
        (
            "shopware",
            "demo-shopware",
            "checkout.order.placed",
            "0197f1c7000000000000000000000002",
            Some("0197f1c7e0e07d2fa0f1c710ba100042"),
            None,
        ),
        (
            "bigcommerce",
            "demo-bigcommerce",
            "store/order/created",
            "250",
            Some("3f9ea420af83450d7ef9f78b08c8af25f1c710na"),
            Some("2026-08-01T11:54:05Z"),
        ),
        (
            "standard-webhooks",
            "demo-standard",
            "order.placed",
            "ord_01K1FICTIONAL7Q2",
            Some("msg_01K1FICTIONALDELIVERY"),
            Some("2026-08-01T11:59:58.204Z"),
        ),
        (
            "generic",
            "demo-generic",
            "order_created",
            "18014398509481985",
            Some("7b0e6c1e-0000-4000-8000-00000000f1c7"),
            None,
        ),
    ] {
        let (code, headers, url_topic, body) = request(name);
        assert_eq!(code, shop);
        let webhook = Webhook { headers: &headers, topic: url_topic.as_deref(), body: &body };
        let platform = &platforms[shop];
        assert_eq!(platform.verify(webhook, &[secret(shop)], signed_at()), Ok(()), "{name}");
        assert_eq!(
            platform.verify(webhook, &[Secret::new("other")], signed_at()),
            Err(Rejection::BadSignature),
            "{name}"
        );
        let identity = Identity {
            order_id: order_id.to_owned(),
            topic: topic.to_owned(),
            event: Event::Placed,
            delivery_id: delivery_id.map(ToOwned::to_owned),
            occurred_at: occurred_at.map(|at| at.parse().expect("a time")),
        };
        assert_eq!(platform.identify(webhook), Ok(Subject::Order(identity)), "{name}");
        assert!(!platform.is_unsigned_ping(webhook) && !platform.is_test(&body), "{name}");
    }
}

#[test]
fn every_event_carries_the_webhook_that_was_sent() {
    for (name, _) in PLATFORMS {
        assert!(request(name).3 == body(name), "{name}: run events/generate.py");
    }
}

#[test]
fn every_event_reads_as_the_order_that_it_is() {
    let platforms = sample_platforms();
    for (name, shop) in PLATFORMS {
        let order = platforms[shop].read(shop, &order_body(name)).expect(name);
        // Printed by serde_json, which knows what numbers of any precision are.
        insta::assert_snapshot!(format!("order-{name}"), serde_json::to_string_pretty(&order).expect("JSON"));
    }
}

#[test]
fn the_queues_event_holds_webhooks_with_their_attributes() {
    let platforms = sample_platforms();
    let event: SqsEvent = serde_json::from_slice(&event_file("processor.json")).expect("an SQS event");
    let mut orders = Vec::new();
    for record in &event.records {
        let attribute =
            |name: &str| record.message_attributes.get(name).and_then(|value| value.string_value.as_deref());
        let shop = attribute("shop").expect("a shop");
        let fields: BTreeMap<String, String> =
            serde_json::from_str(attribute("headers").expect("headers")).expect("a JSON object of texts");
        assert!(fields.keys().all(|header| platforms[shop].owns_header(header)), "{fields:?}");
        let headers: Headers = fields.into_iter().collect();
        let body = record.body.as_deref().expect("a body").as_bytes();
        let webhook = Webhook { headers: &headers, topic: attribute("topic"), body };
        assert_eq!(platforms[shop].verify(webhook, &[secret(shop)], signed_at()), Ok(()));
        assert_eq!(attribute("received_at").and_then(|text| text.parse().ok()), Some(signed_at()));
        orders.push(platforms[shop].read(shop, body).expect("an order").number);
    }
    assert_eq!(orders, ["#N1042", "5217", "3000000412"]);
}
