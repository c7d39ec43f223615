//! Figures as the page writes them. Pure.

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
