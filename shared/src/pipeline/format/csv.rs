//! `csv`: a line for each item or each order, in columns of the merchant's choice.

use ::csv::{QuoteStyle, Terminator, Writer, WriterBuilder};
use minijinja::Value;
use toml::de::DeValue;

use super::{Document, Export, Failure, Format, Packing};
use crate::config::document::{Node, Table};
use crate::config::value;
use crate::template::{Expression, Known, OrderValues, TemplateError, guard_formula};

#[derive(Debug)]
struct CsvFormat {
    rows: Rows,
    columns: Vec<Column>,
    header: bool,
    guard_formulas: bool,
    writer: WriterBuilder,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rows {
    Item,
    Order,
}

#[derive(Debug)]
struct Column {
    header: String,
    value: Expression,
}

/// Columns of a pipeline that names none. Those of an item are left out where a line stands for an order.
const DEFAULT_COLUMNS: [&str; 13] = [
    "order.number",
    "order.placed_at",
    "order.currency",
    "order.total",
    "order.customer.email",
    "order.delivery.name",
    "order.delivery.street",
    "order.delivery.postcode",
    "order.delivery.city",
    "order.delivery.country",
    "item.sku",
    "item.quantity",
    "item.unit_price",
];

/// `columns`, `rows`, `delimiter`, `header`, `line_ending`, `quotes`, `guard_formulas`.
pub(super) fn read(table: Table<'_>) -> Box<dyn Format> {
    let rows = value::one_of(&[("item", Rows::Item), ("order", Rows::Order)]);
    let rows = table.read("rows", rows).unwrap_or(Rows::Item);
    let columns = match table.get("columns") {
        Some(node) => node.each(|column| read_column(&column, rows)),
        None => default_columns(rows),
    };
    let line_ending = value::one_of(&[("crlf", Terminator::CRLF), ("lf", Terminator::Any(b'\n'))]);
    let quotes = value::one_of(&[("necessary", QuoteStyle::Necessary), ("always", QuoteStyle::Always)]);
    let mut writer = WriterBuilder::new();
    writer
        .delimiter(table.read("delimiter", delimiter).unwrap_or(b','))
        .terminator(table.read("line_ending", line_ending).unwrap_or(Terminator::CRLF))
        .quote_style(table.read("quotes", quotes).unwrap_or(QuoteStyle::Necessary));
    let header = table.read("header", value::boolean).unwrap_or(true);
    let guard_formulas = table.read("guard_formulas", value::boolean).unwrap_or(true);
    if columns.is_empty() {
        table.problem("expected at least one column");
    }
    table.finish();
    Box::new(CsvFormat { rows, columns, header, guard_formulas, writer })
}

fn delimiter(value: &DeValue<'_>) -> Result<u8, String> {
    let expected = || "one ASCII character, no quote and no line break, such as \";\" or \"\\t\"".to_owned();
    match value.as_str().map(str::as_bytes) {
        Some([byte]) if byte.is_ascii() && !matches!(byte, b'"' | b'\r' | b'\n' | 0) => Ok(*byte),
        _ => Err(expected()),
    }
}

fn default_columns(rows: Rows) -> Vec<Column> {
    let names = DEFAULT_COLUMNS.iter().filter(|name| rows == Rows::Item || !name.starts_with("item."));
    names.filter_map(|name| Column::compile((*name).to_owned(), name, rows).ok()).collect()
}

/// `"order.number"`, or `{ header = "No.", value = "order.number | upper" }`.
fn read_column(node: &Node<'_>, rows: Rows) -> Option<Column> {
    let (header, source, at) = if node.is_string() {
        let name = node.parse(dotted_name)?;
        (name.clone(), name, node.clone())
    } else {
        let table = node.table()?;
        let (header, at) = (table.require("header", value::string), table.required("value"));
        table.finish();
        let at = at?;
        (header?, at.parse(value::text)?, at)
    };
    Column::compile(header, &source, rows).inspect_err(|error| at.problem(error.message.clone())).ok()
}

fn dotted_name(value: &DeValue<'_>) -> Result<String, String> {
    let is_dotted = |name: &String| name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.'));
    let expected = "a name such as \"order.number\", or { header = \"…\", value = \"…\" } for anything else";
    value::text(value).ok().filter(is_dotted).ok_or_else(|| expected.into())
}

impl Column {
    fn compile(header: String, source: &str, rows: Rows) -> Result<Self, TemplateError> {
        let known: &[&str] = match rows {
            Rows::Item => &["order", "pipeline", "item", "row"],
            Rows::Order => &["order", "pipeline"],
        };
        let name = format!("column {header:?}");
        let value = Expression::compile(&name, source, Known::Names(known))?;
        Ok(Self { header, value })
    }

