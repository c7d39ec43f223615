//! Documents that were made to harm.

use std::fmt::Write as _;

use proptest::prelude::*;

use super::*;

const ROWS: &str = r#"type = "json", order = "/o", results = "/r""#;
const ELEMENTS: &str = r#"type = "xml", order = "/o", results = "/all/r""#;

#[test]
fn what_is_no_json_is_refused_as_a_whole() {
    for (document, expected) in [
        (&b""[..], "it is empty"),
        (b" \n ", "it is empty"),
        (b"{\"r\": [{\"o\": \"1\"}", "it is no JSON that can be read: line 1, column 17"),
        (b"{\"r\": [{\"o\": \"1\"}]} x", "it is no JSON that can be read: line 1, column 21"),
        (b"{'r': []}", "it is no JSON that can be read: line 1, column 2"),
        (b"{\"r\": [01]}", "it is no JSON that can be read: line 1, column 9"),
        (b"{\"r\": [NaN]}", "it is no JSON that can be read: line 1, column 8"),
        (b"\xff\xfe{\0}\0", "it is no JSON that can be read: it is not in UTF-8"),
        (b"{\"r\": \"\0\"}", "it is no JSON that can be read: line 1, column 7"),
        (b"\0", "it is no JSON that can be read: line 1, column 1"),
        (b"\x1f\x8b\x08", "it is no JSON that can be read: it is not in UTF-8"),
    ] {
        assert_eq!(refusal(ROWS, document), expected, "{}", String::from_utf8_lossy(document));
    }
}

#[test]
fn what_is_no_xml_is_refused_as_a_whole() {
    for (document, expected) in [
        ("<!DOCTYPE all [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b \"&a;&a;\">]><all><r>&b;</r></all>", "document type"),
        ("<!DOCTYPE all SYSTEM \"file:///etc/passwd\"><all/>", "document type"),
        ("<all><r><o>&x;</o></r></all>", "an entity that XML does not know"),
        ("<all>&x;<r/></all>", "an entity that XML does not know"),
        ("<all><r><o>1</o></r>", "breaks off"),
        ("<all><r><o>1</o></r></all><all/>", "second root"),
        ("<all><r><o>1</r></all>", "not well-formed"),
        ("<all a=\"1\" a=\"2\"><r/></all>", "an attribute"),
        ("<all><x a=1/></all>", "an attribute"),
        ("{}", "text outside"),
        ("<all></all></all>", "not well-formed"),
    ] {
        let wrong = refusal(ELEMENTS, document);
        assert!(wrong.starts_with("it is no XML that can be read: it ") || wrong.contains(" an attribute "), "{wrong}");
        assert!(wrong.contains(expected), "{document}: {wrong}");
    }
    assert_eq!(refusal(ELEMENTS, b"<all>\xff</all>"), "it is no XML that can be read: it is not in UTF-8");
}

