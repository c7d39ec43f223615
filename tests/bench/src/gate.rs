//! The gate: what is counted, and not timed, stays within the limits of `limits.toml`.

use std::fmt;
use std::fs;
use std::path::Path;

use serde::Deserialize;

use crate::results::{Results, Target};

/// What a metric of a work may be at most.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limit {
    /// The work, or a function.
    pub work: String,
    /// What is counted.
    pub metric: String,
    /// The most that it may be.
    pub most: f64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    limits: Vec<Limit>,
}

/// The limits cannot be read, or are not kept.
#[derive(Debug, thiserror::Error)]
pub enum GateError {
    /// The file is not as expected.
    #[error("{file}: {reason}")]
    Unreadable {
        /// Which file.
        file: String,
        /// What was expected.
        reason: String,
    },
    /// Some limits are not kept.
    #[error("{0} of the limits in tests/bench/limits.toml are not kept")]
    Exceeded(usize),
}

/// A limit, and what was measured.
#[derive(Debug, Clone)]
pub struct Verdict {
    limit: Limit,
    measured: Option<f64>,
}

impl Verdict {
    /// Whether the limit is kept. What was not measured keeps none.
    pub fn is_kept(&self) -> bool {
        self.measured.is_some_and(|measured| measured <= self.limit.most)
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Limit { work, metric, most } = &self.limit;
        let sign = if self.is_kept() { "ok  " } else { "FAIL" };
        match self.measured {
            Some(measured) => write!(f, "{sign} {work} {metric}: {measured}, at most {most}"),
            None => write!(f, "{sign} {work} {metric}: was not measured, at most {most}"),
        }
    }
}

/// Reads the limits.
///
/// # Errors
/// The file is not as expected.
pub fn limits(file: &Path) -> Result<Vec<Limit>, GateError> {
    let failed = |reason: String| GateError::Unreadable { file: file.display().to_string(), reason };
    let text = fs::read_to_string(file).map_err(|error| failed(error.to_string()))?;
    let document: Document = toml::from_str(&text).map_err(|error| failed(error.to_string()))?;
    Ok(document.limits)
}

/// What a run says of the limits.
pub fn judge(limits: Vec<Limit>, results: &Results) -> Vec<Verdict> {
    let verdict = |limit: Limit| {
        let measured = results.median(Target::Ordersync, &limit.work, &limit.metric);
        Verdict { limit, measured }
    };
    limits.into_iter().map(verdict).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::plan::works;

    fn limit(metric: &str) -> Limit {
        Limit { work: "intake/10k".into(), metric: metric.into(), most: 12.0 }
    }

    #[test]
    fn what_is_more_or_was_not_measured_fails() {
        let mut results = Results::default();
        results.add(Target::Ordersync, "intake/10k", "syscalls", vec![12.0]);
        results.add(Target::Ordersync, "intake/10k", "aws_calls", vec![12.1]);
        results.add(Target::Floor, "intake/10k", "rss_kb", vec![1.0]);
        let verdicts = judge(["syscalls", "aws_calls", "rss_kb"].map(limit).into(), &results);
        assert_eq!(verdicts.iter().map(Verdict::is_kept).collect::<Vec<_>>(), [true, false, false]);
        assert_eq!(verdicts[1].to_string(), "FAIL intake/10k aws_calls: 12.1, at most 12");
    }

    #[test]
    fn every_limit_is_of_something_that_is_measured() {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("limits.toml");
        for Limit { work, .. } in limits(&file).unwrap() {
            let is_work = works(false).iter().any(|known| known.to_string() == work);
            let function = file.with_file_name("../../functions").join(&work);
            assert!(is_work || function.is_dir() || work.starts_with("reset-errors/"), "{work}");
        }
    }
}
