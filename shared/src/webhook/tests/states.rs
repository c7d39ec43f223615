//! When an order was last changed, whether it is cancelled, and what a webhook therefore stands for.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::orders::{changed, order};
use super::*;
use crate::webhook::Event::{Canceled, Paid, Placed, Refunded, Updated};
use crate::webhook::{Event, Identity, Subject, events};

/// Which order a changed sample is about, by these headers.
fn identity(name: &str, headers: &[(&str, &str)], topic: Option<&str>, body: &[u8]) -> Identity {
    let shop = PLATFORMS.iter().find(|(platform, _)| *platform == name).expect(name).1;
    let headers: Headers = headers.iter().copied().collect();
    match sample_platforms()[shop].identify(Webhook { headers: &headers, topic, body }) {
        Ok(Subject::Order(identity)) => identity,
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_shops_time_of_the_last_change_is_read_where_it_can_be() {
    for (name, place, value, expected) in [
        ("shopify", "/updated_at", json!("2026-08-01T13:58:44+02:00"), Some("2026-08-01T11:58:44Z")),
        ("woocommerce", "/date_modified_gmt", json!("2026-08-02T08:00:00"), Some("2026-08-02T08:00:00Z")),
        ("magento", "/updated_at", json!("2026-08-01 11:40:28"), Some("2026-08-01T11:40:28Z")),
        (
            "shopware",
            "/data/payload/order/updatedAt",
            json!("2026-08-01T11:59:00.123+00:00"),
            Some("2026-08-01T11:59:00.123Z"),
        ),
        (
            "shopware",
            "/data/payload/order/transactions/1/updatedAt",
            json!("2026-08-01T12:05:00.000+00:00"),
            Some("2026-08-01T12:05:00Z"),
        ),
        ("bigcommerce", "/order/date_modified", json!("Sat, 01 Aug 2026 13:54:05 +0200"), Some("2026-08-01T11:54:05Z")),
        ("bigcommerce", "/order/date_modified", json!(""), None),
        ("standard-webhooks", "/data/updated_at", json!("2026-08-01T21:00:00+09:00"), Some("2026-08-01T12:00:00Z")),
        ("generic", "/order/changed", json!(1_785_585_600), Some("2026-08-01T12:00:00Z")),
        ("shopify", "/updated_at", json!(null), None),
        ("woocommerce", "/date_modified_gmt", json!(""), None),
        ("magento", "/updated_at", json!("0000-00-00 00:00:00"), None),
        ("shopware", "/data/payload/order/updatedAt", json!({ "date": "2026" }), None),
        ("standard-webhooks", "/data/updated_at", json!(["yesterday"]), None),
        ("generic", "/order/changed", json!(true), None),
    ] {
        let order = order(name, &[(place, value.clone())]);
        assert_eq!(order.updated_at.map(|at| at.to_string()).as_deref(), expected, "{name} {value}");
        assert!(!order.extra.contains_key(place.rsplit('/').next().expect("a key")), "{name}");
    }
    let (order_at, payment_at) = ("/data/payload/order/updatedAt", "/data/payload/order/transactions/0/updatedAt");
    let changes = [(order_at, json!("2026-08-01T12:00:00Z")), (payment_at, json!("2026-08-01T11:59:00Z"))];
    assert_eq!(
        order("shopware", &changes).updated_at.map(|at| at.to_string()).as_deref(),
        Some("2026-08-01T12:00:00Z")
    );
}

#[test]
fn each_platform_says_in_its_way_that_an_order_is_cancelled() {
    for (name, place, value, expected) in [
        ("shopify", "/cancelled_at", json!("2026-08-02T08:00:00+02:00"), true),
        ("shopify", "/cancelled_at", json!(null), false),
        ("woocommerce", "/status", json!("cancelled"), true),
        ("woocommerce", "/status", json!("failed"), false),
        ("magento", "/state", json!("canceled"), true),
        ("magento", "/status", json!("canceled"), true),
        ("magento", "/status", json!("closed"), false),
        ("shopware", "/data/payload/order/stateMachineState", json!({ "technicalName": "cancelled" }), true),
        ("shopware", "/data/payload/order/stateMachineState", json!({ "technicalName": "open" }), false),
        ("bigcommerce", "/order/status_id", json!(5), true),
        ("bigcommerce", "/order/status_id", json!("5"), true),
        ("bigcommerce", "/order/status_id", json!(6), false),
        ("standard-webhooks", "/data/canceled", json!(true), true),
        ("standard-webhooks", "/data/canceled", json!("yes"), false),
        ("standard-webhooks", "/data/state", json!("Cancelled"), true),
        ("generic", "/order/status", json!("canceled"), true),
        ("generic", "/order/void", json!(true), true),
        ("generic", "/order/void", json!(false), false),
    ] {
        assert_eq!(order(name, &[(place, value.clone())]).canceled, expected, "{name} {place} {value}");
    }
    let both = [("/order/void", json!(false)), ("/order/status", json!("canceled"))];
    assert!(!order("generic", &both).canceled, "what is said in so many words counts");
}

#[test]
fn a_webhook_stands_for_what_its_order_tells() {
    const WOO: &str = "x-wc-webhook-topic";
    const SHOPIFY: &str = "x-shopify-topic";
    type Case<'a> = (&'a str, Option<(&'a str, &'a str)>, Option<&'a str>, &'a [(&'a str, Value)], &'a [Event]);
    let cases: [Case<'_>; 17] = [
        ("shopify", Some((SHOPIFY, "orders/create")), None, &[], &[Placed, Paid]),
        ("shopify", Some((SHOPIFY, "orders/updated")), None, &[("/financial_status", json!("pending"))], &[Updated]),
        (
            "shopify",
            Some((SHOPIFY, "orders/updated")),
            None,
            &[("/financial_status", json!("partially_refunded"))],
            &[Updated, Paid, Refunded],
        ),
        (
            "shopify",
            Some((SHOPIFY, "orders/updated")),
            None,
            &[("/cancelled_at", json!("2026-08-02T08:00:00Z"))],
            &[Canceled],
        ),
        (
            "shopify",
            Some((SHOPIFY, "orders/create")),
            None,
            &[("/cancelled_at", json!("2026-08-02T08:00:00Z"))],
            &[Canceled],
        ),
        ("woocommerce", Some((WOO, "order.created")), None, &[], &[Placed]),
        (
            "woocommerce",
            Some((WOO, "order.updated")),
            None,
            &[("/date_paid_gmt", json!("2026-08-02T08:00:00"))],
            &[Updated, Paid],
        ),
        ("woocommerce", Some((WOO, "order.updated")), None, &[("/status", json!("cancelled"))], &[Canceled]),
        ("woocommerce", Some((WOO, "order.created")), None, &[("/status", json!("cancelled"))], &[Canceled]),
        ("woocommerce", Some((WOO, "order.updated")), None, &[("/status", json!("refunded"))], &[Updated, Refunded]),
        ("magento", None, Some("sales.order.created"), &[("/total_due", json!(0))], &[Placed, Paid]),
        ("magento", None, Some("sales.order.updated"), &[("/state", json!("canceled"))], &[Canceled]),
        ("magento", None, Some("sales.order.refunded"), &[], &[Refunded]),
        (
            "shopware",
            None,
            None,
            &[("/data/event", json!("state_enter.order_transaction.state.refunded_partially"))],
            &[Refunded, Paid],
        ),
        (
            "shopware",
            None,
            None,
            &[
                ("/data/event", json!("state_enter.order.state.cancelled")),
                ("/data/payload/order/stateMachineState", json!({ "technicalName": "cancelled" })),
            ],
            &[Canceled],
        ),
        ("standard-webhooks", None, None, &[("/data/payment", json!({ "paid": true }))], &[Placed, Paid]),
        ("generic", None, None, &[("/order/payment/status", json!("Refunded"))], &[Placed, Refunded]),
    ];
    for (name, header, topic, changes, expected) in cases {
        let said = identity(name, header.as_slice(), topic, &changed(name, changes)).event;
        let expected: BTreeSet<Event> = expected.iter().copied().collect();
        assert_eq!(events(said, &order(name, changes)), expected, "{name} {header:?} {topic:?} {changes:?}");
    }
}

#[test]
fn a_refund_names_its_order_and_is_none() {
    let refund = json!({
        "id": 509_562_969, "order_id": 9_131_072_415_678_934_507_u64, "created_at": "2026-08-02T08:00:00+02:00",
        "note": "", "refund_line_items": [], "transactions": []
    });
    let memo = json!({
        "entity_id": 7, "order_id": 40127, "increment_id": "000000007", "created_at": "2026-08-02 08:00:00",
        "order_currency_code": "PLN", "grand_total": 676.36, "items": []
    });
    for (name, header, topic, body, order_id) in [
        ("shopify", Some(("x-shopify-topic", "refunds/create")), None, &refund, "9131072415678934507"),
        ("magento", None, Some("sales.creditmemo.created"), &memo, "40127"),
    ] {
        let body = body.to_string();
        let identity = identity(name, header.as_slice(), topic, body.as_bytes());
        assert_eq!((identity.event, identity.order_id.as_str()), (Refunded, order_id));
        let shop = PLATFORMS.iter().find(|(platform, _)| *platform == name).expect(name).1;
        let error = sample_platforms()[shop].read(shop, body.as_bytes()).map_err(|error| error.path);
        assert_eq!(error.err().as_deref(), Some("order_id"), "{name}");
    }
}
