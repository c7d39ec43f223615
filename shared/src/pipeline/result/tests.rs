//! Documents of results, and what is read from them.

mod hostile;
mod settings;

use toml::de::DeTable;

use super::*;
use crate::config::document::{Problem, Problems, Table};

fn load(settings: &str) -> (Option<Responses>, Vec<Problem>) {
    let text = format!("responses = {{ {settings} }}\n");
    let document = DeTable::parse(&text).unwrap();
    let problems = Problems::new("ordersync.toml", &text);
    let node = Table::root(document.get_ref(), &problems).get("responses").unwrap();
    let responses = super::read(&node, Some("erp"));
    (responses, problems.into_sorted())
}

fn responses(settings: &str) -> Responses {
    let (responses, problems) = load(settings);
    assert_eq!(problems, []);
    responses.unwrap()
}

/// Each result in a few words: what became of the order, or what is wrong with it.
fn words(settings: &str, document: impl AsRef<[u8]>) -> Vec<String> {
    let results = responses(settings).read(document.as_ref());
    results.unwrap_or_else(|bad| panic!("{bad}")).iter().map(|result| in_words(result.as_ref())).collect()
}

fn in_words(result: Result<&Said, &BadResult>) -> String {
    match result {
        Ok(Said { about, external_id, word }) => {
            let shop = about.shop.as_ref().map(|shop| format!("{shop} ")).unwrap_or_default();
            let id = external_id.as_ref().map(|id| format!(" as {id}")).unwrap_or_default();
            match word {
                Word::Taken => format!("{shop}{} taken{id}", about.order),
                Word::Refused(None) => format!("{shop}{} refused{id}", about.order),
                Word::Refused(Some(why)) => format!("{shop}{} refused{id}: {why}", about.order),
            }
        }
        Err(BadResult { order, path, reason }) => {
            format!("{} bad at {path:?}: {reason}", order.as_deref().unwrap_or("?"))
        }
    }
}

fn refusal(settings: &str, document: impl AsRef<[u8]>) -> String {
    responses(settings).read(document.as_ref()).expect_err("no results").to_string()
}

const JSON: &str =
    r#"type = "json", order = "/orderNumber", shop = "/shop", external_id = "/erpId", message = "/error""#;

#[test]
fn a_list_in_json() {
    let document = r#"{"sent": "2026-08-01", "results": [
        {"orderNumber": "1001", "erpId": "E-1"},
        {"orderNumber": 1002, "erpId": 90071992547409931234, "error": null},
        {"orderNumber": " 1003 ", "shop": "acme-eu", "error": "no such\ncustomer"},
        {"orderNumber": "1004", "erpId": "", "error": "", "shop": ""},
        {"orderNumber": "1005", "erpId": "E-5", "error": false}
    ]}"#;
    let expected = [
        "1001 taken as E-1",
        "1002 taken as 90071992547409931234",
        "acme-eu 1003 refused: no such customer",
        "1004 taken",
        "1005 taken as E-5",
    ];
    assert_eq!(words(&format!("{JSON}, results = \"/results\""), document), expected);
}

