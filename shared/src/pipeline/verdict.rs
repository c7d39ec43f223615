//! What the queue is told about a message.

use std::time::Duration;

use super::Retry;
use super::run::{Arrival, Runner};
use crate::config::Retries;
use crate::ledger::{ExportKey, LedgerError, Status};
use crate::queue::{LONGEST_DELAY, backoff};

/// What the queue is told about a message, or a part of its work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing is left to do.
    Done,
    /// To be delivered again, not before this time has passed.
    Retry(Duration),
}

impl Verdict {
    /// The verdict on a message of two parts: it waits for the one that has to wait longer, so that each delivery gives
    /// each pending export an attempt. What waits in the ledger is no part of it any more.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Done, other) => other,
            (this, Self::Done) => this,
            (Self::Retry(a), Self::Retry(b)) => Self::Retry(a.max(b)),
        }
    }
}

impl Runner {
    /// Puts off what was not even tried. A pipeline's own back-off may be short and is not for this.
    pub fn put_off(&self, receive_count: u32) -> Verdict {
        let retries = Retries::default_for(self.max_receive_count);
        Verdict::Retry(backoff(&retries, receive_count, Retry::Backoff, fastrand::f64()).unwrap_or_default())
    }

    /// Has an export that is on record looked at again after a while: by this message, or, if it is delivered for the
    /// last time, by one of the export's own. Deliveries that found it waiting are no reason to give it up.
    pub(super) async fn come_back(&self, key: &ExportKey, wait: Duration, arrival: Arrival<'_>) -> Verdict {
        if arrival.receive_count < self.max_receive_count {
            return Verdict::Retry(wait);
        }
        let export = key.idempotency_key();
        // A message of the export's own has nothing but its name.
        if let Err(error) = self.keep(key, arrival).await {
            tracing::error!(export, error = %error, "the order is not kept of {}", key.name());
            return Verdict::Retry(wait);
        }
        match self.requeue.send(key, wait.min(LONGEST_DELAY)).await {
            Ok(()) => {
                tracing::info!(export, "goes on by a message of its own: {}", key.name());
                Verdict::Done
            }
            // The dead-letter queue, from where it is set going again.
            Err(error) => {
                tracing::error!(export, error = %error, "no message of its own for {}", key.name());
                Verdict::Retry(wait)
            }
        }
    }

    /// The verdict on a message whose export is over by now. One that was canceled or skipped by hand may be taken back.
    pub(super) async fn done_with(
        &self,
        key: &ExportKey,
        status: Status,
        arrival: Arrival<'_>,
    ) -> Result<Verdict, LedgerError> {
        if matches!(status, Status::Canceled | Status::Skipped) {
            self.keep(key, arrival).await?;
        }
        Ok(over(key, status))
    }
}

/// The verdict on an export that is over, said in the log.
pub(super) fn over(key: &ExportKey, status: Status) -> Verdict {
    let why = if status == Status::Error { "it is in error until it is reset" } else { "nothing to do" };
    tracing::info!(export = key.idempotency_key(), %status, "{why}: {}", key.name());
    Verdict::Done
}

/// Nothing is to be kept of an order that was erased, and of a large one something would be before its row is asked.
pub(super) fn erased(key: &ExportKey) -> Verdict {
    let ExportKey { shop, order_id, .. } = key;
    tracing::info!(shop, order_id, "nothing is kept of order {order_id} of {shop}: it was erased");
    Verdict::Done
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_waits_for_the_slowest_of_its_pipelines() {
        let (short, long) = (Verdict::Retry(Duration::from_secs(1)), Verdict::Retry(Duration::from_mins(1)));
        for (one, other, both) in [
            (Verdict::Done, Verdict::Done, Verdict::Done),
            (Verdict::Done, short, short),
            (long, Verdict::Done, long),
            (short, long, long),
        ] {
            assert_eq!(one.and(other), both);
        }
    }
}
