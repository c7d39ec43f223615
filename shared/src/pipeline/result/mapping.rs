//! From a result to what it says.

use std::ops::ControlFlow;

use serde_json::json;

use super::listed::{Listed, Unlisted};
use super::{About, BadDocument, BadResult, MOST_RESULTS, ReadDocument, Said, Word};
use crate::config::value::is_code;
use crate::pipeline::response::Found;
use crate::pipeline::response::reader::{one_line, usable_id};
use crate::template::Condition;

/// Longest name of an order, in bytes: the ledger's keys are at most 2048, with the shop's code of up to 64.
const MOST_NAME: usize = 1900;

/// A path of the configuration, as it was written and as it was read.
#[derive(Debug)]
pub(super) struct Field<P> {
    pub(super) text: String,
    pub(super) path: P,
}

/// Where results are in a document, and what they say where.
#[derive(Debug)]
pub(super) struct Mapping<K: Listed> {
    pub(super) results: Option<Field<K::Path>>,
    pub(super) order: Field<K::Path>,
    pub(super) shop: Option<Field<K::Path>>,
    pub(super) external_id: Option<Field<K::Path>>,
    /// Over `result`; without it, a result that has no message is a success.
    pub(super) success: Option<Condition>,
    pub(super) message: Option<Field<K::Path>>,
}

impl<K: Listed> ReadDocument for Mapping<K> {
    fn read(&self, document: &[u8]) -> Result<Vec<Result<Said, BadResult>>, BadDocument> {
        if document.trim_ascii().is_empty() {
            return Err(BadDocument { path: String::new(), reason: "it is empty".into() });
        }
        let mut said = Vec::new();
        let list = self.results.as_ref().map(|field| &field.path);
        let listed = K::each(document, list, &mut |result| {
            said.push(result.map_err(|wrong| bad(None, "", wrong)).and_then(|result| self.said(&result)));
            if said.len() > MOST_RESULTS { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        listed.map_err(|unlisted| self.refusal(unlisted))?;
        if said.len() > MOST_RESULTS {
            let reason = format!("expected at most {MOST_RESULTS} results");
            return Err(BadDocument { path: self.list_path(), reason });
        }
        Ok(said)
    }

    fn format(&self) -> &'static str {
        K::FORMAT
    }
}

impl<K: Listed> Mapping<K> {
    fn list_path(&self) -> String {
        self.results.as_ref().map(|field| field.text.clone()).unwrap_or_default()
    }

    fn refusal(&self, unlisted: Unlisted) -> BadDocument {
        match unlisted {
            Unlisted::Unreadable(wrong) => {
                BadDocument { path: String::new(), reason: format!("it is no {} that can be read: {wrong}", K::NAME) }
            }
            Unlisted::NotThere(expected) => BadDocument { path: self.list_path(), reason: expected.into() },
        }
    }

    fn said(&self, result: &K) -> Result<Said, BadResult> {
        let about = self.about(result)?;
        let (external_id, word) = self
            .external_id(result)
            .and_then(|id| Ok((id, self.word(result)?)))
            .map_err(|bad| BadResult { order: Some(about.order.clone()), ..bad })?;
        Ok(Said { about, external_id, word })
    }

    fn about(&self, result: &K) -> Result<About, BadResult> {
        let order = name(result, &self.order)?;
        let shop = match &self.shop {
            None => None,
            Some(field) if look(result, field) == Found::Nothing => None,
            Some(field) => {
                Some(shop_code(result, field).map_err(|bad| BadResult { order: Some(order.clone()), ..bad })?)
            }
        };
        Ok(About { order, shop })
    }

    fn external_id(&self, result: &K) -> Result<Option<String>, BadResult> {
        let Some(field) = &self.external_id else { return Ok(None) };
        match look(result, field) {
            Found::Nothing => Ok(None),
            Found::Text(text) => usable_id(&text).map(Some).map_err(|wrong| bad(None, &field.text, wrong)),
            Found::Other => Err(bad(None, &field.text, EXPECTED_TEXT)),
        }
    }

    fn word(&self, result: &K) -> Result<Word, BadResult> {
        let Some(success) = &self.success else { return self.word_by_message(result) };
        match success.holds_over(&json!({ "result": result.value() })) {
            Ok(true) => Ok(Word::Taken),
            Ok(false) => Ok(Word::Refused(self.message(result))),
            Err(error) => Err(bad(None, "", format!("whether it is a success cannot be decided: {}", error.message))),
        }
    }

    /// What is no text and still more than nothing may be an error with parts of its own: no success to be sure of.
    fn word_by_message(&self, result: &K) -> Result<Word, BadResult> {
        let Some(field) = &self.message else { return Ok(Word::Taken) };
        match look(result, field) {
            Found::Other => Err(bad(None, &field.text, "expected a text, a number or nothing; else set success")),
            Found::Nothing | Found::Text(_) => {
                Ok(self.message(result).map_or(Word::Taken, |message| Word::Refused(Some(message))))
            }
        }
    }

    fn message(&self, result: &K) -> Option<String> {
        match look(result, self.message.as_ref()?) {
            Found::Text(text) => Some(one_line(&text)),
            Found::Nothing | Found::Other => None,
        }
    }
}

const EXPECTED_TEXT: &str = "expected a text or a number";

/// What is at a field; an empty text is nothing.
fn look<K: Listed>(result: &K, field: &Field<K::Path>) -> Found {
    match result.look(&field.path) {
        Found::Text(text) if text.is_empty() => Found::Nothing,
        found => found,
    }
}

fn shop_code<K: Listed>(result: &K, field: &Field<K::Path>) -> Result<String, BadResult> {
    let code = name(result, field)?;
    if is_code(&code) { Ok(code) } else { Err(bad(None, &field.text, "expected the code of a shop")) }
}

/// The name of an order or shop: what the ledger can be asked for.
fn name<K: Listed>(result: &K, field: &Field<K::Path>) -> Result<String, BadResult> {
    let Found::Text(text) = look(result, field) else { return Err(bad(None, &field.text, EXPECTED_TEXT)) };
    let wrong = if text.len() > MOST_NAME {
        format!("expected at most {MOST_NAME} bytes")
    } else if text.chars().any(char::is_control) {
        "expected no control characters".to_owned()
    } else {
        return Ok(text);
    };
    Err(bad(None, &field.text, wrong))
}

fn bad(order: Option<String>, path: &str, reason: impl Into<String>) -> BadResult {
    BadResult { order, path: path.to_owned(), reason: reason.into() }
}
