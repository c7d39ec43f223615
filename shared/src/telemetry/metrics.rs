//! Metrics: lines in `CloudWatch`'s Embedded Metric Format, which the log turns into metrics without a call.
//!
//! <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html>

use std::io::Write as _;

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::aws::variable;
use crate::clock;

/// Namespace of metrics where `METRICS_NAMESPACE` does not say another; the template has one for each stack.
const NAMESPACE: &str = "ordersync";

/// What a metric is of. Each combination of values is a metric of its own that is paid for, so there is nothing here
/// that grows with the orders.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dimension<'a> {
    /// Name of the function: `reset-errors`.
    Function(&'a str),
    /// Code of the pipeline.
    Pipeline(&'a str),
}

impl<'a> Dimension<'a> {
    fn name(self) -> &'static str {
        match self {
            Self::Function(_) => "function",
            Self::Pipeline(_) => "pipeline",
        }
    }

    fn value(self) -> &'a str {
        match self {
            Self::Function(value) | Self::Pipeline(value) => value,
        }
    }
}

/// Every metric that there is, by the name that it has in `CloudWatch`; `docs/operations.md` says what each tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Metric {
    /// Rows, messages or objects that a run of a scheduled function looked at.
    Seen,
    /// What of these it changed.
    Changed,
    /// What of these it left as it is.
    Skipped,
    /// What could not be dealt with: of a scheduled function's run, or results of a back office's document.
    Failed,
    /// What is known to wait for the next run.
    Left,
    /// Exports that are no longer reset by themselves.
    ResetsUsedUp,
    /// Exports that a run has made errors, as the back office did not acknowledge them in time.
    Unacknowledged,
    /// Results by which a back office acknowledged an order.
    Acknowledged,
    /// Results by which a back office refused one.
    Refused,
    /// Exports that were made.
    Exported,
    /// Attempts at exports that failed, the last ones too.
    AttemptsFailed,
    /// Exports that are in error from now on.
    GaveUp,
    /// From the webhook's receipt to its export, of the one that took longest in a batch.
    Lag,
    /// Sign-ins at the console with a wrong name or password.
    SignInsFailed,
    /// Sign-ins that were refused, as too many were tried.
    SignInsRefused,
}

impl Metric {
    /// All of them.
    pub const ALL: [Self; 15] = [
        Self::Seen,
        Self::Changed,
        Self::Skipped,
        Self::Failed,
        Self::Left,
        Self::ResetsUsedUp,
        Self::Unacknowledged,
        Self::Acknowledged,
        Self::Refused,
        Self::Exported,
        Self::AttemptsFailed,
        Self::GaveUp,
        Self::Lag,
        Self::SignInsFailed,
        Self::SignInsRefused,
    ];

    /// Its name in `CloudWatch`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Seen => "Seen",
            Self::Changed => "Changed",
            Self::Skipped => "Skipped",
            Self::Failed => "Failed",
            Self::Left => "Left",
            Self::ResetsUsedUp => "ResetsUsedUp",
            Self::Unacknowledged => "Unacknowledged",
            Self::Acknowledged => "Acknowledged",
            Self::Refused => "Refused",
            Self::Exported => "Exported",
            Self::AttemptsFailed => "AttemptsFailed",
            Self::GaveUp => "GaveUp",
            Self::Lag => "Lag",
            Self::SignInsFailed => "SignInsFailed",
            Self::SignInsRefused => "SignInsRefused",
        }
    }

    /// Its unit as `CloudWatch` calls it.
    #[must_use]
    pub fn unit(self) -> &'static str {
        if self == Self::Lag { "Milliseconds" } else { "Count" }
    }
}

