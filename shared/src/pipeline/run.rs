//! One export: filter, claim, format, transport, response, record.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures_util::FutureExt;
use jiff::Timestamp;
use tokio::time::Instant;

use super::keeper::with_order;
use super::tally::{Tally, since};
use super::transport::Clients;
use super::transport::s3::pack::{Going, Place, Record};
use super::verdict::{Verdict, erased};
use super::wait::PauseBoard;
use super::{Export, Failure, Keeper, filter};
use crate::clock::{self, later};
use crate::config::{KeepPayload, Pipeline};
use crate::ledger::{
    Claim, Completion, ExportKey, Facts, Fault, Holder, Keep, Kept, Lease, Ledger, LedgerError, NextStep, Recorded,
    Row, Status,
};
use crate::order::Order;
use crate::queue::{Requeue, backoff};
use crate::webhook::Headers;

/// Kept back from an attempt's time to record how it ended.
pub const TO_RECORD: Duration = Duration::from_secs(1);
/// An attempt that would have less time than this is not begun.
pub(super) const LEAST: Duration = Duration::from_secs(2);
/// How much longer than the attempt the lease lasts, so that a slow record is not overtaken.
pub(super) const LEASE_MARGIN: Duration = Duration::from_secs(2);
/// Longest wait between two tries to record an outcome.
const LONGEST_WAIT_TO_RECORD: Duration = Duration::from_secs(2);
/// Longest error and response text kept in the ledger, in characters.
const KEPT_TEXT: usize = 2000;

/// What exports are run with; made once for a batch, but for the record.
#[derive(Debug, Clone)]
pub struct Runner {
    /// The ledger.
    pub ledger: Ledger,
    /// What is paused.
    pub pauses: PauseBoard,
    /// The queue, for exports whose time comes later.
    pub requeue: Requeue,
    /// What transports work with.
    pub clients: Clients,
    /// Counts what becomes of the batch's exports.
    pub tally: Tally,
    /// The record of the batch that is worked on.
    pub record: Record,
    /// The invocation's own identifier.
    pub invocation: String,
    /// When work must be over.
    pub deadline: Instant,
    /// How often the queue delivers a message before it goes to the dead-letter queue.
    pub max_receive_count: u32,
}

/// An order and all that came with it.
#[derive(Debug, Clone, Copy)]
pub struct Arrival<'a> {
    /// The order.
    pub order: &'a Order,
    /// What the ledger records of it.
    pub facts: &'a Facts,
    /// The webhook's body, byte for byte.
    pub raw: &'a [u8],
    /// The platform's own headers.
    pub headers: &'a Headers,
    /// When intake received the webhook.
    pub received_at: Timestamp,
    /// How often the queue has delivered this message, this time included.
    pub receive_count: u32,
    /// Who holds the leases taken: this delivery of this message.
    pub owner: &'a str,
    /// Keeps the raw order of a webhook where its message is done with it; nothing where the row leads to it.
    pub keeper: Option<&'a Keeper<'a>>,
    /// The row of the export that the message names, as it was just now; nothing for a webhook.
    pub row: Option<&'a Row>,
}

impl Runner {
    /// Takes an order through one pipeline.
    pub async fn run(&self, pipeline: &Pipeline, arrival: Arrival<'_>) -> Verdict {
        self.run_begun(pipeline, arrival, self.record.begin()).await
    }

    /// Does the same as one of several exports of a record, all of which were begun before.
    pub(super) async fn run_begun(&self, pipeline: &Pipeline, arrival: Arrival<'_>, going: Going) -> Verdict {
        let key = ExportKey::new(&arrival.order.shop, &arrival.order.id, &pipeline.code);
        match self.try_run(pipeline, &key, arrival, &going).await {
            Ok(verdict) => verdict,
            Err(LedgerError::LeaseLost) => {
                tracing::warn!(export = key.idempotency_key(), "lease lost on {}: looked at again later", key.name());
                self.come_back(&key, LEASE_MARGIN, arrival).await
            }
            Err(error) => {
                tracing::error!(export = key.idempotency_key(), error = %error, "ledger failed for {}", key.name());
                self.put_off(arrival.receive_count)
            }
        }
    }

