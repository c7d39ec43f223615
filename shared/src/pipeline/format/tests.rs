use proptest::prelude::*;
use toml::de::DeTable;

use super::*;
use crate::config::document::{Problem, Problems};
use crate::order::Order;
use crate::template::sample::{any_order, order};
use crate::webhook::Headers;

const TEMPLATES: [(&str, &str); 5] = [
    ("good.json.j2", "{ \"no\": {{ order.number }}, \"total\": {{ order.total }} }"),
    ("quoted.json.j2", "{\n  \"no\": \"{{ order.number }}\"\n}"),
    ("bad.json.j2", "{\n{{ order.total"),
    ("good.xml.j2", "<o no=\"{{ order.number }}\">{{ order.items[1].name }}</o>"),
    ("twice.xml.j2", "<o/>\n<o/>"),
];

/// The format, or what is wrong with it.
fn format(settings: &str) -> Result<Box<dyn Format>, Vec<Problem>> {
    let text = format!("format = {settings}");
    let templates = TEMPLATES.iter().map(|(name, source)| ((*name).to_owned(), (*source).to_owned())).collect();
    let document = DeTable::parse(&text).unwrap();
    let problems = Problems::new("ordersync.toml", &text);
    let table = Table::root(document.get_ref(), &problems);
    let format = table.get("format").and_then(|node| read(&node, &templates));
    let found = problems.into_sorted();
    if found.is_empty() { Ok(format.unwrap()) } else { Err(found) }
}

fn document(settings: &str, order: &Order) -> Result<Document, Failure> {
    let headers = Headers::default();
    let export = Export { pipeline: "erp", order, raw: b"{}", headers: &headers, idempotency_key: "k" };
    format(settings).unwrap().render(export)
}

fn text(settings: &str, order: &Order) -> String {
    String::from_utf8(document(settings, order).unwrap().body).unwrap()
}

