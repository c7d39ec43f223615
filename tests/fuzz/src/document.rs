//! From a webhook's body to the documents that back offices get: whatever a customer typed, each is what it claims to be.

use std::sync::LazyLock;

use ordersync::order::Order;
use ordersync::pipeline::{Document, Export, idempotency_key};
use ordersync::template::{Escape, Template};
use ordersync::webhook::Headers;

use crate::input::Input;
use crate::samples::{CONFIG, PLATFORMS, body};

/// Keys of objects as the examples have them.
static KEYS: LazyLock<Vec<Template>> = LazyLock::new(|| {
    ["orders/{{ order.shop }}/{{ order.number }}.json", "{{ order.customer.name }}/{{ order.id }}/{{ order.note }}"]
        .map(|source| Template::compile("key", source, Escape::ObjectKey).expect("a template"))
        .into()
});

static SHOPS: LazyLock<Vec<(String, &str)>> =
    LazyLock::new(|| PLATFORMS.into_iter().map(|(platform, shop)| (platform.to_owned(), shop)).collect());

/// One order: its platform, its body.
pub fn run(input: &[u8]) {
    let Some(input) = Input::parse(input) else { return };
    let (_, shop) = input.choose(&SHOPS);
    let Ok(order) = CONFIG.shops[*shop].platform.read(shop, input.body) else { return };
    render(&order, input.body);
}

/// Renders an order in every format.
fn render(order: &Order, raw: &[u8]) {
    let headers = Headers::default();
    for pipeline in &CONFIG.pipelines {
        let key = idempotency_key(&order.shop, &order.id, &pipeline.code);
        let export = Export { pipeline: &pipeline.code, order, raw, headers: &headers, idempotency_key: &key };
        if let Ok(document) = pipeline.format.render(export) {
            check(&pipeline.code, &document, raw);
        }
    }
    for template in KEYS.iter() {
        if let Ok(key) = template.render(order, "erp") {
            check_key(&key);
        }
    }
}

fn check(pipeline: &str, document: &Document, raw: &[u8]) {
    let text = str::from_utf8(&document.body);
    match pipeline {
        "json" | "template-json" => {
            serde_json::from_slice::<serde_json::Value>(&document.body).expect("JSON that can be read");
        }
        "xml" | "template-xml" => {
            let parsed = roxmltree::Document::parse(text.expect("UTF-8")).expect("XML that others can read");
            assert!(parsed.descendants().count() > 1);
        }
        "csv" => csv(&document.body),
        "raw" => assert_eq!(document.body, raw, "raw is byte for byte"),
        _ => {}
    }
}

/// Every line has as many fields as the header, and none that a spreadsheet would calculate.
fn csv(text: &[u8]) {
    for record in ::csv::Reader::from_reader(text).records() {
        let record = record.expect("as many fields as there are columns");
        for field in &record {
            let is_number =
                field.trim_start_matches(['+', '-']).bytes().all(|b| b.is_ascii_digit() || b",.".contains(&b));
            assert!(!field.starts_with(['=', '+', '-', '@', '\t', '\r']) || is_number, "a formula: {field:?}");
        }
    }
}

/// A key stays where its template put it.
pub(crate) fn check_key(key: &str) {
    assert!((1..=1024).contains(&key.len()), "{key:?}");
    assert!(!key.starts_with('/') && !key.chars().any(char::is_control), "{key:?}");
    assert!(!key.split('/').any(|segment| matches!(segment, "." | "..")), "{key:?}");
}

/// The sample orders.
pub fn seeds() -> Vec<Vec<u8>> {
    let seed = |(platform, _): (&str, &str)| {
        let body = body(if platform == "bigcommerce" { "bigcommerce-order" } else { platform });
        Input::write(platform, [], &body)
    };
    PLATFORMS.into_iter().map(seed).collect()
}
