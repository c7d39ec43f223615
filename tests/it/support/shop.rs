//! Shops that sign as their platforms document it, written apart from the code under test.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use ring::hmac;
use ring::rand::SystemRandom;
use ring::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use rustls::pki_types::PrivatePkcs1KeyDer;
use rustls::pki_types::pem::PemObject as _;
use serde_json::{Value, json};

/// The secret of every `it-…` shop.
pub(crate) const SECRET: &str = "a-secret-of-the-tests";

/// A signed webhook.
#[derive(Debug, Clone)]
pub(crate) struct Signed {
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Signed {
    fn new(body: Vec<u8>, headers: &[(&str, &str)]) -> Self {
        let headers = [("content-type", "application/json")].iter().chain(headers);
        let headers = headers.map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Self { headers, body }
    }

    /// The same with another value of a header.
    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.retain(|(known, _)| known != name);
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The same without a header.
    pub(crate) fn without(mut self, name: &str) -> Self {
        self.headers.retain(|(known, _)| known != name);
        self
    }
}

fn mac(secret: &[u8], message: &[u8]) -> Vec<u8> {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), message).as_ref().to_vec()
}

fn now() -> i64 {
    ordersync::clock::now().as_second()
}

/// An order in our own shape, for shops of the generic platform.
pub(crate) fn order(id: &str) -> Value {
    json!({
        "id": id, "number": format!("N-{id}"), "placed_at": "2026-03-01T08:30:00+01:00", "currency": "EUR",
        "total": "129.90", "payment": { "method": "invoice", "state": "open" }, "state": "open",
        "customer": { "email": "it@example.com" },
        "items": [{ "sku": "SKU-1", "name": "Thing", "quantity": 2, "unit_price": "64.95" }]
    })
}

/// A webhook of a generic shop.
pub(crate) fn generic(order: &Value) -> Signed {
    generic_with(order, SECRET)
}

/// The same, signed with another secret.
pub(crate) fn generic_with(order: &Value, secret: &str) -> Signed {
    generic_text(&order.to_string(), secret)
}

/// Any text, signed as a generic shop does.
pub(crate) fn generic_text(text: &str, secret: &str) -> Signed {
    let body = text.as_bytes().to_vec();
    let signature = format!("sha256={}", hex::encode(mac(secret.as_bytes(), &body)));
    Signed::new(body, &[("x-signature", &signature)])
}

/// The example webhook of a platform (`events/webhooks`) as an order of its own, signed now.
pub(crate) fn example(platform: &str, id: &str) -> Signed {
    let text = match platform {
        "shopify" => include_str!("../../../events/webhooks/shopify.json"),
        "woocommerce" => include_str!("../../../events/webhooks/woocommerce.json"),
        "magento" => include_str!("../../../events/webhooks/magento.json"),
        "adobe" => include_str!("../../../events/webhooks/adobe-io-events.json"),
        "shopware" => include_str!("../../../events/webhooks/shopware.json"),
        "bigcommerce" => include_str!("../../../events/webhooks/bigcommerce.json"),
        "standard" => include_str!("../../../events/webhooks/standard-webhooks.json"),
        _ => include_str!("../../../events/webhooks/generic.json"),
    };
    let mut body: Value = serde_json::from_str(text).unwrap();
    rename(platform, &mut body, id);
    sign(platform, body.to_string().into_bytes())
}

/// Gives the order its own identifier and number.
fn rename(platform: &str, body: &mut Value, id: &str) {
    let number: Value = serde_json::from_str(id).unwrap();
    match platform {
        "shopify" => (body["id"], body["name"]) = (number, json!(format!("#{id}"))),
        "woocommerce" => (body["id"], body["number"]) = (number, json!(id)),
        "magento" => (body["entity_id"], body["increment_id"]) = (number, json!(id)),
        "adobe" => {
            let order = &mut body["data"]["value"];
            (order["entity_id"], order["increment_id"]) = (json!(id), json!(id));
        }
        "shopware" => {
            body["timestamp"] = json!(now());
            let order = &mut body["data"]["payload"]["order"];
            (order["id"], order["orderNumber"]) = (json!(id), json!(id));
        }
        "bigcommerce" => body["data"]["id"] = number,
        "standard" => (body["data"]["id"], body["data"]["number"]) = (json!(id), json!(id)),
        _ => (body["order"]["uid"], body["order"]["reference"]) = (number, json!(id)),
    }
}

