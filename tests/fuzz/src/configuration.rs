//! The document of the configuration: read by all functions, and by intake in part.

use std::sync::LazyLock;

use ordersync::config::{Config, Files, IntakeConfig, parse, parse_part};

use crate::samples::text;

const NAME: &str = "ordersync.toml";

static FILES: LazyLock<Files> = LazyLock::new(|| {
    let files = [
        ("erp-order.json.j2", text("examples/shopify/erp-order.json.j2")),
        ("order.xml.j2", "<order>{{ order.number }}</order>".to_owned()),
        ("ca.pem", text("shared/src/aws/roots.pem")),
    ];
    files.map(|(name, text)| (name.to_owned(), text)).into_iter().collect()
});

/// One document.
pub fn run(input: &[u8]) {
    let Ok(document) = str::from_utf8(input) else { return };
    let lines = document.bytes().filter(|byte| *byte == b'\n').count() + 1;
    let intake = parse_part::<IntakeConfig>(NAME, document, &FILES, 10);
    match parse(NAME, document, &FILES, 10) {
        Ok(config) => {
            let intake = intake.expect("intake takes what all others take");
            assert_eq!(codes(&config), intake.shops.keys().map(String::as_str).collect::<Vec<_>>());
        }
        Err(invalid) => {
            assert!(!invalid.0.is_empty(), "refused without a reason");
            for problem in &invalid.0 {
                assert!((1..=lines).contains(&problem.line), "{problem}");
                assert!(!problem.message.is_empty(), "{problem}");
            }
        }
    }
}

fn codes(config: &Config) -> Vec<&str> {
    config.shops.keys().map(String::as_str).collect()
}

/// The examples, the configuration of the end-to-end tests, and the samples of the tests.
pub fn seeds() -> Vec<Vec<u8>> {
    let examples =
        ["adobe-io-events", "bigcommerce", "data-lake", "generic", "magento", "quickstart", "shopify", "shopware"]
            .map(|name| format!("examples/{name}/ordersync.toml"));
    let tests =
        ["shared/src/config/tests/sample.toml", "shared/src/config/tests/wrong.toml", "tests/fuzz/src/pipelines.toml"];
    let files = examples.iter().map(String::as_str).chain(tests);
    files.map(|path| text(path).into_bytes()).collect()
}
