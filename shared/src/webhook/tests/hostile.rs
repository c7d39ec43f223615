//! Whatever comes in, nothing panics, and what is not signed does not pass.

use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde_json::{Value, json};

use super::*;
use crate::webhook::{BadOrder, Rejection};

/// Texts that shops have sent in places where something else was expected.
fn values() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(json!(null)),
        Just(json!(true)),
        Just(json!("")),
        Just(json!([])),
        Just(json!({})),
        Just(json!("\u{0}\u{1f4a9}")),
        Just(json!("-1e-28")),
        Just(json!("1e28")),
        select(vec!["1e400", "-1e-400", "1e999999999999", "0.000000000000000000000000000000000001"])
            .prop_map(|number| serde_json::from_str(number).expect("a number")),
        Just(json!("79228162514264337593543950335")),
        Just(json!("9999999999-99-99T99:99:99Z")),
        Just(json!([[[[1]]]])),
        Just(json!([{"parent_item_id": 1, "parentId": "x"}])),
        any::<i64>().prop_map(|number| json!(number)),
        any::<f64>().prop_map(|number| json!(number)),
        ".{0,40}".prop_map(|text| json!(text)),
    ]
}

/// All places of a document, as JSON pointers.
fn places(value: &Value, at: String, found: &mut Vec<String>) {
    let children: Vec<(String, &Value)> = match value {
        Value::Object(fields) => {
            fields.iter().map(|(key, value)| (key.replace('~', "~0").replace('/', "~1"), value)).collect()
        }
        Value::Array(list) => list.iter().enumerate().map(|(index, value)| (index.to_string(), value)).collect(),
        _ => Vec::new(),
    };
    for (key, child) in children {
        places(child, format!("{at}/{key}"), found);
    }
    found.push(at);
}

