//! Settings that are not as expected.

use super::*;

fn problems(platform: &str, settings: &str) -> Vec<String> {
    let (_, _, problems) = load(platform, settings, &["127.0.0.1:9000".into()]);
    problems.iter().map(|problem| format!("{}: {}", problem.path, problem.message)).collect()
}

#[test]
fn settings_as_they_should_be() {
    for (platform, settings) in [
        ("magento", r#"url = "https://shop.example.com", auth = "s""#),
        (
            "magento",
            r#"url = "http://127.0.0.1:9000/shop/", auth = { type = "bearer", secret = "s" }, timeout = "30s""#,
        ),
        ("adobe-io-events", r#"url = "https://shop.example.com/", auth = "s""#),
        ("woocommerce", r#"url = "https://shop.example.com/blog", auth = "s""#),
        ("shopify", r#"url = "https://acme.myshopify.com", auth = "s", version = "2026-10""#),
        (
            "shopify",
            r#"url = "https://acme.myshopify.com", auth = "s", cancel = { reason = "declined", restock = false,
            notify_customer = true, refund = true, staff_note = "" }"#,
        ),
    ] {
        assert_eq!(problems(platform, &settings.replace('\n', " ")), [""; 0], "{platform} {settings}");
    }
}

#[test]
fn problems_of_single_settings() {
    let not_tls = "api.url: http:// without TLS is only for a host and port named in [egress] allow, \
        here \"shop.example.com:80\"; use https://";
    for (platform, settings, expected) in [
        ("magento", r#"auth = "s""#, "api: the key \"url\" is missing"),
        ("magento", r#"url = "https://shop.example.com""#, "api: the key \"auth\" is missing"),
        ("magento", r#"url = "http://shop.example.com", auth = "s""#, not_tls),
        (
            "magento",
            r#"url = "https://10.0.0.1", auth = "s""#,
            "api.url: \"10.0.0.1:443\" is not at a public address; name it in [egress] allow if it is meant",
        ),
        (
            "magento",
            r#"url = "https://shop.example.com/?store=eu", auth = "s""#,
            "api.url: expected a URL that ends with its path, without ? and #",
        ),
        (
            "magento",
            r#"url = "https://shop.example.com", auth = "s", version = "V1""#,
            "api.version: unknown key, expected one of: auth, timeout, url",
        ),
        (
            "woocommerce",
            r#"url = "https://shop.example.com", auth = "s", timeout = "5m""#,
            "api.timeout: expected a length of time from \"1s\" to \"60s\", found the string \"5m\"",
        ),
        (
            "shopify",
            r#"url = "https://acme.myshopify.com", auth = "s", version = "latest""#,
            "api.version: expected a version of the Admin API such as \"2026-07\", found the string \"latest\"",
        ),
        (
            "shopify",
            r#"url = "https://acme.myshopify.com", auth = "s", cancel = { reason = "CUSTOMER" }"#,
            "api.cancel.reason: expected one of \"customer\", \"declined\", \"fraud\", \"inventory\", \"other\", \
             \"staff\", found the string \"CUSTOMER\"",
        ),
        (
            "shopify",
            r#"url = "https://acme.myshopify.com", auth = "s", cancel = { note = "x" }"#,
            "api.cancel.note: unknown key, expected one of: notify_customer, reason, refund, restock, staff_note",
        ),
        ("prestashop", r#"url = "x""#, "api: shops of the platform \"prestashop\" cannot be called back"),
    ] {
        assert_eq!(problems(platform, settings), [expected], "{platform} {settings}");
    }
}

#[test]
fn a_note_that_shopify_does_not_take_is_refused() {
    let settings = |length| {
        let note = "é".repeat(length);
        format!("url = \"https://acme.myshopify.com\", auth = \"s\", cancel = {{ staff_note = \"{note}\" }}")
    };
    assert_eq!(problems("shopify", &settings(255)), [""; 0]);
    let expected = "api.cancel.staff_note: expected a text of at most 255 characters, found a string";
    assert_eq!(problems("shopify", &settings(256)), [expected]);
}
