//! The examples of the user guide are what this code does. Run with `UPDATE_DOCS=1` in the environment to write the
//! outputs into the guide anew.
//!
//! `docs/formats.md`: a `toml` block is a format's settings, the `… output` block after it what comes out. The first
//! `json` output is the order that all examples are made of. `docs/templates.md`: a `jinja name` block is a template;
//! a table row whose first cell is a template has what it renders to in its second.

use std::path::Path;

use toml::de::DeTable;

use super::{Document, Export, Failure};
use crate::config::Files;
use crate::config::document::{Problems, Table};
use crate::order::Order;
use crate::template::{Escape, Template};
use crate::webhook::Headers;

fn example() -> Order {
    let formats = include_str!("../../../../docs/formats.md");
    let json = formats.split("```json output\n").nth(1).and_then(|rest| rest.split("```").next());
    serde_json::from_str(json.unwrap()).unwrap()
}

/// What a block is rendered to, if it is one that is.
fn output(info: &str, source: &str) -> Option<String> {
    let (settings, templates) = match info.split_once(' ') {
        _ if info == "toml" && source.starts_with("format = ") => (source.to_owned(), Files::default()),
        Some(("jinja", name)) => (
            format!("format = {{ type = \"template\", template = {name:?} }}"),
            [(name.to_owned(), source.to_owned())].into_iter().collect(),
        ),
        _ => return None,
    };
    let document = DeTable::parse(&settings).unwrap();
    let problems = Problems::new("docs", &settings);
    let node = Table::root(document.get_ref(), &problems).get("format").unwrap();
    let format = super::read(&node, &templates);
    let found = problems.into_sorted();
    assert!(found.is_empty(), "{settings}: {found:?}");
    let (order, headers) = (example(), Headers::default());
    let export = Export { pipeline: "erp", order: &order, raw: b"", headers: &headers, idempotency_key: "" };
    Some(text(format.unwrap().render(export)))
}

fn text(document: Result<Document, Failure>) -> String {
    let text = String::from_utf8(document.unwrap().body).unwrap().replace("\r\n", "\n");
    if text.is_empty() || text.ends_with('\n') { text } else { text + "\n" }
}

/// The guide with every output written anew.
fn current(guide: &str) -> String {
    let (mut written, mut expected) = (String::new(), None);
    let mut section = "";
    let mut lines = guide.split_inclusive('\n');
    while let Some(line) = lines.next() {
        if line.starts_with('#') {
            section = line;
        }
        let Some(info) = line.trim_end().strip_prefix("```") else {
            written += &row(section, line).unwrap_or_else(|| line.to_owned());
            continue;
        };
        let source: String = lines.by_ref().take_while(|line| line.trim_end() != "```").collect();
        let body = if info.ends_with(" output") { expected.take().unwrap() } else { source.clone() };
        expected = output(info, &source).or(expected);
        written += &[line, &body, "```\n"].concat();
    }
    assert_eq!(expected, None, "an example without its output");
    written
}

/// A table row such as `` | `{{ order.total }}` | `129.90` | … | ``, its second cell written anew.
fn row(section: &str, line: &str) -> Option<String> {
    let cells: Vec<&str> = line.trim_end().split(" | ").collect();
    let source = cells.first()?.strip_prefix("| `")?.strip_suffix('`')?.replace("\\|", "|");
    if !source.contains("{{") {
        return None;
    }
    let escape = match section {
        _ if section.contains("JSON") => Escape::Json,
        _ if section.contains("XML") => Escape::Xml,
        _ if section.contains("keys") => Escape::ObjectKey,
        _ => Escape::None,
    };
    let rendered = Template::compile("docs", &source, escape).and_then(|template| template.render(&example(), "erp"));
    let rendered = rendered.unwrap().replace('|', "\\|");
    let rest =
        cells.get(2..).filter(|rest| !rest.is_empty()).map_or(" |".into(), |rest| format!(" | {}", rest.join(" | ")));
    Some(format!("{} | `{rendered}`{rest}\n", cells[0]))
}

#[test]
#[expect(clippy::disallowed_methods, reason = "whether to write the files is asked of whoever runs the test")]
fn the_examples_of_the_guide_are_what_comes_out() {
    for name in ["formats.md", "templates.md"] {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs").join(name);
        let guide = std::fs::read_to_string(&file).unwrap();
        let current = current(&guide);
        if std::env::var_os("UPDATE_DOCS").is_some() {
            std::fs::write(&file, &current).unwrap();
        }
        let stored = std::fs::read_to_string(&file).unwrap();
        let first = stored.lines().zip(current.lines()).find(|(stored, current)| stored != current);
        assert!(stored == current, "docs/{name} is not current, run the tests with UPDATE_DOCS=1: {first:?}");
    }
}
