//! Bars over time, as SVG. There is no style in it, so that a strict policy lets it through: colours are by class.

use jiff::tz::TimeZone;
use ordersync_admin::Hour;

/// The drawing's own measures; a page makes it as wide as it has room.
const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 140.0;
/// Below the bars, for the times.
const FOOT: f64 = 18.0;
/// Left of the bars, for the numbers.
const SIDE: f64 = 44.0;

/// A chart of what ended within each hour: what was exported, and on it what failed. The same stands in its title and in
/// the titles of its bars, for those who cannot see it.
pub(crate) fn hours(name: &str, hours: &[Hour]) -> String {
    let most = hours.iter().map(|hour| hour.exported + hour.failed).max().unwrap_or(0);
    let top = ceiling(most);
    let (exported, failed) = hours.iter().fold((0, 0), |(done, bad), hour| (done + hour.exported, bad + hour.failed));
    let mut svg = vec![format!(
        "<svg class=\"chart\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-label=\"{name}: {exported} exported, {failed} failed\">"
    )];
    for part in [0, top / 2, top] {
        let y = y(part, top);
        svg.push(format!("<line class=\"grid\" x1=\"{SIDE}\" x2=\"{WIDTH}\" y1=\"{y:.1}\" y2=\"{y:.1}\"/>"));
        svg.push(format!("<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{part}</text>", SIDE - 6.0, y + 4.0));
    }
    let width = (WIDTH - SIDE) / as_f64(hours.len().max(1) as u64);
    for (index, hour) in hours.iter().enumerate() {
        bar(&mut svg, hour, SIDE + width * as_f64(index as u64), width, top);
    }
    svg.push("</svg>".to_owned());
    svg.concat()
}

fn bar(svg: &mut Vec<String>, hour: &Hour, x: f64, width: f64, top: u64) {
    let at = hour.at.to_zoned(TimeZone::UTC);
    let all = hour.exported + hour.failed;
    if all > 0 {
        let (high, done) = (y(all, top), y(hour.exported, top));
        let bar = (width * 0.8).max(1.0);
        svg.push(format!(
            "<g><title>{} UTC: {} exported, {} failed</title>",
            at.strftime("%a %H:%M"),
            hour.exported,
            hour.failed
        ));
        let floor = HEIGHT - FOOT;
        for (class, from, to) in [("good", done, floor), ("bad", high, done)] {
            if to > from {
                svg.push(format!(
                    "<rect class=\"{class}\" x=\"{x:.1}\" y=\"{from:.1}\" width=\"{bar:.1}\" height=\"{:.1}\"/>",
                    to - from
                ));
            }
        }
        svg.push("</g>".to_owned());
    }
    // As many words as there is room for.
    let word = if width < 10.0 {
        (at.hour() == 0).then(|| at.strftime("%a %d"))
    } else {
        (at.hour() % 6 == 0).then(|| at.strftime("%H:%M"))
    };
    if let Some(word) = word {
        svg.push(format!("<text x=\"{x:.1}\" y=\"{:.1}\">{word}</text>", HEIGHT - 4.0));
    }
}

fn y(count: u64, top: u64) -> f64 {
    let room = HEIGHT - FOOT - 8.0;
    8.0 + room - room * as_f64(count) / as_f64(top.max(1))
}

/// A round number that nothing is above: 1, 2 or 5 and zeros, and at least 2.
fn ceiling(most: u64) -> u64 {
    let mut ten = 1;
    loop {
        if let Some(found) = [2 * ten, 5 * ten, 10 * ten].into_iter().find(|top| *top >= most) {
            return found;
        }
        ten *= 10;
    }
}

#[expect(clippy::cast_precision_loss, reason = "a drawing needs no more than 52 bits")]
fn as_f64(number: u64) -> f64 {
    number as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chart_has_a_bar_for_each_hour_in_which_something_ended() {
        let hour = |at: &str, exported, failed| Hour { at: at.parse().unwrap(), exported, failed };
        let svg = hours(
            "Last day",
            &[
                hour("2026-03-08T06:00:00Z", 30, 0),
                hour("2026-03-08T07:00:00Z", 0, 0),
                hour("2026-03-08T08:00:00Z", 10, 5),
            ],
        );
        assert_eq!(svg.matches("<rect class=\"good\"").count(), 2);
        assert_eq!(svg.matches("<rect class=\"bad\"").count(), 1);
        assert!(
            svg.contains("Last day: 40 exported, 5 failed") && svg.contains("Sun 08:00 UTC: 10 exported, 5 failed")
        );
        assert!(!svg.contains("style="));
    }

    #[test]
    fn the_scale_ends_at_a_round_number() {
        for (most, top) in [(0, 2), (2, 2), (3, 5), (6, 10), (11, 20), (4999, 5000), (5001, 10_000)] {
            assert_eq!(ceiling(most), top);
        }
    }
}
