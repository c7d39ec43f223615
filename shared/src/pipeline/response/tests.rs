//! Answers, and what becomes of them.

use toml::de::DeTable;

use super::*;
use crate::config::document::{Problem, Problems};
use crate::pipeline::Retry;
use crate::pipeline::transport::BodyEnd;

fn load(settings: &str) -> (Option<Box<dyn ResponseReader>>, Vec<Problem>) {
    let text = format!("response = {{ {settings} }}\n");
    let document = DeTable::parse(&text).unwrap();
    let problems = Problems::new("ordersync.toml", &text);
    let node = Table::root(document.get_ref(), &problems).get("response").unwrap();
    let reader = super::read(&node);
    (reader, problems.into_sorted())
}

fn answer(body: impl AsRef<[u8]>) -> Receipt {
    let headers = [("X-Order-Id", "H-9"), ("X-Result", "ok")].into_iter().collect();
    Receipt {
        destination: "https://erp.example.com/orders".into(),
        status: Some(201),
        headers,
        body: body.as_ref().to_vec(),
        body_end: BodyEnd::Complete,
    }
}

fn read(settings: &str, receipt: &Receipt) -> Result<Option<String>, Failure> {
    let (reader, problems) = load(settings);
    assert_eq!(problems, []);
    reader.unwrap().read(receipt).map(|reading| reading.external_id)
}

fn id(settings: &str, body: &str) -> Option<String> {
    read(settings, &answer(body)).unwrap()
}

fn refused(settings: &str, body: &str) -> (Retry, String) {
    let failure = read(settings, &answer(body)).unwrap_err();
    assert!(failure.response.as_ref().unwrap().starts_with("HTTP 201\n"));
    (failure.retry, failure.on_record())
}

