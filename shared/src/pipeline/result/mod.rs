//! What a back office says later of what it was given: documents of results, as files or by HTTP. Which documents, and
//! where in them the results are, is configuration. Pure.

mod json;
mod listed;
mod mapping;
mod settings;
mod xml;

use std::fmt;

pub use settings::read;

use crate::webhook::Verifier;

/// Most results of one document.
pub const MOST_RESULTS: usize = 50_000;

/// How a pipeline's later responses are read.
#[derive(Debug)]
pub struct Responses {
    /// What a result names its order by.
    pub by: By,
    /// Names of the live secrets of those who call back; empty where nobody may.
    pub secrets: Vec<String>,
    /// How they are verified.
    pub verifier: Verifier,
    reader: Box<dyn ReadDocument>,
}

impl Responses {
    /// What each result of a document says, in the order of the document.
    ///
    /// # Errors
    /// A document that cannot be read, or is not where the configuration says that its results are: none of them counts.
    pub fn read(&self, document: &[u8]) -> Result<Vec<Result<Said, BadResult>>, BadDocument> {
        self.reader.read(document)
    }

    /// Whether a `Content-Type` is one of such documents; one that is not stated is taken for it.
    pub fn takes(&self, content_type: Option<&str>) -> bool {
        let Some(content_type) = content_type else { return true };
        let essence = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        let format = self.format();
        ["application/", "text/"].iter().any(|kind| essence.strip_prefix(kind) == Some(format))
            || essence.strip_suffix(format).is_some_and(|kind| kind.ends_with('+'))
    }

    /// `json` or `xml`.
    pub fn format(&self) -> &'static str {
        self.reader.format()
    }
}

/// What a result names its order by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    /// The number that the customer and the merchant see.
    Number,
    /// The platform's identifier.
    Id,
    /// The key that came with the export.
    IdempotencyKey,
}

/// One result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// Which order it is about.
    pub about: About,
    /// What the back office calls the order.
    pub external_id: Option<String>,
    /// What has become of it.
    pub word: Word,
}

/// Which order a result is about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct About {
    /// The order, in whatever terms [`By`] says.
    pub order: String,
    /// Code of its shop, where results name it.
    pub shop: Option<String>,
}

/// What has become of an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Word {
    /// The back office has taken it.
    Taken,
    /// It has refused it; why, in its own words, capped, where it says so. For the record, never for the log.
    Refused(Option<String>),
}

/// A result that says nothing of use: where, and what was expected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadResult {
    /// The order, where that much could be read.
    pub order: Option<String>,
    /// The path within the result, as configured; empty for the result as a whole.
    pub path: String,
    /// What is wrong with it, or was expected there; never what was found.
    pub reason: String,
}

/// A document that no results can be read from.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct BadDocument {
    /// The path in the document, as configured; empty for the document as a whole.
    pub path: String,
    /// What is wrong with it, or was expected there; never what was found.
    pub reason: String,
}

impl fmt::Display for BadDocument {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.path.is_empty() {
            write!(f, "{}: ", self.path)?;
        }
        f.write_str(&self.reason)
    }
}

/// Reads documents of one kind.
trait ReadDocument: fmt::Debug + Send + Sync {
    fn read(&self, document: &[u8]) -> Result<Vec<Result<Said, BadResult>>, BadDocument>;

    fn format(&self) -> &'static str;
}

#[cfg(test)]
mod tests;
