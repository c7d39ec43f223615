//! Pauses of pipelines.

use jiff::Timestamp;
use ordersync::clock;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Actor, Admin, AdminError, Entry};

/// Stands for every pipeline in the audit log.
const ALL: &str = "every pipeline";
/// Characters of a reason, which the overview and the orders' pages show.
const LONGEST: usize = 200;

/// A pause, or its end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PauseView {
    /// Which pipeline; nothing where all of them are paused.
    pub pipeline: Option<String>,
    /// Whether it goes on; else it has ended, and what waited is being handed out.
    pub is_on: bool,
    /// Since when it is so.
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub since: Timestamp,
    /// Why, as whoever paused it said.
    pub reason: Option<String>,
}

impl Admin {
    /// What is paused, and what is being handed out after a pause.
    pub async fn pauses(&self) -> Result<Vec<PauseView>, AdminError> {
        let pauses = self.ledger.pauses().await?;
        let view = |(pipeline, pause): (Option<&str>, &ordersync::ledger::Pause)| PauseView {
            pipeline: pipeline.map(ToOwned::to_owned),
            is_on: pause.is_on,
            since: pause.since,
            reason: pause.reason.clone(),
        };
        Ok(pauses.iter().map(view).collect())
    }

    /// Pauses a pipeline, or all of them. Orders are accepted, and wait.
    ///
    /// # Errors
    /// A reason of more than 200 characters; a ledger that does not answer.
    pub async fn pause(&self, actor: &Actor, pipeline: Option<&str>, reason: &str) -> Result<(), AdminError> {
        if reason.chars().count() > LONGEST {
            return Err(AdminError::invalid(format!("reason: expected at most {LONGEST} characters")));
        }
        let done = self.ledger.pause(pipeline, reason, clock::now()).await.map_err(AdminError::from);
        self.noted(actor, "pause", pipeline.unwrap_or(ALL), done, "paused").await
    }

    /// Ends a pause. What waits is handed out by the next runs of the release schedule.
    pub async fn resume(&self, actor: &Actor, pipeline: Option<&str>) -> Result<(), AdminError> {
        let done = self.ledger.resume(pipeline, clock::now()).await.map_err(AdminError::from);
        self.noted(actor, "resume", pipeline.unwrap_or(ALL), done, "resumed").await
    }

    /// Notes what became of something in the audit log, and hands it on.
    pub(crate) async fn noted<T>(
        &self,
        actor: &Actor,
        action: &str,
        what: &str,
        done: Result<T, AdminError>,
        words: &str,
    ) -> Result<T, AdminError> {
        let outcome = done.as_ref().map_or_else(|error| error.message.clone(), |_| words.to_owned());
        self.note(Entry::new(actor, action, what, done.is_ok(), &outcome)).await;
        done
    }
}