#[test]
fn documents_of_the_sample_order() {
    for (name, settings) in [
        ("json", r#"{ type = "json", pretty = true }"#),
        ("xml", r#"{ type = "xml", root = "Order" }"#),
        ("csv", r#"{ type = "csv" }"#),
        ("csv_orders", r#"{ type = "csv", rows = "order", delimiter = ";", quotes = "always", line_ending = "lf" }"#),
        ("csv_columns", CSV_COLUMNS),
        ("template_json", r#"{ type = "template", template = "good.json.j2" }"#),
        ("template_xml", r#"{ type = "template", template = "good.xml.j2", media_type = "text/xml" }"#),
    ] {
        let document = document(settings, &order()).unwrap();
        let body = String::from_utf8(document.body).unwrap();
        // As literals line by line: control characters and line endings are part of what is tested.
        let lines: Vec<String> =
            body.split('\n').map(|line| line.escape_debug().to_string().replace("\\\"", "\"")).collect();
        insta::assert_snapshot!(name, format!("{}\n\n{}", document.media_type, lines.join("\n")));
    }
}

const CSV_COLUMNS: &str = r#"{ type = "csv", header = false, columns = [
    "row",
    { header = "Name", value = "item.name | one_line" },
    { header = "Price", value = "item.unit_price | money(sep=',')" },
    { header = "Total", value = "-order.total" },
    { header = "Phone", value = "order.customer.phone" },
    { header = "Gift", value = "'yes' if order.extra.gift else 'no'" },
    "order.billing.company", "pipeline", "order.extra.rate",
] }"#;

#[test]
fn problems_are_found_when_the_configuration_is_loaded() {
    for (settings, path, expected) in [
        (r#"{ type = "yaml" }"#, "format.type", r#"one of "template", "json", "xml", "csv", "raw""#),
        ("{}", "format", "\"type\" is missing"),
        ("3", "format", "expected a table"),
        (r#"{ type = "json", preti = true }"#, "format.preti", "unknown key, expected one of: pretty, type"),
        (r#"{ type = "raw", template = "x" }"#, "format.template", "unknown key"),
        (r#"{ type = "xml", root = "1a" }"#, "format.root", "a name for an XML element"),
        (r#"{ type = "template" }"#, "format", "\"template\" is missing"),
        (r#"{ type = "template", template = "no.j2" }"#, "format.template", "is not beside the configuration"),
        (r#"{ type = "template", template = "bad.json.j2" }"#, "format.template", "bad.json.j2:2: syntax error"),
        (r#"{ type = "template", template = "good.json.j2", media_type = "x" }"#, "format.media_type", "a media type"),
        (r#"{ type = "csv", columns = [] }"#, "format", "at least one column"),
        (r#"{ type = "csv", columns = ["order.no"] }"#, "format.columns[0]", "`order.no` does not exist"),
        (r#"{ type = "csv", columns = ["item.no"] }"#, "format.columns[0]", "`item.no` does not exist"),
        (r#"{ type = "csv", columns = ["a b"] }"#, "format.columns[0]", "a name such as"),
        (r#"{ type = "csv", rows = "order", columns = ["item.sku"] }"#, "format.columns[0]", "unknown name `item`"),
        (
            r#"{ type = "csv", columns = [{ header = "a", value = "order.total |" }] }"#,
            "format.columns[0].value",
            "syntax",
        ),
        (r#"{ type = "csv", columns = [{ value = "1", x = 2 }] }"#, "format.columns[0].x", "unknown key"),
        (r#"{ type = "csv", delimiter = ";;" }"#, "format.delimiter", "one ASCII character"),
        (r#"{ type = "csv", line_ending = "cr" }"#, "format.line_ending", r#"one of "crlf", "lf""#),
        (r#"{ type = "csv", quotes = "no" }"#, "format.quotes", r#"one of "necessary", "always""#),
    ] {
        let problems = format(settings).unwrap_err();
        let fits = |problem: &Problem| problem.path == path && problem.message.contains(expected);
        assert!(problems.iter().any(fits), "{settings}: {problems:?}");
    }
}

#[test]
fn a_template_that_renders_nonsense_fails_for_good_and_shows_no_data() {
    for (settings, expected) in [
        (
            r#"{ type = "template", template = "quoted.json.j2" }"#,
            "quoted.json.j2: the result is not valid JSON: expected",
        ),
        (r#"{ type = "template", template = "twice.xml.j2" }"#, "a second root element at line 2"),
        (
            r#"{ type = "csv", columns = [{ header = "T", value = "order.extra.tags" }] }"#,
            "column \"T\":1: a list has no text",
        ),
    ] {
        let failure = document(settings, &order()).unwrap_err();
        assert_eq!(failure.retry, crate::pipeline::Retry::No);
        assert!(failure.message.contains(expected) && !failure.message.contains("1001"), "{}", failure.message);
    }
}

#[test]
fn an_order_without_items_is_a_header_and_no_lines() {
    let empty = Order { items: Vec::new(), ..order() };
    assert_eq!(text(r#"{ type = "csv", columns = ["row", "item.sku"] }"#, &empty), "row,item.sku\r\n");
}

#[test]
fn formulas_are_written_as_they_are_where_that_is_wanted() {
    let columns = r#"columns = [{ header = "x", value = "order.customer.phone" }], rows = "order", header = false"#;
    assert_eq!(text(&format!(r#"{{ type = "csv", {columns} }}"#), &order()), "'+49 30 123456\r\n");
    assert_eq!(
        text(&format!(r#"{{ type = "csv", guard_formulas = false, {columns} }}"#), &order()),
        "+49 30 123456\r\n"
    );
}

#[test]
fn raw_hands_on_the_body_and_the_webhooks_own_headers() {
    let headers: Headers = [
        ("X-Shopify-Hmac-Sha256", "c2ln"),
        ("X-Shopify-Topic", "orders/create"),
        ("User-Agent", "Shopify-Captain-Hook"),
        ("Content-Type", "application/json; charset=utf-8"),
        ("Content-Length", "3"),
        ("Host", "api.example.com"),
        ("Authorization", "Bearer x"),
        ("Cookie", "a=b"),
        ("Connection", "keep-alive, X-Hop"),
        ("Keep-Alive", "5"),
        ("X-Hop", "1"),
        ("X-Forwarded-For", "203.0.113.7"),
        ("Proxy-Authorization", "x"),
        ("Transfer-Encoding", "chunked"),
    ]
    .into_iter()
    .collect();
    let order = order();
    let export = Export { pipeline: "erp", order: &order, raw: b"\xFF\x00{", headers: &headers, idempotency_key: "k" };
    let document = format(r#"{ type = "raw" }"#).unwrap().render(export).unwrap();
    assert_eq!(document.body, b"\xFF\x00{");
    assert_eq!(document.media_type, "application/json; charset=utf-8");
    let names: Vec<&str> = document.headers.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["user-agent", "x-shopify-hmac-sha256", "x-shopify-topic"]);
}

proptest! {
    #[test]
    fn json_reads_back_as_the_same_order(order in any_order()) {
        for settings in [r#"{ type = "json" }"#, r#"{ type = "json", pretty = true }"#] {
            let read: Order = serde_json::from_str(&text(settings, &order)).unwrap();
            prop_assert_eq!(&read, &order);
        }
    }

    #[test]
    fn xml_is_well_formed_whatever_the_order(order in any_order()) {
        prop_assert_eq!(well_formed::xml(&text(r#"{ type = "xml" }"#, &order)), Ok(()));
        let rendered = document(r#"{ type = "template", template = "good.xml.j2" }"#, &order);
        prop_assert!(rendered.is_ok() || order.items.len() < 2, "{:?}", rendered);
    }

    #[test]
    fn csv_reads_back_with_every_column(order in any_order(), delimiter in proptest::sample::select(&[',', ';', '|'][..])) {
        let csv = text(&format!(r#"{{ type = "csv", delimiter = "{delimiter}" }}"#), &order);
        let mut reader = ::csv::ReaderBuilder::new().delimiter(delimiter as u8).from_reader(csv.as_bytes());
        let rows: Vec<_> = reader.records().collect::<Result<_, _>>().unwrap();
        prop_assert_eq!(rows.len(), order.items.len());
        for (row, item) in rows.iter().zip(&order.items) {
            prop_assert_eq!(row.len(), 13);
            let sku = item.sku.clone().unwrap_or_default();
            prop_assert_eq!(&row[10], &*crate::template::guard_formula(&sku));
        }
    }
}

#[test]
fn which_formats_can_be_packed() {
    for (settings, expected) in [
        (r#"{ type = "json" }"#, Ok(Packing::Lines)),
        (r#"{ type = "raw" }"#, Ok(Packing::Lines)),
        (r#"{ type = "template", template = "quoted.json.j2" }"#, Ok(Packing::Lines)),
        (
            r#"{ type = "csv", columns = ["order.id"], delimiter = ";" }"#,
            Ok(Packing::Text { header: b"order.id\r\n".to_vec() }),
        ),
        (r#"{ type = "csv", header = false }"#, Ok(Packing::Text { header: Vec::new() })),
        (r#"{ type = "json", pretty = true }"#, Err("remove `pretty`")),
        (r#"{ type = "xml" }"#, Err("cannot stand one after another")),
        (r#"{ type = "template", template = "good.xml.j2" }"#, Err("application/xml")),
    ] {
        match (format(settings).unwrap().packing(), expected) {
            (Ok(packing), Ok(expected)) => assert_eq!(packing, expected, "{settings}"),
            (Err(why), Err(expected)) => assert!(why.contains(expected), "{settings}: {why}"),
            (found, expected) => panic!("{settings}: {found:?}, expected {expected:?}"),
        }
    }
}
