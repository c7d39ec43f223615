//! Attempts at an export, as a row keeps them.

use std::collections::HashMap;
use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::keys::text;

/// Attempts that a row keeps; older ones fall out.
const KEPT_ATTEMPTS: usize = 10;

/// How an attempt ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// The destination took it.
    Exported,
    /// It failed and is tried again.
    Retry,
    /// It failed for good.
    Error,
    /// Whoever tried it stopped without a word.
    Lost,
}

impl Outcome {
    const NAMES: [(&'static str, Self); 4] =
        [("exported", Self::Exported), ("retry", Self::Retry), ("error", Self::Error), ("lost", Self::Lost)];

    /// The name in the table.
    pub fn name(self) -> &'static str {
        Self::NAMES.iter().find(|(_, outcome)| *outcome == self).map_or("", |(name, _)| name)
    }
}

/// One attempt at an export.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// When it began.
    pub at: Timestamp,
    /// How it ended.
    pub outcome: Outcome,
    /// How long it took.
    pub took: Duration,
    /// What went wrong, capped.
    pub error: Option<String>,
    /// What the destination answered, capped.
    pub response: Option<String>,
}

impl Attempt {
    /// As an attribute.
    pub(super) fn to_attribute(&self) -> AttributeValue {
        let millis = AttributeValue::N(self.took.as_millis().to_string());
        let mut map = HashMap::from([
            ("at".to_owned(), text(&self.at.to_string())),
            ("outcome".to_owned(), text(self.outcome.name())),
            ("took_ms".to_owned(), millis),
        ]);
        let optional = [("error", &self.error), ("response", &self.response)];
        map.extend(optional.into_iter().filter_map(|(name, value)| Some((name.to_owned(), text(value.as_ref()?)))));
        AttributeValue::M(map)
    }

    pub(super) fn from_attribute(value: &AttributeValue) -> Option<Self> {
        let map = value.as_m().ok()?;
        let text = |name: &str| map.get(name)?.as_s().ok().cloned();
        let outcome = text("outcome")?;
        Some(Self {
            at: text("at")?.parse().ok()?,
            outcome: Outcome::NAMES.iter().find(|(name, _)| *name == outcome)?.1,
            took: Duration::from_millis(map.get("took_ms")?.as_n().ok()?.parse().ok()?),
            error: text("error"),
            response: text("response"),
        })
    }
}

/// A history with one more attempt; the oldest falls out.
pub(super) fn with_attempt(mut history: Vec<Attempt>, attempt: Attempt) -> Vec<Attempt> {
    history.push(attempt);
    let surplus = history.len().saturating_sub(KEPT_ATTEMPTS);
    history.drain(..surplus);
    history
}
