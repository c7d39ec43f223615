//! Figures as the page writes them. Pure.

use crate::profile::METRIC;
use crate::results::{Figure, Results, Target};

/// What a metric's figures are divided by for the page.
fn over(metric: &str) -> f64 {
    match metric {
        "rss_kb" => 1024.0,
        "zip_bytes" | "binary_bytes" => 1e6,
        "harness_share" | "target_share" => 0.01,
        _ => 1.0,
    }
}

/// With as many digits as say something.
pub(super) fn rounded(value: f64) -> String {
    if value >= 1000.0 {
        return grouped(&format!("{value:.0}"));
    }
    let decimals = if value >= 100.0 {
        0
    } else if value >= 10.0 {
        1
    } else {
        2
    };
    let text = format!("{value:.decimals$}");
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

/// Thousands apart.
fn grouped(digits: &str) -> String {
    let mut grouped = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// How many times ours it is.
fn ratio(theirs: f64, ours: f64) -> String {
    if ours <= 0.0 { String::new() } else { format!(" ({}×)", rounded_ratio(theirs / ours)) }
}

fn rounded_ratio(ratio: f64) -> String {
    if ratio >= 10.0 { format!("{ratio:.0}") } else { format!("{ratio:.1}") }
}

/// Median with least and greatest, where there were several samples.
fn spread(figure: &Figure, over: f64) -> String {
    let [median, min, max] = [figure.median, figure.min, figure.max].map(|value| rounded(value / over));
    if figure.n > 1 && min != max { format!("{median} [{min}–{max}]") } else { median }
}

/// A table of one metric: a line for each work, a column for each target, how many times ours in brackets.
pub(super) fn table(results: &Results, metric: &str, works: &[String]) -> String {
    let over = over(metric);
    let measured = |target: &Target| works.iter().any(|work| results.get(*target, work, metric).is_some());
    let targets: Vec<Target> = Target::ALL.into_iter().filter(measured).collect();
    let mut lines = vec![
        format!("| | {} |", targets.iter().map(|target| target.title()).collect::<Vec<_>>().join(" | ")),
        format!("|---|{}", "--:|".repeat(targets.len())),
    ];
    for work in works {
        let ours = results.median(Target::Ordersync, work, metric);
        let cell = |target: &Target| match results.get(*target, work, metric) {
            None => "–".to_owned(),
            Some(figure) if *target == Target::Ordersync => format!("**{}**", spread(figure, over)),
            Some(figure) => spread(figure, over) + &ours.map(|ours| ratio(figure.median, ours)).unwrap_or_default(),
        };
        let cells: Vec<String> = targets.iter().map(cell).collect();
        if cells.iter().any(|cell| cell != "–") {
            lines.push(format!("| {work} | {} |", cells.join(" | ")));
        }
    }
    lines.join("\n")
}

/// Where the instructions of an invocation go, ours beside the floor's, in thousands.
pub(super) fn profile(results: &Results, work: &str) -> String {
    let parts = |target| {
        let of = results.0.iter().filter(move |figure| figure.target == target && figure.work == work);
        of.filter_map(|figure| Some((figure.metric.strip_prefix(METRIC)?, figure.median)))
    };
    let mut ours: Vec<_> = parts(Target::Ordersync).collect();
    ours.sort_by(|one, other| other.1.total_cmp(&one.1));
    let sum = |target| parts(target).map(|(_, instructions)| instructions).sum::<f64>();
    let (own, floor) = (sum(Target::Ordersync), sum(Target::Floor));
    if ours.is_empty() {
        return "Not counted in this run: `make profile` does it.".to_owned();
    }
    let line = |name: &str, count: f64, theirs: f64| {
        let thousands = |count: f64| rounded((count / 1e3).round());
        format!("| {name} | {} | {:.0} % | {} |", thousands(count), count / own * 100.0, thousands(theirs))
    };
    let theirs = |part: &str| parts(Target::Floor).find(|(known, _)| *known == part).map_or(0.0, |(_, count)| count);
    let mut lines = vec!["| | thousands | | floor |".to_owned(), "|---|--:|--:|--:|".to_owned()];
    lines.extend(ours.iter().map(|(part, count)| line(part, *count, theirs(part))));
    lines.push(line("**all**", own, floor));
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_have_the_digits_that_say_something() {
        for (value, expected) in [
            (0.447, "0.45"),
            (3.0, "3"),
            (12.04, "12"),
            (12.34, "12.3"),
            (283.4, "283"),
            (1506.7, "1,507"),
            (1_234_567.0, "1,234,567"),
            (0.0, "0"),
        ] {
            assert_eq!(rounded(value), expected, "{value}");
        }
    }

    #[test]
    fn a_profile_has_its_parts_the_greatest_first_and_the_floor_beside() {
        let mut results = Results::default();
        for (target, part, count) in [
            (Target::Ordersync, "JSON", 30_400.0),
            (Target::Ordersync, "HTTP", 90_600.0),
            (Target::Floor, "HTTP", 20_000.0),
        ] {
            results.add(target, "intake/10k", &format!("{METRIC}{part}"), vec![count]);
        }
        let expected = "| | thousands | | floor |\n|---|--:|--:|--:|\n| HTTP | 91 | 75 % | 20 |\n\
            | JSON | 30 | 25 % | 0 |\n| **all** | 121 | 100 % | 20 |";
        assert_eq!(profile(&results, "intake/10k"), expected);
        assert!(profile(&results, "intake/2k").contains("make profile"));
    }

    #[test]
    fn a_table_has_ours_and_how_many_times_it_the_others_are() {
        let mut results = Results::default();
        results.add(Target::Ordersync, "intake/2k", "first_ms", vec![3.9, 4.0, 4.5]);
        results.add(Target::Node, "intake/2k", "first_ms", vec![160.0]);
        results.add(Target::Ordersync, "intake/10k", "first_ms", vec![4.0]);
        let works = ["intake/2k", "intake/10k", "intake/100k"].map(ToOwned::to_owned);
        let expected = "| | ordersync | Node.js |\n|---|--:|--:|\n\
            | intake/2k | **4 [3.9–4.5]** | 160 (40×) |\n| intake/10k | **4** | – |";
        assert_eq!(table(&results, "first_ms", &works), expected);
    }
}
