//! What a simulated day is like: every option of `bench simulate`, its default, and where it comes from.

use std::time::Duration;

use clap::Args;
use ordersync::config::Retries;
use serde::Serialize;

/// The day.
#[derive(Debug, Clone, PartialEq, Args, Serialize)]
pub struct Scenario {
    /// Hours to simulate.
    #[arg(long, default_value_t = 24)]
    pub hours: u32,
    /// Orders of an ordinary day, the sale not counted.
    #[arg(long, default_value_t = 200_000.0)]
    pub orders_per_day: f64,
    /// Hour at which the sale begins.
    #[arg(long, default_value_t = 10.0)]
    pub sale_at: f64,
    /// Minutes that the sale lasts; 0 for none.
    #[arg(long, default_value_t = 20.0)]
    pub sale_minutes: f64,
    /// How many times as many orders come while it lasts.
    #[arg(long, default_value_t = 40.0)]
    pub sale_times: f64,
    /// `ThrottlingRate`: requests a second that the endpoint takes.
    #[arg(long, default_value_t = 200.0)]
    pub throttling_rate: f64,
    /// `ThrottlingBurst`: requests above it that are taken in a burst.
    #[arg(long, default_value_t = 400.0)]
    pub throttling_burst: f64,
    /// How often a shop sends a refused webhook again; Shopify does so 8 times in 4 hours.
    #[arg(long, default_value_t = 8)]
    pub shop_retries: u32,
    /// Seconds until it does so first, doubled each time.
    #[arg(long, default_value_t = 60.0)]
    pub shop_waits: f64,
    /// Concurrent executions of the account.
    #[arg(long, default_value_t = 1000)]
    pub account_concurrency: u32,
    /// `BatchSize`: messages that an invocation gets at most.
    #[arg(long, default_value_t = 10)]
    pub batch_size: usize,
    /// `BatchWindow`: seconds to gather them.
    #[arg(long, default_value_t = 0.0)]
    pub batch_window: f64,
    /// `MaximumConcurrency`: batches at the same time at most, up to 1250; not used with --pollers.
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(2..=1250))]
    pub maximum_concurrency: u32,
    /// Provisioned mode with so many pollers at least, 2 or more.
    #[arg(long, value_name = "LEAST", requires = "most_pollers", value_parser = clap::value_parser!(u32).range(2..=2000))]
    pub pollers: Option<u32>,
    /// Provisioned mode with so many pollers at most, up to 2000.
    #[arg(long, value_name = "MOST", requires = "pollers", value_parser = clap::value_parser!(u32).range(2..=2000))]
    pub most_pollers: Option<u32>,
    /// `rate_limit` of the pipeline, a second; 0 for none.
    #[arg(long, default_value_t = 20.0)]
    pub rate_limit: f64,
    /// What the destination takes a second before it answers 429; 0 for no limit of its own.
    #[arg(long, default_value_t = 0.0)]
    pub destination_limit: f64,
    /// Hour at which the destination goes away.
    #[arg(long, default_value_t = 15.0)]
    pub outage_at: f64,
    /// Minutes that it is away; 0 for no outage.
    #[arg(long, default_value_t = 60.0)]
    pub outage_minutes: f64,
    /// Milliseconds until an attempt has failed meanwhile: the default is the transport's own time limit.
    #[arg(long, default_value_t = 10_000.0)]
    pub outage_ms: f64,
    /// `max_attempts` of the pipeline, and `MaxReceiveCount`.
    #[arg(long, default_value_t = 10)]
    pub max_attempts: u32,
    /// `base` of its back-off, in seconds.
    #[arg(long, default_value_t = 30)]
    pub base: u64,
    /// `cap` of its back-off, in seconds.
    #[arg(long, default_value_t = 3600)]
    pub cap: u64,
    /// `after` of `[reset_errors]`, in minutes; the schedule itself is hourly.
    #[arg(long, default_value_t = 60.0)]
    pub reset_after: f64,
    /// `max_resets` of `[reset_errors]`.
    #[arg(long, default_value_t = 3)]
    pub max_resets: u32,
    /// What makes two days differ that are otherwise alike.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
}

