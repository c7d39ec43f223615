//! A day as a table for people.

use std::fmt::Write as _;

use super::day::Day;
use super::record::Hour;

type Column = (&'static str, fn(&Hour) -> String);

const COLUMNS: [Column; 18] = [
    ("hour", |hour| hour.hour.to_string()),
    ("placed", |hour| hour.placed.to_string()),
    ("refused", |hour| hour.refused.to_string()),
    ("exported", |hour| hour.exported.to_string()),
    ("attempts", |hour| hour.attempts.to_string()),
    ("failed", |hour| hour.failed.to_string()),
    ("parked", |hour| hour.parked.to_string()),
    ("errors", |hour| hour.errors.to_string()),
    ("dead", |hour| hour.dead_letters.to_string()),
    ("reset", |hour| hour.reset.to_string()),
    ("waiting", |hour| hour.waiting.to_string()),
    ("queued", |hour| hour.queued.to_string()),
    ("oldest", |hour| time(hour.oldest_s)),
    ("p50", |hour| time(hour.took_p50_s)),
    ("p99", |hour| time(hour.took_p99_s)),
    ("intakes", |hour| hour.intake_at_once.to_string()),
    ("batches", |hour| hour.batches_at_once.to_string()),
    ("dollars", |hour| format!("{:.3}", hour.dollars)),
];

/// A time as people say it.
pub(crate) fn time(seconds: f64) -> String {
    match seconds {
        seconds if seconds < 10.0 => format!("{seconds:.1} s"),
        seconds if seconds < 120.0 => format!("{seconds:.0} s"),
        seconds if seconds < 7200.0 => format!("{:.0} min", seconds / 60.0),
        seconds => format!("{:.1} h", seconds / 3600.0),
    }
}

/// The hours, one a line, and what they come to.
pub(crate) fn text(day: &Day) -> String {
    let rows: Vec<Vec<String>> =
        day.hours.iter().map(|hour| COLUMNS.iter().map(|(_, of)| of(hour)).collect()).collect();
    let width = |column: usize| {
        rows.iter().map(|row| row[column].len()).chain([COLUMNS[column].0.len()]).max().unwrap_or_default()
    };
    let mut text = String::new();
    let heads: Vec<String> = COLUMNS.iter().map(|(name, _)| (*name).to_owned()).collect();
    for row in std::iter::once(&heads).chain(&rows) {
        let cells: Vec<_> = row.iter().enumerate().map(|(at, cell)| format!("{cell:>0$}", width(at))).collect();
        text.push_str(cells.join("  ").trim_end());
        text.push('\n');
    }
    let sum = day.sum;
    // Writing into a text does not fail.
    write!(
        text,
        "\n{} placed, {} accepted, {} exported, {} waiting, {} in error, {} given up by their shops; {} attempts; ${:.2}\n",
        sum.placed, sum.accepted, sum.exported, sum.waiting, sum.in_error, sum.given_up_by_shop, sum.attempts, sum.dollars
    )
    .unwrap_or_default();
    text
}

#[cfg(test)]
mod tests {
    use super::time;

    #[test]
    fn times_are_short() {
        for (seconds, expected) in [(0.25, "0.2 s"), (59.6, "60 s"), (3600.0, "60 min"), (9000.0, "2.5 h")] {
            assert_eq!(time(seconds), expected);
        }
    }
}