/// Writes one line of metrics to the log; none where there are no metrics. They are those of each of the `sets` of
/// dimensions. `properties` are further members of the line: no metrics, but found by a query. Neither may tell who
/// ordered.
pub fn metrics(sets: &[&[Dimension<'_>]], metrics: &[(Metric, u64)], properties: Map<String, Value>) {
    if metrics.is_empty() {
        return;
    }
    let namespace = variable("METRICS_NAMESPACE");
    let line = line(clock::now(), namespace.as_deref().unwrap_or(NAMESPACE), sets, metrics, properties);
    // At once, as a line in pieces is no line to CloudWatch. Without an output there is no log to say so in.
    std::io::stdout().lock().write_all(format!("{line}\n").as_bytes()).unwrap_or_default();
}

/// The line as the specification has it. Properties never replace what the metrics are made of.
fn line(
    at: Timestamp,
    namespace: &str,
    sets: &[&[Dimension<'_>]],
    metrics: &[(Metric, u64)],
    properties: Map<String, Value>,
) -> Value {
    let names = |set: &&[Dimension<'_>]| set.iter().map(|dimension| dimension.name()).collect::<Vec<_>>();
    let sets_of_names: Vec<_> = sets.iter().map(names).collect();
    let definitions: Vec<_> =
        metrics.iter().map(|(metric, _)| json!({ "Name": metric.name(), "Unit": metric.unit() })).collect();
    let mut line = properties;
    for dimension in sets.iter().copied().flatten() {
        line.insert(dimension.name().to_owned(), dimension.value().into());
    }
    for (metric, value) in metrics {
        line.insert(metric.name().to_owned(), (*value).into());
    }
    let directive = json!({ "Namespace": namespace, "Dimensions": sets_of_names, "Metrics": definitions });
    let metadata = json!({ "Timestamp": at.as_millisecond(), "CloudWatchMetrics": [directive] });
    line.insert("_aws".to_owned(), metadata);
    Value::Object(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn example(properties: Map<String, Value>) -> Result<Value, jiff::Error> {
        let (function, pipeline) = (Dimension::Function("processor"), Dimension::Pipeline("erp"));
        let metrics = [(Metric::Exported, 0), (Metric::GaveUp, u64::MAX), (Metric::Lag, 12)];
        Ok(line(
            "2026-08-01T12:00:00.25Z".parse()?,
            "acme",
            &[&[function], &[function, pipeline]],
            &metrics,
            properties,
        ))
    }

    #[test]
    fn a_line_is_as_the_specification_has_it() -> Result<(), Box<dyn std::error::Error>> {
        let properties = json!({ "skipped": { "paused": 2 } }).as_object().cloned().unwrap_or_default();
        let expected = json!({
            "skipped": { "paused": 2 },
            "function": "processor",
            "pipeline": "erp",
            "Exported": 0,
            "GaveUp": 18_446_744_073_709_551_615_u64,
            "Lag": 12,
            "_aws": {
                "Timestamp": 1_785_585_600_250_i64,
                "CloudWatchMetrics": [{
                    "Namespace": "acme",
                    "Dimensions": [["function"], ["function", "pipeline"]],
                    "Metrics": [
                        { "Name": "Exported", "Unit": "Count" },
                        { "Name": "GaveUp", "Unit": "Count" },
                        { "Name": "Lag", "Unit": "Milliseconds" },
                    ],
                }],
            },
        });
        assert_eq!(example(properties)?, expected);
        Ok(())
    }

    /// "The root node MUST contain all target members": strings for dimensions, numbers for metrics.
    #[test]
    fn every_dimension_and_metric_that_is_named_is_a_member() -> Result<(), Box<dyn std::error::Error>> {
        let hostile = json!({ "_aws": 1, "function": 2, "Lag": "three" }).as_object().cloned().unwrap_or_default();
        let line = example(hostile)?;
        let directive = &line["_aws"]["CloudWatchMetrics"][0];
        let names = directive["Dimensions"][1].as_array().ok_or("no dimensions")?;
        assert!(names.iter().all(|name| line[name.as_str().unwrap_or_default()].is_string()), "{line}");
        let metrics = directive["Metrics"].as_array().ok_or("no metrics")?;
        assert!(metrics.iter().all(|metric| line[metric["Name"].as_str().unwrap_or_default()].is_u64()), "{line}");
        assert!(!line.to_string().contains('\n'), "one line: {line}");
        Ok(())
    }

    #[test]
    fn what_each_metric_tells_is_documented() {
        let guide = include_str!("../../../docs/operations.md");
        for metric in Metric::ALL {
            let row = format!("| `{}` | {} |", metric.name(), metric.unit());
            assert!(guide.contains(&row), "docs/operations.md has no row that begins with {row}");
        }
    }
}
