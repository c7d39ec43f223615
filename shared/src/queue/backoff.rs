//! When a failed export is tried again.

use std::time::Duration;

use crate::config::Retries;
use crate::pipeline::Retry;

/// SQS keeps a message invisible for at most twelve hours after it was received; an hour less leaves room for the
/// attempt itself.
const LONGEST: Duration = Duration::from_hours(11);

/// How long to wait after the failed attempt number `attempt` (from 1): what the destination asked for, else a random
/// time up to `base`, doubled with each attempt, at most `cap` ("full jitter"). `random` is from 0 to 1. Nothing when
/// no further attempt can help.
pub fn backoff(retries: &Retries, attempt: u32, retry: Retry, random: f64) -> Option<Duration> {
    match retry {
        Retry::No => None,
        Retry::After(wait) => Some(wait.min(LONGEST)),
        Retry::Backoff => {
            let doublings = attempt.saturating_sub(1).min(31);
            let longest = retries.base.saturating_mul(1 << doublings).min(retries.cap).min(LONGEST);
            Some(longest.mul_f64(random.clamp(0.0, 1.0)))
        }
    }
}

/// A wait as SQS takes it: whole seconds, rounded up, at least one, so that a message never comes back before its
/// export may be claimed.
pub fn visibility_timeout(wait: Duration) -> i32 {
    let seconds = wait.min(LONGEST).as_millis().div_ceil(1000).max(1);
    i32::try_from(seconds).unwrap_or(i32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const RETRIES: Retries = Retries { max_attempts: 10, base: Duration::from_secs(30), cap: Duration::from_hours(1) };

    #[test]
    fn waits_double_up_to_the_cap() {
        for (attempt, seconds) in [(1, 30), (2, 60), (3, 120), (7, 1920), (8, 3600), (100, 3600)] {
            assert_eq!(
                backoff(&RETRIES, attempt, Retry::Backoff, 1.0),
                Some(Duration::from_secs(seconds)),
                "{attempt}"
            );
        }
    }

    #[test]
    fn what_the_destination_asks_for_wins() {
        let asked = Duration::from_hours(2);
        assert_eq!(backoff(&RETRIES, 1, Retry::After(asked), 0.1), Some(asked));
        assert_eq!(backoff(&RETRIES, 1, Retry::After(Duration::from_secs(1 << 40)), 0.1), Some(LONGEST));
        assert_eq!(backoff(&RETRIES, 1, Retry::No, 0.1), None);
    }

    #[test]
    fn visibility_is_whole_seconds_never_early() {
        for (millis, seconds) in [(0, 1), (1, 1), (1000, 1), (1001, 2), (59_999, 60)] {
            assert_eq!(visibility_timeout(Duration::from_millis(millis)), seconds);
        }
    }

    proptest! {
        #[test]
        fn no_wait_exceeds_its_bounds(
            attempt in 0u32..10_000, random in 0.0f64..=1.0, base in 1u64..10_000, cap in 1u64..100_000,
        ) {
            let retries =
                Retries { max_attempts: 10, base: Duration::from_secs(base), cap: Duration::from_secs(cap) };
            let wait = backoff(&retries, attempt, Retry::Backoff, random).unwrap_or_default();
            prop_assert!(wait <= retries.cap && wait <= LONGEST);
            prop_assert!(visibility_timeout(wait) <= 43_200);
        }
    }
}
