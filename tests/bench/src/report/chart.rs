//! The chart: bars on a logarithmic scale, one group a figure, one bar a target.

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use crate::results::{Results, Target};

/// What is shown: title, work, metric, divisor, unit.
const GROUPS: [(&str, &str, &str, f64, &str); 4] = [
    ("Intake, spawn to first 202", "intake/2k", "first_ms", 1.0, "ms"),
    ("Intake, first invocation at 7.2 % CPU", "intake/2k", "first_quota_ms", 1.0, "ms"),
    ("Intake, CPU of a warm invocation", "intake/2k", "cpu_us", 1000.0, "ms"),
    ("Processor, CPU of 10 orders to S3", "processor/s3/template/10/10k", "cpu_us", 1000.0, "ms"),
];
const SIZE: (u32, u32) = (960, 560);
/// Where bars begin, from the left.
const LEFT: i32 = 110;
/// Room for the value behind the longest bar.
const RIGHT: i32 = 110;
const BAR: i32 = 18;
const FONT: &str = "sans-serif";

/// The chart as SVG; of what was measured.
///
/// # Errors
/// It cannot be drawn.
pub(super) fn draw(results: &Results) -> Result<String, String> {
    let mut svg = String::new();
    {
        let root = SVGBackend::with_string(&mut svg, SIZE).into_drawing_area();
        root.fill(&WHITE).map_err(|error| error.to_string())?;
        for (area, group) in root.split_evenly((GROUPS.len(), 1)).iter().zip(GROUPS) {
            draw_group(area, results, group).map_err(|error| error.to_string())?;
        }
        root.present().map_err(|error| error.to_string())?;
    }
    Ok(svg)
}

type Area<'a> = DrawingArea<SVGBackend<'a>, plotters::coord::Shift>;
type Drawn<'a> = Result<(), DrawingAreaErrorKind<<SVGBackend<'a> as DrawingBackend>::ErrorType>>;

fn draw_group<'a>(area: &Area<'a>, results: &Results, group: (&str, &str, &str, f64, &str)) -> Drawn<'a> {
    let (title, work, metric, over, unit) = group;
    area.draw(&Text::new(format!("{title} ({unit}, logarithmic)"), (12, 8), (FONT, 15).into_font()))?;
    let values: Vec<(Target, f64)> = Target::ALL
        .iter()
        .filter_map(|target| Some((*target, results.median(*target, work, metric)? / over)))
        .collect();
    let width = i32::try_from(SIZE.0).unwrap_or(i32::MAX) - LEFT - RIGHT;
    let (least, most) = bounds(&values);
    for (row, (target, value)) in (0..).zip(values) {
        let top = 32 + row * (BAR + 6);
        let end = LEFT + length(value, least, most, width);
        let style = (FONT, 13).into_font().color(&BLACK).pos(Pos::new(HPos::Right, VPos::Center));
        area.draw(&Text::new(target.to_string(), (LEFT - 8, top + BAR / 2), style))?;
        area.draw(&Rectangle::new([(LEFT, top), (end, top + BAR)], color(target).filled()))?;
        let style = (FONT, 13).into_font().color(&BLACK).pos(Pos::new(HPos::Left, VPos::Center));
        area.draw(&Text::new(rounded(value), (end + 8, top + BAR / 2), style))?;
    }
    Ok(())
}

/// Powers of ten around all values.
fn bounds(values: &[(Target, f64)]) -> (f64, f64) {
    let logs = || values.iter().map(|(_, value)| value.max(1e-6).log10());
    let least = logs().fold(f64::INFINITY, f64::min).floor();
    let most = logs().fold(f64::NEG_INFINITY, f64::max).ceil();
    (least, most.max(least + 1.0))
}

/// Pixels of a bar, at least one.
fn length(value: f64, least: f64, most: f64, width: i32) -> i32 {
    let share = (value.max(1e-6).log10() - least) / (most - least);
    #[expect(clippy::cast_possible_truncation, reason = "pixels")]
    let pixels = (share * f64::from(width)).round() as i32;
    pixels.max(1)
}

fn color(target: Target) -> RGBColor {
    match target {
        Target::Ordersync => RGBColor(194, 65, 12),
        Target::Floor => RGBColor(120, 113, 108),
        Target::Node => RGBColor(63, 132, 63),
        Target::Python => RGBColor(55, 105, 160),
    }
}

fn rounded(value: f64) -> String {
    super::figures::rounded(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_grows_with_the_logarithm() {
        let lengths = [1.0, 10.0, 100.0].map(|value| length(value, 0.0, 2.0, 200));
        assert_eq!(lengths, [1, 100, 200]);
    }

    #[test]
    fn the_chart_shows_what_was_measured() {
        let mut results = Results::default();
        results.add(Target::Ordersync, "intake/2k", "first_ms", vec![4.0]);
        results.add(Target::Python, "intake/2k", "first_ms", vec![283.0]);
        let svg = draw(&results).unwrap();
        assert!(svg.contains("ordersync") && svg.contains("283") && !svg.contains("floor"), "{svg}");
    }
}
