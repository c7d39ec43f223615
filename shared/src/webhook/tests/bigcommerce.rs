//! BigCommerce: webhooks that name an order, and what its API says of it.

use std::collections::BTreeSet;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ring::hmac;
use serde_json::{Value, json};

use super::orders::order;
use super::*;
use crate::webhook::{Event, Rejection, Subject, events};

fn bigcommerce() -> Arc<dyn Platform> {
    Arc::clone(&sample_platforms()["demo-bigcommerce"])
}

fn signed(key: &[u8], body: &[u8], at: Timestamp) -> Headers {
    let time = at.as_second().to_string();
    let message = [b"msg_1.", time.as_bytes(), b".", body].concat();
    let tag = STANDARD.encode(hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), &message));
    [("webhook-id", "msg_1".to_owned()), ("webhook-timestamp", time), ("webhook-signature", format!("v1,{tag}"))]
        .into_iter()
        .collect()
}

#[test]
fn the_key_is_the_client_secret_however_it_looks() {
    // Sixty-four hexadecimal digits are base64 too, but are not meant so.
    let client_secret = "0123456789abcdef".repeat(4);
    let standard = format!("whsec_{}", STANDARD.encode(&client_secret));
    let headers = signed(client_secret.as_bytes(), b"{}", signed_at());
    let verify = |secrets: &[&str], now| {
        let secrets: Vec<Secret> = secrets.iter().map(|secret| Secret::new(*secret)).collect();
        bigcommerce().verify(webhook(&headers, b"{}"), &secrets, now)
    };
    let with_break = format!("{client_secret}\n");
    for secrets in [&[client_secret.as_str()][..], &["other", &client_secret], &[&with_break], &[&standard]] {
        assert_eq!(verify(secrets, signed_at()), Ok(()), "{secrets:?}");
    }
    for secrets in [&["other"][..], &[], &["", "\n"], &["whsec_%%%"]] {
        assert_eq!(verify(secrets, signed_at()), Err(Rejection::BadSignature), "{secrets:?}");
    }
    let late = signed_at() + jiff::SignedDuration::from_secs(301);
    assert_eq!(verify(&[&client_secret], late), Err(Rejection::Stale(300)));
}

fn identify(body: &Value) -> Result<(String, Event), Rejection> {
    let body = body.to_string();
    match bigcommerce().identify(webhook(&Headers::default(), body.as_bytes()))? {
        Subject::Order(identity) => Ok((identity.order_id, identity.event)),
        Subject::Ping => panic!("a ping"),
    }
}

#[test]
fn scopes_say_what_happened_and_a_checkout_that_ends_is_an_order() {
    let status = |from: i32, to: i32| json!({ "previous_status_id": from, "new_status_id": to });
    let known = |event| Ok(("250".to_owned(), event));
    let none = json!(null);
    for (scope, status, expected) in [
        ("store/order/created", none.clone(), known(Event::Placed)),
        ("store/order/updated", none.clone(), known(Event::Updated)),
        ("store/order/archived", none.clone(), known(Event::Updated)),
        ("store/order/refund/created", none.clone(), known(Event::Refunded)),
        ("store/order/message/created", none.clone(), known(Event::Updated)),
        ("store/order/statusUpdated", none.clone(), known(Event::Updated)),
        ("store/order/statusUpdated", status(7, 11), known(Event::Updated)),
        ("store/order/statusUpdated", status(0, 11), known(Event::Placed)),
        ("store/order/statusUpdated", status(0, 7), known(Event::Placed)),
        ("store/order/statusUpdated", status(0, 5), known(Event::Updated)),
        ("store/order/statusUpdated", status(0, 6), known(Event::Updated)),
        ("store/channel/1/order/created", none.clone(), known(Event::Placed)),
        ("store/product/created", none, Err(Rejection::UnknownTopic("store/product/created".into()))),
    ] {
        let body = json!({ "scope": scope, "data": { "type": "order", "id": 250, "status": status } });
        assert_eq!(identify(&body), expected, "{body}");
    }
    let of_channel = json!({ "scope": "store/channel/1/order/updated", "data": { "order_id": 127 } });
    assert_eq!(identify(&of_channel), Ok(("127".to_owned(), Event::Updated)));
    let nameless = identify(&json!({ "scope": "store/order/created", "data": {} }));
    assert!(matches!(nameless, Err(Rejection::NoOrder { .. })), "{nameless:?}");
}

#[test]
fn a_webhook_names_the_order_and_is_none() {
    let platform = bigcommerce();
    assert!(platform.is_reference(&body("bigcommerce")) && !platform.is_reference(&order_body("bigcommerce")));
    assert!(!platform.is_reference(b"no JSON"));
    let error = platform.read("demo-bigcommerce", &body("bigcommerce")).map_err(|error| error.path);
    assert_eq!(error.err().as_deref(), Some("order.date_created"));
    for (name, shop) in PLATFORMS.iter().filter(|(name, _)| *name != "bigcommerce") {
        assert!(!sample_platforms()[*shop].is_reference(&body(name)), "{name}");
    }
}

#[test]
fn the_payment_says_whether_it_is_paid_and_where_it_says_nothing_the_order_does() {
    for (payment, status, state, paid) in [
        ("captured", 11, "captured", true),
        ("paid", 11, "paid", true),
        ("partially refunded", 14, "partially refunded", true),
        ("authorized", 11, "authorized", false),
        ("capture pending", 11, "capture pending", false),
        ("declined", 6, "declined", false),
        ("void", 5, "void", false),
        ("", 11, "paid", true),
        ("", 10, "paid", true),
        ("", 2, "paid", true),
        ("", 1, "pending", false),
        ("", 7, "pending", false),
        ("", 12, "pending", false),
        ("", 0, "pending", false),
    ] {
        let changes = [("/order/payment_status", json!(payment)), ("/order/status_id", json!(status))];
        let payment = order("bigcommerce", &changes).payment;
        assert_eq!((payment.state.as_deref(), payment.paid), (Some(state), paid), "{changes:?}");
    }
}

#[test]
fn the_order_tells_what_the_webhook_stands_for() {
    use Event::{Canceled, Paid, Placed, Refunded, Updated};
    for (said, status_id, status, payment, expected) in [
        (Placed, 0, "Incomplete", "", &[Updated][..]),
        (Placed, 11, "Awaiting Fulfillment", "captured", &[Placed, Paid]),
        (Placed, 7, "Awaiting Payment", "", &[Placed]),
        (Updated, 5, "Cancelled", "captured", &[Canceled]),
        (Updated, 14, "Partially Refunded", "partially refunded", &[Updated, Paid, Refunded]),
        (Updated, 4, "Refunded", "", &[Updated, Paid, Refunded]),
    ] {
        let changes = [
            ("/order/status_id", json!(status_id)),
            ("/order/status", json!(status)),
            ("/order/payment_status", json!(payment)),
        ];
        let expected: BTreeSet<Event> = expected.iter().copied().collect();
        assert_eq!(events(said, &order("bigcommerce", &changes)), expected, "{status}");
    }
}

#[test]
fn what_was_downloaded_goes_to_no_address() {
    let digital = order("bigcommerce", &[("/shipping_addresses", json!([]))]);
    assert_eq!(digital.delivery, crate::order::Address::default());
    assert_eq!(order("bigcommerce", &[("/order/customer_id", json!(0))]).customer.id, None);
}
