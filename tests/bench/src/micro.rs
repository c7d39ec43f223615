//! What the micro-benchmarks say of reading and writing an order, from the files that Criterion leaves.

use std::fs;
use std::path::Path;

use serde::Deserialize;

use crate::results::{Results, Target};

/// Where Criterion keeps the measurements of orders of 10 KB, from Cargo's target directory.
const GROUP: &str = "criterion/formats_10k";
/// Formats that are looked at.
const FORMATS: [&str; 4] = ["json", "csv", "template", "xml"];

#[derive(Deserialize)]
struct Estimates {
    median: Estimate,
}

#[derive(Deserialize)]
struct Estimate {
    point_estimate: f64,
}

/// Adds, for each format, the time from the raw body to the document, in microseconds, and how many times that is what
/// `serde_json` takes to read the same bytes. Nothing where the benchmarks have not been run.
pub fn add(results: &mut Results, target: &Path) {
    let group = target.join(GROUP);
    let Some(base) = nanoseconds(&group.join("serde_json")) else { return };
    for format in FORMATS {
        let Some(time) = nanoseconds(&group.join("read and render").join(format)) else { continue };
        let work = format!("micro/{format}");
        results.add(Target::Ordersync, &work, "read_and_render_us", vec![time / 1e3]);
        results.add(Target::Ordersync, &work, "times_serde_json", vec![time / base]);
    }
}

fn nanoseconds(directory: &Path) -> Option<f64> {
    let text = fs::read_to_string(directory.join("new/estimates.json")).ok()?;
    let estimates: Estimates = serde_json::from_str(&text).ok()?;
    Some(estimates.median.point_estimate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_criterion_left_is_read_and_what_it_did_not_is_left_out() {
        let target = tempfile::tempdir().unwrap();
        let mut results = Results::default();
        add(&mut results, target.path());
        assert_eq!(results, Results::default());
        for (benchmark, time) in [("serde_json", 20_000.0), ("read and render/csv", 50_000.0)] {
            let directory = target.path().join(GROUP).join(benchmark).join("new");
            fs::create_dir_all(&directory).unwrap();
            let estimates = format!(r#"{{"mean":{{"point_estimate":1.0}},"median":{{"point_estimate":{time}}}}}"#);
            fs::write(directory.join("estimates.json"), estimates).unwrap();
        }
        add(&mut results, target.path());
        assert_eq!(results.median(Target::Ordersync, "micro/csv", "times_serde_json"), Some(2.5));
        assert_eq!(results.0.len(), 2);
    }
}
