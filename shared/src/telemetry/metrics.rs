//! Metrics: lines in `CloudWatch`'s Embedded Metric Format, which the log turns into metrics without a call.
//!
//! <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html>

use std::io::Write as _;

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::clock;

/// Namespace of all metrics.
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

/// Unit of a metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// A number of things.
    Count,
    /// Bytes.
    Bytes,
    /// Milliseconds.
    Milliseconds,
}

impl Unit {
    /// As `CloudWatch` calls it.
    fn name(self) -> &'static str {
        match self {
            Self::Count => "Count",
            Self::Bytes => "Bytes",
            Self::Milliseconds => "Milliseconds",
        }
    }
}

/// A value that was measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Metric {
    /// Its name, in upper camel case: `Seen`.
    pub name: &'static str,
    /// Its unit.
    pub unit: Unit,
    /// The value.
    pub value: u64,
}

/// Writes one line of metrics to the log; none where there are no metrics. `properties` are further members of the
/// line: no metrics, but found by a query. Neither may tell who ordered.
pub fn metrics(dimensions: &[Dimension<'_>], metrics: &[Metric], properties: Map<String, Value>) {
    if metrics.is_empty() {
        return;
    }
    let line = line(clock::now(), dimensions, metrics, properties);
    // At once, as a line in pieces is no line to CloudWatch. Without an output there is no log to say so in.
    std::io::stdout().lock().write_all(format!("{line}\n").as_bytes()).unwrap_or_default();
}

/// The line as the specification has it. Properties never replace what the metrics are made of.
fn line(at: Timestamp, dimensions: &[Dimension<'_>], metrics: &[Metric], properties: Map<String, Value>) -> Value {
    let names: Vec<_> = dimensions.iter().map(|dimension| dimension.name()).collect();
    let definitions: Vec<_> =
        metrics.iter().map(|metric| json!({ "Name": metric.name, "Unit": metric.unit.name() })).collect();
    let mut line = properties;
    for dimension in dimensions {
        line.insert(dimension.name().to_owned(), dimension.value().into());
    }
    for metric in metrics {
        line.insert(metric.name.to_owned(), metric.value.into());
    }
    let directive = json!({ "Namespace": NAMESPACE, "Dimensions": [names], "Metrics": definitions });
    let metadata = json!({ "Timestamp": at.as_millisecond(), "CloudWatchMetrics": [directive] });
    line.insert("_aws".to_owned(), metadata);
    Value::Object(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn example(properties: Map<String, Value>) -> Result<Value, jiff::Error> {
        let dimensions = [Dimension::Function("reset-errors"), Dimension::Pipeline("erp")];
        let metrics = [
            Metric { name: "Seen", unit: Unit::Count, value: 0 },
            Metric { name: "Freed", unit: Unit::Bytes, value: u64::MAX },
            Metric { name: "Lasted", unit: Unit::Milliseconds, value: 12 },
        ];
        Ok(line("2026-08-01T12:00:00.25Z".parse()?, &dimensions, &metrics, properties))
    }

    #[test]
    fn a_line_is_as_the_specification_has_it() -> Result<(), Box<dyn std::error::Error>> {
        let properties = json!({ "skipped": { "paused": 2 } }).as_object().cloned().unwrap_or_default();
        let expected = json!({
            "skipped": { "paused": 2 },
            "function": "reset-errors",
            "pipeline": "erp",
            "Seen": 0,
            "Freed": 18_446_744_073_709_551_615_u64,
            "Lasted": 12,
            "_aws": {
                "Timestamp": 1_785_585_600_250_i64,
                "CloudWatchMetrics": [{
                    "Namespace": "ordersync",
                    "Dimensions": [["function", "pipeline"]],
                    "Metrics": [
                        { "Name": "Seen", "Unit": "Count" },
                        { "Name": "Freed", "Unit": "Bytes" },
                        { "Name": "Lasted", "Unit": "Milliseconds" },
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
        let hostile = json!({ "_aws": 1, "function": 2, "Seen": "three" }).as_object().cloned().unwrap_or_default();
        let line = example(hostile)?;
        let directive = &line["_aws"]["CloudWatchMetrics"][0];
        let names = directive["Dimensions"][0].as_array().ok_or("no dimensions")?;
        assert!(names.iter().all(|name| line[name.as_str().unwrap_or_default()].is_string()), "{line}");
        let metrics = directive["Metrics"].as_array().ok_or("no metrics")?;
        assert!(metrics.iter().all(|metric| line[metric["Name"].as_str().unwrap_or_default()].is_u64()), "{line}");
        assert!(!line.to_string().contains('\n'), "one line: {line}");
        Ok(())
    }
}
