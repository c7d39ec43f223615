//! Wrong, missing and rotated secrets.

use std::time::Duration;

use ordersync::ledger::Status;

use crate::support::eventually;
use crate::support::receiver::{Receiver, Reply};
use crate::support::shop::{example, generic, generic_with, order};
use crate::support::stack::{Stack, json};

const BEFORE: &str = "a-secret-before-its-rotation";
const AFTER: &str = "a-secret-after-its-rotation";

#[tokio::test]
async fn a_wrong_signature_is_refused() {
    let stack = Stack::get();
    for (platform, header) in [
        ("shopify", "x-shopify-hmac-sha256"),
        ("woocommerce", "x-wc-webhook-signature"),
        ("magento", "x-magento-signature"),
        ("shopware", "shopware-shop-signature"),
        ("bigcommerce", "webhook-signature"),
        ("standard", "webhook-signature"),
        ("generic", "x-acme-signature"),
    ] {
        let shop = format!("demo-{platform}");
        let signed = example(platform, "7001");
        let unsigned = stack.post(&shop, &signed.clone().without(header)).await;
        assert_eq!(unsigned.status(), 401, "{platform}");
        assert_eq!(json(unsigned).await["error"], "signature_missing");
        let mut tampered = signed.clone();
        tampered.body.push(b' ');
        let tampered = stack.post(&shop, &tampered).await;
        assert_eq!(tampered.status(), 401, "{platform}");
        assert_eq!(json(tampered).await["error"], "signature_invalid");
        let nonsense = stack.post(&shop, &signed.with(header, "nonsense")).await;
        assert_eq!(nonsense.status(), 401, "{platform}");
    }
}

#[tokio::test]
async fn a_replayed_webhook_is_refused_where_the_time_is_signed() {
    let stack = Stack::get();
    let old = ordersync::clock::now().as_second() - 301;
    let answer = stack.post("demo-standard", &crate::support::shop::standard_at(old, "7002")).await;
    assert_eq!(answer.status(), 401);
    assert_eq!(json(answer).await["error"], "timestamp_out_of_tolerance");
}

#[tokio::test]
async fn either_of_two_live_secrets_will_do() {
    let stack = Stack::get();
    let webhook = crate::support::shop::shopify_with("the-next-secret-for-shopify", "7003");
    stack.accept("demo-shopify", &webhook).await;
    stack.export("demo-shopify", "7003", "json", Status::Exported).await;
}

#[tokio::test]
async fn a_rotated_secret_needs_no_redeploy() {
    let stack = Stack::get();
    let _receiver = Receiver::start(19419, |_, _| Reply::ok(""));
    stack.accept("it-rotate", &generic_with(&order("rotate-1"), BEFORE)).await;
    let put = stack.secrets.put_secret_value().secret_id("it-rotate-webhook").secret_string(AFTER);
    put.send().await.unwrap();
    eventually("the new secret to be known", async || {
        let answer = stack.post("it-rotate", &generic_with(&order("rotate-2"), AFTER)).await;
        tokio::time::sleep(Duration::from_secs(1)).await;
        (answer.status() == 202).then_some(())
    })
    .await;
    let answer = stack.post("it-rotate", &generic_with(&order("rotate-3"), BEFORE)).await;
    assert_eq!(answer.status(), 401, "the old secret is known no more");
    stack.export("it-rotate", "rotate-2", "rotate", Status::Exported).await;
}

#[tokio::test]
async fn a_secret_that_cannot_be_read_fails_its_shop_only() {
    let stack = Stack::get();
    let answer = stack.post("it-blind", &generic(&order("blind-1"))).await;
    assert_eq!(answer.status(), 503);
    assert!(answer.headers().contains_key("retry-after"));
    assert_eq!(json(answer).await["error"], "secrets_unavailable");
    stack.accept("demo-generic", &example("generic", "7004")).await;
}
