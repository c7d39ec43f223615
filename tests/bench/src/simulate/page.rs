//! The page `docs/scaling.md`: figures into a template.

use minijinja::Error;
use minijinja::value::Serde;
use serde::Serialize;

use super::day::{Day, Sum};
use super::limits::{Limit, Needs, RATES, limits};
use super::record::Hour;
use super::scenario::{Scenario, Timing};
use super::table::time;
use crate::cost::form::environment;
use crate::cost::prices::Prices;

const TEMPLATE: &str = include_str!("scaling.md.j2");

/// A day that differs in one point from the first.
#[derive(Debug, Serialize)]
struct Variant {
    name: &'static str,
    options: &'static str,
    sum: Sum,
    most_waiting: u64,
    oldest: f64,
    worst_p99: f64,
    most_in_flight: u64,
    most_batches: u32,
    errors: u64,
    dead_letters: u64,
}

#[derive(Debug, Serialize)]
struct Figures<'a> {
    rates: [f64; 3],
    needs: Needs,
    limits: Vec<Limit>,
    scenario: &'a Scenario,
    timing: Timing,
    hours: Vec<&'a Hour>,
    sum: Sum,
    variants: Vec<Variant>,
}

type Change = fn(&mut Scenario);

/// What the page compares: a name, the options that make it, and the same as a change.
const VARIANTS: [(&str, &str, Change); 6] = [
    ("the day above", "", |_| {}),
    (
        "without a rate limit of ours; the destination answers 429 above 20 a second",
        "--rate-limit 0 --destination-limit 20",
        |day| {
            (day.rate_limit, day.destination_limit) = (0.0, 20.0);
        },
    ),
    ("without any limit of the destination", "--rate-limit 0", |day| day.rate_limit = 0.0),
    ("the outage is answered at once with 503", "--outage-ms 100", |day| day.outage_ms = 100.0),
    ("an outage of six hours", "--outage-minutes 360", |day| day.outage_minutes = 360.0),
    ("a sale of 200 times, more than the throttle lets through", "--sale-times 200", |day| day.sale_times = 200.0),
];

/// The whole page, of a day and of what orders were measured to need.
///
/// # Errors
/// The template is wrong.
pub(crate) fn render(day: &Day, needs: Needs, prices: &Prices) -> Result<String, Error> {
    let mut environment = environment()?;
    environment.add_filter("time", time);
    environment.add_template("scaling.md", TEMPLATE)?;
    let variant = |&(name, options, change): &(&'static str, &'static str, Change)| {
        let mut scenario = day.scenario.clone();
        change(&mut scenario);
        // The first is the day itself.
        let of = if scenario == day.scenario { day.clone() } else { Day::of(&scenario, day.timing, prices) };
        summed(name, options, &of)
    };
    environment.get_template("scaling.md")?.render(Serde(Figures {
        rates: RATES,
        needs,
        limits: limits(&needs),
        scenario: &day.scenario,
        timing: day.timing,
        hours: day.hours.iter().collect(),
        sum: day.sum,
        variants: VARIANTS.iter().map(variant).collect(),
    }))
}

fn summed(name: &'static str, options: &'static str, day: &Day) -> Variant {
    let most = |of: fn(&Hour) -> u64| day.hours.iter().map(of).max().unwrap_or_default();
    let highest = |of: fn(&Hour) -> f64| day.hours.iter().map(of).fold(0.0, f64::max);
    let minutes = day.minutes.iter().map(|minute| minute.waiting).fold(0.0, f64::max);
    Variant {
        name,
        options,
        sum: day.sum,
        most_waiting: super::scenario::millis(minutes),
        oldest: highest(|hour| hour.oldest_s),
        worst_p99: highest(|hour| hour.took_p99_s),
        most_in_flight: most(|hour| hour.in_flight),
        most_batches: day.hours.iter().map(|hour| hour.batches_at_once).max().unwrap_or_default(),
        errors: day.hours.iter().map(|hour| hour.errors).sum(),
        dead_letters: day.hours.iter().map(|hour| hour.dead_letters).sum(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::scenario::tests::scenario;
    use super::*;
    use crate::cost::form::tests::tables;
    use crate::cost::prices::tests::prices;

    #[test]
    fn the_page_has_its_tables_and_every_variant() {
        let needs = Needs { intake_ms: 12.0, batch_ms: 170.0, own_ms: 10.0, write_units: 2.0, log_bytes: 800.0 };
        let timing =
            Timing { intake_ms: 12.0, ledger_ms: 5.0, batch_ms: 10.0, destination_ms: 150.0, is_measured: true };
        let scenario = scenario("--hours 3 --orders-per-day 2000 --sale-at 1 --outage-at 2");
        let text = render(&Day::of(&scenario, timing, &prices()), needs, &prices()).unwrap();
        assert_eq!(tables(&text), 5);
        assert!(VARIANTS.iter().all(|(name, options, _)| text.contains(name) && text.contains(options)));
    }
}
