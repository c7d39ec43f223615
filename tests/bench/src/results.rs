//! What a run measured, as `target/bench/results.json` keeps it: read by the gate, the report and the cost table.

use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// Where results are kept, from the workspace's root.
pub const PLACE: &str = "target/bench/results.json";

/// Who did the work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Target {
    /// The functions of this workspace.
    Ordersync,
    /// The least that does the same in Rust: hyper, signed by hand, no SDK.
    Floor,
    /// Node.js, as its community writes it.
    Node,
    /// Python, as its community writes it.
    Python,
}

impl Target {
    /// All of them, ours first: what it makes of an order is what the others are compared with.
    pub const ALL: [Self; 4] = [Self::Ordersync, Self::Floor, Self::Node, Self::Python];

    /// Its name in a heading.
    pub fn title(self) -> &'static str {
        match self {
            Self::Ordersync => "ordersync",
            Self::Floor => "floor",
            Self::Node => "Node.js",
            Self::Python => "Python",
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ordersync => "ordersync",
            Self::Floor => "floor",
            Self::Node => "node",
            Self::Python => "python",
        })
    }
}

/// One figure of one target at one work.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Figure {
    /// Who.
    pub target: Target,
    /// What it did, such as `intake/10k` or `processor/s3/template/10/10k` (transport, format, batch, size of an order).
    pub work: String,
    /// What was measured, with its unit, such as `first_ms`.
    pub metric: String,
    /// The median of all samples.
    pub median: f64,
    /// The least of them.
    pub min: f64,
    /// The greatest of them.
    pub max: f64,
    /// How many there were.
    pub n: usize,
}

/// Everything that a run measured.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Results(pub Vec<Figure>);

/// Results cannot be read or written.
#[derive(Debug, thiserror::Error)]
#[error("{}: {cause}", .file.display())]
pub struct ResultsError {
    file: PathBuf,
    cause: io::Error,
}

impl Results {
    /// The figure of a target at a work.
    pub fn get(&self, target: Target, work: &str, metric: &str) -> Option<&Figure> {
        self.0.iter().find(|figure| figure.target == target && figure.work == work && figure.metric == metric)
    }

    /// The median of a target at a work.
    pub fn median(&self, target: Target, work: &str, metric: &str) -> Option<f64> {
        self.get(target, work, metric).map(|figure| figure.median)
    }

    /// Adds the samples of one measurement; none where there are no samples.
    pub fn add(&mut self, target: Target, work: &str, metric: &str, mut samples: Vec<f64>) {
        samples.sort_by(f64::total_cmp);
        let (Some(min), Some(max)) = (samples.first().copied(), samples.last().copied()) else { return };
        let (work, metric) = (work.to_owned(), metric.to_owned());
        self.0.push(Figure { target, work, metric, median: median(&samples), min, max, n: samples.len() });
    }

    /// These figures, with those of a newer run in place of older ones of the same measurement.
    #[must_use]
    pub fn updated(self, newer: Self) -> Self {
        let is_old = |old: &Figure| newer.get(old.target, &old.work, &old.metric).is_none();
        let kept: Vec<Figure> = self.0.into_iter().filter(is_old).collect();
        Self(kept.into_iter().chain(newer.0).collect())
    }

    /// Reads what a run wrote.
    ///
    /// # Errors
    /// The file is not there, or not as [`Results::write`] writes it.
    pub fn read(file: &Path) -> Result<Self, ResultsError> {
        let failed = |cause| ResultsError { file: file.to_owned(), cause };
        let text = fs::read_to_string(file).map_err(failed)?;
        serde_json::from_str(&text).map_err(|error| failed(error.into()))
    }

    /// Writes them, one figure a line, so that two runs can be compared.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn write(&self, file: &Path) -> Result<(), ResultsError> {
        let failed = |cause| ResultsError { file: file.to_owned(), cause };
        let lines = self.0.iter().map(serde_json::to_string).collect::<Result<Vec<_>, _>>();
        let lines = lines.map_err(|error| failed(error.into()))?;
        if let Some(directory) = file.parent() {
            fs::create_dir_all(directory).map_err(failed)?;
        }
        fs::write(file, format!("[\n{}\n]\n", lines.join(",\n"))).map_err(failed)
    }
}

/// The middle of sorted samples; the mean of the two in the middle where there is none.
fn median(sorted: &[f64]) -> f64 {
    let middle = sorted.len() / 2;
    let upper = sorted.get(middle).copied().unwrap_or_default();
    if sorted.len() % 2 == 1 {
        upper
    } else {
        f64::midpoint(sorted.get(middle.wrapping_sub(1)).copied().unwrap_or(upper), upper)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_newer_run_replaces_what_it_measured_and_nothing_else() {
        let (mut old, mut new) = (Results::default(), Results::default());
        old.add(Target::Node, "intake/2k", "cpu_us", vec![1.0]);
        old.add(Target::Node, "intake/2k", "first_ms", vec![5.0]);
        new.add(Target::Node, "intake/2k", "cpu_us", vec![2.0]);
        let both = old.updated(new);
        assert_eq!(both.median(Target::Node, "intake/2k", "cpu_us"), Some(2.0));
        assert_eq!(both.median(Target::Node, "intake/2k", "first_ms"), Some(5.0));
        assert_eq!(both.0.len(), 2);
    }

    #[test]
    fn the_median_is_the_middle() {
        for (samples, expected) in [(vec![3.0, 1.0, 2.0], 2.0), (vec![4.0, 1.0, 2.0, 3.0], 2.5), (vec![7.0], 7.0)] {
            let mut results = Results::default();
            results.add(Target::Floor, "intake/2k", "first_ms", samples);
            assert_eq!(results.median(Target::Floor, "intake/2k", "first_ms"), Some(expected));
        }
    }
}
