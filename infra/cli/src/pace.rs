//! How fast something is done.

use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::{Interval, MissedTickBehavior, interval};

use crate::exit::Failure;

/// So many a second, spread evenly.
#[derive(Debug)]
pub(crate) struct Pace(Option<Mutex<Interval>>);

impl Pace {
    /// At most `rate` a second; no limit without one.
    pub(crate) fn new(rate: Option<f64>) -> Result<Self, Failure> {
        let Some(rate) = rate else { return Ok(Self(None)) };
        let mut interval = interval(between(rate)?);
        // Whoever was held up does not make up for it.
        interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Ok(Self(Some(Mutex::new(interval))))
    }

    /// Whether there is a limit.
    pub(crate) fn is_limited(&self) -> bool {
        self.0.is_some()
    }

    /// Waits for the next turn.
    pub(crate) async fn turn(&self) {
        if let Some(interval) = &self.0 {
            interval.lock().await.tick().await;
        }
    }
}

/// The time between two.
fn between(rate: f64) -> Result<Duration, Failure> {
    let expected = || Failure::Usage("--rate: expected a number above 0, up to 10000".into());
    if !(rate > 0.0 && rate <= 10_000.0) {
        return Err(expected());
    }
    Duration::try_from_secs_f64(1.0 / rate).map_err(|_| expected())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_a_time_between_two() {
        assert_eq!(between(50.0), Ok(Duration::from_millis(20)));
        assert_eq!(between(0.5), Ok(Duration::from_secs(2)));
        for rate in [0.0, -1.0, f64::NAN, f64::INFINITY, 10_001.0, 1e-300] {
            assert!(between(rate).is_err(), "{rate}");
        }
    }
}
