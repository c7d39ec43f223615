//! `xml`: the order as it is, an element for every name of the model.

use serde_json::Value;

use super::{Document, Export, Failure, Format, well_formed};
use crate::config::document::Table;
use crate::template::xml as escaped;

#[derive(Debug)]
struct XmlFormat {
    root: String,
}

/// `root`: name of the root element; `order` where not given.
pub(super) fn read(table: Table<'_>) -> Box<dyn Format> {
    let root = table.read("root", |value| {
        let name = value.as_str().filter(|name| well_formed::is_name(name) && !name.contains(':'));
        name.map(ToOwned::to_owned).ok_or_else(|| "a name for an XML element".into())
    });
    table.finish();
    Box::new(XmlFormat { root: root.unwrap_or_else(|| "order".into()) })
}

impl Format for XmlFormat {
    fn render(&self, export: Export<'_>) -> Result<Document, Failure> {
        let order = serde_json::to_value(export.order);
        let order = order.map_err(|_| Failure::permanent("the order cannot be written as XML"))?;
        let mut writer = Writer { out: "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n".into(), depth: 0 };
        writer.element(&self.root, "", &order);
        Ok(Document { body: writer.out.into_bytes(), media_type: "application/xml".into(), headers: Vec::new() })
    }
}

struct Writer {
    out: String,
    depth: usize,
}

impl Writer {
    /// An element for a value of the model. A null has none, so that it differs from an empty text.
    fn element(&mut self, name: &str, attributes: &str, value: &Value) {
        match value {
            Value::Null => {}
            Value::Bool(flag) => self.leaf(name, attributes, &flag.to_string()),
            Value::Number(number) => self.leaf(name, attributes, &number.to_string()),
            Value::String(text) => self.leaf(name, attributes, &escaped(text)),
            Value::Array(values) => self.parent(name, attributes, |writer| {
                for value in values {
                    writer.element(if name == "items" { "item" } else { "value" }, "", value);
                }
            }),
            Value::Object(fields) => self.parent(name, attributes, |writer| {
                for (field, value) in fields {
                    writer.field(name, field, value);
                }
            }),
        }
    }

    /// What the platform named is no element's name: it may be any text.
    fn field(&mut self, parent: &str, name: &str, value: &Value) {
        if matches!(parent, "extra" | "field" | "value") {
            let attribute = escaped(name).replace('\n', "&#10;").replace('\t', "&#9;");
            self.element("field", &format!(" name=\"{attribute}\""), value);
        } else {
            self.element(name, "", value);
        }
    }

    fn leaf(&mut self, name: &str, attributes: &str, text: &str) {
        self.line(&format!("<{name}{attributes}>{text}</{name}>"));
    }

    fn parent(&mut self, name: &str, attributes: &str, children: impl FnOnce(&mut Self)) {
        let before = self.out.len();
        self.line(&format!("<{name}{attributes}>"));
        let opened = self.out.len();
        self.depth += 1;
        children(self);
        self.depth -= 1;
        if self.out.len() > opened {
            self.line(&format!("</{name}>"));
        } else {
            self.out.truncate(before);
            self.line(&format!("<{name}{attributes}/>"));
        }
    }

    fn line(&mut self, markup: &str) {
        self.out.push_str(&"  ".repeat(self.depth));
        self.out.push_str(markup);
        self.out.push('\n');
    }
}