/// How long things take, in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Timing {
    /// Intake, until the message is in the queue.
    pub intake_ms: f64,
    /// A call of the ledger.
    pub ledger_ms: f64,
    /// The processor's own work on a whole batch.
    pub batch_ms: f64,
    /// The destination's answer, on average.
    pub destination_ms: f64,
    /// Whether the first and third were measured.
    pub is_measured: bool,
}

impl Scenario {
    /// The pipeline's back-off.
    pub fn retries(&self) -> Retries {
        let (base, cap) = (Duration::from_secs(self.base), Duration::from_secs(self.cap));
        Retries { max_attempts: self.max_attempts, base, cap }
    }

    /// Whether the destination is away at a time.
    pub fn is_away(&self, at: Millis) -> bool {
        let (begins, ends) = (hours(self.outage_at), hours(self.outage_at + self.outage_minutes / 60.0));
        (begins..ends).contains(&at)
    }

    /// When the sale begins, and when it ends.
    pub(crate) fn sale(&self) -> [f64; 2] {
        [self.sale_at * 3600.0, self.sale_at * 3600.0 + self.sale_minutes * 60.0]
    }

    /// The end of the simulation.
    pub fn end(&self) -> Millis {
        hours(f64::from(self.hours))
    }
}

/// A time, in milliseconds since the day began.
pub(crate) type Millis = u64;

/// So many hours.
pub(crate) fn hours(hours: f64) -> Millis {
    millis(hours * 3_600_000.0)
}

/// So many seconds.
pub(crate) fn seconds(seconds: f64) -> Millis {
    millis(seconds * 1000.0)
}

/// A number of milliseconds, to the nearest.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a time of some days")]
pub(crate) fn millis(milliseconds: f64) -> Millis {
    milliseconds.max(0.0).round() as u64
}

/// A number as it is divided and multiplied with.
#[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
pub(crate) fn real(number: u64) -> f64 {
    number as f64
}

#[cfg(test)]
pub(crate) mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Command {
        #[command(flatten)]
        scenario: Scenario,
    }

    /// The defaults, and what a test changes of them.
    pub(crate) fn scenario(options: &str) -> Scenario {
        Command::parse_from(["simulate"].into_iter().chain(options.split_whitespace())).scenario
    }

    #[test]
    fn defaults_are_the_templates() {
        let template = include_str!("../../../../template.yaml");
        let scenario = scenario("");
        for (parameter, value) in [
            ("ThrottlingRate", scenario.throttling_rate.to_string()),
            ("ThrottlingBurst", scenario.throttling_burst.to_string()),
            ("BatchSize", scenario.batch_size.to_string()),
            ("BatchWindow", scenario.batch_window.to_string()),
            ("MaximumConcurrency", format!("\"{}\"", scenario.maximum_concurrency)),
            ("MaxReceiveCount", scenario.max_attempts.to_string()),
        ] {
            let begin = template.find(&format!("\n  {parameter}:\n")).unwrap();
            let default = template[begin..].lines().find_map(|line| line.strip_prefix("    Default: ")).unwrap();
            assert_eq!(default, value, "{parameter}");
        }
        assert_eq!(scenario.retries(), Retries::default_for(scenario.max_attempts));
    }

    #[test]
    fn the_outage_and_the_sale_have_a_beginning_and_an_end() {
        let scenario = scenario("--outage-at 1 --outage-minutes 60 --sale-at 2 --sale-minutes 30");
        for (at, expected) in [(0.99, false), (1.0, true), (1.99, true), (2.0, false)] {
            assert_eq!(scenario.is_away(hours(at)), expected, "{at}");
        }
        assert_eq!(scenario.sale().map(seconds), [7_200_000, 9_000_000]);
    }
}