    /// Whether it may differ from one line of an order to the next.
    fn is_of_line(&self) -> bool {
        self.value.reads("item") || self.value.reads("row")
    }
}

impl CsvFormat {
    /// The names that each line's values are taken from.
    fn roots(&self, export: Export<'_>) -> Vec<Value> {
        let values = OrderValues::of(export.order);
        match self.rows {
            Rows::Order => vec![values.root(export.pipeline)],
            Rows::Item => {
                let items = values.items.iter().cloned().zip(1..);
                let root = |(item, row): (Value, u64)| {
                    values.root_with(export.pipeline, [("item", item), ("row", Value::from(row))])
                };
                items.map(root).collect()
            }
        }
    }

    /// A writer that has written the header, where there is one.
    fn with_header(&self) -> ::csv::Result<Writer<Vec<u8>>> {
        let mut writer = self.writer.from_writer(Vec::new());
        if self.header {
            writer.write_record(self.columns.iter().map(|column| &column.header))?;
        }
        Ok(writer)
    }

    /// The fields that are the same in every line of an order; nothing for the others.
    fn fixed(&self, root: &Value) -> Result<Vec<Option<String>>, TemplateError> {
        let fixed = |column: &Column| (!column.is_of_line()).then(|| self.field(column, root)).transpose();
        self.columns.iter().map(fixed).collect()
    }

    fn field(&self, column: &Column, root: &Value) -> Result<String, TemplateError> {
        let text = column.value.text(root)?;
        Ok(if self.guard_formulas { guard_formula(&text).into_owned() } else { text })
    }

    fn write(&self, export: Export<'_>, writer: &mut Writer<Vec<u8>>) -> Result<(), Failure> {
        let failed = |error: TemplateError| Failure::permanent(error.to_string());
        let roots = self.roots(export);
        let fixed = roots.first().map(|root| self.fixed(root)).transpose().map_err(failed)?.unwrap_or_default();
        for root in &roots {
            for (column, fixed) in self.columns.iter().zip(&fixed) {
                let written = match fixed {
                    Some(text) => writer.write_field(text),
                    None => writer.write_field(self.field(column, root).map_err(failed)?),
                };
                written.map_err(unwritable)?;
            }
            writer.write_record(None::<&[u8]>).map_err(unwritable)?;
        }
        Ok(())
    }
}

impl Format for CsvFormat {
    fn render(&self, export: Export<'_>) -> Result<Document, Failure> {
        let mut writer = self.with_header().map_err(unwritable)?;
        self.write(export, &mut writer)?;
        let body = writer.into_inner().map_err(unwritable)?;
        Ok(Document { body, media_type: "text/csv; charset=utf-8".into(), headers: Vec::new() })
    }

    fn packing(&self) -> Result<Packing, String> {
        let header = self.with_header().ok().and_then(|writer| writer.into_inner().ok());
        header.map(|header| Packing::Text { header }).ok_or_else(|| "the header cannot be written as CSV".into())
    }
}

fn unwritable<E>(_: E) -> Failure {
    Failure::permanent("the order cannot be written as CSV")
}
