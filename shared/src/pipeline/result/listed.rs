//! What the kinds of documents have in common that results come in.

use std::ops::ControlFlow;

use toml::de::DeValue;

use crate::pipeline::response::Found;
use crate::pipeline::response::reader::Kind;

/// A kind of document that can hold many results, read one by one.
pub(super) trait Listed: Kind {
    /// What the configuration and media types call it.
    const FORMAT: &'static str;

    /// Reads the path that leads to the results.
    fn results(value: &DeValue<'_>) -> Result<Self::Path, String>;

    /// Reads the path of a field, which begins within a result.
    fn field(value: &DeValue<'_>) -> Result<Self::Path, String>;

    /// Hands over each result of a document; without a path, the document is one, or a list of them.
    fn each(document: &[u8], results: Option<&Self::Path>, take: Take<'_, Self>) -> Result<(), Unlisted>;

    /// What is at the path of a field.
    fn look(&self, field: &Self::Path) -> Found;
}

/// Takes a result, or why it cannot be read, and says whether to read on.
pub(super) type Take<'t, K> = &'t mut dyn FnMut(Result<K, String>) -> ControlFlow<()>;

/// Why a document has no results.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Unlisted {
    /// It cannot be read.
    Unreadable(String),
    /// There are none where the path leads, and what was expected there.
    NotThere(&'static str),
}