#[test]
fn the_places_of_results_in_json() {
    let one = r#"{"orderNumber": "1"}"#;
    for (results, document, expected) in [
        (None, one.to_owned(), vec!["1 taken"]),
        (None, format!(" [{one}, {one}]\n"), vec!["1 taken", "1 taken"]),
        (None, "[]".to_owned(), vec![]),
        (None, format!("\u{feff}{one}"), vec!["1 taken"]),
        (Some(""), format!("[{one}]"), vec!["1 taken"]),
        (Some("/results"), r#"{"results": []}"#.to_owned(), vec![]),
        (Some("/results"), format!(r#"{{"results": {one}}}"#), vec!["1 taken"]),
        (Some("/a~1b/1/x"), format!(r#"{{"a/b": [0, {{"x": [{one}]}}]}}"#), vec!["1 taken"]),
        // Of several of one name the last counts.
        (Some("/r"), format!(r#"{{"r": [], "\u0072": [{one}]}}"#), vec!["1 taken"]),
        (Some("/r"), format!(r#"{{"r": [{one}], "r": []}}"#), vec![]),
        (None, r#"{"orderNumber": "1", "orderNumber": "2"}"#.to_owned(), vec!["2 taken"]),
    ] {
        let results = results.map(|path| format!(", results = \"{path}\"")).unwrap_or_default();
        assert_eq!(words(&format!("{JSON}{results}"), &document), expected, "{results} in {document}");
    }
    for document in ["{}", "[]", r#"{"results": null}"#, r#"{"results": "1"}"#, r#"{"Results": []}"#, "1"] {
        let refused = refusal(&format!("{JSON}, results = \"/results\""), document);
        assert_eq!(refused, "/results: expected a list of results, or a result", "{document}");
    }
    let names = words(r#"type = "json", order = """#, r#"["1001", 1002, null]"#);
    assert_eq!(names, ["1001 taken", "1002 taken", "? bad at \"\": expected a text or a number"]);
}

#[test]
fn a_result_that_lacks_something_fails_alone() {
    let long = "x".repeat(1901);
    for (result, expected) in [
        ("{}", "? bad at \"/orderNumber\": expected a text or a number"),
        (r#"{"orderNumber": ""}"#, "? bad at \"/orderNumber\": expected a text or a number"),
        (r#"{"orderNumber": true}"#, "? bad at \"/orderNumber\": expected a text or a number"),
        (r#"{"orderNumber": ["1"]}"#, "? bad at \"/orderNumber\": expected a text or a number"),
        (r#"{"orderNumber": "1\u0000"}"#, "? bad at \"/orderNumber\": expected no control characters"),
        (&format!(r#"{{"orderNumber": "{long}"}}"#), "? bad at \"/orderNumber\": expected at most 1900 bytes"),
        (r#"{"orderNumber": "1", "shop": "A#b"}"#, "1 bad at \"/shop\": expected the code of a shop"),
        (r#"{"orderNumber": "1", "shop": []}"#, "1 taken"),
        (r#"{"orderNumber": "1", "shop": [1]}"#, "1 bad at \"/shop\": expected a text or a number"),
        (r#"{"orderNumber": "1", "erpId": {"x": 1}}"#, "1 bad at \"/erpId\": expected a text or a number"),
        (r#"{"orderNumber": "1", "erpId": "a\tb"}"#, "1 bad at \"/erpId\": it has control characters"),
        (
            &format!(r#"{{"orderNumber": "1", "erpId": "{long}"}}"#),
            "1 bad at \"/erpId\": it is longer than 200 characters",
        ),
        (
            r#"{"orderNumber": "1", "error": {"code": 5}}"#,
            "1 bad at \"/error\": expected a text, a number or nothing; else set success",
        ),
        (r#"{"orderNumber": "1", "error": 5}"#, "1 refused: 5"),
    ] {
        let document = format!(r#"[{{"orderNumber": "0"}}, {result}]"#);
        assert_eq!(words(JSON, document), ["0 taken", expected], "{result}");
    }
}

#[test]
fn success_decides_where_it_is_set() {
    let settings = format!("{JSON}, success = \"result.ok == true\"");
    for (result, expected) in [
        (r#"{"orderNumber": "1", "ok": true, "error": "a warning", "erpId": "E"}"#, "1 taken as E"),
        (r#"{"orderNumber": "1", "ok": false}"#, "1 refused"),
        (r#"{"orderNumber": "1", "ok": false, "error": "full", "erpId": "E"}"#, "1 refused as E: full"),
        (r#"{"orderNumber": "1", "ok": false, "error": {"code": 5}}"#, "1 refused"),
    ] {
        assert_eq!(words(&settings, result), [expected], "{result}");
    }
    let undecided = words(r#"type = "json", order = "/o", success = "result.a.b == 1""#, r#"{"o": "1"}"#);
    assert!(undecided[0].starts_with("1 bad at \"\": whether it is a success cannot be decided: "), "{undecided:?}");
    let xml = r#"type = "xml", order = "/no", success = "result['@state'] == 'ok' and result.code == '0'""#;
    assert_eq!(words(xml, "<r state='ok'><no>1</no><code>0</code></r>"), ["1 taken"]);
    assert_eq!(words(xml, "<r state='ok'><no>1</no><code>1</code></r>"), ["1 refused"]);
}

#[test]
fn a_message_is_capped_and_one_line() {
    let settings = r#"type = "json", order = "/o", message = "/m""#;
    let said = words(settings, format!(r#"{{"o": "1", "m": "a\u0000b\u001b\r\n{}"}}"#, "é".repeat(400)));
    assert_eq!(said[0], format!("1 refused: a b   {}", "é".repeat(294)));
}

const XML: &str = r#"type = "xml", order = "/number", external_id = "/@id", message = "/error""#;

#[test]
fn many_results_in_xml() {
    let document = r#"<?xml version="1.0" encoding="UTF-8"?>
<e:responses xmlns:e="https://erp.example.com" at="now"><!-- all of today -->
  <head><response id="none"><number>no result</number></response></head>
  <e:response id="E-1"><number>1001</number><error/></e:response>
  <response e:id="E-2"><e:number> 1002 </e:number></response>
  <response><number>1003</number><error>no &lt;such&gt; <b/>customer</error></response>
  <response id="E-4"><number><![CDATA[10&04]]></number></response>
  <response id="E-5"/>
</e:responses>"#;
    let expected = [
        "1001 taken as E-1",
        "1002 taken as E-2",
        "1003 refused: no <such> customer",
        "10&04 taken as E-4",
        "? bad at \"/number\": expected a text or a number",
    ];
    for results in ["/responses/response", "/e:responses/response", "/*/response", "/responses[1]/response"] {
        assert_eq!(words(&format!("{XML}, results = \"{results}\""), document), expected, "{results}");
    }
    assert_eq!(words(&format!("{XML}, results = \"/responses/response[2]\""), document), ["1002 taken as E-2"]);
    assert_eq!(words(&format!("{XML}, results = \"/responses/head/response\""), document), ["no result taken as none"]);
}

#[test]
fn the_places_of_results_in_xml() {
    let one = "<r><number>1</number></r>";
    for (results, document, expected) in [
        (None, one.to_owned(), vec!["1 taken"]),
        (Some("/r"), one.to_owned(), vec!["1 taken"]),
        (Some("/all/r"), format!("<all>{one}<x>{one}</x>{one}</all>"), vec!["1 taken", "1 taken"]),
        (Some("/all/*"), format!("<all>{one}<s><number>2</number></s></all>"), vec!["1 taken", "2 taken"]),
        (Some("/all/r"), "<all/>".to_owned(), vec![]),
        (Some("/all/day/r"), format!("<all><day>{one}</day><day/><day>{one}</day></all>"), vec!["1 taken", "1 taken"]),
        (Some("/all/day[2]/r[1]"), format!("<all><day/><x/><day>{one}{one}</day></all>"), vec!["1 taken"]),
        // A result in a result is a part of it.
        (Some("/all/r"), format!("<all><r>{one}<number>2</number></r></all>"), vec!["2 taken"]),
    ] {
        let results = results.map(|path| format!(", results = \"{path}\"")).unwrap_or_default();
        assert_eq!(words(&format!("{XML}{results}"), &document), expected, "{results} in {document}");
    }
    for (results, document) in [("/all/r", "<al><r/></al>"), ("/r", "<s/>"), ("/all/day/r", "<all><r/></all>")] {
        let refused = refusal(&format!("{XML}, results = \"{results}\""), document);
        assert_eq!(refused, format!("{results}: expected elements that are results"), "{document}");
    }
    let names = words(r#"type = "xml", order = "/text()", results = "/ok/no""#, "<ok><no>1001</no><no> 1002</no></ok>");
    assert_eq!(names, ["1001 taken", "1002 taken"]);
}

#[test]
fn latin_1_is_read_where_it_is_declared() {
    let document = b"<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?><r><number>1</number><error>J\xf6rg</error></r>";
    assert_eq!(words(XML, document), ["1 refused: Jörg"]);
}

#[test]
fn an_order_response_as_opentrans_has_it() {
    let document = r#"<?xml version="1.0" encoding="UTF-8"?>
<ORDERRESPONSE xmlns="http://www.opentrans.org/XMLSchema/2.1" xmlns:bmecat="http://www.bmecat.org/bmecat/2005" version="2.1">
  <ORDERRESPONSE_HEADER><ORDERRESPONSE_INFO>
    <ORDER_ID>1001</ORDER_ID><SUPPLIER_ORDER_ID>E-1</SUPPLIER_ORDER_ID>
    <REMARKS type="rejection">out of stock</REMARKS>
  </ORDERRESPONSE_INFO></ORDERRESPONSE_HEADER>
</ORDERRESPONSE>"#;
    let settings = r#"type = "xml", order = "/ORDERRESPONSE_HEADER/ORDERRESPONSE_INFO/ORDER_ID",
        external_id = "/ORDERRESPONSE_HEADER/ORDERRESPONSE_INFO/SUPPLIER_ORDER_ID",
        message = "/ORDERRESPONSE_HEADER/ORDERRESPONSE_INFO/REMARKS""#;
    assert_eq!(words(&settings.replace('\n', " "), document), ["1001 refused as E-1: out of stock"]);
}

#[test]
fn documents_are_known_by_their_media_type() {
    let (json, xml) = (responses(JSON), responses(XML));
    for (content_type, is_json, is_xml) in [
        (None, true, true),
        (Some("application/json"), true, false),
        (Some("text/JSON; charset=utf-8"), true, false),
        (Some("application/problem+json"), true, false),
        (Some("application/xml"), false, true),
        (Some("text/xml;charset=UTF-8"), false, true),
        (Some("application/soap+xml"), false, true),
        (Some("application/notjson"), false, false),
        (Some("json"), false, false),
        (Some("text/plain"), false, false),
        (Some(""), false, false),
    ] {
        assert_eq!((json.takes(content_type), xml.takes(content_type)), (is_json, is_xml), "{content_type:?}");
    }
}

#[test]
fn the_examples_of_the_guide_are_read() {
    let guide = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/later-responses.md")).unwrap();
    let (mut settings, mut count) = (None, 0);
    for (number, block) in guide.split("```").enumerate().filter(|(number, _)| number % 2 == 1) {
        let (language, text) = block.split_once('\n').unwrap();
        match language {
            "toml" => settings = text.split_once("[pipelines.responses]\n").map(|(_, table)| responses_of(table)),
            "xml" | "json" => {
                // What else is there in JSON is not the back office's.
                let Some(responses) = settings.take() else { continue };
                let results = responses.read(text.as_bytes()).unwrap();
                assert!(results.iter().all(Result::is_ok) && !results.is_empty(), "block {number}: {results:?}");
                count += results.len();
            }
            _ => {}
        }
    }
    assert_eq!(count, 6);
}

/// The responses of a table as a document has it.
fn responses_of(table: &str) -> Responses {
    let text = format!("[responses]\n{table}");
    let document = DeTable::parse(&text).unwrap();
    let problems = Problems::new("ordersync.toml", &text);
    let responses = super::read(&Table::root(document.get_ref(), &problems).get("responses").unwrap(), Some("erp"));
    assert_eq!(problems.into_sorted(), [], "{table}");
    responses.unwrap()
}
