//! What a destination answers to a delivery: JSON, XML or a header.

use std::sync::LazyLock;

use ordersync::config::Pipeline;
use ordersync::pipeline::transport::{BodyEnd, Receipt};

use crate::input::Input;
use crate::samples::{CONFIG, assert_one_line, headers};

static READERS: LazyLock<Vec<(String, &'static Pipeline)>> = LazyLock::new(|| {
    let reads = |pipeline: &&Pipeline| pipeline.response.is_some();
    CONFIG.pipelines.iter().filter(reads).map(|pipeline| (pipeline.code.clone(), pipeline)).collect()
});

/// One answer: the pipeline, its headers (`status` and `end` among them), its body.
pub fn run(input: &[u8]) {
    let Some(input) = Input::parse(input) else { return };
    let headers = headers(input.fields.iter().copied());
    let status = headers.get("status").and_then(|status| status.parse().ok()).unwrap_or(200);
    let body_end = match headers.get("end") {
        Some("capped") => BodyEnd::Capped,
        Some("broken") => BodyEnd::Broken,
        _ => BodyEnd::Complete,
    };
    let destination = "https://erp.example.com/orders".to_owned();
    let receipt = Receipt { destination, status: Some(status), headers, body: input.body.to_vec(), body_end };
    let reader = input.choose(&READERS).1.response.as_ref().expect("a reader");
    match reader.read(&receipt) {
        Ok(reading) => {
            if let Some(id) = reading.external_id {
                assert!(!id.trim().is_empty() && id.chars().count() <= 200, "{id:?}");
                assert_one_line("the external id", &id);
            }
        }
        Err(failure) => {
            assert_one_line("a failure", &failure.message);
            assert_one_line("what the destination said", failure.said.as_deref().unwrap_or_default());
            assert!(failure.response.is_none_or(|kept| kept.len() <= 4096));
        }
    }
}

/// Answers as back offices give them, and as they should not.
pub fn seeds() -> Vec<Vec<u8>> {
    let deep = format!("{}1{}", "[".repeat(200), "]".repeat(200));
    [
        ("template-xml", "{\"id\":\"E-4711\"}"),
        ("template-json", "{\"status\":\"ok\",\"order\":{\"id\":12345678901234567890}}"),
        ("template-json", "{\"status\":\"failed\",\"message\":\"no\\r\\nsuch \\u001b[31mcustomer\"}"),
        ("template-json", deep.as_str()),
        ("xml", "<order id=\"E-1\"><ok>yes</ok></order>"),
        (
            "xml",
            "<?xml version=\"1.0\"?><order id=' 7 '><ok>no</ok><error>&lt;x&gt; &#228;<![CDATA[<b>]]></error></order>",
        ),
        ("xml", "<!DOCTYPE o [<!ENTITY a \"aaaa\"><!ENTITY b \"&a;&a;\">]><order id=\"&b;\"><ok>yes</ok></order>"),
        (
            "xml",
            "<!DOCTYPE o [<!ENTITY x SYSTEM \"file:///etc/passwd\">]><order><ok>yes</ok><error>&x;</error></order>",
        ),
    ]
    .into_iter()
    .map(|(pipeline, body)| Input::write(pipeline, [("status", "200"), ("content-type", "x")], body.as_bytes()))
    .chain([Input::write("raw", [("x-order-id", "E-1"), ("status", "201")], b"")])
    .collect()
}
