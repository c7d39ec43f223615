//! Settings, and what is wrong with them.

use super::*;
use crate::secrets::Secret;
use crate::webhook::{Headers, Rejection};

#[test]
fn everything_but_type_and_order_has_a_default() {
    let responses = responses(r#"type = "json", order = "/orderNumber""#);
    assert_eq!((responses.by, responses.secrets.len(), responses.format()), (By::Number, 0, "json"));
    assert!(matches!(responses.verifier, Verifier::StandardWebhooks));
}

#[test]
fn all_settings_are_read() {
    let responses = responses(
        r#"type = "xml", results = "/all/r", order = "/@no", by = "id", shop = "/shop", external_id = "/a/text()",
        success = "result.ok == '1'", message = "/error", secrets = ["erp-callback", "erp-callback-next"],
        signature = { header = "X-Signature", encoding = "base64", prefix = "v1=" }"#
            .replace('\n', " ")
            .as_str(),
    );
    assert_eq!((responses.by, responses.format()), (By::Id, "xml"));
    assert_eq!(responses.secrets, ["erp-callback", "erp-callback-next"]);
    let headers: Headers = [("X-Signature", "v1=AAAA")].into_iter().collect();
    let verified = responses.verifier.verify(&headers, b"", &[Secret::new("key")], crate::clock::now());
    assert_eq!(verified, Err(Rejection::BadSignature));
}

#[test]
fn settings_that_are_not_as_expected() {
    let within = "expected a path below the element of a result such as \"/order/number\", \"/order/@id\" or \"/@id\"";
    for (settings, expected) in [
        ("order = '/a'", "responses: the key \"type\" is missing".to_owned()),
        (
            "type = 'header', order = '/a'",
            "responses.type: expected one of \"json\", \"xml\", found the string \"header\"".into(),
        ),
        ("type = 'json'", "responses: the key \"order\" is missing".into()),
        (
            "type = 'json', order = 'a'",
            "responses.order: expected a JSON pointer such as \"/order/id\", found the string \"a\"".into(),
        ),
        ("type = 'xml', order = '//a'", format!("responses.order: {within}, found the string \"//a\"")),
        ("type = 'xml', order = '/a', shop = '/'", format!("responses.shop: {within}, found the string \"/\"")),
        (
            "type = 'xml', order = '/a', results = '/a/@b'",
            "responses.results: expected a path to elements such as \"/responses/response\", found a string".into(),
        ),
        (
            "type = 'json', order = '/a', by = 'name'",
            "responses.by: expected one of \"number\", \"id\", \"idempotency_key\", found the string \"name\"".into(),
        ),
        (
            "type = 'json', order = '/a', by = 'idempotency_key', shop = '/b'",
            "responses.shop: this has no effect: an idempotency key names the shop too".into(),
        ),
        (
            "type = 'json', order = '/a', success = 'response.ok'",
            "responses.success: success:1: unknown name `response`; there are: result".into(),
        ),
        ("type = 'json', order = '/a', secrets = []", "responses: expected at least one name in secrets".into()),
        (
            "type = 'json', order = '/a', signature = { header = 'X-Sig' }",
            "responses.signature: this has no effect without the key \"secrets\"".into(),
        ),
        (
            "type = 'json', order = '/a', secrets = 'a', signature = { encoding = 'hex' }",
            "responses.signature: the key \"header\" is missing".into(),
        ),
        (
            "type = 'json', order = '/a', id = '/b'",
            "responses.id: unknown key, expected one of: by, external_id, message, order, results, secrets, shop, \
             signature, success, type"
                .into(),
        ),
    ] {
        let problems: Vec<_> =
            load(settings).1.iter().map(|problem| format!("{}: {}", problem.path, problem.message)).collect();
        assert_eq!(problems, [expected], "{settings}");
    }
}

#[test]
fn a_pipeline_cannot_be_called_as_the_folders_beside_it() {
    let pipeline = |code: &str| {
        format!(
            "[[shops]]\ncode = \"a\"\nplatform = \"shopify\"\nsecrets = [\"a\"]\n[[pipelines]]\ncode = \"{code}\"\n\
             format = {{ type = \"json\" }}\ntransport = {{ type = \"s3\", key = \"{{{{ order.id }}}}\" }}\n"
        )
    };
    let problems = |text: &str| {
        let parsed = crate::config::parse("ordersync.toml", text, &crate::config::Files::default(), 10);
        parsed.map_or_else(|invalid| invalid.to_string(), |_| "none".into())
    };
    let responses = "[pipelines.responses]\ntype = \"json\"\norder = \"/o\"\n";
    for (code, is_reserved) in [("erp", false), ("failed", true), ("done", true)] {
        assert_eq!(problems(&pipeline(code)), "none", "{code} without responses");
        let problems = problems(&(pipeline(code) + responses));
        let expected =
            format!("ordersync.toml:9: pipelines[0].responses: a pipeline called {code:?} cannot have responses");
        assert_eq!(problems.contains(&expected), is_reserved, "{problems}");
        assert_eq!(problems == "none", !is_reserved, "{problems}");
    }
}
