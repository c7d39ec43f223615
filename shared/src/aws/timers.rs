//! The time limits of calls. Each call has one for itself and one for each attempt, and hardly ever does one pass. For a
//! timer that is new, tokio has the kernel wake it, even when it is awake; for one that is put off it does nothing. So
//! timers are kept from call to call.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use aws_smithy_async::rt::sleep::{AsyncSleep, Sleep};
use tokio::time::{Instant, sleep};

/// Timers that are kept; more than that are in use for a batch of records at most.
const KEPT: usize = 32;

/// Timers, by what they were set to.
#[derive(Debug, Clone, Default)]
pub(super) struct Timers(Arc<Mutex<Vec<(Duration, Timer)>>>);

type Timer = Pin<Box<tokio::time::Sleep>>;

impl Timers {
    fn take(&self, duration: Duration) -> Option<Timer> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let position = kept.iter().position(|(of, _)| *of == duration)?;
        Some(kept.swap_remove(position).1)
    }

    fn keep(&self, duration: Duration, timer: Timer) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() < KEPT {
            kept.push((duration, timer));
        }
    }
}

impl AsyncSleep for Timers {
    fn sleep(&self, duration: Duration) -> Sleep {
        let mut timer = self.take(duration).unwrap_or_else(|| Box::pin(sleep(duration)));
        timer.as_mut().reset(Instant::now() + duration);
        Sleep::new(Sleeping { duration, timer: Some(timer), timers: self.clone() })
    }
}

/// A timer in use.
struct Sleeping {
    duration: Duration,
    timer: Option<Timer>,
    timers: Timers,
}

impl Future for Sleeping {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        self.timer.as_mut().map_or(Poll::Ready(()), |timer| timer.as_mut().poll(context))
    }
}

impl Drop for Sleeping {
    fn drop(&mut self) {
        if let Some(timer) = self.timer.take().filter(|timer| !timer.is_elapsed()) {
            self.timers.keep(self.duration, timer);
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn kept(timers: &Timers) -> usize {
        timers.0.lock().unwrap().len()
    }

    #[tokio::test(start_paused = true)]
    async fn a_timer_that_is_used_again_takes_its_whole_time() {
        let timers = Timers::default();
        for _ in 0..3 {
            let mut sleeping = timers.sleep(SECOND);
            assert!((&mut sleeping).now_or_never().is_none());
            tokio::time::advance(SECOND / 2).await;
            drop(sleeping);
            assert_eq!(kept(&timers), 1);
        }
        // One that has passed while nobody waited for it too.
        for _ in 0..2 {
            let began = Instant::now();
            timers.sleep(SECOND).await;
            assert_eq!((began.elapsed(), kept(&timers)), (SECOND, 0));
            drop(timers.sleep(SECOND));
            tokio::time::advance(SECOND * 2).await;
        }
    }

    #[tokio::test(start_paused = true)]
    async fn timers_run_side_by_side() {
        let timers = Timers::default();
        drop((timers.sleep(SECOND), timers.sleep(SECOND * 2)));
        let began = Instant::now();
        let all = [2, 1, 1].map(|seconds| timers.sleep(SECOND * seconds).map(move |()| (seconds, began.elapsed())));
        let passed = futures_util::future::join_all(all).await;
        assert_eq!(passed, [2, 1, 1].map(|seconds| (seconds, SECOND * seconds)));
        drop((0..100).map(|_| timers.sleep(SECOND)).collect::<Vec<_>>());
        assert_eq!(kept(&timers), KEPT);
    }
}
