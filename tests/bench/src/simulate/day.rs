//! A simulated day from its options to its sums.

use serde::Serialize;

use super::record::{Hour, Minute, Used};
use super::scenario::{Scenario, Timing};
use super::world::{State, World};
use crate::cost::assumed::ASSUMED;
use crate::cost::prices::Prices;

/// A day, and how it went.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Day {
    /// What it was like.
    pub scenario: Scenario,
    /// How long things took.
    pub timing: Timing,
    /// Hour by hour.
    pub hours: Vec<Hour>,
    /// The whole of it.
    pub sum: Sum,
    /// Minute by minute, for the chart.
    #[serde(skip)]
    pub minutes: Vec<Minute>,
}

/// The whole day. Counted from what became of each order, not from the hours.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Sum {
    /// Orders placed.
    pub placed: u64,
    /// Those that their shops gave up sending.
    pub given_up_by_shop: u64,
    /// Those that their shops are still sending.
    pub still_at_shop: u64,
    /// Those that were accepted.
    pub accepted: u64,
    /// Those that have arrived.
    pub exported: u64,
    /// Those that are on their way.
    pub waiting: u64,
    /// Those that are in error.
    pub in_error: u64,
    /// Attempts at the destination.
    pub attempts: u64,
    /// Webhooks refused.
    pub refused: u64,
    /// US dollars for calls and computing.
    pub dollars: f64,
}

impl Day {
    /// Simulates it.
    pub fn of(scenario: &Scenario, timing: Timing, prices: &Prices) -> Self {
        let mut world = World::new(scenario, timing);
        world.run();
        let mut hours = std::mem::take(&mut world.record.hours);
        for hour in &mut hours {
            hour.dollars = dollars(&hour.used, prices);
        }
        let states = |wanted: fn(State) -> bool| world.orders.iter().filter(|order| wanted(order.state)).count() as u64;
        let exported = states(|state| state == State::Exported);
        let in_error = states(|state| matches!(state, State::Error(_)));
        let waiting = states(|state| state == State::Waiting);
        let sum = Sum {
            placed: world.orders.len() as u64,
            given_up_by_shop: states(|state| state == State::GivenUp),
            still_at_shop: states(|state| state == State::Placed),
            accepted: exported + in_error + waiting,
            exported,
            waiting,
            in_error,
            attempts: hours.iter().map(|hour| hour.attempts).sum(),
            refused: hours.iter().map(|hour| hour.refused).sum(),
            dollars: hours.iter().map(|hour| hour.dollars).sum(),
        };
        let minutes = std::mem::take(&mut world.record.minutes);
        Self { scenario: scenario.clone(), timing, hours, sum, minutes }
    }
}

/// What was used, priced: calls and computing.
fn dollars(used: &Used, prices: &Prices) -> f64 {
    let compute = |milliseconds: f64, mb: f64| prices.lambda_x86.of(milliseconds / 1000.0 * mb / 1024.0);
    prices.http_api.of(used.requests)
        + prices.lambda_request.of(used.intake + used.batches)
        + compute(used.intake_ms, ASSUMED.intake_mb)
        + compute(used.batch_ms, ASSUMED.processor_mb)
        + prices.sqs_request.of(used.queue_requests)
        + prices.dynamodb_write.of(used.write_units)
        + prices.dynamodb_read.of(used.read_units)
}
