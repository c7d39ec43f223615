//! Exports whose time comes later: paused, delayed, or waiting for their turn at a destination. None of it uses up an
//! attempt.
//!
//! What waits is in the ledger's index of what is due before anything else happens. A message that comes at the right
//! time is only the faster way: should it never come, the ledger hands the export out.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;

use super::keeper::with_order;
use super::run::{Arrival, LEASE_MARGIN, LEAST, Runner};
use super::verdict::Verdict;
use crate::clock::{self, later};
use crate::config::{Pipeline, Rate};
use crate::ledger::{
    Claim, ExportKey, HAND_OUT_AGAIN, Ledger, LedgerError, Parked, Pauses, Recorded, Row, Wait, Why, refusal,
};
use crate::queue::LONGEST_DELAY;

/// How long what is paused is taken for known.
const PAUSES_FRESH_FOR: Duration = Duration::from_secs(5);
/// A time that comes this soon is waited for; for a later one the export comes back.
const WAITED_FOR: Duration = Duration::from_secs(2);
/// A slot may be used this much late. What comes later takes another one: after an outage all that were missed would
/// come at once.
const SLOT_LASTS: Duration = Duration::from_secs(2);
/// The queue counts whole seconds. What has to be on time comes this much early, and waits for the rest.
const EARLY: Duration = Duration::from_secs(1);
/// How much before its slot the ledger hands an export out that no message comes for: it is asked once a minute.
const HAND_OUT_EARLY: Duration = Duration::from_secs(30);

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

/// How a time is waited for, as the ledger writes it: to the millisecond.
fn until(why: Why, at: Timestamp, now: Timestamp) -> Wait {
    let at = Timestamp::from_millisecond(at.as_millisecond()).unwrap_or(at);
    let hand_out_at = match message_after(why, at, now) {
        Some(_) => later(at, HAND_OUT_AGAIN),
        None if why == Why::Slot => at.saturating_sub(HAND_OUT_EARLY).unwrap_or(at),
        None => at,
    };
    Wait::Until { why, at, hand_out_at }
}

/// After what time a message comes for it; the queue holds none back for longer than a quarter of an hour.
fn message_after(why: Why, at: Timestamp, now: Timestamp) -> Option<Duration> {
    let wait = time_left(at, now);
    let early = if why == Why::Slot { EARLY } else { Duration::ZERO };
    (wait <= LONGEST_DELAY).then(|| wait.saturating_sub(early))
}

/// Whether a slot can still be used.
fn lasts(slot: Timestamp, now: Timestamp) -> bool {
    now <= later(slot, SLOT_LASTS)
}

