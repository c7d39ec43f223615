//! What the scheduled functions share: how a run is asked for, how long it may take, and what it says it did.

mod report;
mod run;

use std::borrow::Borrow;
use std::fmt::Display;

use serde_json::Value;
use tokio::time::Instant;

use crate::clock;
use crate::ledger::{LastRun, Ledger};

pub use report::Report;
pub use run::{BadInput, Run};

/// Takes one event of the scheduled function `function` through `work` and puts it on record: what it did, or why it
/// failed: in the log, as metrics, and in the ledger for whoever looks at its last run there. `deadline_ms` is the
/// invocation's end, in milliseconds since 1970. A function that has more to say than its report answers with what holds
/// the report.
///
/// # Errors
/// Bad input, and whatever `work` fails with; both are logged here.
pub async fn answer<T, E, W>(
    function: &'static str,
    event: &Value,
    deadline_ms: u64,
    ledger: &Ledger,
    work: impl FnOnce(Run) -> W,
) -> Result<T, E>
where
    T: Borrow<Report>,
    E: From<BadInput> + Display,
    W: Future<Output = Result<T, E>>,
{
    let run = match Run::of(event, deadline_ms) {
        Ok(run) => run,
        Err(bad) => return Err(failed(function, bad.into())),
    };
    let (began, name, is_dry) = (Instant::now(), run.name(function), run.dry_run);
    let answered = work(run).await.inspect(|answer| answer.borrow().finish(function));
    let answered = answered.map_err(|error| failed(function, error));
    if !is_dry {
        let said = match &answered {
            Ok(answer) => serde_json::to_string(answer.borrow()).unwrap_or_default(),
            Err(error) => error.to_string(),
        };
        let run = LastRun { name, ended_at: clock::now(), took: began.elapsed(), is_ok: answered.is_ok(), said };
        note(ledger, &run).await;
    }
    answered
}

/// A run that cannot be noted has run all the same.
async fn note(ledger: &Ledger, run: &LastRun) {
    if let Err(error) = ledger.note_run(run).await {
        tracing::warn!(error = %error, "the run of {} is not noted: {error}", run.name);
    }
}

/// A run that came to nothing counts as one failure, so that one alarm tells of both kinds.
fn failed<E: Display>(function: &'static str, error: E) -> E {
    tracing::error!(function, error = %error, "{function} failed: {error}");
    let mut report = Report::new(false);
    report.failed(1);
    report.emit(function);
    error
}

#[cfg(test)]
mod tests;
