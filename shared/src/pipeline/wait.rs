//! Exports whose time comes later: paused, delayed, or waiting for their turn at a destination. None of it uses up an
//! attempt.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;

use super::run::{Arrival, LEASE_MARGIN, LEAST, Runner, Verdict, later, name, over};
use crate::clock;
use crate::config::{Pipeline, Rate};
use crate::ledger::{Claim, Deferred, ExportKey, Ledger, LedgerError, Pauses, Wait, Why, refusal};
use crate::queue::LONGEST_DELAY;

/// How long what is paused is taken for known.
const PAUSES_FRESH_FOR: Duration = Duration::from_secs(5);
/// A turn that comes this soon is waited for; for a later one the export comes back.
const WAITED_FOR: Duration = Duration::from_secs(2);

/// What is paused, asked for again every few seconds. Clones share what they know.
#[derive(Debug, Clone, Default)]
pub struct PauseBoard(Arc<Mutex<Option<Known>>>);

#[derive(Debug, Clone)]
struct Known {
    read_at: Instant,
    pauses: Arc<Pauses>,
}

impl PauseBoard {
    /// For tests of what is not paused.
    #[cfg(test)]
    pub(super) fn nothing_paused() -> Self {
        Self(Arc::new(Mutex::new(Some(Known { read_at: Instant::now(), pauses: Arc::default() }))))
    }

    async fn read(&self, ledger: &Ledger) -> Result<Arc<Pauses>, LedgerError> {
        if let Some(known) = self.0.lock().unwrap_or_else(PoisonError::into_inner).as_ref()
            && known.read_at.elapsed() < PAUSES_FRESH_FOR
        {
            return Ok(Arc::clone(&known.pauses));
        }
        let pauses = Arc::new(ledger.pauses().await?);
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) =
            Some(Known { read_at: Instant::now(), pauses: Arc::clone(&pauses) });
        Ok(pauses)
    }
}

/// When a pipeline's export of an order that was received at a time may be made at the earliest.
fn earliest(pipeline: &Pipeline, received_at: Timestamp) -> Option<Timestamp> {
    let delayed = pipeline.delay.map(|delay| later(received_at, delay));
    delayed.max(pipeline.not_before)
}

impl Runner {
    /// Whether the export has to wait; if so, it has been seen to.
    pub(super) async fn must_wait(
        &self,
        pipeline: &Pipeline,
        key: &ExportKey,
        arrival: Arrival<'_>,
    ) -> Result<Option<Verdict>, LedgerError> {
        if self.pauses.read(&self.ledger).await?.holds(&pipeline.code) {
            return self.wait(key, arrival, Wait::ForResume).await.map(Some);
        }
        let now = clock::now();
        if let Some(at) = earliest(pipeline, arrival.received_at).filter(|at| *at > now) {
            return self.wait_until(key, arrival, Why::Delay, at).await.map(Some);
        }
        match &pipeline.rate {
            Some(rate) => self.wait_for_slot(rate, key, arrival).await,
            None => Ok(None),
        }
    }

    async fn wait_for_slot(
        &self,
        rate: &Rate,
        key: &ExportKey,
        arrival: Arrival<'_>,
    ) -> Result<Option<Verdict>, LedgerError> {
        let row = self.ledger.export(key).await?;
        // What the claim will refuse needs no turn, and what waited for its turn has it.
        if row.is_some_and(|row| refusal::<()>(&row, clock::now()).is_some() || row.has_slot()) {
            return Ok(None);
        }
        let now = clock::now();
        let slot = self.ledger.slot(&rate.destination, rate.interval, now).await?;
        let wait = Duration::try_from(slot.duration_since(now)).unwrap_or_default();
        let left = self.deadline.saturating_duration_since(Instant::now());
        if wait <= WAITED_FOR && wait + LEAST <= left {
            tokio::time::sleep(wait).await;
            return Ok(None);
        }
        self.wait_until(key, arrival, Why::Slot, slot).await.map(Some)
    }

    /// Has an export wait for a time: by a message of its own as far as the queue holds one back, else in the ledger.
    async fn wait_until(
        &self,
        key: &ExportKey,
        arrival: Arrival<'_>,
        why: Why,
        at: Timestamp,
    ) -> Result<Verdict, LedgerError> {
        let now = clock::now();
        let wait = Duration::try_from(at.duration_since(now)).unwrap_or_default();
        if wait > LONGEST_DELAY {
            return self.wait(key, arrival, Wait::Until(why, at)).await;
        }
        if let Some(row) = self.ledger.export(key).await?
            && let Some(refusal) = refusal::<()>(&row, now)
        {
            return Ok(refused(key, &refusal, now));
        }
        // First the message, then the row that relies on it: falling between the two repeats both.
        let sent = self.requeue.send(key, wait).await;
        sent.map_err(|error| LedgerError::Unavailable(error.to_string()))?;
        self.wait(key, arrival, Wait::ForMessage(why, at)).await
    }

    async fn wait(&self, key: &ExportKey, arrival: Arrival<'_>, wait: Wait) -> Result<Verdict, LedgerError> {
        let now = clock::now();
        let (why, until) = match wait {
            Wait::ForMessage(why, until) | Wait::Until(why, until) => (why, Some(until)),
            Wait::ForResume => (Why::Pause, None),
        };
        Ok(match self.ledger.defer(key, arrival.facts, wait, now).await? {
            Deferred::Waiting => {
                let until = until.map(|until| until.to_string());
                tracing::info!(export = key.idempotency_key(), why = why.name(), until, "waits: {}", name(key));
                Verdict::Done
            }
            Deferred::Held { until } => refused(key, &Claim::Held { until }, now),
            Deferred::Over(status) => over(key, status),
        })
    }
}

fn refused(key: &ExportKey, refusal: &Claim<()>, now: Timestamp) -> Verdict {
    match refusal {
        Claim::Held { until } | Claim::NotYet { until } => {
            Verdict::Retry(until.duration_since(now).unsigned_abs().max(LEASE_MARGIN))
        }
        Claim::Over(status) => over(key, *status),
        Claim::Waits | Claim::Granted(()) => Verdict::Done,
    }
}
