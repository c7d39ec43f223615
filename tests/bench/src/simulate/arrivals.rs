//! When orders are placed: a Poisson process whose rate follows the day and its sale.

use fastrand::Rng;

use super::scenario::{Millis, Scenario, real, seconds};

/// How many of a day's orders come in each of its hours, before they are scaled: few at night, most after work. A shape as
/// shops of one time zone have it; assumed, not measured.
const CURVE: [f64; 24] = [
    14.0, 8.0, 5.0, 4.0, 4.0, 6.0, 12.0, 22.0, 34.0, 46.0, 54.0, 58.0, 60.0, 58.0, 56.0, 56.0, 58.0, 62.0, 70.0, 80.0,
    84.0, 70.0, 46.0, 26.0,
];

/// The average and the greatest of them.
const MEAN: f64 = 41.375;
const MOST: f64 = 84.0;

/// Orders, one after the other.
#[derive(Debug)]
pub(crate) struct Arrivals<'a> {
    scenario: &'a Scenario,
    random: Rng,
    /// Seconds since the day began.
    at: f64,
}

impl<'a> Arrivals<'a> {
    pub(crate) fn new(scenario: &'a Scenario) -> Self {
        Self { scenario, random: Rng::with_seed(scenario.seed), at: 0.0 }
    }

    /// The next order, if there is one before the end. Candidates come at a rate that is never exceeded, and each is taken
    /// with the share that its time's rate is of it: what is left is Poisson at that rate (thinning, Lewis and Shedler
    /// 1979). At the beginning and the end of the sale it starts anew, as a Poisson process has no memory.
    pub(crate) fn next(&mut self) -> Option<Millis> {
        let end = real(self.scenario.end()) / 1000.0;
        while self.at < end && self.scenario.orders_per_day > 0.0 {
            let changes = self.scenario.sale().into_iter().find(|change| *change > self.at).unwrap_or(end).min(end);
            let highest = MOST / MEAN * self.ordinary();
            let next = self.at - (1.0 - self.random.f64()).ln() / highest;
            if next >= changes {
                self.at = changes;
                continue;
            }
            self.at = next;
            if self.random.f64() * highest < shape(next) / MEAN * self.ordinary() {
                return Some(seconds(next));
            }
        }
        None
    }

    /// Orders a second, were they spread evenly, now.
    fn ordinary(&self) -> f64 {
        let [begins, ends] = self.scenario.sale();
        let is_sale = (begins..ends).contains(&self.at);
        self.scenario.orders_per_day / 86_400.0 * if is_sale { self.scenario.sale_times } else { 1.0 }
    }
}

/// The curve at a time, from the middle of an hour to that of the next, so that nothing jumps.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "an hour of the day")]
fn shape(at: f64) -> f64 {
    let hour = at / 3600.0;
    let (this, next) = (hour as usize % 24, (hour as usize + 1) % 24);
    CURVE[this] + (CURVE[next] - CURVE[this]) * hour.fract()
}

#[cfg(test)]
mod tests {
    use super::super::scenario::hours;
    use super::super::scenario::tests::scenario;
    use super::*;

    fn count(options: &str) -> Vec<Millis> {
        let scenario = scenario(options);
        let mut arrivals = Arrivals::new(&scenario);
        std::iter::from_fn(|| arrivals.next()).collect()
    }

    #[test]
    fn the_curve_has_the_average_and_the_greatest_that_are_stated() {
        assert!((CURVE.iter().sum::<f64>() / 24.0 - MEAN).abs() < 1e-9, "{}", CURVE.iter().sum::<f64>() / 24.0);
        assert!(CURVE.iter().all(|value| *value <= MOST));
    }

    #[test]
    fn a_day_has_about_as_many_orders_as_it_should() {
        let times = count("--orders-per-day 50000 --sale-minutes 0 --seed 7");
        // Six standard deviations of a Poisson count.
        assert!(times.len().abs_diff(50_000) < 6 * 224, "{}", times.len());
        assert!(times.is_sorted());
    }

    #[test]
    fn the_sale_has_as_many_times_more() {
        let of = |times: &[Millis]| times.iter().filter(|&&at| (hours(10.0)..hours(10.5)).contains(&at)).count();
        let without = of(&count("--orders-per-day 100000 --sale-minutes 0 --seed 3"));
        let with = of(&count("--orders-per-day 100000 --sale-at 10 --sale-minutes 30 --sale-times 10 --seed 3"));
        assert!(with > without * 9 && with < without * 11, "{with} of {without}");
    }

    #[test]
    fn the_same_seed_makes_the_same_day() {
        assert_eq!(count("--orders-per-day 2000 --seed 1"), count("--orders-per-day 2000 --seed 1"));
        assert_ne!(count("--orders-per-day 2000 --seed 1"), count("--orders-per-day 2000 --seed 2"));
        assert!(count("--orders-per-day 0 --seed 1").is_empty());
    }
}
