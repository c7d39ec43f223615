//! Response readers: what a destination answered to a delivery that it accepted by its status. One file each, and
//! one line in [`KINDS`].

mod header;
pub(super) mod json;
pub(super) mod reader;
pub(super) mod xml;

use std::fmt;

use self::reader::Reader;
use super::Failure;
use super::transport::Receipt;
use crate::config::document::{Node, Table};
use crate::config::value;

/// Reads what a destination answered. Only for transports whose destinations answer, see
/// [`Transport::has_response`](super::transport::Transport::has_response).
pub trait ResponseReader: fmt::Debug + Send + Sync {
    /// What the answer says, or why the delivery failed after all.
    fn read(&self, receipt: &Receipt) -> Result<Reading, Failure>;
}

/// What an answer says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reading {
    /// What the back office calls the order.
    pub external_id: Option<String>,
}

/// What is at a place of a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Found {
    /// Nothing, or what says as much.
    Nothing,
    /// A text or number, without white space at its ends.
    Text(String),
    /// Something else.
    Other,
}

/// Reads a response reader's settings from its own table.
type Read = fn(Table<'_>) -> Box<dyn ResponseReader>;

/// Every response reader by the name that `type` calls it.
const KINDS: [(&str, Read); 3] = [
    ("json", Reader::<json::Json>::load),
    ("xml", Reader::<xml::Xml>::load),
    ("header", Reader::<header::Header>::load),
];

/// The response reader that the table `response` of a pipeline describes; nothing when there was a problem with it.
pub fn read(node: &Node<'_>) -> Option<Box<dyn ResponseReader>> {
    let table = node.table()?;
    let load = table.require("type", value::one_of(&KINDS))?;
    Some(load(table))
}

#[cfg(test)]
mod tests;
