//! From a scheduled event to what was asked, and until when there is time.

use std::time::{Duration, UNIX_EPOCH};

use serde_json::{Map, Value};
use tokio::time::Instant;

use super::Report;
use crate::clock;

/// The key of the input that asks for a run which changes nothing.
const DRY_RUN: &str = "dry_run";
/// Parts of a function's work that its name in the notes has.
const MOST_PARTS: usize = 8;
/// The least that is kept back of an invocation's time, to finish the step under way and to answer.
const LEAST_MARGIN: Duration = Duration::from_secs(2);
/// The most that is kept back.
const MOST_MARGIN: Duration = Duration::from_secs(10);

/// One run of a scheduled function: what it was asked, and how long it may take.
#[derive(Debug, Clone)]
pub struct Run {
    /// Whether to only say what would be done.
    pub dry_run: bool,
    /// The input without `dry_run`: what the function itself understands.
    pub input: Map<String, Value>,
    deadline: Instant,
}

/// An input that no run can be made of. Says what was expected, never what was found: it may name a customer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("input{place}: expected {expected}")]
pub struct BadInput {
    /// Path of what is wrong, such as `.erase.email`; empty for the input as a whole.
    pub place: &'static str,
    /// What was expected there.
    pub expected: String,
}

impl BadInput {
    /// What was expected at `place`, such as `.erase.email`.
    pub fn new(place: &'static str, expected: impl Into<String>) -> Self {
        Self { place, expected: expected.into() }
    }
}

impl Run {
    /// From the event in any of its shapes: an `EventBridge` rule's event (`detail` is the input), `EventBridge`
    /// Scheduler's default event (`detail` is a *string* with the input as JSON), or the input itself, as a schedule's
    /// own `Input` and a direct invocation have it. An empty object and null ask for nothing in particular.
    /// `context_deadline_ms` is the invocation's end, in milliseconds since 1970.
    ///
    /// Shapes: <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-events-structure.html>,
    /// <https://docs.aws.amazon.com/lambda/latest/dg/with-eventbridge-scheduler.html>.
    ///
    /// # Errors
    /// An input that is no object, or whose `dry_run` is no boolean.
    pub fn of(event: &Value, context_deadline_ms: u64) -> Result<Self, BadInput> {
        let mut input = input(event)?;
        // Nothing may be changed by a run that was meant to be dry.
        let dry_run = match input.shift_remove(DRY_RUN) {
            None => false,
            Some(Value::Bool(dry_run)) => dry_run,
            Some(_) => return Err(BadInput::new(".dry_run", "true or false")),
        };
        let ends = UNIX_EPOCH + Duration::from_millis(context_deadline_ms);
        let whole = ends.duration_since(clock::now().into()).unwrap_or_default();
        Ok(Self { dry_run, input, deadline: Instant::now() + whole.saturating_sub(margin(whole)) })
    }

    /// Refuses keys that the function does not know: a misspelt `dry_run` would change what it was not to change.
    ///
    /// # Errors
    /// The keys that are expected, when there is another.
    pub fn only(&self, known: &[&str]) -> Result<(), BadInput> {
        if self.input.keys().all(|key| known.contains(&key.as_str())) {
            return Ok(());
        }
        let keys = [&[DRY_RUN], known].concat().join(", ");
        Err(BadInput::new("", format!("no other keys than {keys}")))
    }

    /// What its last run is noted under: the function, and the part of its work that is asked for.
    pub(super) fn name(&self, function: &str) -> String {
        let Some(Value::Array(parts)) = self.input.get("only") else { return function.to_owned() };
        let is_name =
            |part: &&str| part.len() <= 32 && part.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
        let parts = parts.iter().filter_map(Value::as_str).filter(is_name).take(MOST_PARTS).collect::<Vec<_>>();
        format!("{function}/{}", parts.join(","))
    }

    /// Whether there is time to begin another step: false from a safe margin before the invocation's end.
    pub fn has_time(&self) -> bool {
        Instant::now() < self.deadline
    }

    /// Until when steps may take; the margin has been taken off.
    pub fn deadline(&self) -> Instant {
        self.deadline
    }

    /// An empty report on this run.
    pub fn report(&self) -> Report {
        Report::new(self.dry_run)
    }
}

/// The input of an event.
fn input(event: &Value) -> Result<Map<String, Value>, BadInput> {
    let root = object(event, "")?;
    // Only EventBridge's envelope has both; without them, `detail` is none of its.
    let is_envelope = root.contains_key("detail-type") && root.contains_key("source");
    match root.get("detail").filter(|_| is_envelope) {
        None => Ok(root),
        Some(Value::String(text)) => {
            let detail = serde_json::from_str(text);
            object(&detail.map_err(|_| BadInput::new(".detail", "an object as JSON text"))?, ".detail")
        }
        Some(detail) => object(detail, ".detail"),
    }
}

fn object(value: &Value, place: &'static str) -> Result<Map<String, Value>, BadInput> {
    match value {
        Value::Null => Ok(Map::new()),
        Value::Object(members) => Ok(members.clone()),
        _ => Err(BadInput::new(place, "an object")),
    }
}

/// What is kept back of an invocation's whole time: a tenth, within bounds.
pub(super) fn margin(whole: Duration) -> Duration {
    (whole / 10).clamp(LEAST_MARGIN, MOST_MARGIN)
}
