//! A webhook on its way through intake, and its order through the processor, on every platform.

use std::sync::LazyLock;

use ordersync::config::Shop;
use ordersync::ledger::ExportKey;
use ordersync::order::Order;
use ordersync::secrets::Secret;
use ordersync::webhook::{Body, Rejection, Subject, Webhook, events, told_at};

use crate::input::Input;
use crate::samples::{CONFIG, PLATFORMS, assert_one_line, body, fields, headers, secret, signed_at};

/// A platform as an input names it.
struct Sample {
    shop: &'static Shop,
    secrets: [Secret; 2],
    signed: Vec<u8>,
}

static SAMPLES: LazyLock<Vec<(String, Sample)>> = LazyLock::new(|| {
    let sample = |(platform, shop): (&str, &str)| {
        let secrets = [Secret::new("whsec_b3RoZXI="), secret(shop)];
        (platform.to_owned(), Sample { shop: &CONFIG.shops[shop], secrets, signed: body(platform) })
    };
    PLATFORMS.into_iter().map(sample).collect()
});

/// What no webhook is signed with.
static OTHERS: LazyLock<[Secret; 3]> =
    LazyLock::new(|| [Secret::new("other"), Secret::new("whsec_b3RoZXI="), Secret::new("")]);

/// One webhook: its platform, its headers, its body.
pub fn run(input: &[u8]) {
    let Some(input) = Input::parse(input) else { return };
    let (_, sample) = input.choose(&SAMPLES);
    let (platform, fields) = (&sample.shop.platform, headers(input.fields.iter().copied()));
    let webhook = Webhook { headers: &fields, topic: fields.get("topic"), body: input.body };
    verify(sample, webhook);
    let read = Body::parse(input.body);
    let subject = platform.subject(webhook, Some(&read));
    assert_eq!(subject, platform.identify(webhook), "intake and processor see different orders");
    let is_test = platform.is_test(input.body);
    assert_eq!(is_test, platform.is_test_in(input.body, Some(&read)));
    let order = platform.read_from(&sample.shop.code, &read);
    assert_eq!(order, platform.read(&sample.shop.code, input.body));
    match &subject {
        Err(rejection) => assert_refusal(rejection),
        Ok(Subject::Ping) => {}
        Ok(Subject::Order(identity)) => {
            assert_identity(&sample.shop.code, &identity.order_id);
            assert_one_line("the topic", &identity.topic);
            let delivery = identity.delivery_id.as_deref().unwrap_or_default();
            assert!(delivery.len() <= 200 && delivery.bytes().all(|byte| (b' '..=b'~').contains(&byte)));
            told_at(identity, order.as_ref().ok(), signed_at());
            if let Ok(order) = &order
                && !platform.is_reference(input.body)
            {
                assert_eq!(order.id, identity.order_id, "the order that is exported is not the one that was accepted");
                events(identity.event, order);
            }
        }
    }
    match &order {
        Ok(order) => assert_order(&sample.shop.code, order),
        Err(bad) => {
            assert!(!bad.path.is_empty() && bad.expected.starts_with("expected"), "{bad}");
            assert_one_line("what was expected", &bad.to_string());
        }
    }
}

/// Nobody makes a signature without the secret, so what is accepted is what was signed, to the byte.
fn verify(sample: &Sample, webhook: Webhook<'_>) {
    let platform = &sample.shop.platform;
    assert!(platform.verify(webhook, &*OTHERS, signed_at()).is_err(), "a secret of nobody's fits");
    assert!(platform.verify(webhook, &[], signed_at()).is_err(), "no secret fits");
    if platform.verify(webhook, &sample.secrets, signed_at()).is_ok() {
        assert_eq!(webhook.body, sample.signed, "accepted, and not what was signed");
    }
    for key in platform.public_keys(webhook).unwrap_or_default() {
        assert!(key.as_str().starts_with("https://static.adobeioevents.com/prod/keys/"), "{key}");
        assert!(!key.path().contains("..") && key.query().is_none() && key.username().is_empty(), "{key}");
    }
    if platform.is_unsigned_ping(webhook)
        && let Some(url) = platform.confirmation(webhook)
    {
        assert_one_line("the address to confirm", url.as_str());
    }
}

fn assert_refusal(rejection: &Rejection) {
    assert!(!rejection.is_unauthenticated(), "reading does not judge who sent it: {rejection:?}");
    assert_one_line("a refusal", &rejection.to_string());
}

/// What names an order is part of keys, of headers and of log lines.
fn assert_identity(shop: &str, order_id: &str) {
    assert!(!order_id.trim().is_empty() && order_id.chars().count() <= 200, "{order_id:?}");
    assert_one_line("the order's identifier", order_id);
    let key = ExportKey::new(shop, order_id, "erp");
    let text = key.idempotency_key();
    assert!(text.bytes().all(|byte| byte.is_ascii_graphic()), "{text}");
    assert_eq!(ExportKey::from_idempotency_key(&text), Some(key));
}

fn assert_order(shop: &str, order: &Order) {
    assert_identity(shop, &order.id);
    assert_eq!(order.shop, shop);
    assert!(order.items.len() <= 5_000);
    let json = serde_json::to_vec(order).expect("an order is JSON");
    let again: Order = serde_json::from_slice(&json).expect("the order as its schema has it");
    assert_eq!(serde_json::to_vec(&again).expect("JSON"), json, "an order does not survive its own JSON");
}

/// The sample event of each platform, and what shops have sent in places where something else was expected.
pub fn seeds() -> Vec<Vec<u8>> {
    let mut seeds = Vec::new();
    for (platform, _) in PLATFORMS {
        let own = fields(platform);
        let own: Vec<_> = own.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let mut bodies = vec![body(platform)];
        if platform == "bigcommerce" {
            bodies.push(body("bigcommerce-order"));
        }
        bodies.extend(ODD.iter().map(|text| text.as_bytes().to_vec()));
        seeds.extend(bodies.iter().map(|body| Input::write(platform, own.iter().copied(), body)));
    }
    seeds
}

const ODD: [&str; 8] = [
    "{\"id\":1e400,\"total\":-0,\"id\":2}",
    "\u{feff}{\"id\":\"\\ud800\"}",
    "{\"order\":{\"uid\":\"\\u0000\"}}",
    "[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]",
    "{\"id\":NaN}",
    "{\"id\":9007199254740993,\"created_at\":\"9999-12-31T23:59:60+99:99\"}",
    "{\"id\":\"../../config\",\"line_items\":[null,{\"price\":\"1e-400\"}]}",
    "{\"test\":true,\"scope\":\"store/order/created\",\"data\":{\"id\":-1}}",
];
