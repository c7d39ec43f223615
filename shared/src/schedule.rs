//! What the scheduled functions share: how a run is asked for, how long it may take, and what it says it did.

mod report;
mod run;

use std::borrow::Borrow;
use std::fmt::Display;

use serde_json::Value;

pub use report::Report;
pub use run::{BadInput, Run};

/// Takes one event of the scheduled function `function` through `work` and puts it on record: what it did, or why it
/// failed. `deadline_ms` is the invocation's end, in milliseconds since 1970. A function that has more to say than its
/// report answers with what holds the report.
///
/// # Errors
/// Bad input, and whatever `work` fails with; both are logged here.
pub async fn answer<T, E, W>(
    function: &'static str,
    event: &Value,
    deadline_ms: u64,
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
    match work(run).await {
        Ok(answer) => {
            answer.borrow().finish(function);
            Ok(answer)
        }
        Err(error) => Err(failed(function, error)),
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
