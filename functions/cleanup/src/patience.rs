//! Trying again what AWS had no capacity for, as long as there is time.

use std::time::Duration;

use ordersync::ledger::LedgerError;
use tokio::time::{Instant, sleep};

/// Tries in all. The SDK makes three of its own within a second each time.
const TRIES: u32 = 5;
/// The longest wait before the second try; doubled with each further one.
const BASE: Duration = Duration::from_millis(400);

/// Waits after so many tries for the next one. False when there were enough, or none is left time for.
pub(crate) async fn again(tries: u32, deadline: Instant) -> bool {
    // Half of it by chance, so that what was refused together does not come back together.
    let wait = BASE * 2_u32.saturating_pow(tries.saturating_sub(1));
    let wait = wait.mul_f64(0.5 + fastrand::f64() / 2.0);
    if tries >= TRIES || Instant::now() + wait >= deadline {
        return false;
    }
    sleep(wait).await;
    true
}

/// Asks the ledger until it answers.
pub(crate) async fn patiently<T>(
    deadline: Instant,
    mut ask: impl AsyncFnMut() -> Result<T, LedgerError>,
) -> Result<T, LedgerError> {
    let mut tries = 0;
    loop {
        match ask().await {
            Err(LedgerError::Unavailable(reason)) => {
                tries += 1;
                if !again(tries, deadline).await {
                    return Err(LedgerError::Unavailable(reason));
                }
            }
            answer => return answer,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn throttled<T>() -> Result<T, LedgerError> {
        Err(LedgerError::Unavailable("throttled".into()))
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_throttled_is_asked_again_a_few_times() {
        for (refusals, expected) in [(0, true), (1, true), (4, true), (5, false)] {
            let mut asked = 0;
            let answer = patiently(Instant::now() + Duration::from_mins(5), async || {
                asked += 1;
                if asked > refusals { Ok(asked) } else { throttled() }
            });
            assert_eq!(answer.await.is_ok(), expected, "refused {refusals} times");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn nothing_is_asked_again_when_the_time_is_over() {
        let mut asked = 0;
        let answer = patiently(Instant::now(), async || {
            asked += 1;
            throttled::<()>()
        });
        assert_eq!((answer.await, asked), (throttled(), 1));
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_wrong_is_not_asked_again() {
        let bad = || LedgerError::BadRow { key: "k".into(), expected: "a status".into() };
        let mut asked = 0;
        let answer = patiently(Instant::now() + Duration::from_mins(5), async || {
            asked += 1;
            Err::<(), _>(bad())
        });
        assert_eq!((answer.await, asked), (Err(bad()), 1));
    }
}
