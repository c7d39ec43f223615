//! Tests of all platforms together, on the sample events.

mod adobe;
mod bigcommerce;
mod events;
mod hostile;
mod limits;
mod orders;
#[cfg(feature = "sign")]
mod outgoing;
mod settings;
mod signed;
mod states;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use jiff::Timestamp;
use toml::de::DeTable;

use super::{Configured, Headers, Needs, Platform, Webhook, read};
use crate::config::document::{Problem, Problems, Table};
use crate::config::value;
use crate::pipeline::transport::egress;
use crate::secrets::Secret;

/// The platforms, and the shop of each in the sample events.
pub(super) const PLATFORMS: [(&str, &str); 8] = [
    ("shopify", "demo-shopify"),
    ("woocommerce", "demo-woocommerce"),
    ("magento", "demo-magento"),
    ("adobe-io-events", "demo-adobe"),
    ("shopware", "demo-shopware"),
    ("bigcommerce", "demo-bigcommerce"),
    ("standard-webhooks", "demo-standard"),
    ("generic", "demo-generic"),
];

/// When the sample events were signed.
pub(super) fn signed_at() -> Timestamp {
    "2026-08-01T12:00:00Z".parse().expect("a time")
}

pub(super) fn event_file(name: &str) -> Vec<u8> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../events").join(name);
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

pub(super) fn event_json(name: &str) -> serde_json::Value {
    serde_json::from_slice(&event_file(name)).expect("JSON")
}

/// The raw webhook of a platform.
pub(super) fn body(platform: &str) -> Vec<u8> {
    event_file(&format!("webhooks/{platform}.json"))
}

/// What a platform's order is read from: the webhook, or what is fetched in its place.
pub(super) fn order_body(platform: &str) -> Vec<u8> {
    if platform == "bigcommerce" { body("bigcommerce-order") } else { body(platform) }
}

/// The headers of a platform's event.
pub(super) fn headers(platform: &str) -> Headers {
    let event = event_json(&format!("intake-{platform}.json"));
    let fields = event["headers"].as_object().expect("headers").iter();
    fields.map(|(name, value)| (name.clone(), value.as_str().expect("a header"))).collect()
}

/// What verifies the events of a shop: its secret, or the public key of those who sign.
pub(super) fn secret(shop: &str) -> Secret {
    if shop == "demo-adobe" {
        let pem = event_file("adobe-keys-for-tests-only/public-key-for-tests-only.pem");
        return Secret::new(String::from_utf8(pem).expect("PEM"));
    }
    let value = event_json("secrets.json")[format!("{shop}-webhook")].as_str().expect("a secret").to_owned();
    Secret::new(value)
}

/// The platforms of a document's shops, by the shops' codes, and what is wrong with the document.
pub(super) fn platforms_of(document: &str) -> (BTreeMap<String, Arc<dyn Platform>>, Vec<Problem>) {
    let parsed = DeTable::parse(document).expect("TOML");
    let problems = Problems::new("ordersync.toml", document);
    let platforms = {
        let root = Table::root(parsed.get_ref(), &problems);
        let shops = root.required("shops").expect("shops");
        let egress = egress::read(root.get("egress").as_ref(), &crate::config::Files::default());
        let shop = |table: Table<'_>| {
            let code = table.require("code", value::code);
            let Configured { platform, needs } = read(&table, &egress);
            if needs != Needs::Nothing {
                table.list("secrets", value::text);
            }
            table.get("api");
            table.finish();
            Some((code?, platform?))
        };
        shops.each(|node| shop(node.table()?)).into_iter().collect()
    };
    (platforms, problems.into_sorted())
}

/// The platforms of the sample events, by the shops' codes.
pub(super) fn sample_platforms() -> BTreeMap<String, Arc<dyn Platform>> {
    let document = String::from_utf8(event_file("shops.toml")).expect("UTF-8");
    let (platforms, problems) = platforms_of(&document);
    assert_eq!(problems, []);
    platforms
}

pub(super) fn webhook<'a>(headers: &'a Headers, body: &'a [u8]) -> Webhook<'a> {
    Webhook { headers, topic: None, body }
}