fn time_left(until: Timestamp, now: Timestamp) -> Duration {
    Duration::try_from(until.duration_since(now)).unwrap_or_default()
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
            return self.put_by(key, arrival, Wait::ForResume).await.map(Some);
        }
        if let Some(at) = earliest(pipeline, arrival.received_at)
            && !self.sleep_until(at).await
            && let Some(verdict) = self.delay(key, arrival, at).await?
        {
            return Ok(Some(verdict));
        }
        match &pipeline.rate {
            Some(rate) => self.take_turn(rate, key, arrival).await,
            None => Ok(None),
        }
    }

    /// Has an export wait for its pipeline's time. One that was begun by another webhook has its own time already.
    async fn delay(
        &self,
        key: &ExportKey,
        arrival: Arrival<'_>,
        at: Timestamp,
    ) -> Result<Option<Verdict>, LedgerError> {
        let now = clock::now();
        let wait = until(Why::Delay, at, now);
        if arrival.row.is_some() {
            return self.put_by(key, arrival, wait).await.map(Some);
        }
        let facts = with_order(arrival.facts, arrival.keeper).await?;
        match self.ledger.park(key, &facts, wait, now).await? {
            Parked::Waiting => Ok(Some(self.waits(key, wait, now).await)),
            Parked::Begun(_) => Ok(None),
        }
    }

    /// Takes a slot in the rate limit of the destination, or uses the one that the export has waited for.
    async fn take_turn(
        &self,
        rate: &Rate,
        key: &ExportKey,
        arrival: Arrival<'_>,
    ) -> Result<Option<Verdict>, LedgerError> {
        let read = if arrival.row.is_some() { None } else { self.ledger.export(key).await? };
        if let Some(row) = arrival.row.or(read.as_ref()) {
            let now = clock::now();
            match (refusal::<()>(row, now), row.slot()) {
                (Some(Claim::Waits { .. }), Some(slot)) if arrival.row.is_some() => {
                    return Ok(self.wait_for_slot(key, arrival, slot).await);
                }
                // What the claim will refuse needs no slot.
                (Some(_), _) => return Ok(None),
                (None, Some(slot)) if lasts(slot, now) => return Ok(None),
                (None, _) => {}
            }
        }
        let slot = self.ledger.slot(&rate.destination, rate.interval, clock::now()).await?;
        if self.sleep_until(slot).await {
            return Ok(None);
        }
        let wait = until(Why::Slot, slot, clock::now());
        self.put_by(key, arrival, wait).await.map(Some)
    }

    /// The message of an export comes somewhat before its slot.
    async fn wait_for_slot(&self, key: &ExportKey, arrival: Arrival<'_>, slot: Timestamp) -> Option<Verdict> {
        if self.sleep_until(slot).await {
            return None;
        }
        let wait = time_left(slot, clock::now()).saturating_sub(EARLY);
        Some(self.come_back(key, wait, arrival).await)
    }

    /// Waits for a time that is near, if there is time enough for the attempt afterwards.
    async fn sleep_until(&self, at: Timestamp) -> bool {
        let wait = time_left(at, clock::now());
        let left = self.deadline.saturating_duration_since(Instant::now());
        let is_near = wait.is_zero() || (wait <= WAITED_FOR && wait + LEAST <= left);
        if is_near {
            tokio::time::sleep(wait).await;
        }
        is_near
    }

    /// Has an export wait in the ledger, whether it is new or was begun before.
    async fn put_by(&self, key: &ExportKey, arrival: Arrival<'_>, wait: Wait) -> Result<Verdict, LedgerError> {
        let now = clock::now();
        let Some(row) = arrival.row else {
            let facts = with_order(arrival.facts, arrival.keeper).await?;
            return match self.ledger.park(key, &facts, wait, now).await? {
                Parked::Waiting => Ok(self.waits(key, wait, now).await),
                Parked::Begun(row) => self.put_by_again(&row, arrival, wait).await,
            };
        };
        self.put_by_again(row, arrival, wait).await
    }

    async fn put_by_again(&self, row: &Row, arrival: Arrival<'_>, wait: Wait) -> Result<Verdict, LedgerError> {
        let (now, key) = (clock::now(), &row.key);
        match refusal::<()>(row, now) {
            Some(Claim::Over(status)) => return self.done_with(key, status, arrival).await,
            Some(Claim::Held { until } | Claim::NotYet { until }) => {
                return Ok(self.come_back(key, time_left(until, now).max(LEASE_MARGIN), arrival).await);
            }
            // Its own message will see to it.
            Some(Claim::Waits { .. }) if arrival.row.is_none() => return Ok(Verdict::Done),
            Some(Claim::Waits { until }) if row.waits_already(wait) => {
                return Ok(self.come_back(key, time_left(until, now), arrival).await);
            }
            _ if row.waits_already(wait) => return Ok(Verdict::Done),
            Some(Claim::Waits { .. } | Claim::Granted(())) | None => {}
        }
        match self.ledger.park_again(row, wait, arrival.kept().await?, now).await? {
            Recorded::Written => Ok(self.waits(key, wait, now).await),
            Recorded::LeftAsIs => Ok(self.come_back(key, LEASE_MARGIN, arrival).await),
        }
    }

    /// An export waits from now on. Its message is sent, where one can come for it in time.
    async fn waits(&self, key: &ExportKey, wait: Wait, now: Timestamp) -> Verdict {
        let (why, until) = wait.reason();
        let (export, why_name) = (key.idempotency_key(), why.name());
        match until.and_then(|at| message_after(why, at, now)) {
            None => {}
            Some(after) => {
                if let Err(error) = self.requeue.send(key, after).await {
                    tracing::warn!(export, error = %error, "no message for {}, the ledger hands it out", key.name());
                }
            }
        }
        let until = until.map(|until| until.to_string());
        tracing::info!(export, why = why_name, until, "waits: {}", key.name());
        Verdict::Done
    }
}

#[cfg(test)]
mod tests;
