//! What a template's author is told. minijinja's own messages may quote values, and values are customers' data: only
//! messages that are known to speak of kinds and names are passed on, with the piece of the template that they mean.

use std::error::Error as _;

use minijinja::{Error, ErrorKind};

use super::TemplateError;

/// A message of ours, free of data.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Complaint(String);

/// An error to return from filters and the formatter; `message` is shown as it is and must not quote values.
pub(super) fn complaint(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::InvalidOperation, "see source").with_source(Complaint(message.into()))
}

/// Beginnings of minijinja's messages that speak of kinds of values and never of their contents.
const ABOUT_KINDS: [&str; 9] = [
    "tried to use ",
    "cannot convert ",
    "cannot calculate length of value of type ",
    "cannot join value of type ",
    "can only sum numbers",
    "value of type ",
    "value is not a string",
    "range has too many elements",
    "recursion limit exceeded",
];

/// The error in the template's own terms; `source` is the template's text.
pub(super) fn describe(name: &str, source: &str, error: &Error) -> TemplateError {
    let mut message = message(error);
    if let Some(excerpt) = excerpt(source, error) {
        message.push_str(" in `");
        message.push_str(excerpt);
        message.push('`');
    }
    TemplateError { name: name.to_owned(), line: error.line().unwrap_or(1), message }
}

fn message(error: &Error) -> String {
    if let Some(complaint) = complaint_in(error) {
        return complaint;
    }
    let detail = error.detail().unwrap_or_default();
    match error.kind() {
        ErrorKind::SyntaxError => format!("syntax error: {detail}"),
        ErrorKind::UndefinedError if detail.is_empty() => "a value is not there".into(),
        ErrorKind::UndefinedError => detail.to_owned(),
        ErrorKind::OutOfFuel => {
            "more steps than a template may take, perhaps an endless or needlessly nested loop".into()
        }
        ErrorKind::InvalidOperation if ABOUT_KINDS.iter().any(|known| detail.starts_with(known)) => {
            if detail.contains("undefined") {
                return format!("{detail} (a null counts as undefined: `default` gives it a value)");
            }
            detail.to_owned()
        }
        ErrorKind::UnknownMethod => "values have no methods, only filters such as `value | upper`".into(),
        kind => kind.to_string(),
    }
}

fn complaint_in(error: &Error) -> Option<String> {
    let mut source = error.source();
    while let Some(inner) = source {
        if let Some(Complaint(message)) = inner.downcast_ref() {
            return Some(message.clone());
        }
        source = inner.source();
    }
    None
}

/// The piece of the template that failed: one line, not too long.
fn excerpt<'s>(source: &'s str, error: &Error) -> Option<&'s str> {
    let piece = source.get(error.range()?)?.lines().next()?.trim();
    let end = piece.char_indices().nth(80).map_or(piece.len(), |(end, _)| end);
    piece.get(..end).filter(|piece| !piece.is_empty())
}
