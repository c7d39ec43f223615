//! The chart of a day: what came and what went a minute, and what waited.

use std::path::Path;

use plotters::coord::Shift;
use plotters::prelude::*;

use super::day::Day;
use super::record::Minute;

const SIZE: (u32, u32) = (960, 560);
const PLACED: RGBColor = RGBColor(0x9a, 0xa5, 0xb1);
const EXPORTED: RGBColor = RGBColor(0x1f, 0x77, 0xb4);
const WAITING: RGBColor = RGBColor(0xd6, 0x5f, 0x00);

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

/// The chart cannot be drawn or written.
#[derive(Debug, thiserror::Error)]
#[error("the chart: {0}")]
pub struct ChartError(String);

/// Draws it into a file.
///
/// # Errors
/// The file cannot be written.
pub(crate) fn draw(day: &Day, file: &Path) -> Result<(), ChartError> {
    let failed = |error: &dyn std::fmt::Display| ChartError(format!("{}: {error}", file.display()));
    let root = SVGBackend::new(file, SIZE).into_drawing_area();
    root.fill(&WHITE).map_err(|error| failed(&error))?;
    let (above, below) = root.split_vertically(SIZE.1 / 2);
    let (placed, exported, waiting): (Series, Series, Series) = (
        ("placed", PLACED, |minute| minute.placed),
        ("exported", EXPORTED, |minute| minute.exported),
        ("waiting", WAITING, |minute| minute.waiting),
    );
    panel(&above, "orders a second", day, &[placed, exported]).map_err(|error| failed(&error))?;
    panel(&below, "orders that wait", day, &[waiting]).map_err(|error| failed(&error))?;
    root.present().map_err(|error| failed(&error))
}

/// A line of a panel: what it is called, its color, its value at a minute.
type Series = (&'static str, RGBColor, fn(&Minute) -> f64);

fn panel(area: &Area<'_>, title: &str, day: &Day, lines: &[Series]) -> Result<(), Box<dyn std::error::Error>> {
    let values = || day.minutes.iter().flat_map(|minute| lines.iter().map(|(.., value)| value(minute)));
    let highest = values().fold(1.0, f64::max) * 1.05;
    let mut chart = ChartBuilder::on(area)
        .margin(12)
        .x_label_area_size(28)
        .y_label_area_size(64)
        .build_cartesian_2d(0.0..f64::from(day.scenario.hours), 0.0..highest)?;
    chart
        .configure_mesh()
        .light_line_style(TRANSPARENT)
        .x_labels(13)
        .y_labels(6)
        .x_label_formatter(&|hour| format!("{hour:.0} h"))
        .y_label_formatter(&|value| crate::cost::form::grouped(*value))
        .y_desc(title)
        .label_style(("sans-serif", 13))
        .draw()?;
    for &(name, color, value) in lines {
        let points = (0u32..).zip(&day.minutes).map(|(minute, of)| (f64::from(minute) / 60.0, value(of)));
        chart
            .draw_series(LineSeries::new(points, color.stroke_width(2)))?
            .label(name)
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 18, y)], color.stroke_width(2)));
    }
    chart.configure_series_labels().background_style(WHITE.mix(0.8)).label_font(("sans-serif", 13)).draw()?;
    Ok(())
}
