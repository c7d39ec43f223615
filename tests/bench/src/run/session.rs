//! A started target, and invoking it: what it does is awaited, and its death is noticed.

use std::io;
use std::path::Path;
use std::time::{Duration, Instant};

use bytes::Bytes;

use super::process::{Cores, Launch, Process};
use crate::stand_in::runtime::{Runtime, Seen, What};

/// How long a target may take for anything.
const PATIENCE: Duration = Duration::from_mins(2);
/// How often a target that is silent is looked at.
const LOOK: Duration = Duration::from_millis(200);

/// A target that does not do what it should.
#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    /// It ended, failed, or was silent.
    #[error("{what}; it wrote:\n{log}")]
    Target {
        /// What it did.
        what: String,
        /// The end of what it wrote.
        log: String,
    },
    /// Something of the operating system.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// A target and its Runtime API.
#[derive(Debug)]
pub(super) struct Session {
    /// The process.
    pub(super) process: Process,
    runtime: Runtime,
}

/// One invocation.
#[derive(Debug, Clone)]
pub(super) struct Invocation {
    /// When its event was handed out.
    pub(super) handed: Instant,
    /// When its answer was there.
    pub(super) answered: Instant,
    /// The answer.
    pub(super) answer: Bytes,
}

impl Session {
    /// Starts a target.
    ///
    /// # Errors
    /// It cannot be started.
    pub(super) fn start(runtime: Runtime, launch: &Launch, cores: Cores, log: &Path) -> Result<Self, SessionError> {
        let mut launch = launch.clone();
        launch.environment.insert("AWS_LAMBDA_RUNTIME_API".into(), runtime.address().to_string());
        Ok(Self { process: Process::start(&launch, cores, log)?, runtime })
    }

    /// Waits until the target asks for an invocation.
    ///
    /// # Errors
    /// It does something else.
    pub(super) async fn asked(&mut self) -> Result<Instant, SessionError> {
        match self.next().await? {
            Seen { at, what: What::Asked } => Ok(at),
            Seen { what, .. } => Err(self.unexpected(&what.to_string())),
        }
    }

    /// Hands an event out, now or as soon as it is asked for one.
    pub(super) fn hand_out(&self, event: Bytes) {
        self.runtime.hand_out(event);
    }

    /// Waits for the answer to the event that was handed out.
    ///
    /// # Errors
    /// It fails, or does something else.
    pub(super) async fn answered(&mut self) -> Result<Invocation, SessionError> {
        let handed = match self.next().await? {
            Seen { at, what: What::Handed } => at,
            Seen { what, .. } => return Err(self.unexpected(&what.to_string())),
        };
        match self.next().await? {
            Seen { at, what: What::Answered(answer) } => Ok(Invocation { handed, answered: at, answer }),
            Seen { what, .. } => Err(self.unexpected(&what.to_string())),
        }
    }

    /// Invokes a target that has asked, and waits until it asks again.
    ///
    /// # Errors
    /// It fails, or does something else.
    pub(super) async fn invoke(&mut self, event: Bytes) -> Result<Invocation, SessionError> {
        self.hand_out(event);
        let invocation = self.answered().await?;
        self.asked().await?;
        Ok(invocation)
    }

    async fn next(&mut self) -> Result<Seen, SessionError> {
        let began = Instant::now();
        loop {
            if let Ok(Some(seen)) = tokio::time::timeout(LOOK, self.runtime.next()).await {
                return Ok(seen);
            }
            if let Some(status) = self.process.ended()? {
                return Err(self.unexpected(&format!("ended: {status}")));
            }
            if began.elapsed() > PATIENCE {
                return Err(self.unexpected(&format!("did nothing for {} s", PATIENCE.as_secs())));
            }
        }
    }

    /// What it did instead, and what it wrote.
    pub(super) fn unexpected(&self, what: &str) -> SessionError {
        SessionError::Target { what: what.to_owned(), log: self.process.log_end() }
    }
}