    async fn try_run(
        &self,
        pipeline: &Pipeline,
        key: &ExportKey,
        arrival: Arrival<'_>,
        going: &Going,
    ) -> Result<Verdict, LedgerError> {
        let now = clock::now();
        match pipeline.filter.decide(arrival.order, now) {
            Ok(filter::Verdict::Take) => {}
            // An export that was begun goes on, even if by now the filter declines it: it is to end on record.
            Ok(filter::Verdict::Decline(reason)) => {
                let facts = with_order(arrival.facts, arrival.keeper).await?;
                if self.ledger.skip(key, &facts, &reason, now).await? == Recorded::Written {
                    tracing::info!(export = key.idempotency_key(), reason, "skipped {}", key.name());
                    return Ok(Verdict::Done);
                }
            }
            Err(error) => {
                let facts = with_order(arrival.facts, arrival.keeper).await?;
                if self.ledger.reject(key, &facts, &error.to_string(), Fault::Permanent, now).await?
                    == Recorded::Written
                {
                    self.tally.gave_up(&key.pipeline);
                    tracing::error!(export = key.idempotency_key(), error = %error, "filter failed for {}", key.name());
                    return Ok(Verdict::Done);
                }
            }
        }
        if let Some(verdict) = self.must_wait(pipeline, key, arrival).await? {
            return Ok(verdict);
        }
        // What goes into the bucket is there before an attempt is counted.
        let kept = match pipeline.keep_payload {
            KeepPayload::Always => match (arrival.kept().await?, arrival.keeper) {
                (None, Some(_)) => return Ok(erased(key)),
                (kept, _) => kept,
            },
            KeepPayload::UntilExported => None,
        };
        // Asked once more: what was written until here took its time, and the lease is to outlast the attempt.
        let now = clock::now();
        let left = self.deadline.saturating_duration_since(Instant::now());
        if left < LEAST {
            return Ok(match arrival.row {
                Some(_) => self.come_back(key, Duration::ZERO, arrival).await,
                None => Verdict::Retry(Duration::ZERO),
            });
        }
        let place = going.place(&self.clients, pipeline, arrival.order);
        let pack = place.as_ref().and_then(|place| Some(place.as_ref().ok()?.pack()));
        let (holder, lease_ends) = (Holder { owner: arrival.owner, pack }, later(now, left + LEASE_MARGIN));
        let claim = match arrival.row {
            Some(row) => self.ledger.claim_again(row, holder, now, lease_ends).await?,
            None => self.ledger.claim(key, arrival.facts, holder, now, lease_ends).await?,
        };
        match claim {
            Claim::Granted(lease) => self.attempt(pipeline, lease, kept, arrival, place).await,
            Claim::Waits { until } if arrival.row.is_none() => {
                tracing::info!(export = key.idempotency_key(), %until, "waits already: {}", key.name());
                Ok(Verdict::Done)
            }
            Claim::Held { until } | Claim::NotYet { until } | Claim::Waits { until } => {
                tracing::info!(export = key.idempotency_key(), %until, "not now: {}", key.name());
                let wait = Duration::try_from(until.duration_since(now)).unwrap_or_default();
                Ok(self.come_back(key, wait, arrival).await)
            }
            Claim::Over(status) => self.done_with(key, status, arrival).await,
        }
    }

    /// The attempt itself. A panic in it is a failure of this export and touches no other.
    async fn attempt(
        &self,
        pipeline: &Pipeline,
        lease: Lease,
        kept: Option<&Kept>,
        arrival: Arrival<'_>,
        place: Option<Result<Place<'_>, Failure>>,
    ) -> Result<Verdict, LedgerError> {
        let pack = place.as_ref().and_then(|place| Some(place.as_ref().ok()?.pack()));
        let (lease, packed) = self.settle_pack(lease, pack).await?;
        let lease = &lease;
        let outcome = match packed {
            Ok(None) => {
                let outcome = AssertUnwindSafe(self.deliver(pipeline, lease, arrival, place)).catch_unwind().await;
                outcome.unwrap_or_else(|_| Err(Failure::retryable("the attempt panicked, see the function's log")))
            }
            Ok(Some(destination)) => Ok(completion(pipeline, destination, None)),
            Err(failure) => Err(failure),
        };
        match outcome {
            Ok(completion) => {
                let keep = match (pipeline.keep_payload, kept) {
                    (KeepPayload::UntilExported, _) => Keep::No,
                    (KeepPayload::Always, Some(kept)) if !lease.is_kept() => Keep::Put(kept),
                    (KeepPayload::Always, _) => Keep::AsItIs,
                };
                self.put_on_record(async || self.ledger.complete(lease, &completion, keep, clock::now()).await).await?;
                let lag = arrival.row.is_none().then(|| since(arrival.received_at, clock::now()));
                self.tally.exported(&pipeline.code, lag);
                let export = lease.key.idempotency_key();
                tracing::info!(export, attempt = lease.attempt, "exported {}", lease.key.name());
                Ok(Verdict::Done)
            }
            Err(failure) => self.record_failure(pipeline, lease, &failure, arrival).await,
        }
    }