fn everything(platform: &dyn Platform, headers: &Headers, body: &[u8]) {
    let all = webhook(headers, body);
    assert!(platform.verify(all, &[Secret::new("secret"), Secret::new("whpk_AAAA")], signed_at()).is_err());
    let identified = platform.identify(all);
    if let Err(error) = identified {
        let is_refusal =
            matches!(error, Rejection::Malformed(_) | Rejection::NoOrder { .. } | Rejection::UnknownTopic(_));
        assert!(is_refusal, "{error:?}");
    }
    let keys = platform.public_keys(all).unwrap_or_default();
    assert!(keys.iter().all(|url| url.as_str().starts_with("https://static.adobeioevents.com/prod/keys/")), "{keys:?}");
    platform.is_unsigned_ping(all);
    platform.is_test(body);
    if let Err(BadOrder { path, expected }) = platform.read("shop", body) {
        assert!(!path.is_empty() && expected.starts_with("expected"), "{path}: {expected}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn no_bytes_make_a_platform_panic(
        body in prop::collection::vec(any::<u8>(), 0..400),
        name in select(vec!["x-shopify-hmac-sha256", "shopware-shop-signature", "webhook-signature", "x-shopify-topic"]),
        value in ".{0,60}",
    ) {
        for (shop, platform) in sample_platforms() {
            let mut headers: Vec<(String, String)> = vec![
                ("webhook-id".into(), value.clone()),
                ("webhook-timestamp".into(), value.clone()),
                ("x-magento-signature".into(), value.clone()),
                ("x-wc-webhook-signature".into(), value.clone()),
                ("x-adobe-digital-signature-2".into(), value.clone()),
            ];
            headers.push((name.to_owned(), value.clone()));
            everything(&*platform, &headers.into_iter().collect(), &body);
            prop_assert!(platform.read(&shop, &body).is_err());
        }
    }

    #[test]
    fn an_order_with_a_changed_field_is_read_or_refused(
        which in select(PLATFORMS.to_vec()), place in any::<Index>(), value in values(), remove in any::<bool>(),
    ) {
        let (name, shop) = which;
        let mut document: Value = serde_json::from_slice(&order_body(name)).expect("JSON");
        let mut found = Vec::new();
        places(&document, String::new(), &mut found);
        let pointer = place.get(&found);
        if remove && let Some((parent, key)) = pointer.rsplit_once('/') {
            match document.pointer_mut(parent) {
                Some(Value::Object(fields)) => { fields.shift_remove(&key.replace("~1", "/").replace("~0", "~")); }
                Some(Value::Array(list)) => { list.remove(key.parse().expect("an index")); }
                _ => {}
            }
        } else if let Some(target) = document.pointer_mut(pointer) {
            *target = value;
        }
        let changed = document.to_string();
        everything(&*sample_platforms()[shop], &headers(name), changed.as_bytes());
    }

    #[test]
    fn no_flipped_bit_passes(which in select(PLATFORMS.to_vec()), place in any::<Index>(), bit in 0_u8..8) {
        let (name, shop) = which;
        let (headers, mut body) = (headers(name), body(name));
        let platform = &sample_platforms()[shop];
        let secrets = [Secret::new("b2xk"), secret(shop)];
        prop_assert_eq!(platform.verify(webhook(&headers, &body), &secrets, signed_at()), Ok(()));
        let at = place.index(body.len());
        body[at] ^= 1 << bit;
        let flipped = platform.verify(webhook(&headers, &body), &secrets, signed_at());
        prop_assert_eq!(flipped, Err(Rejection::BadSignature));
    }
}

#[test]
fn an_order_of_too_many_items_or_levels_is_refused() {
    let platforms = sample_platforms();
    for (name, shop, list) in [
        ("shopify", "demo-shopify", "/line_items"),
        ("woocommerce", "demo-woocommerce", "/line_items"),
        ("magento", "demo-magento", "/items"),
        ("adobe-io-events", "demo-adobe", "/data/value/items"),
        ("shopware", "demo-shopware", "/data/payload/order/lineItems"),
        ("bigcommerce", "demo-bigcommerce", "/products"),
        ("standard-webhooks", "demo-standard", "/data/items"),
        ("generic", "demo-generic", "/order/lines"),
    ] {
        let mut document: Value = serde_json::from_slice(&order_body(name)).expect("JSON");
        let items = document.pointer_mut(list).and_then(Value::as_array_mut).expect("items");
        items.resize(5_001, Value::Null);
        let error = platforms[shop].read(shop, document.to_string().as_bytes()).map_err(|error| error.expected);
        assert_eq!(error.err().as_deref(), Some("expected at most 5000 items"), "{name}");
        let deep = format!("{{\"a\":{}{}}}", "[".repeat(200), "]".repeat(200));
        assert!(platforms[shop].read(shop, deep.as_bytes()).is_err(), "{name}");
    }
}

#[test]
fn what_an_order_cannot_do_without_is_named() {
    let platforms = sample_platforms();
    for (name, shop, place, path) in [
        ("shopify", "demo-shopify", "/id", "id"),
        ("shopify", "demo-shopify", "/created_at", "created_at"),
        ("shopify", "demo-shopify", "/currency", "currency"),
        ("shopify", "demo-shopify", "/total_price", "total_price"),
        ("shopify", "demo-shopify", "/line_items", "line_items"),
        ("shopify", "demo-shopify", "/line_items/1/price", "line_items[1].price"),
        ("woocommerce", "demo-woocommerce", "/number", "number"),
        ("woocommerce", "demo-woocommerce", "/date_created_gmt", "date_created_gmt"),
        ("woocommerce", "demo-woocommerce", "/line_items/0/quantity", "line_items[0].quantity"),
        ("magento", "demo-magento", "/increment_id", "increment_id"),
        ("magento", "demo-magento", "/order_currency_code", "order_currency_code"),
        ("magento", "demo-magento", "/items", "items"),
        ("adobe-io-events", "demo-adobe", "/data/value/created_at", "data.value.created_at"),
        ("adobe-io-events", "demo-adobe", "/data/value/items/2/price", "data.value.items[2].price"),
        ("adobe-io-events", "demo-adobe", "/data/value", "data.value.entity_id"),
        ("shopware", "demo-shopware", "/data/payload/order/orderNumber", "data.payload.order.orderNumber"),
        ("shopware", "demo-shopware", "/data/payload/order/currency", "data.payload.order.currency.isoCode"),
        ("bigcommerce", "demo-bigcommerce", "/order/id", "order.id"),
        ("bigcommerce", "demo-bigcommerce", "/order/date_created", "order.date_created"),
        ("bigcommerce", "demo-bigcommerce", "/products", "products"),
        ("bigcommerce", "demo-bigcommerce", "/products/1/quantity", "products[1].quantity"),
        ("standard-webhooks", "demo-standard", "/data/total", "data.total"),
        ("generic", "demo-generic", "/order/money/gross", "order.money.gross"),
        ("generic", "demo-generic", "/order/lines/1/each", "order.lines[1].each"),
    ] {
        let mut document: Value = serde_json::from_slice(&order_body(name)).expect("JSON");
        *document.pointer_mut(place).expect(place) = Value::Null;
        let read = platforms[shop].read(shop, document.to_string().as_bytes());
        assert_eq!(read.map_err(|error| error.path).err().as_deref(), Some(path), "{name}");
    }
}
