//! The least that does the work of intake and processor: what is left when everything comfortable is taken away. The
//! bench measures the functions beside it. It reads no configuration, knows one platform and one pipeline each, and
//! leaves to the queue whatever goes wrong.

mod aws;
mod claims;
mod documents;
mod environment;
mod http1;
pub mod intake;
mod order;
pub mod processor;
mod runtime;
mod scalar;

use std::fmt;
use std::io::Write as _;
use std::process::ExitCode;

use serde::Serialize;

/// What failed, and how.
#[derive(Debug, thiserror::Error)]
#[error("{what}: {reason}")]
struct Error {
    what: &'static str,
    reason: String,
}

impl Error {
    fn new(what: &'static str, reason: impl fmt::Display) -> Self {
        Self { what, reason: format!("{reason}") }
    }

    /// For `map_err`.
    fn of<R: fmt::Display>(what: &'static str) -> impl Fn(R) -> Self {
        move |reason| Self::new(what, reason)
    }
}

/// What is logged: one line of JSON.
#[derive(Serialize)]
struct Line<'a> {
    timestamp: String,
    level: &'a str,
    message: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    export: Option<&'a str>,
}

impl<'a> Line<'a> {
    fn new(level: &'a str, message: &'a str) -> Self {
        Self { timestamp: environment::now().to_string(), level, message, request_id: None, export: None }
    }

    fn write(&self) {
        let mut line = serde_json::to_vec(self).unwrap_or_default();
        line.push(b'\n');
        // There is nobody left to tell.
        drop(std::io::stdout().write_all(&line));
    }
}

/// How a function's process ends, which it does only when it cannot start or loses the Runtime API.
fn ended(result: Result<(), Error>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            Line::new("ERROR", &error.to_string()).write();
            ExitCode::FAILURE
        }
    }
}
