//! Formats: from the order to the document that the back office wants. One file each.

use std::fmt;

use super::{Document, Export, Failure};

/// Makes a document of an order.
pub trait Format: fmt::Debug + Send + Sync {
    /// The document. A failure here is permanent: the same order fails again until template or order change.
    fn render(&self, export: Export<'_>) -> Result<Document, Failure>;
}
