use proptest::prelude::*;
use serde_json::json;

use super::super::path::Path;
use super::super::read::parse;
use super::*;

const ANSWER: &str = r#"<?xml version="1.0"?>
<!-- ok --><s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>
  <response status="ok" s:code="0">
    <order id="77"><id> A&amp;1 </id><line>a</line><line>b</line></order>
    <order id="78"><id><![CDATA[<2>]]></id><note/></order>
    <mixed>one<br/>two&#33;</mixed>
  </response>
</s:Body></s:Envelope>
"#;

#[test]
fn paths_lead_to_texts_and_attributes() {
    let root = parse(ANSWER).unwrap();
    for (path, expected) in [
        ("/Envelope/Body/response/order/id", Some("A&1")),
        ("/s:Envelope/s:Body/response/order[2]/id", Some("<2>")),
        ("/s:Envelope/s:Body/response/order[2]/id/text()", Some("<2>")),
        ("/*/*/response/@status", Some("ok")),
        ("/Envelope/Body/response/@code", Some("0")),
        ("/Envelope/Body/response/@s:code", Some("0")),
        ("/Envelope/Body/response/order[2]/@id", Some("78")),
        ("/Envelope/Body/response/order/line[2]", Some("b")),
        ("/Envelope/Body/response/mixed", Some("onetwo!")),
        ("/Envelope/Body/response/order[2]/note", Some("")),
        ("/Envelope/Body/response/order/note", Some("")),
        ("/Envelope/Body/response/order[3]/id", None),
        ("/Envelope/Body/response/missing", None),
        ("/Envelope/Body/response/@missing", None),
        ("/response/order/id", None),
        ("/x:Envelope/Body", None),
    ] {
        let found = Path::parse(path).unwrap().find(&root);
        assert_eq!(found.as_deref(), expected, "{path}");
    }
}

#[test]
fn what_is_no_path_is_refused() {
    for path in [
        "",
        "/",
        "//id",
        "id",
        "/a/",
        "/a//b",
        "/a/b[0]",
        "/a/b[-1]",
        "/a/b[last()]",
        "/a/b[x='1']",
        "/a/@",
        "/@id",
        "/a/@id/b",
        "/a b",
        "/a/..",
        "/a/1b",
        "/a[1",
        "/a[+1]",
        "/a:",
        "/text()",
    ] {
        assert_eq!(Path::parse(path), None, "{path}");
    }
}

#[test]
fn a_document_as_json() {
    let root = parse(ANSWER).unwrap();
    let expected = json!({
        "Body": {
            "response": {
                "@status": "ok", "@code": "0",
                "order": [
                    {"@id": "77", "id": "A&1", "line": ["a", "b"]},
                    {"@id": "78", "id": "<2>", "note": ""},
                ],
                "mixed": {"br": "", "#text": "onetwo!"},
            }
        }
    });
    assert_eq!(root.to_json(), expected);
    assert_eq!(parse("<ok/>").unwrap().to_json(), json!(""));
}

#[test]
fn what_is_not_well_formed_or_declares_entities_is_refused() {
    let nested = |depth: usize| "<a>".repeat(depth) + &"</a>".repeat(depth);
    assert!(parse(&nested(100)).is_ok());
    let deep = nested(101);
    for (text, expected) in [
        ("<!DOCTYPE a [<!ENTITY x \"y\">]><a>&x;</a>", "document type"),
        ("<!DOCTYPE a SYSTEM \"file:///etc/passwd\"><a/>", "document type"),
        ("<a>&nbsp;</a>", "an entity that XML does not know"),
        ("<a>&#0;</a>", "no character"),
        ("<a b=\"&x;\"/>", "an attribute"),
        ("<a b=\"1\" b=\"2\"/>", "an attribute"),
        ("<a><b></a>", "not well-formed"),
        ("<a>", "breaks off"),
        ("<a", "not well-formed"),
        ("<a/><b/>", "second root"),
        ("text", "text outside"),
        ("<a/>text", "text outside"),
        ("</a>", "not well-formed"),
        ("<?xml version=\"1.0\"?>", "breaks off"),
        (&deep, "too deeply"),
    ] {
        let wrong = parse(text).unwrap_err();
        assert!(wrong.contains(expected), "{text}: {wrong}");
    }
}

#[test]
fn latin_1_is_read_where_it_is_declared() {
    let latin = b"<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?><a>J\xf6rg</a>";
    assert_eq!(parse(&decode(latin).unwrap()).unwrap().text, "Jörg");
    assert_eq!(decode(b"<a>J\xf6rg</a>"), None);
    assert_eq!(decode("\u{feff}<a>Jörg</a>".as_bytes()).unwrap(), "<a>Jörg</a>");
}

proptest! {
    #[test]
    fn no_document_makes_the_parser_panic(text: String, markup in "[<>/!?&;#a-c\"'= \\[\\]-]{0,60}") {
        for text in [text, markup] {
            if let Ok(root) = parse(&text) {
                root.to_json();
            }
        }
    }

    #[test]
    fn no_path_makes_the_parser_panic(text: String, near in "[/@a-b\\[\\]0-2*:.()]{0,20}") {
        let root = parse(ANSWER).unwrap();
        for path in [text, near].iter().filter_map(|text| Path::parse(text)) {
            path.find(&root);
        }
    }
}
