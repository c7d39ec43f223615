//! Bars over time, as SVG. There is no style in it, so that a strict policy lets it through: colours are by class. What is
//! across is in percent and what is up in pixels, so that words are as large on a phone as on a wide page.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use ordersync_admin::Hour;

/// How high the bars may be.
const HIGH: f64 = 124.0;
/// Above the bars: half a line of the numbers beside them.
const HEAD: f64 = 8.0;
/// Where the times stand.
const FOOT: f64 = 156.0;
/// A word that begins further right than this ends at the right.
const RIGHT: f64 = 94.0;

/// A chart of what ended within each hour: what was exported, and on it what failed. The same stands in its title and in
/// the titles of its bars.
pub(crate) fn hours(name: &str, hours: &[Hour]) -> String {
    let most = hours.iter().map(|hour| hour.exported + hour.failed).max().unwrap_or(0);
    let top = ceiling(most);
    let (exported, failed) = hours.iter().fold((0, 0), |(done, bad), hour| (done + hour.exported, bad + hour.failed));
    let mut html = vec![format!(
        "<div class=\"plot\"><div class=\"scale\" aria-hidden=\"true\"><span>{top}</span><span>{}</span><span>0</span></div>\
         <svg class=\"chart\" role=\"img\" aria-label=\"{name}: {exported} exported, {failed} failed\">",
        top / 2
    )];
    for part in [0, top / 2, top] {
        let y = y(part, top);
        html.push(format!("<line class=\"grid\" x1=\"0\" x2=\"100%\" y1=\"{y:.1}\" y2=\"{y:.1}\"/>"));
    }
    let width = 100.0 / as_f64(hours.len().max(1) as u64);
    for (index, hour) in hours.iter().enumerate() {
        let x = width * as_f64(index as u64);
        bar(&mut html, hour, x, width, top);
        html.extend(word(hour.at, x, hours.len()));
    }
    html.push("</svg></div>".to_owned());
    html.concat()
}

fn bar(html: &mut Vec<String>, hour: &Hour, x: f64, width: f64, top: u64) {
    let all = hour.exported + hour.failed;
    if all == 0 {
        return;
    }
    html.push(format!(
        "<g><title>{} UTC: {} exported, {} failed</title>",
        hour.at.to_zoned(TimeZone::UTC).strftime("%a %H:%M"),
        hour.exported,
        hour.failed
    ));
    let (high, done, bar) = (y(all, top), y(hour.exported, top), width * 0.8);
    for (class, from, to) in [("good", done, y(0, top)), ("bad", high, done)] {
        if to > from {
            html.push(format!(
                "<rect class=\"{class}\" x=\"{x:.2}%\" y=\"{from:.1}\" width=\"{bar:.2}%\" height=\"{:.1}\"/>",
                to - from
            ));
        }
    }
    html.push("</g>".to_owned());
}

/// What stands below an hour: of a day every sixth, of more each day, whose number goes where there is no room.
fn word(at: Timestamp, x: f64, hours: usize) -> Option<String> {
    let at = at.to_zoned(TimeZone::UTC);
    let word = if hours > 48 {
        (at.hour() == 0).then(|| format!("{}<tspan class=\"more\"> {}</tspan>", at.strftime("%a"), at.day()))
    } else {
        (at.hour() % 6 == 0).then(|| at.strftime("%H:%M").to_string())
    }?;
    let (x, anchor) = if x > RIGHT { (100.0, "end") } else { (x, "start") };
    Some(format!("<text x=\"{x:.2}%\" y=\"{FOOT}\" text-anchor=\"{anchor}\">{word}</text>"))
}

fn y(count: u64, top: u64) -> f64 {
    HEAD + HIGH - HIGH * as_f64(count) / as_f64(top.max(1))
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
    fn what_stands_below_does_not_stick_out_and_is_short_where_there_is_little_room() {
        let at = |text: &str| text.parse().unwrap();
        let (midnight, morning, noon) =
            (at("2026-03-08T00:10:00Z"), at("2026-03-08T06:00:00Z"), at("2026-03-08T12:00:00Z"));
        for (at, x, hours, expected) in [
            (morning, 50.0, 24, Some("<text x=\"50.00%\" y=\"156\" text-anchor=\"start\">06:00</text>")),
            (noon, 95.8, 24, Some("<text x=\"100.00%\" y=\"156\" text-anchor=\"end\">12:00</text>")),
            (
                midnight,
                10.0,
                168,
                Some("<text x=\"10.00%\" y=\"156\" text-anchor=\"start\">Sun<tspan class=\"more\"> 8</tspan></text>"),
            ),
            (noon, 50.0, 168, None),
            (at("2026-03-08T07:00:00Z"), 50.0, 24, None),
        ] {
            assert_eq!(word(at, x, hours).as_deref(), expected, "{at}");
        }
    }

    #[test]
    fn the_scale_ends_at_a_round_number() {
        for (most, top) in [(0, 2), (2, 2), (3, 5), (6, 10), (11, 20), (4999, 5000), (5001, 10_000)] {
            assert_eq!(ceiling(most), top);
        }
    }
}
