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
        ("shopware", r#"url = "https://shop.example.com", auth = "s", cancel = { notify_customer = false }"#),
        ("bigcommerce", r#"url = "https://api.bigcommerce.com/stores/abc", auth = "s""#),
        (
            "generic",
            r#"url = "https://shop.example.com/api", auth = { type = "header", name = "X-Key", secret = "s" },
            state = { path = "/orders/{{ order.id }}", order_state = "/s", payment_state = "", payment_method = "/m",
                updated_at = "/u", paid = "response.paid", canceled = "status == 200" },
            cancel = { method = "PUT", path = "/orders/{{ order.number }}", body = '{"id": {{ order.id }}}',
                success = "response.ok", error = "/e" }"#,
        ),
        (
            "standard-webhooks",
            r#"url = "https://shop.example.com", auth = "s", state = { path = "/{{ order.id }}", paid = "response.p" }"#,
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
            "api.version: unknown key, expected one of: auth, path, timeout, url",
        ),
        (
            "magento",
            r#"url = "https://shop.example.com", auth = "s", path = "/rest/../V1""#,
            "api.path: expected the path to the REST API, such as \"/rest/V1\" or \"/rest/all/V1\", found the string \
             \"/rest/../V1\"",
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
            r#"url = "https://acme.myshopify.com", auth = "s", version = "2025-04""#,
            "api.version: expected a version of the Admin API such as \"2026-07\", found the string \"2025-04\"",
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

/// The problems of a generic shop's state and cancellation.
fn mapped(state: &str, cancel: &str) -> Vec<String> {
    let rest = r#"url = "https://shop.example.com/api", auth = "s""#;
    problems("generic", &format!("{rest}, state = {{ {state} }}, cancel = {{ {cancel} }}"))
}

#[test]
fn problems_of_a_generic_shop() {
    let state = r#"path = "/orders/{{ order.id }}", paid = "response.paid""#;
    let cancel = r#"path = "/orders/{{ order.id }}/cancel""#;
    let path = "expected a path below the url that begins with /, such as \"/orders/{{ order.id }}\", found the string";
    let elsewhere = "the path leads elsewhere than below the url of the shop's api";
    for (state, cancel, expected) in [
        (r#"path = "/orders/{{ order.id }}""#, cancel, "api.state: the key \"paid\" is missing".to_owned()),
        (r#"paid = "true""#, cancel, "api.state: the key \"path\" is missing".into()),
        (r#"path = "orders", paid = "true""#, cancel, format!("api.state.path: {path} \"orders\"")),
        (
            r#"path = "https://evil.example", paid = "true""#,
            cancel,
            format!("api.state.path: {path} \"https://evil.example\""),
        ),
        (
            r#"path = "/../orders", paid = "true""#,
            cancel,
            "api.state.path: the path begins with / or has a segment . or ..".into(),
        ),
        (r#"path = "/%2e%2E/orders", paid = "true""#, cancel, format!("api.state.path: {elsewhere}")),
        (r#"path = "/orders#{{ order.id }}", paid = "true""#, cancel, format!("api.state.path: {elsewhere}")),
        (
            r#"path = "/orders/{{ order.total }}", paid = "true""#,
            cancel,
            "api.state.path: `order.total`: here there are order.id and order.number only".into(),
        ),
        (
            r#"path = "/{{ pipeline }}", paid = "true""#,
            cancel,
            "api.state.path: `pipeline`: here there are order.id and order.number only".into(),
        ),
        (
            r#"path = "/x", paid = "true", payment_state = "status""#,
            cancel,
            "api.state.payment_state: expected a JSON pointer such as \"/order/id\", found the string \"status\""
                .into(),
        ),
        (
            r#"path = "/x", paid = "true", method = "POST""#,
            cancel,
            "api.state.method: unknown key, expected one of: canceled, order_state, paid, path, payment_method, \
             payment_state, updated_at"
                .into(),
        ),
        (
            state,
            r#"path = "/x", method = "GET""#,
            "api.cancel.method: expected one of \"POST\", \"PUT\", \"PATCH\", \"DELETE\", found the string \"GET\""
                .into(),
        ),
        (
            state,
            r#"path = "/x", body = '{"id": "{{ order.id }}"}'"#,
            "api.cancel.body: it does not make JSON; values are written with their quotes: {\"id\": {{ order.id }}}"
                .into(),
        ),
    ] {
        assert_eq!(mapped(state, cancel), [expected]);
    }
    let broken = mapped(r#"path = "/x", paid = "response.paid ==""#, r#"path = "/x", success = "nope(""#);
    let paths: Vec<&str> = broken.iter().filter_map(|problem| Some(problem.split_once(": ")?.0)).collect();
    assert_eq!(paths, ["api.cancel.success", "api.state.paid"]);
    let neither = problems("generic", r#"url = "https://shop.example.com", auth = "s""#);
    assert_eq!(neither, ["api: the key \"state\" is missing"]);
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

#[test]
fn the_examples_of_the_guide_load() {
    let guide = include_str!("../../../../docs/shop-api.md");
    let examples: Vec<&str> = guide.split("```toml\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    assert_eq!(examples.len(), 3);
    for example in examples {
        let shop = "[[shops]]\ncode = \"a\"\nplatform = \"magento\"\nsecrets = [\"s\"]\n";
        let shop = if example.contains("[[shops]]") { "" } else { shop };
        let pipeline =
            "[[pipelines]]\ncode = \"p\"\nformat = { type = \"json\" }\ntransport = { type = \"s3\", key = \"k\" }\n";
        let text = format!("{shop}{example}{pipeline}");
        let config = crate::config::parse("shop-api.md", &text, &crate::config::Files::default(), 10);
        let shops = config.unwrap_or_else(|invalid| panic!("{invalid}")).shops;
        assert!(shops.values().all(|shop| shop.api.as_ref().is_some_and(|api| api.can_cancel())), "{example}");
    }
}
