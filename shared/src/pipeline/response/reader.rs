//! What all response readers have in common: the order of questions, and what a bad answer means.
//!
//! The destination accepted the order by its status, so a repeated delivery may make a second order of it. Hence an
//! answer that will be the same next time fails for good, for someone to look at; only an answer that broke off is
//! asked for again, with the same idempotency key.

use std::fmt;

use serde_json::{Value, json};
use toml::de::DeValue;

use super::{Reading, ResponseReader};
use crate::config::document::{Node, Table};
use crate::config::value;
use crate::pipeline::transport::{BodyEnd, Receipt};
use crate::pipeline::{Failure, Retry};
use crate::template::Condition;

/// Longest external id.
const MOST_ID: usize = 200;
/// Longest part of a destination's own error message that ours repeats.
const MOST_COMPLAINT: usize = 300;

/// A kind of answer.
pub(in crate::pipeline) trait Kind: fmt::Debug + Send + Sync + Sized + 'static {
    /// Where something is in an answer.
    type Path: fmt::Debug + Send + Sync;
    /// What the kind is called in messages.
    const NAME: &'static str;
    /// Whether the answer is in the body; else the headers suffice.
    const IN_BODY: bool;

    /// Reads a path of the configuration.
    fn path(value: &DeValue<'_>) -> Result<Self::Path, String>;

    /// Reads an answer; the error says what is wrong, never what was found.
    fn parse(receipt: &Receipt) -> Result<Self, String>;

    /// The text or number at a path.
    fn find(&self, path: &Self::Path) -> Option<String>;

    /// `response` in conditions.
    fn value(&self) -> Value;
}

/// A reader of one kind of answer.
#[derive(Debug)]
pub(super) struct Reader<K: Kind> {
    external_id: Option<K::Path>,
    /// An answer without an external id is a failure.
    required: bool,
    success: Option<Condition>,
    /// Where the destination says why it denies success.
    error: Option<K::Path>,
    on_denied: Retry,
}

impl<K: Kind> Reader<K> {
    pub(super) fn load(table: Table<'_>) -> Box<dyn ResponseReader> {
        const CHOICES: [(&str, Retry); 2] = [("fail", Retry::No), ("retry", Retry::Backoff)];
        let external_id = table.get("external_id");
        let required = table.read("required", value::boolean).unwrap_or(false);
        let success = table.get("success");
        let error = table.get("error");
        let on_denied = table.get("on_denied");
        if external_id.is_none() && (required || success.is_none()) {
            table.problem("there is nothing to read: the key \"external_id\" is missing");
        }
        for node in [&error, &on_denied].into_iter().flatten().filter(|_| success.is_none()) {
            node.problem("this has no effect without the key \"success\"");
        }
        let path = |node: &Node<'_>| node.parse(K::path);
        let reader = Self {
            external_id: external_id.as_ref().and_then(path),
            required,
            success: success.as_ref().and_then(condition),
            error: error.as_ref().and_then(path),
            on_denied: on_denied.and_then(|node| node.parse(value::one_of(&CHOICES))).unwrap_or(Retry::No),
        };
        table.finish();
        Box::new(reader)
    }

    /// Whether the outcome depends on what the answer says.
    fn is_decisive(&self) -> bool {
        self.required || self.success.is_some()
    }

    fn judge(&self, answer: &K, receipt: &Receipt) -> Result<(), Failure> {
        let Some(success) = &self.success else { return Ok(()) };
        let headers: serde_json::Map<_, _> =
            receipt.headers.iter().map(|(name, value)| (name.to_owned(), value.into())).collect();
        let values = json!({ "response": answer.value(), "status": receipt.status, "headers": headers });
        match success.holds_over(&values) {
            Ok(true) => Ok(()),
            Ok(false) => {
                let said = self.error.as_ref().and_then(|path| answer.find(path)).map(|said| one_line(&said));
                Err(Failure { said, ..failure(receipt, self.on_denied, "but denied success") })
            }
            Err(error) => {
                let what = format!("but denied success: \"success\" cannot be decided: {}", error.message);
                Err(failure(receipt, self.on_denied, what))
            }
        }
    }

    fn external_id(&self, answer: &K, receipt: &Receipt) -> Result<Option<String>, Failure> {
        let Some(path) = &self.external_id else { return Ok(None) };
        match answer.find(path).ok_or("there is none").and_then(|found| usable_id(&found)) {
            Ok(id) => Ok(Some(id)),
            Err(reason) if self.required => {
                Err(failure(receipt, Retry::No, format!("but not with a usable external id: {reason}")))
            }
            Err(_) => Ok(None),
        }
    }
}

impl<K: Kind> ResponseReader for Reader<K> {
    fn read(&self, receipt: &Receipt) -> Result<Reading, Failure> {
        if K::IN_BODY && receipt.body_end == BodyEnd::Broken {
            if self.is_decisive() {
                return Err(failure(receipt, Retry::Backoff, "but the answer broke off"));
            }
            return Ok(Reading::default());
        }
        let answer = K::parse(receipt).map_err(|wrong| unreadable::<K>(receipt, &wrong))?;
        self.judge(&answer, receipt)?;
        Ok(Reading { external_id: self.external_id(&answer, receipt)? })
    }
}

fn unreadable<K: Kind>(receipt: &Receipt, wrong: &str) -> Failure {
    let wrong = if receipt.body_end == BodyEnd::Capped { "it is longer than 64 KiB" } else { wrong };
    failure(receipt, Retry::No, format!("but not with {} that can be read: {wrong}", K::NAME))
}

/// A failure after the destination accepted the order: whoever handles it should know that.
fn failure(receipt: &Receipt, retry: Retry, what: impl fmt::Display) -> Failure {
    let status = receipt.status.map(|status| format!(" with {status}")).unwrap_or_default();
    let message = format!("the destination answered{status}, {what}");
    Failure { retry, message, said: None, response: Some(receipt.excerpt()) }
}

fn condition(node: &Node<'_>) -> Option<Condition> {
    let source = node.parse(value::text)?;
    Condition::compile("success", &source).map_err(|error| node.problem(error.to_string())).ok()
}

/// An identifier as it may be kept; the error says what is wrong with it.
pub(in crate::pipeline) fn usable_id(text: &str) -> Result<String, &'static str> {
    let id = text.trim();
    if id.is_empty() {
        Err("it is empty")
    } else if id.chars().count() > MOST_ID {
        // Cut off it would be the id of another order.
        Err("it is longer than 200 characters")
    } else if id.chars().any(char::is_control) {
        Err("it has control characters")
    } else {
        Ok(id.to_owned())
    }
}

/// A back office's own words as they may be kept: capped, without control characters.
pub(in crate::pipeline) fn one_line(text: &str) -> String {
    let text = text.trim().chars().map(|c| if c.is_control() { ' ' } else { c });
    text.take(MOST_COMPLAINT).collect()
}