    async fn deliver(
        &self,
        pipeline: &Pipeline,
        lease: &Lease,
        arrival: Arrival<'_>,
        place: Option<Result<Place<'_>, Failure>>,
    ) -> Result<Completion, Failure> {
        let idempotency_key = lease.key.idempotency_key();
        let export = Export {
            pipeline: &pipeline.code,
            order: arrival.order,
            raw: arrival.raw,
            headers: arrival.headers,
            idempotency_key: &idempotency_key,
        };
        let document = pipeline.format.render(export)?;
        let left = self.deadline.saturating_duration_since(Instant::now()).saturating_sub(TO_RECORD);
        let delivery = async {
            match place {
                Some(place) => place?.deliver(&idempotency_key, document, arrival.raw.len()).await,
                None => pipeline.transport.deliver(&self.clients, export, &document, left).await,
            }
        };
        let receipt = tokio::time::timeout(left, delivery).await;
        let receipt = receipt.map_err(|_| Failure::retryable("the time of this invocation ran out"))??;
        let reading = pipeline.response.as_ref().map(|reader| reader.read(&receipt)).transpose()?;
        let external_id = reading.and_then(|reading| reading.external_id);
        Ok(completion(pipeline, receipt.destination, external_id))
    }

    /// Records how an attempt ended. An outcome that is not on record is an attempt that will be made again, so the
    /// ledger is asked as long as there is time.
    async fn put_on_record<T>(&self, write: impl AsyncFn() -> Result<T, LedgerError>) -> Result<T, LedgerError> {
        let mut wait = Duration::from_millis(200);
        loop {
            match write().await {
                Err(LedgerError::Unavailable(_)) if Instant::now() + wait < self.deadline => {
                    tokio::time::sleep(wait).await;
                    wait = (wait * 2).min(LONGEST_WAIT_TO_RECORD);
                }
                ended => return ended,
            }
        }
    }

    async fn record_failure(
        &self,
        pipeline: &Pipeline,
        lease: &Lease,
        failure: &Failure,
        arrival: Arrival<'_>,
    ) -> Result<Verdict, LedgerError> {
        let now = clock::now();
        let is_last = lease.attempt >= pipeline.retries.max_attempts;
        let wait = backoff(&pipeline.retries, lease.attempt, failure.retry, fastrand::f64());
        let next = match wait {
            Some(wait) if !is_last => NextStep::Retry { not_before: later(now, wait) },
            Some(_) => NextStep::GiveUp(Fault::Exhausted),
            None => NextStep::GiveUp(Fault::Permanent),
        };
        let (message, record) = (capped(&failure.message), capped(&failure.on_record()));
        let response = failure.response.as_deref().map(capped);
        let (key, export) = (&lease.key, lease.key.idempotency_key());
        // Until the next attempt the message has the order. Of one that nobody has paid, a cancellation may have to be told
        // before that.
        let is_needed = matches!(next, NextStep::GiveUp(_)) || arrival.facts.is_unpaid;
        let kept =
            if is_needed && !lease.is_kept() { self.put_on_record(async || arrival.kept().await).await? } else { None };
        let status = self
            .put_on_record(async || self.ledger.fail(lease, &record, response.as_deref(), next, kept, now).await)
            .await?;
        self.tally.attempt_failed(&pipeline.code, status == Status::Error);
        Ok(match (status, next, wait) {
            (Status::Pending, NextStep::Retry { not_before }, Some(wait)) => {
                tracing::warn!(export, attempt = lease.attempt, error = message, %not_before, "to retry {}", key.name());
                self.come_back(key, wait, arrival).await
            }
            (Status::Canceled, ..) => {
                tracing::warn!(export, attempt = lease.attempt, error = message, "cancelled meanwhile: {}", key.name());
                self.done_with(key, status, arrival).await?
            }
            _ => {
                tracing::error!(export, attempt = lease.attempt, error = message, "gave up on {}", key.name());
                let is_last_delivery = arrival.receive_count >= self.max_receive_count;
                // Reported once more, so that the queue's redrive policy moves it to the dead-letter queue.
                if wait.is_some() && is_last_delivery { Verdict::Retry(Duration::ZERO) } else { Verdict::Done }
            }
        })
    }
}

/// An export that its destination has from now on.
fn completion(pipeline: &Pipeline, destination: String, external_id: Option<String>) -> Completion {
    let acknowledge_by = pipeline.acknowledge_within.map(|within| later(clock::now(), within));
    Completion { destination, external_id, acknowledge_by }
}

fn capped(text: &str) -> String {
    text.chars().take(KEPT_TEXT).collect()
}

#[cfg(test)]
mod tests;
