//! Whole documents: the ones that load, and every problem of the ones that do not.

use super::*;

const SAMPLE: &str = include_str!("tests/sample.toml");
const ERP_ORDER: &str = r#"{"number": {{ order.number }}, "total": {{ order.total }}}"#;

fn load(text: &str) -> Result<Config, Invalid> {
    let templates = [("erp-order.json.j2".to_owned(), ERP_ORDER.to_owned())].into_iter().collect();
    parse("ordersync.toml", text, &templates, 10)
}

fn problems(text: &str) -> String {
    load(text).map_or_else(|invalid| invalid.to_string(), |_| "no problem".into())
}

#[test]
fn the_sample_of_the_design_loads_as_it_stands() {
    let config = load(SAMPLE).unwrap();
    let shop = &config.shops["acme-eu"];
    assert!(shop.api.as_ref().is_some_and(|api| api.can_cancel()));
    let [erp, archive] = config.pipelines.as_slice() else { panic!("two pipelines") };
    assert!(erp.serves("acme-eu") && !erp.serves("other") && archive.serves("other"));
    assert_eq!(erp.on, BTreeSet::from([Event::Placed]));
    assert_eq!(erp.reservation, Some(Reservation::OnTransportSuccess));
    let hour = Duration::from_hours(1);
    assert_eq!(erp.retries, Retries { max_attempts: 10, base: Duration::from_secs(30), cap: hour });
    assert_eq!(archive.retries, Retries::default_for(10));
    let [rule] = config.cancel_stale.as_slice() else { panic!("one rule") };
    assert_eq!((rule.method.as_str(), rule.older_than.get_days()), ("banktransfer", 7));
}

#[test]
fn every_problem_is_reported_at_once_with_line_path_and_expectation() {
    insta::assert_snapshot!(problems(include_str!("tests/wrong.toml")));
}

#[test]
fn a_document_that_is_no_toml_is_reported_with_its_lines() {
    insta::assert_snapshot!(problems("[[shops]]\ncode = acme\n[[pipelines]\ncode = \"erp\"\n"));
}

#[test]
fn an_empty_document_is_told_what_it_lacks() {
    insta::assert_snapshot!(problems(""));
}

#[test]
fn more_attempts_than_the_queue_makes_are_refused() {
    let text = SAMPLE.replace("max_attempts = 10", "max_attempts = 11");
    let problems = problems(&text);
    assert!(problems.contains("pipelines[0].retries.max_attempts"), "{problems}");
    assert!(problems.contains("expected at most 10"), "{problems}");
}

#[test]
fn a_rule_for_a_shop_that_cannot_cancel_is_refused() {
    let without = SAMPLE.lines().filter(|line| !line.starts_with("api =")).collect::<Vec<_>>().join("\n");
    let second = "[[shops]]\ncode = \"acme-us\"\nplatform = \"magento\"\nsecrets = [\"a\"]\n";
    let with_shops = |text: &str, shops: &str| text.replace("{ method = \"banktransfer\"", shops);
    for (text, expected) in [
        (SAMPLE.to_owned(), "no problem"),
        (format!("{second}{SAMPLE}"), "no problem"),
        (without.clone(), "cancel_stale.rules[0]: orders of no shop can be cancelled"),
        (with_shops(&without, "{ shops = [], method = \"banktransfer\""), "orders of no shop can be cancelled"),
        (
            with_shops(&format!("{second}{SAMPLE}"), "{ shops = [\"acme-eu\", \"acme-us\"], method = \"banktransfer\""),
            "cancel_stale.rules[0].shops: orders of the shop \"acme-us\" cannot be cancelled",
        ),
        // What is wrong with the api is said once, at the api.
        (SAMPLE.replace("https://acme-eu.example.com\"", "nowhere\""), "the configuration has 1 problem\n"),
    ] {
        let found = problems(&text);
        assert!(found.contains(expected), "expected {expected}, found {found}");
    }
}

#[test]
fn a_template_with_a_mistake_is_reported_with_its_own_line() {
    let templates = [("erp-order.json.j2".to_owned(), "{\n  {{ order.number }\n}".to_owned())].into_iter().collect();
    let invalid = parse("ordersync.toml", SAMPLE, &templates, 10).unwrap_err();
    let [problem] = invalid.0.as_slice() else { panic!("one problem: {invalid}") };
    assert!(problem.message.contains("erp-order.json.j2:2"), "{problem}");
    assert!(problem.path.starts_with("pipelines[0].format"), "{problem}");
}

#[test]
fn other_files_are_named_by_the_document() {
    let with_ca = SAMPLE.replace("[egress]\n", "[egress]\nca = \"company.pem\"\n");
    assert_eq!(
        parse::file_names::<Config>(&with_ca),
        BTreeSet::from(["company.pem".to_owned(), "erp-order.json.j2".to_owned()])
    );
    assert_eq!(parse::file_names::<Config>("not toml"), BTreeSet::new());
}

#[test]
fn every_example_loads() {
    let examples = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples");
    let mut count = 0;
    for example in std::fs::read_dir(examples).unwrap() {
        let path = example.unwrap().path();
        if path.join("ordersync.toml").is_file() {
            load_directory::<Config>(&path, 10).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            count += 1;
        }
    }
    assert!(count >= 7, "one for each platform and the quickstart");
}

#[test]
fn a_location_is_a_bundled_directory_or_a_prefix_in_a_bucket() {
    let root = std::path::Path::new("/var/task");
    let s3 = |bucket: &str, prefix: &str| Location::S3 { bucket: bucket.into(), prefix: prefix.into() };
    for (uri, expected) in [
        (None, Some(Location::Directory("/var/task/config".into()))),
        (Some("s3://acme"), Some(s3("acme", ""))),
        (Some("s3://acme/"), Some(s3("acme", ""))),
        (Some("s3://acme/shops/eu"), Some(s3("acme", "shops/eu/"))),
        (Some("s3://acme/shops/eu/ordersync.toml"), Some(s3("acme", "shops/eu/"))),
        (Some("s3:///eu"), None),
        (Some("https://acme.example.com"), None),
    ] {
        assert_eq!(Location::from_uri(uri, root).ok(), expected, "{uri:?}");
    }
}

#[test]
fn a_format_that_cannot_be_packed_is_a_problem() {
    let text = r#"
[[shops]]
code = "acme"
platform = "shopify"
secrets = ["s"]

[[pipelines]]
code = "lake"
format = { type = "xml" }
transport = { type = "s3", key = "packs/{{ pack.id }}", pack = {} }
"#;
    let problems = parse("ordersync.toml", text, &Files::default(), 10).unwrap_err().to_string();
    assert!(
        problems.contains("transport: pack: documents of this format cannot stand one after another"),
        "{problems}"
    );
    assert!(parse("ordersync.toml", &text.replace("xml", "json"), &Files::default(), 10).unwrap().packs());
}