#[test]
fn external_ids_by_json_pointer() {
    for (pointer, body, expected) in [
        ("/id", r#"{"id": "A-1"}"#, Some("A-1")),
        ("/id", r#"{"id": 90071992547409931234}"#, Some("90071992547409931234")),
        ("/order/ids/1", r#"{"order": {"ids": [1, 2]}}"#, Some("2")),
        ("/a~1b", r#"{"a/b": " x "}"#, Some("x")),
        ("", r#""plain""#, Some("plain")),
        ("/id", "\u{feff}{\"id\": 1}\n", Some("1")),
        ("/id", r#"{"id": null}"#, None),
        ("/id", r#"{"id": true}"#, None),
        ("/id", r#"{"id": {"x": 1}}"#, None),
        ("/id", r#"{"id": "  "}"#, None),
        ("/id", r#"{"id": "a\nb"}"#, None),
        ("/id", "{}", None),
        ("/id", "", None),
    ] {
        let settings = format!("type = \"json\", external_id = \"{pointer}\"");
        assert_eq!(id(&settings, body).as_deref(), expected, "{pointer} in {body}");
        if expected.is_none() {
            let (retry, message) = refused(&format!("{settings}, required = true"), body);
            assert_eq!(retry, Retry::No);
            assert!(message.starts_with("the destination answered with 201, but not with a usable external id: "));
        }
    }
}

#[test]
fn external_ids_by_path_and_by_header() {
    let xml = "<?xml version=\"1.0\"?><response><order><id>A-1</id></order></response>";
    assert_eq!(id("type = \"xml\", external_id = \"/response/order/id\"", xml).as_deref(), Some("A-1"));
    assert_eq!(id("type = \"xml\", external_id = \"/response/order/id\"", ""), None);
    assert_eq!(id("type = \"header\", external_id = \"X-Order-ID\"", "anything").as_deref(), Some("H-9"));
    assert_eq!(id("type = \"header\", external_id = \"Location\"", ""), None);
}

#[test]
fn an_external_id_is_taken_whole_or_not_at_all() {
    let settings = "type = \"json\", external_id = \"/id\"";
    let body = |length| format!(r#"{{"id": "{}"}}"#, "é".repeat(length));
    assert_eq!(id(settings, &body(200)).map(|id| id.chars().count()), Some(200));
    assert_eq!(id(settings, &body(201)), None);
}

#[test]
fn a_body_that_denies_success_is_a_failure() {
    let json = "type = \"json\", success = \"response.ok == true\", error = \"/message\"";
    assert_eq!(id(json, r#"{"ok": true}"#), None);
    let denied = refused(json, r#"{"ok": false, "message": "no such\ncustomer"}"#);
    let expected = "the destination answered with 201, but denied success: no such customer";
    assert_eq!(denied, (Retry::No, expected.into()));
    let failure = read(json, &answer(r#"{"ok": false, "message": "no such customer"}"#)).unwrap_err();
    assert!(!failure.message.contains("customer"), "the log does not get the destination's words");
    let denied = refused(&format!("{json}, on_denied = \"retry\""), r#"{"ok": false}"#);
    assert_eq!(denied, (Retry::Backoff, "the destination answered with 201, but denied success".into()));
    let long = refused(json, &format!(r#"{{"ok": false, "message": "{}"}}"#, "x".repeat(5000)));
    assert!(long.1.len() < 400);
    let xml = "type = \"xml\", success = \"response.code == '0'\", error = \"/result/text\"";
    assert_eq!(id(xml, "<result><code>0</code></result>"), None);
    let denied = refused(xml, "<result><code>7</code><text>locked</text></result>");
    assert_eq!(denied.1, "the destination answered with 201, but denied success: locked");
    let header = "type = \"header\", success = \"headers['x-result'] == 'ok' and status == 201\"";
    assert_eq!(id(header, ""), None);
    assert_eq!(refused("type = \"header\", success = \"status == 200\"", "").0, Retry::No);
}

#[test]
fn the_conditions_of_the_guide_hold() {
    let xml = "<result code=\"0\"><order id=\"7\">A-1</order><line>a</line><line>b</line></result>";
    for (kind, success, body) in [
        ("json", "response.errors | length == 0", r#"{"errors": []}"#),
        ("json", "response.warning is not defined", "{}"),
        ("json", "response.ids[0] > 90071992547409931233", r#"{"ids": [90071992547409931234]}"#),
        ("xml", "response['@code'] == '0'", xml),
        ("xml", "response.order['#text'] == 'A-1' and response.order['@id'] == '7'", xml),
        ("xml", "response.line[1] == 'b'", xml),
        ("header", "status == 201 and headers['x-result'] == 'ok'", ""),
    ] {
        assert_eq!(id(&format!("type = \"{kind}\", success = \"{success}\""), body), None, "{success}");
    }
}

#[test]
fn a_success_that_cannot_be_decided_is_denied() {
    let settings = "type = \"json\", success = \"response.result.ok\"";
    for body in ["", "{}", "[]", r#"{"result": {}}"#] {
        let (retry, message) = refused(settings, body);
        assert_eq!(retry, Retry::No);
        assert!(message.contains("denied success: \"success\" cannot be decided: "), "{body}: {message}");
    }
}

#[test]
fn a_body_that_cannot_be_read_is_a_failure_that_is_not_repeated() {
    let html = "<!DOCTYPE html><html><body>Please log in</body></html>";
    for (settings, body, expected) in [
        ("type = \"json\", external_id = \"/id\"", html, "but not with JSON that can be read: line 1, column 1"),
        (
            "type = \"json\", external_id = \"/id\"",
            "{\"id\": 1",
            "but not with JSON that can be read: line 1, column 8",
        ),
        ("type = \"xml\", external_id = \"/a\"", html, "but not with XML that can be read: it has a document type"),
        ("type = \"xml\", external_id = \"/a\"", "{}", "but not with XML that can be read: it has text outside"),
    ] {
        let (retry, message) = refused(settings, body);
        assert_eq!(retry, Retry::No);
        assert!(message.contains(expected), "{message}");
    }
    let capped = Receipt { body_end: BodyEnd::Capped, ..answer("{\"id\": 1") };
    let failure = read("type = \"json\", external_id = \"/id\"", &capped).unwrap_err();
    assert_eq!(failure.retry, Retry::No);
    assert!(failure.message.ends_with("that can be read: it is longer than 64 KiB"), "{failure}");
}

#[test]
fn a_body_that_broke_off_is_asked_for_again_only_where_it_decides() {
    let broken = Receipt { body_end: BodyEnd::Broken, ..answer("{\"id\": 1}") };
    for (settings, decides) in [
        ("type = \"json\", external_id = \"/id\"", false),
        ("type = \"json\", external_id = \"/id\", required = true", true),
        ("type = \"json\", success = \"response.id == 1\"", true),
        ("type = \"xml\", external_id = \"/id\"", false),
        ("type = \"xml\", external_id = \"/id\", required = true", true),
    ] {
        match read(settings, &broken) {
            Ok(id) => assert!(!decides && id.is_none(), "{settings}"),
            Err(failure) => {
                assert!(decides, "{settings}");
                assert_eq!(failure.retry, Retry::Backoff);
                assert_eq!(failure.message, "the destination answered with 201, but the answer broke off");
            }
        }
    }
    let header = read("type = \"header\", external_id = \"X-Order-Id\", required = true", &broken);
    assert_eq!(header, Ok(Some("H-9".into())));
}

#[test]
fn settings_that_are_not_as_expected() {
    for (settings, expected) in [
        (r#"external_id = "/id""#, "response: the key \"type\" is missing"),
        (r#"type = "yaml""#, "response.type: expected one of \"json\", \"xml\", \"header\", found the string \"yaml\""),
        (r#"type = "json""#, "response: there is nothing to read: the key \"external_id\" is missing"),
        (
            r#"type = "json", success = "response.ok", required = true"#,
            "response: there is nothing to read: the key \"external_id\" is missing",
        ),
        (
            r#"type = "json", external_id = "id""#,
            "response.external_id: expected a JSON pointer such as \"/order/id\", found the string \"id\"",
        ),
        (
            r#"type = "xml", external_id = "//id""#,
            "response.external_id: expected a path such as \"/response/order[1]/id\" or \"/response/order/@id\", found the string \"//id\"",
        ),
        (
            r#"type = "header", external_id = "X Id""#,
            "response.external_id: expected the name of a header such as \"X-Order-Id\", found the string \"X Id\"",
        ),
        (
            r#"type = "json", external_id = "/id", error = "/e""#,
            "response.error: this has no effect without the key \"success\"",
        ),
        (
            r#"type = "json", success = "response.ok", on_denied = "skip""#,
            "response.on_denied: expected one of \"fail\", \"retry\", found the string \"skip\"",
        ),
        (
            r#"type = "json", external_id = "/id", path = "/x""#,
            "response.path: unknown key, expected one of: error, external_id, on_denied, required, success, type",
        ),
    ] {
        let problems: Vec<_> =
            load(settings).1.iter().map(|problem| format!("{}: {}", problem.path, problem.message)).collect();
        assert_eq!(problems, [expected]);
    }
    let (_, problems) = load("type = \"json\", success = \"response.ok ==\"");
    assert_eq!(problems.len(), 1);
    assert_eq!(problems[0].path, "response.success");
}
