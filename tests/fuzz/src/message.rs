//! A message of the queue or a dead letter: its attributes, and its body.

use ordersync::ledger::{ExportKey, Origin};
use ordersync::pipeline::about;
use ordersync::queue::{Envelope, Fields, export_fields, named_export};

use crate::input::Input;
use crate::samples::{CONFIG, PLATFORMS, assert_one_line, body, fields, headers, signed_at};

/// One message: its attributes, its body.
pub fn run(input: &[u8]) {
    let Some(input) = Input::parse(input) else { return };
    let fields: Fields = input.fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    match named_export(&fields) {
        Ok(Some(key)) => assert_eq!(named_export(&export_fields(&key)), Ok(Some(key))),
        Ok(None) => webhook(&fields, input.body),
        Err(bad) => assert_one_line("what was expected", &bad.to_string()),
    }
}

fn webhook(fields: &Fields, body: &[u8]) {
    let origin = Origin::of(fields);
    assert!(origin.inbound.is_none_or(|key| key.starts_with("payloads/inbound/")), "a body outside of its folder");
    let envelope = match Envelope::from_fields(fields) {
        Ok(envelope) => envelope,
        Err(bad) => return assert_one_line("what was expected", &bad.to_string()),
    };
    let again = Envelope::from_fields(&envelope.fields()).expect("what we send we can read");
    assert_eq!(again.fields(), envelope.fields());
    if let Ok(text) = str::from_utf8(body) {
        let allowed =
            |c: char| matches!(c, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..);
        let fits = !text.is_empty() && text.len() < 900_000 && text.chars().all(allowed);
        assert_eq!(Envelope::fits_in_message(text, &Fields::new()), fits);
    }
    let Some(shop) = CONFIG.shops.get(&envelope.shop) else { return };
    if let Ok(Some(about)) = about(&CONFIG, shop, &envelope, body) {
        assert!(!about.order_id.trim().is_empty());
        for pipeline in &about.pipelines {
            let is_known =
                pipeline == ExportKey::NO_PIPELINE || CONFIG.pipelines.iter().any(|known| known.code == *pipeline);
            assert!(is_known, "{pipeline}");
        }
    }
}

/// A message of each platform, one that names an export, and some of nobody's.
pub fn seeds() -> Vec<Vec<u8>> {
    let written = |fields: &Fields, body: &[u8]| {
        Input::write("", fields.iter().map(|(name, value)| (name.as_str(), value.as_str())), body)
    };
    let webhook = |(platform, shop): (&str, &str)| {
        let own = fields(platform);
        let envelope = Envelope {
            shop: shop.to_owned(),
            topic: Some("placed".into()),
            delivery_id: Some("7b0e6c1e".into()),
            received_at: signed_at(),
            headers: headers(own.iter().map(|(name, value)| (name.as_str(), value.as_str()))),
            payload_key: None,
            event: None,
        };
        written(&envelope.fields(), &body(platform))
    };
    let mut seeds: Vec<_> = PLATFORMS.into_iter().map(webhook).collect();
    seeds.push(written(&export_fields(&ExportKey::new("demo-generic", "1", "json")), b"{}"));
    seeds.push(Input::write(
        "",
        [("shop", "a"), ("received_at", "2026-01-01T00:00:00Z"), ("headers", "{\"a\":1}")],
        b"",
    ));
    seeds.push(Input::write(
        "",
        [("shop", "demo-generic"), ("received_at", "2026-01-01T00:00:00Z"), ("payload_key", "payloads/inbound/../x")],
        b"{\"payload_key\":1}",
    ));
    seeds
}