/// The secret of a demo shop, as its platform signs with it.
fn secret(platform: &str) -> Vec<u8> {
    let secrets: Value = serde_json::from_str(include_str!("../../../events/secrets.json")).unwrap();
    let secret = secrets[format!("demo-{platform}-webhook")].as_str().unwrap();
    secret.strip_prefix("whsec_").map_or_else(|| secret.into(), |encoded| BASE64.decode(encoded).unwrap())
}

/// Signs a body as the platform does, with the secret of its demo shop.
pub(crate) fn sign(platform: &str, body: Vec<u8>) -> Signed {
    if platform == "adobe" {
        return adobe(body, "/prod/keys/pub-key-of-the-tests.pem");
    }
    let tag = mac(&secret(platform), &body);
    match platform {
        "shopify" => Signed::new(
            body,
            &[
                ("x-shopify-hmac-sha256", &BASE64.encode(tag)),
                ("x-shopify-topic", "orders/create"),
                ("x-shopify-shop-domain", "demo.myshopify.com"),
                ("x-shopify-webhook-id", "5b5a2d0e-0000-4000-8000-000000000001"),
            ],
        ),
        "woocommerce" => Signed::new(
            body,
            &[("x-wc-webhook-signature", &BASE64.encode(tag)), ("x-wc-webhook-topic", "order.created")],
        ),
        "magento" => Signed::new(body, &[("x-magento-signature", &hex::encode(tag))]),
        "shopware" => Signed::new(body, &[("shopware-shop-signature", &hex::encode(tag))]),
        "bigcommerce" | "standard" => standard(platform, body, now()),
        _ => Signed::new(body, &[("x-acme-signature", &format!("sha256={}", hex::encode(tag)))]),
    }
}

/// Signs a body as Adobe does, under the second of two keys, whose path is given.
pub(crate) fn adobe(body: Vec<u8>, key_path: &str) -> Signed {
    let pem = include_bytes!("../../../events/adobe-keys-for-tests-only/private-key-for-tests-only.pem");
    let der = PrivatePkcs1KeyDer::from_pem_slice(pem).unwrap();
    let pair = RsaKeyPair::from_der(der.secret_pkcs1_der()).unwrap();
    let mut signature = vec![0; pair.public().modulus_len()];
    pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), &body, &mut signature).unwrap();
    let (other, signature) = (BASE64.encode([1; 256]), BASE64.encode(signature));
    Signed::new(
        body,
        &[
            ("x-adobe-digital-signature-1", &other),
            ("x-adobe-digital-signature-2", &signature),
            ("x-adobe-public-key1-path", key_path),
            ("x-adobe-public-key2-path", key_path),
            ("x-adobe-event-id", "0197f1c7-0000-4000-8000-00000000ad0b"),
        ],
    )
}

/// A Standard Webhooks order signed at a time of its own.
pub(crate) fn standard_at(second: i64, id: &str) -> Signed {
    let body = example("standard", id).body;
    standard("standard", body, second)
}

fn standard(platform: &str, body: Vec<u8>, second: i64) -> Signed {
    standard_with(&secret(platform), body, second)
}

/// Any body signed by Standard Webhooks.
pub(crate) fn standard_with(secret: &[u8], body: Vec<u8>, second: i64) -> Signed {
    let (id, time) = ("msg_it", second.to_string());
    let message = [id.as_bytes(), b".", time.as_bytes(), b".", &body].concat();
    let signature = format!("v1,{}", BASE64.encode(mac(secret, &message)));
    Signed::new(body, &[("webhook-id", id), ("webhook-timestamp", &time), ("webhook-signature", &signature)])
}

/// A Shopify order signed with another secret than usual.
pub(crate) fn shopify_with(secret: &str, id: &str) -> Signed {
    let signed = example("shopify", id);
    let signature = BASE64.encode(mac(secret.as_bytes(), &signed.body));
    signed.with("x-shopify-hmac-sha256", &signature)
}
