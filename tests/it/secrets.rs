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

/// Waits until a webhook that is signed with the secret is answered so; the secrets are read again at most every ten seconds.
async fn answered(stack: &Stack, id: &str, secret: &str, status: u16) {
    eventually(&format!("{status} to {id}"), async || {
        // One that fits no secret has them read again.
        stack.post("it-rotate", &generic_with(&order("rotate-never"), "nobody's")).await;
        let answer = stack.post("it-rotate", &generic_with(&order(id), secret)).await;
        tokio::time::sleep(Duration::from_secs(1)).await;
        (answer.status() == status).then_some(())
    })
    .await;
}

/// As `docs/deploying.md` has it: the new secret under a second name, the shop changes, the old one goes.
#[tokio::test]
async fn a_secret_is_rotated_without_a_redeploy_and_both_are_live_meanwhile() {
    let stack = Stack::get();
    let _receiver = Receiver::start(19419, |_, _| Reply::ok(""));
    let put = async |name: &str, value: &str| {
        let put = stack.secrets.put_secret_value().secret_id(name).secret_string(value);
        put.send().await.unwrap();
    };
    stack.accept("it-rotate", &generic_with(&order("rotate-1"), BEFORE)).await;
    put("it-rotate-webhook-next", AFTER).await;
    answered(&stack, "rotate-2", AFTER, 202).await;
    stack.accept("it-rotate", &generic_with(&order("rotate-3"), BEFORE)).await;
    put("it-rotate-webhook", AFTER).await;
    answered(&stack, "rotate-4", BEFORE, 401).await;
    stack.accept("it-rotate", &generic_with(&order("rotate-5"), AFTER)).await;
    for id in ["rotate-1", "rotate-2", "rotate-3", "rotate-5"] {
        stack.export("it-rotate", id, "rotate", Status::Exported).await;
    }
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