#[test]
fn depth_is_limited() {
    let deep = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
    let too_deep = "? bad at \"\": it is nested too deeply, or has text that is none";
    for depth in [200, 100_000] {
        let document = format!(r#"{{"r": [{{"o": "1"}}, {}, {{"o": "2"}}]}}"#, deep(depth));
        assert_eq!(words(ROWS, document), ["1 taken", too_deep, "2 taken"]);
        let document = format!(r#"{{"x": {}, "r": [{{"o": "1"}}]}}"#, deep(depth));
        assert_eq!(words(ROWS, document), ["1 taken"], "what is beside the results is not looked at");
    }
    for document in [
        format!("<all><r>{}{}</r></all>", "<a>".repeat(100), "</a>".repeat(100)),
        format!("<all>{}{}</all>", "<a>".repeat(100_000), "</a>".repeat(100_000)),
    ] {
        assert!(refusal(ELEMENTS, document).contains("it is nested too deeply"));
    }
}

#[test]
fn half_a_character_fails_its_result_alone() {
    let document = r#"{"r": [{"o": "\ud800"}, {"o": "2"}]}"#;
    assert_eq!(words(ROWS, document)[1], "2 taken");
}

#[test]
fn numbers_keep_their_digits_however_many() {
    let document = r#"{"r": [{"o": 1e400}, {"o": -0.10}, {"o": 00}]}"#;
    assert!(refusal(ROWS, document).contains("no JSON"));
    assert_eq!(words(ROWS, r#"{"r": [{"o": 1e400}, {"o": -0.10}]}"#), ["1e+400 taken", "-0.10 taken"]);
    let digits = "9".repeat(2_000_000);
    let huge = words(ROWS, format!(r#"{{"r": [{{"o": {digits}}}, {{"o": "2"}}]}}"#));
    assert_eq!(huge, ["? bad at \"\": it is larger than 1 MiB", "2 taken"]);
    let long = words(ROWS, format!(r#"{{"r": [{{"o": {}}}]}}"#, &digits[..5000]));
    assert_eq!(long, ["? bad at \"/o\": expected at most 1900 bytes"]);
}

#[test]
fn more_results_than_there_may_be_are_refused_as_a_whole() {
    let json = |count: usize| format!("{{\"r\": [{}]}}", vec!["{\"o\":1}"; count].join(","));
    let xml = |count: usize| format!("<all>{}</all>", "<r><o>1</o></r>".repeat(count));
    assert_eq!(words(ROWS, json(MOST_RESULTS)).len(), MOST_RESULTS);
    assert_eq!(refusal(ROWS, json(MOST_RESULTS + 1)), "/r: expected at most 50000 results");
    assert_eq!(words(ELEMENTS, xml(MOST_RESULTS)).len(), MOST_RESULTS);
    assert_eq!(refusal(ELEMENTS, xml(MOST_RESULTS + 1)), "/all/r: expected at most 50000 results");
}

#[test]
fn a_large_result_fails_alone_and_what_is_beside_the_results_is_not_kept() {
    let crowd = "<x/>".repeat(60_000);
    let document = format!("<all>{crowd}<r><o>1</o></r><r>{crowd}<o>2</o></r><r><o>3</o></r></all>");
    let too_large = "? bad at \"\": it has more than 50000 elements and attributes";
    assert_eq!(words(ELEMENTS, document), ["1 taken", too_large, "3 taken"]);
    let attributes = (0..1001).fold(String::new(), |mut all, n| {
        write!(all, " a{n}=\"\"").expect("a string takes everything");
        all
    });
    for document in [format!("<all{attributes}><r/></all>"), format!("<all><r{attributes}/></all>")] {
        assert!(refusal(ELEMENTS, document).contains("an element has more than 1000 attributes"));
    }
}

proptest! {
    #[test]
    fn no_document_makes_a_reader_panic(text: String, json in "[\\[\\]{}:,\"or1e. \\\\u0]{0,60}", xml in "(<|</|>|/>|all|r|o|&|;|1|=|\"| |<!--|-->|<\\?|\\?>|\\]\\]>|<!\\[CDATA\\[){0,40}") {
        for settings in [ROWS, ELEMENTS] {
            let responses = responses(settings);
            for text in [&text, &json, &xml] {
                if let Ok(results) = responses.read(text.as_bytes()) {
                    prop_assert!(results.len() <= text.len());
                }
            }
        }
    }

    /// Results are read one by one as they would be from the whole document.
    #[test]
    fn a_list_is_read_as_the_whole_document_would_be(names in proptest::collection::vec("[a-z0-9#/-]{1,12}", 0..20)) {
        let list: Vec<_> = names.iter().map(|name| serde_json::json!({ "o": name, "r": [{ "o": "no" }] })).collect();
        let expected: Vec<_> = names.iter().map(|name| format!("{name} taken")).collect();
        prop_assert_eq!(words(ROWS, serde_json::json!({ "r": list }).to_string()), expected.clone());
        let list: Vec<_> = names.iter().map(|name| format!("<r><r><o>no</o></r><o>{name}</o></r>")).collect();
        prop_assert_eq!(words(ELEMENTS, format!("<all>{}</all>", list.concat())), expected);
    }
}
