//! What the targets work with: the sample events, their shops and secrets, and one pipeline of every kind.

use std::path::PathBuf;
use std::sync::LazyLock;

use jiff::Timestamp;
use ordersync::config::{Config, Files, parse};
use ordersync::order::Order;
use ordersync::secrets::Secret;
use ordersync::webhook::Headers;
use serde_json::Value;

/// The platforms, and the shop of each in the sample events.
pub(crate) const PLATFORMS: [(&str, &str); 8] = [
    ("shopify", "demo-shopify"),
    ("woocommerce", "demo-woocommerce"),
    ("magento", "demo-magento"),
    ("adobe-io-events", "demo-adobe"),
    ("shopware", "demo-shopware"),
    ("bigcommerce", "demo-bigcommerce"),
    ("standard-webhooks", "demo-standard"),
    ("generic", "demo-generic"),
];

/// The shops of the sample events, and one pipeline of every format, response reader and mapping of later responses.
pub(crate) static CONFIG: LazyLock<Config> = LazyLock::new(|| {
    let document = format!("{}\n{}", text("events/shops.toml"), include_str!("pipelines.toml"));
    let template = text("examples/shopify/erp-order.json.j2");
    let files: Files =
        [("erp-order.json.j2".to_owned(), template), ("order.xml.j2".to_owned(), XML.to_owned())].into_iter().collect();
    parse("ordersync.toml", &document, &files, 10).expect("a right configuration")
});

/// A template that writes the customer's texts into XML.
const XML: &str = "<order no=\"{{ order.number }}\"><note>{{ order.note }}</note>{% for item in order.items %}\
    <line sku='{{ item.sku }}'>{{ item.name }}</line>{% endfor %}</order>";

/// When the sample events were signed.
pub(crate) fn signed_at() -> Timestamp {
    "2026-08-01T12:00:00Z".parse().expect("a time")
}

/// A file of the project.
pub(crate) fn file(path: &str) -> Vec<u8> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..").join(path);
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// A file of the project that is a text.
pub(crate) fn text(path: &str) -> String {
    String::from_utf8(file(path)).expect("UTF-8")
}

/// A sample event.
pub(crate) fn event(name: &str) -> Value {
    serde_json::from_slice(&file(&format!("events/{name}"))).expect("JSON")
}

/// The headers of a platform's sample event.
pub(crate) fn fields(platform: &str) -> Vec<(String, String)> {
    let event = event(&format!("intake-{platform}.json"));
    let fields = event["headers"].as_object().expect("headers").iter();
    fields.map(|(name, value)| (name.clone(), value.as_str().expect("a header").to_owned())).collect()
}

/// A platform's sample webhook.
pub(crate) fn body(platform: &str) -> Vec<u8> {
    file(&format!("events/webhooks/{platform}.json"))
}

/// What verifies the sample events of a shop.
pub(crate) fn secret(shop: &str) -> Secret {
    if shop == "demo-adobe" {
        return Secret::new(text("events/adobe-keys-for-tests-only/public-key-for-tests-only.pem"));
    }
    let secrets = event("secrets.json");
    Secret::new(secrets[format!("{shop}-webhook")].as_str().expect("a secret"))
}

/// Texts as headers.
pub(crate) fn headers<'f>(fields: impl IntoIterator<Item = (&'f str, &'f str)>) -> Headers {
    fields.into_iter().collect()
}

/// The orders of the sample webhooks, and one with what formats stumble over.
pub(crate) static ORDERS: LazyLock<Vec<Order>> = LazyLock::new(|| {
    let read = |(platform, shop): (&str, &str)| {
        let body = if platform == "bigcommerce" { body("bigcommerce-order") } else { body(platform) };
        CONFIG.shops[shop].platform.read(shop, &body).expect("an order")
    };
    let mut orders: Vec<Order> = PLATFORMS.into_iter().map(read).collect();
    let mut hostile = orders[0].clone();
    hostile.number = "../#1001/\u{c4}\u{0}\r\nX: y".into();
    hostile.note = Some("=1+1 ]]> </script> \"'\\ {{ 7 * 7 }} \u{fffe}\u{1f34e}".into());
    for item in &mut hostile.items {
        item.sku = Some("-2+3;,\t\"\n".into());
        item.name = "@SUM(A1)\u{1b}[31m".into();
    }
    orders.push(hostile);
    orders
});

/// What later responses and answers are read by, and the texts that a log line may not have.
pub(crate) fn assert_one_line(what: &str, text: &str) {
    assert!(!text.chars().any(char::is_control), "{what} has control characters: {text:?}");
}
