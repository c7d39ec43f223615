//! What became of the results of one document. Pure but for its metrics.

use std::collections::BTreeMap;

use ordersync::telemetry::{Dimension, Metric, metrics};
use serde::Serialize;
use serde_json::{Map, Value, json};

/// Failed results that an answer or a reason lists; how many there are is said besides.
const MOST_LISTED: usize = 1000;

/// What became of the results of one document.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    acknowledged: u64,
    refused: u64,
    /// By their place in the document.
    failed: BTreeMap<usize, Failed>,
}

/// A result that did not count.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Failed {
    /// The order, where that much could be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) order: Option<String>,
    /// The configured path that is at fault.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) path: Option<String>,
    /// What is wrong, or was expected.
    pub(crate) reason: String,
    /// Whether it is too early for it, so that the same result may count later.
    #[serde(skip)]
    pub(crate) is_early: bool,
}

/// A failed result in a list.
#[derive(Serialize)]
struct Listed<'a> {
    index: usize,
    #[serde(flatten)]
    failed: &'a Failed,
}

impl Tally {
    pub(crate) fn acknowledge(&mut self) {
        self.acknowledged += 1;
    }

    pub(crate) fn refuse(&mut self) {
        self.refused += 1;
    }

    /// Counts the result at `index`, from 0, as failed.
    pub(crate) fn fail(&mut self, index: usize, failed: Failed) {
        self.failed.insert(index, failed);
    }

    /// Whether every result counted.
    pub(crate) fn is_whole(&self) -> bool {
        self.failed.is_empty()
    }

    /// Whether some result may count later.
    pub(crate) fn has_early(&self) -> bool {
        self.failed.values().any(|failed| failed.is_early)
    }

    /// How many results did not count, and how many there are.
    pub(crate) fn failed(&self) -> (usize, u64) {
        let failed = self.failed.len();
        (failed, self.acknowledged + self.refused + failed as u64)
    }

    /// As answers and reasons have it: counts, and each failed result with its place.
    pub(crate) fn members(&self) -> Map<String, Value> {
        let listed = self.failed.iter().take(MOST_LISTED).map(|(index, failed)| Listed { index: *index, failed });
        let listed: Vec<_> = listed.collect();
        let mut members = Map::new();
        members.insert("acknowledged".into(), self.acknowledged.into());
        members.insert("refused".into(), self.refused.into());
        members.insert("failed".into(), json!(listed));
        if listed.len() < self.failed.len() {
            members.insert("failed_in_all".into(), self.failed.len().into());
        }
        members
    }

    /// `acknowledged 3, refused 1, failed 0`.
    pub(crate) fn words(&self) -> String {
        format!("acknowledged {}, refused {}, failed {}", self.acknowledged, self.refused, self.failed.len())
    }

    /// Writes the metrics of one document.
    pub(crate) fn emit(&self, pipeline: &str) {
        let counts = [self.acknowledged, self.refused, self.failed.len() as u64];
        emit(&[Dimension::Function("responses"), Dimension::Pipeline(pipeline)], counts);
    }
}

/// Writes the metrics of a document that no results could be taken from: one failure. `pipeline` is one of the
/// configuration's; whatever else the sender names must not become a metric of its own.
pub(crate) fn emit_unread(pipeline: Option<&str>) {
    let function = [Dimension::Function("responses")];
    let dimensions: Vec<_> = function.into_iter().chain(pipeline.map(Dimension::Pipeline)).collect();
    emit(&dimensions, [0, 0, 1]);
}

fn emit(dimensions: &[Dimension<'_>], counts: [u64; 3]) {
    let values: Vec<_> = [Metric::Acknowledged, Metric::Refused, Metric::Failed].into_iter().zip(counts).collect();
    metrics(&[dimensions], &values, Map::new());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failed() -> Failed {
        Failed { order: None, path: None, reason: "why".into(), is_early: false }
    }

    #[test]
    fn failed_results_are_listed_in_the_order_of_the_document() {
        let mut tally = Tally::default();
        tally.acknowledge();
        tally.refuse();
        assert!(tally.is_whole() && !tally.has_early());
        for index in [5, 1, 7] {
            tally.fail(index, Failed { is_early: index == 7, ..failed() });
        }
        tally.fail(2, Failed { order: Some("1001".into()), path: Some("/order".into()), ..failed() });
        assert!(!tally.is_whole() && tally.has_early());
        assert_eq!((tally.failed(), tally.words().as_str()), ((4, 6), "acknowledged 1, refused 1, failed 4"));
        let expected = json!({
            "acknowledged": 1,
            "refused": 1,
            "failed": [
                { "index": 1, "reason": "why" },
                { "index": 2, "order": "1001", "path": "/order", "reason": "why" },
                { "index": 5, "reason": "why" },
                { "index": 7, "reason": "why" },
            ],
        });
        assert_eq!(Value::Object(tally.members()), expected);
    }

    #[test]
    fn a_long_list_is_cut_and_its_length_said() {
        let mut tally = Tally::default();
        (0..1001).for_each(|index| tally.fail(index, failed()));
        let members = tally.members();
        assert_eq!(members["failed"].as_array().map(Vec::len), Some(1000));
        assert_eq!(members["failed_in_all"], 1001);
    }
}
