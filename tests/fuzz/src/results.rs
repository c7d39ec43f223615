//! What a back office says later: documents of results in JSON and XML.

use std::sync::LazyLock;

use ordersync::config::Pipeline;
use ordersync::pipeline::result::{BadResult, MOST_RESULTS, Said, Word};

use crate::input::Input;
use crate::samples::{CONFIG, assert_one_line};

static MAPPINGS: LazyLock<Vec<(String, &'static Pipeline)>> = LazyLock::new(|| {
    let reads = |pipeline: &&Pipeline| pipeline.responses.is_some();
    CONFIG.pipelines.iter().filter(reads).map(|pipeline| (pipeline.code.clone(), pipeline)).collect()
});

/// One document: the pipeline, the document.
pub fn run(input: &[u8]) {
    let Some(input) = Input::parse(input) else { return };
    let responses = input.choose(&MAPPINGS).1.responses.as_ref().expect("responses");
    match responses.read(input.body) {
        Ok(results) => {
            assert!(results.len() <= MOST_RESULTS);
            for result in results {
                match result {
                    Ok(said) => assert_said(&said),
                    Err(bad) => assert_bad(&bad),
                }
            }
        }
        Err(bad) => assert_one_line("why a document cannot be read", &bad.to_string()),
    }
}

fn assert_said(said: &Said) {
    let order = &said.about.order;
    assert!((1..=1900).contains(&order.len()), "{order:?}");
    assert_one_line("the order", order);
    let shop = said.about.shop.as_deref().unwrap_or_default();
    assert!(shop.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_".contains(&byte)));
    let id = said.external_id.as_deref().unwrap_or("x");
    assert!(!id.trim().is_empty() && id.chars().count() <= 200, "{id:?}");
    assert_one_line("the external id", id);
    if let Word::Refused(Some(message)) = &said.word {
        assert!(message.chars().count() <= 300);
        assert_one_line("the message", message);
    }
}

fn assert_bad(bad: &BadResult) {
    assert_one_line("the reason", &bad.reason);
    assert_one_line("the order", bad.order.as_deref().unwrap_or_default());
}

/// Documents of the guide, and some that nobody should send.
pub fn seeds() -> Vec<Vec<u8>> {
    let many = format!("{{\"results\":[{}{{}}]}}", "{\"order\":\"1\"},".repeat(500));
    let deep = format!("<results>{}{}</results>", "<result>".repeat(150), "</result>".repeat(150));
    [
        ("later-json", "{\"results\":[{\"order\":\"10\",\"id\":\"E-1\"},{\"order\":11,\"error\":\"unknown\\ncustomer\",\"shop\":\"acme\"}]}"),
        ("later-json", "{\"results\":{\"order\":1e400,\"id\":-0},\"results\":[]}"),
        ("later-json", many.as_str()),
        ("later-key", "[{\"key\":\"acme:1:erp\",\"ok\":true},{\"key\":\"x\",\"ok\":\"no\",\"error\":[1]}]"),
        ("later-key", "\u{feff}{\"key\":\"acme:%E2%82%AC:erp\",\"ok\":false,\"error\":\"\\ud83d\\ude00\"}"),
        ("later-xml", "<results><result><order number='1'/><id>E-1</id><status>ok</status></result></results>"),
        ("later-xml", "<!DOCTYPE r [<!ENTITY a 'x'>]><results><result><order number='&a;'/></result></results>"),
        ("later-xml", deep.as_str()),
    ]
    .into_iter()
    .map(|(pipeline, body)| Input::write(pipeline, [], body.as_bytes()))
    .collect()
}
