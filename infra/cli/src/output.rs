//! What is printed: tables for people, JSON for programs; results to the output, everything else beside it.

use std::io::{self, IsTerminal as _, Write as _};

use comfy_table::{Cell, ContentArrangement, Table, presets};
use serde::Serialize;
use serde_json::json;

use crate::exit::Failure;

/// How to print.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Out {
    /// For programs.
    pub(crate) json: bool,
}

impl Out {
    pub(crate) fn new(json: bool) -> Self {
        Self { json }
    }

    /// A result: as JSON, or as `text` for people.
    pub(crate) fn result(self, value: &impl Serialize, text: impl FnOnce() -> String) {
        if self.json {
            let line = serde_json::to_string_pretty(value)
                .unwrap_or_else(|error| json!({ "error": error.to_string() }).to_string());
            write_out(&line);
        } else {
            write_out(&text());
        }
    }

    /// One of many results, on a line of its own.
    pub(crate) fn line(self, value: &impl Serialize, text: impl FnOnce() -> String) {
        if self.json {
            write_out(&serde_json::to_string(value).unwrap_or_else(|error| error.to_string()));
        } else {
            write_out(&printable(&text()));
        }
    }

    /// A result that is a document, as it is.
    pub(crate) fn document(bytes: &[u8]) {
        let mut out = io::stdout().lock();
        // Whoever does not read any more has seen enough.
        drop(out.write_all(bytes).and_then(|()| if bytes.ends_with(b"\n") { Ok(()) } else { out.write_all(b"\n") }));
    }

    /// Something that people are told while they wait, and programs are not.
    pub(crate) fn note(self, text: &str) {
        if !self.json {
            drop(writeln!(io::stderr().lock(), "{text}"));
        }
    }

    /// Why it did not work.
    pub(crate) fn failure(self, failure: &Failure) {
        let mut err = io::stderr().lock();
        let message = failure.to_string();
        drop(if self.json {
            writeln!(err, "{}", json!({ "error": { "code": failure.code(), "message": message } }))
        } else {
            writeln!(err, "error: {message}")
        });
    }
}

fn write_out(text: &str) {
    drop(writeln!(io::stdout().lock(), "{}", text.trim_end_matches('\n')));
}

/// A table with these columns. Its width is the terminal's; elsewhere nothing is wrapped.
pub(crate) fn table<const N: usize>(header: [&str; N], rows: impl IntoIterator<Item = [String; N]>) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_header(header.map(Cell::new));
    if io::stdout().is_terminal() {
        table.set_content_arrangement(ContentArrangement::Dynamic);
    }
    for row in rows {
        table.add_row(row.map(|text| Cell::new(printable(&text))));
    }
    table.trim_fmt()
}

/// Nothing that comes from elsewhere moves the cursor or colours the terminal.
pub(crate) fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// `1 order`, `2 orders`.
pub(crate) fn count(number: u64, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_has_its_columns_one_below_the_other() {
        let rows = [["erp".to_owned(), "paused\x1b[31m".to_owned()], ["archive".to_owned(), "on".to_owned()]];
        insta::assert_snapshot!(table(["PIPELINE", "STATE"], rows), @"
         PIPELINE  STATE
         erp       paused [31m
         archive   on
        ");
    }

    #[test]
    fn one_is_not_many() {
        assert_eq!((count(1, "order").as_str(), count(0, "order").as_str()), ("1 order", "0 orders"));
    }
}
