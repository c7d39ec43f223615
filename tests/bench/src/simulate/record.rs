//! What is noted of a day: by the hour for the table, by the minute for the chart.

use serde::Serialize;

use super::scenario::{Millis, hours, real, seconds};

/// An hour of the day.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Hour {
    /// Which, from 0.
    pub hour: u64,
    /// Orders placed.
    pub placed: u64,
    /// Webhooks refused by the endpoint's throttle or for want of concurrency.
    pub refused: u64,
    /// Orders that the shop gave up sending.
    pub given_up_by_shop: u64,
    /// Webhooks answered with 202.
    pub accepted: u64,
    /// Orders exported.
    pub exported: u64,
    /// Attempts at the destination.
    pub attempts: u64,
    /// Those of them that failed.
    pub failed: u64,
    /// Exports that became errors.
    pub errors: u64,
    /// Messages that went to the dead-letter queue.
    pub dead_letters: u64,
    /// Errors that were set back.
    pub reset: u64,
    /// Exports that waited in the ledger for a slot of the rate limit.
    pub parked: u64,
    /// Orders accepted and not exported at the hour's end, errors not counted.
    pub waiting: u64,
    /// Exports in error at its end.
    pub in_error: u64,
    /// Most visible messages in the queue.
    pub queued: u64,
    /// Most messages in flight: being processed, or hidden for their back-off.
    pub in_flight: u64,
    /// Greatest age of an order that waited, in seconds.
    pub oldest_s: f64,
    /// Seconds from 202 until exported: half of the hour's exports took no longer.
    pub took_p50_s: f64,
    /// The same for 99 of 100.
    pub took_p99_s: f64,
    /// Most executions of intake at once.
    pub intake_at_once: u32,
    /// Most batches at once.
    pub batches_at_once: u32,
    /// What was used and is paid for.
    pub used: Used,
    /// US dollars for it: calls and computing, without logs, traces and storage.
    pub dollars: f64,
    #[serde(skip)]
    took: Vec<Millis>,
}

/// What is paid for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Used {
    /// Requests at the endpoint.
    pub requests: f64,
    /// Executions of intake.
    pub intake: f64,
    /// Their milliseconds.
    pub intake_ms: f64,
    /// Batches.
    pub batches: f64,
    /// Their milliseconds.
    pub batch_ms: f64,
    /// Requests to the queue.
    pub queue_requests: f64,
    /// Write request units.
    pub write_units: f64,
    /// Read request units.
    pub read_units: f64,
}

/// A minute of the day.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Minute {
    /// Orders placed a second.
    pub placed: f64,
    /// Orders exported a second.
    pub exported: f64,
    /// Orders that wait at its end.
    pub waiting: f64,
}

/// The day as it was noted.
#[derive(Debug, Default)]
pub(crate) struct Record {
    pub(crate) hours: Vec<Hour>,
    pub(crate) minutes: Vec<Minute>,
}

impl Record {
    /// The hour of a time.
    pub(crate) fn hour(&mut self, at: Millis) -> &mut Hour {
        let hour = at / hours(1.0);
        while self.hours.len() as u64 <= hour {
            self.hours.push(Hour { hour: self.hours.len() as u64, ..Hour::default() });
        }
        let last = self.hours.len() - 1;
        // Times only go on: an earlier hour is never asked for.
        &mut self.hours[last]
    }

    /// The minute of a time.
    pub(crate) fn minute(&mut self, at: Millis) -> &mut Minute {
        let minute = at / seconds(60.0);
        while self.minutes.len() as u64 <= minute {
            self.minutes.push(Minute::default());
        }
        let last = self.minutes.len() - 1;
        &mut self.minutes[last]
    }

    /// An order was exported `took` after it had been accepted.
    pub(crate) fn exported(&mut self, at: Millis, took: Millis) {
        let hour = self.hour(at);
        hour.exported += 1;
        hour.took.push(took);
        self.minute(at).exported += 1.0 / 60.0;
    }

    /// Sums up what was noted one by one.
    pub(crate) fn close(&mut self) {
        for hour in &mut self.hours {
            hour.took.sort_unstable();
            let at = |share: f64| {
                let last = hour.took.len().saturating_sub(1);
                let place = usize::try_from(super::scenario::millis(real(last as u64) * share)).unwrap_or(last);
                hour.took.get(place).map_or(0.0, |took| real(*took) / 1000.0)
            };
            (hour.took_p50_s, hour.took_p99_s) = (at(0.5), at(0.99));
        }
    }
}
