//! Formats: from the order to the document that the back office wants. One file each.

mod csv;
#[cfg(test)]
mod documented;
mod json;
mod media_type;
mod packing;
mod raw;
#[cfg(test)]
mod schema;
mod template;
#[cfg(test)]
mod tests;
mod well_formed;
mod xml;

use std::fmt;

pub use self::packing::Packing;
pub use self::template::by_name;
use super::{Document, Export, Failure};
use crate::config::document::{Node, Table};
use crate::config::{Files, value};

/// Makes a document of an order.
pub trait Format: fmt::Debug + Send + Sync {
    /// The document. A failure here is permanent: the same order fails again until template or order change.
    fn render(&self, export: Export<'_>) -> Result<Document, Failure>;

    /// How its documents stand one after another in an object of many orders; why not, where they cannot.
    fn packing(&self) -> Result<Packing, String> {
        Err("documents of this format cannot stand one after another in one object".into())
    }
}

/// Reads a format's settings and reports every key that is not one of them.
type Read = fn(Table<'_>, &Files) -> Option<Box<dyn Format>>;

/// Every format under its name in the configuration.
const FORMATS: [(&str, Read); 5] = [
    ("template", template::read),
    ("json", |table, _| Some(json::read(table))),
    ("xml", |table, _| Some(xml::read(table))),
    ("csv", |table, _| Some(csv::read(table))),
    ("raw", |table, _| Some(raw::read(table))),
];

/// Reads a pipeline's `format = { type = "…", … }`. Nothing where a problem was recorded.
pub fn read(node: &Node<'_>, files: &Files) -> Option<Box<dyn Format>> {
    let table = node.table()?;
    let read = table.require("type", value::one_of(&FORMATS))?;
    read(table, files)
}
