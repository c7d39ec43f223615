//! What is signed as a platform signs it is accepted as the platform's.

use super::*;
use crate::webhook::{Event, Subject, ToSign, Unsignable};

fn to_sign<'a>(body: &'a [u8], secret: &'a Secret, topic: Option<&'a str>) -> ToSign<'a> {
    ToSign { body, topic, id: "msg_7", secret, at: signed_at() }
}

#[test]
fn every_platform_that_shares_a_secret_accepts_what_is_signed_in_its_way() {
    let platforms = sample_platforms();
    for (name, shop) in PLATFORMS.into_iter().filter(|(name, _)| *name != "adobe-io-events") {
        let (platform, body, secret) = (&platforms[shop], body(name), secret(shop));
        let signed = platform.sign(&to_sign(&body, &secret, None)).unwrap_or_else(|error| panic!("{name}: {error}"));
        let webhook = Webhook { headers: &signed.headers, topic: signed.topic.as_deref(), body: &signed.body };
        assert_eq!(platform.verify(webhook, std::slice::from_ref(&secret), signed_at()), Ok(()), "{name}");
        let Ok(Subject::Order(identity)) = platform.identify(webhook) else { panic!("{name} names no order") };
        assert_eq!(identity.event, Event::Placed, "{name}");
        let own = Webhook { headers: &headers(name), topic: None, body: &body };
        assert_eq!(
            platform
                .identify(own)
                .map(|subject| matches!(subject, Subject::Order(own) if own.order_id == identity.order_id)),
            Ok(true),
            "{name}"
        );
        let wrong = [Secret::new("another secret of 24 bytes")];
        assert!(platform.verify(webhook, &wrong, signed_at()).is_err(), "{name}");
    }
}

#[test]
fn a_topic_that_is_asked_for_is_the_one_that_is_told() {
    let platforms = sample_platforms();
    for (name, shop, topic) in [
        ("shopify", "demo-shopify", "orders/cancelled"),
        ("woocommerce", "demo-woocommerce", "order.deleted"),
        ("magento", "demo-magento", "sales.order.canceled"),
    ] {
        let (body, secret) = (body(name), secret(shop));
        let signed = platforms[shop].sign(&to_sign(&body, &secret, Some(topic))).expect("signed");
        let webhook = Webhook { headers: &signed.headers, topic: signed.topic.as_deref(), body: &signed.body };
        let Ok(Subject::Order(identity)) = platforms[shop].identify(webhook) else { panic!("{name} names no order") };
        assert_eq!((identity.topic.as_str(), identity.event), (topic, Event::Canceled), "{name}");
    }
}

#[test]
fn what_cannot_be_signed_is_refused() {
    let platforms = sample_platforms();
    let refused = |shop: &str, body: &[u8], secret: &str| {
        platforms[shop].sign(&to_sign(body, &Secret::new(secret), None)).map(drop)
    };
    assert_eq!(refused("demo-adobe", b"{}", "key"), Err(Unsignable::KeyOfPlatform));
    for (_, shop) in PLATFORMS.into_iter().filter(|(name, _)| *name != "adobe-io-events") {
        assert_eq!(refused(shop, b"{}", " \n"), Err(Unsignable::Secret), "{shop}");
    }
    assert_eq!(refused("demo-shopware", b"[]", "key"), Err(Unsignable::Body));
    assert_eq!(refused("demo-standard", b"{}", "whpk_AAAA"), Err(Unsignable::Secret));
}
