//! One invocation's input, and what its answer has to be.

use bytes::Bytes;
use serde_json::Value;

use super::console::Visit;
use super::intake::{self, Event};
use super::orders::OrderError;
use super::processor::{self, Batch};
use super::{MATCHES, Work};

/// An event, and what is known of it.
#[derive(Debug, Clone)]
pub enum Input {
    /// A webhook.
    Webhook(Event),
    /// A batch of messages.
    Batch(Batch),
    /// The schedule's event.
    Schedule(Bytes),
    /// A page of the console.
    Visit(Visit),
}

const SCHEDULE: &str = include_str!("../../../../events/reset-errors.json");

impl Input {
    /// The input of a work whose first order has a number.
    ///
    /// # Errors
    /// The samples are not as expected.
    pub fn new(work: Work, first: u64) -> Result<Self, OrderError> {
        match work {
            Work::Intake(size) => intake::event(size, first).map(Self::Webhook),
            Work::Processor { batch, size, variant, .. } => {
                processor::batch(size, variant, first, batch).map(Self::Batch)
            }
            Work::Console(page, rows) => Ok(Self::Visit(Visit::new(page, rows))),
            Work::ResetErrors(_) => Ok(Self::Schedule(Bytes::from_static(SCHEDULE.as_bytes()))),
        }
    }

    /// The event.
    pub fn event(&self) -> Bytes {
        match self {
            Self::Webhook(event) => event.event.clone(),
            Self::Batch(batch) => batch.event.clone(),
            Self::Schedule(event) => event.clone(),
            Self::Visit(visit) => visit.event(),
        }
    }

    /// Numbers of the orders that are to be exported.
    pub fn numbers(&self) -> Vec<String> {
        match self {
            Self::Webhook(_) | Self::Schedule(_) | Self::Visit(_) => Vec::new(),
            Self::Batch(batch) => batch.numbers.clone(),
        }
    }

    /// Whether an answer is right.
    ///
    /// # Errors
    /// What was expected, and what came.
    pub fn check_answer(&self, answer: &[u8]) -> Result<(), String> {
        let wrong = |expected: &str| format!("expected {expected}, not {}", String::from_utf8_lossy(answer));
        let answer: Value = serde_json::from_slice(answer).map_err(|error| wrong(&format!("JSON ({error})")))?;
        match self {
            Self::Batch(_) if answer["batchItemFailures"].as_array().is_some_and(Vec::is_empty) => Ok(()),
            Self::Batch(_) => Err(wrong("a batch without failures")),
            Self::Schedule(_) if answer["changed"]["reset"] == MATCHES && answer["failed"] == 0 => Ok(()),
            Self::Schedule(_) => Err(wrong(&format!("a report of {MATCHES} exports that were reset"))),
            Self::Visit(visit) => visit.check(&answer),
            Self::Webhook(event) => {
                let body = answer["body"].as_str().and_then(|body| serde_json::from_str::<Value>(body).ok());
                let expected = serde_json::json!({
                    "order": event.order_id,
                    "status": "accepted",
                    "request_id": event.request_id,
                });
                if answer["statusCode"] != 202 || body.as_ref() != Some(&expected) {
                    return Err(wrong(&format!("status 202 with {expected}")));
                }
                let headers = &answer["headers"];
                let is_right = headers["content-type"] == "application/json" && headers["cache-control"] == "no-store";
                if is_right { Ok(()) } else { Err(wrong("the headers content-type and cache-control")) }
            }
        }
    }
}
