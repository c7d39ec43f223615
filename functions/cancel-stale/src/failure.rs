//! What follows when a shop did not do as asked. Pure.

use std::time::Duration;

use ordersync::shop::ShopFailure;

/// How long an order is held; longer than a run.
pub(crate) const HOLD: Duration = Duration::from_mins(2);
/// Longest wait between two tries.
const LONGEST: Duration = Duration::from_hours(1);
/// Tries with a shop that cannot be reached, or that accepts the cancellation and does not carry it out.
const MOST_TRIES: u32 = 10;
/// Tries that are counted where the order is not to blame. Beyond, the wait is the longest anyway.
const BLAMELESS_TRIES: u32 = 6;

/// What becomes of an order whose cancellation came to nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Next {
    /// It is tried again.
    Again {
        /// After this time.
        wait: Duration,
        /// Tries counted until then.
        tries: u32,
    },
    /// It is left alone until the shop says something new of it.
    SetAside,
    /// The same, after the last try.
    GiveUp,
}

/// What follows the failed try number `tries` (from 1).
pub(crate) fn after(failure: &ShopFailure, tries: u32) -> Next {
    match failure {
        ShopFailure::NotFound => Next::SetAside,
        ShopFailure::Unavailable(_) => after_silence(tries),
        // The try was none.
        ShopFailure::Throttled { after } => Next::Again { wait: *after, tries: tries.saturating_sub(1) },
        // Credentials and settings are mended for all orders at once: none of them is given up for it.
        ShopFailure::Refused(_) => Next::Again { wait: backoff(tries), tries: tries.min(BLAMELESS_TRIES) },
    }
}

/// What follows a try that the shop has not answered with yes or no.
pub(crate) fn after_silence(tries: u32) -> Next {
    if tries >= MOST_TRIES { Next::GiveUp } else { Next::Again { wait: backoff(tries), tries } }
}

/// 2, 4, 8 minutes and so on up to an hour.
fn backoff(tries: u32) -> Duration {
    HOLD.saturating_mul(1 << tries.saturating_sub(1).min(10)).min(LONGEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_an_hour() {
        for (tries, minutes) in [(0, 2), (1, 2), (2, 4), (3, 8), (4, 16), (5, 32), (6, 60), (7, 60), (u32::MAX, 60)] {
            assert_eq!(backoff(tries), Duration::from_mins(minutes), "{tries}");
        }
        assert!(backoff(BLAMELESS_TRIES) == LONGEST && BLAMELESS_TRIES < MOST_TRIES);
    }

    #[test]
    fn what_follows_depends_on_whose_fault_it_is() {
        let unavailable = ShopFailure::Unavailable("503".into());
        let denied = ShopFailure::Refused("401".into());
        let throttled = ShopFailure::Throttled { after: Duration::from_secs(7) };
        let again = |minutes, tries| Next::Again { wait: Duration::from_mins(minutes), tries };
        for (failure, tries, expected) in [
            (&unavailable, 1, again(2, 1)),
            (&unavailable, 9, again(60, 9)),
            (&unavailable, 10, Next::GiveUp),
            (&unavailable, 11, Next::GiveUp),
            (&denied, 1, again(2, 1)),
            (&denied, 10, again(60, 6)),
            (&denied, u32::MAX, again(60, 6)),
            (&throttled, 1, Next::Again { wait: Duration::from_secs(7), tries: 0 }),
            (&throttled, 10, Next::Again { wait: Duration::from_secs(7), tries: 9 }),
            (&ShopFailure::NotFound, 1, Next::SetAside),
        ] {
            assert_eq!(after(failure, tries), expected, "{failure} at try {tries}");
        }
    }
}
