//! Webhooks of every platform, to every format, over both transports.

use std::io::Read as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use futures_util::future::join_all;
use ordersync::ledger::Status;
use ring::hmac;
use serde_json::{Value, json};

use crate::support::receiver::{Receiver, Reply, Request};
use crate::support::shop::{Signed, example};
use crate::support::stack::Stack;

const PLATFORMS: [&str; 6] = ["shopify", "woocommerce", "magento", "shopware", "standard", "generic"];

#[tokio::test]
async fn an_order_of_every_platform_reaches_every_destination() {
    let stack = Stack::get();
    let erp = Receiver::start(19401, |_, request| {
        let order: Value = serde_json::from_slice(&request.body).unwrap();
        Reply::ok(json!({ "id": format!("ERP-{}", order["reference"].as_str().unwrap()) }).to_string())
    });
    let raw = Receiver::start(19402, |_, _| Reply::ok(""));
    let orders = PLATFORMS.iter().zip(9_007_199_254_741_001_u64..);
    join_all(orders.map(|(platform, id)| one(&stack, &erp, &raw, platform, id.to_string()))).await;
}

async fn one(stack: &Stack, erp: &Receiver, raw: &Receiver, platform: &str, id: String) {
    let shop = format!("demo-{platform}");
    let webhook = example(platform, &id);
    stack.accept(&shop, &webhook).await;

    let row = stack.export(&shop, &id, "json", Status::Exported).await;
    assert_eq!(row.attempts, 1);
    let key = object_key(row.destination.as_deref(), stack);
    let (document, media_type, _) = stack.object(&key).await;
    assert_eq!(media_type, "application/json");
    let order: Value = serde_json::from_slice(&document).unwrap();
    assert_eq!((order["id"].as_str(), order["shop"].as_str()), (Some(id.as_str()), Some(shop.as_str())));
    assert!(key.starts_with(&format!("json/{shop}/20")), "{key}");
    let items = order["items"].as_array().unwrap().len();
    assert!(items >= 2, "{platform} has {items} items");

    let row = stack.export(&shop, &id, "xml", Status::Exported).await;
    let (packed, media_type, encoding) = stack.object(&object_key(row.destination.as_deref(), stack)).await;
    assert_eq!((media_type.as_str(), encoding.as_deref()), ("application/xml", Some("gzip")));
    assert!(unpacked(&packed).contains(&format!("<id>{id}</id>")));

    let row = stack.export(&shop, &id, "csv", Status::Exported).await;
    let (table, media_type, _) = stack.object(&object_key(row.destination.as_deref(), stack)).await;
    assert!(media_type.starts_with("text/csv"), "{media_type}");
    assert_eq!(String::from_utf8(table).unwrap().lines().count(), items + 1, "a header and a line an item");

    let row = stack.export(&shop, &id, "erp", Status::Exported).await;
    assert_eq!(row.external_id, Some(format!("ERP-{}", order["number"].as_str().unwrap())));
    let deliveries = erp.about(&id);
    assert_eq!(deliveries.len(), 1);
    check_erp_delivery(&deliveries[0], &order);

    stack.export(&shop, &id, "raw", Status::Exported).await;
    let deliveries = raw.about(&id);
    assert_eq!(deliveries.len(), 1);
    check_raw_delivery(&deliveries[0], &webhook);
    let kept = stack.payloads.fetch(&row.payload.unwrap()).await.unwrap();
    assert_eq!(kept, webhook.body, "the raw order is kept byte for byte");
}

fn object_key(destination: Option<&str>, stack: &Stack) -> String {
    let prefix = format!("s3://{}/", stack.bucket);
    destination.and_then(|destination| destination.strip_prefix(&prefix)).unwrap().to_owned()
}

fn unpacked(packed: &[u8]) -> String {
    let mut text = String::new();
    flate2::read::GzDecoder::new(packed).read_to_string(&mut text).unwrap();
    text
}

fn check_erp_delivery(delivery: &Request, order: &Value) {
    let document: Value = serde_json::from_slice(&delivery.body).unwrap();
    assert_eq!(document["reference"], order["number"]);
    assert_eq!(document["gross"].to_string(), order["total"].as_str().unwrap(), "digit by digit");
    assert_eq!(delivery.headers["authorization"], "Bearer a-bearer-token");
    assert_eq!(delivery.headers["content-type"], "application/json");
    let (id, time) = (&delivery.headers["webhook-id"], &delivery.headers["webhook-timestamp"]);
    let message = [id.as_bytes(), b".", time.as_bytes(), b".", &delivery.body].concat();
    let key = hmac::Key::new(hmac::HMAC_SHA256, b"signing-secret-of-the-tests");
    let tag = BASE64.decode(delivery.headers["webhook-signature"].strip_prefix("v1,").unwrap()).unwrap();
    hmac::verify(&key, &message, &tag).expect("a Standard Webhooks signature");
}

fn check_raw_delivery(delivery: &Request, webhook: &Signed) {
    assert_eq!(delivery.body, webhook.body, "byte for byte");
    for (name, value) in &webhook.headers {
        assert_eq!(delivery.headers.get(name), Some(value), "the platform's own header {name}");
    }
}
