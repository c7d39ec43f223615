//! The day, event by event: shops, endpoint, queue, mapping, processor, destination, schedules.

use std::collections::{BTreeSet, VecDeque};

use super::agenda::{Agenda, Event};
use super::arrivals::Arrivals;
use super::attempt::{Destination, Message, Outcome};
use super::mapping::{Bucket, MOST_IN_FLIGHT, Mapping};
use super::record::Record;
use super::scenario::{Millis, Scenario, Timing, hours, millis, real, seconds};
use fastrand::Rng;

/// Write units of an export that succeeds, as `shared/src/ledger/costs.rs` counts them for an order of ten kilobytes; so
/// are those below.
const EXPORTED_UNITS: f64 = 2.0;
/// Those of an attempt that fails: claim and outcome, and two moves in the index.
const FAILED_UNITS: f64 = 6.0;
/// Those that an export costs more which waits for a slot: from then on its row has the order, and four units a write.
const PARKED_UNITS: f64 = 16.0;
/// Those of one that the ledger hands out, as no message can wait that long: taken, and let go.
pub(super) const HANDED_OUT_UNITS: f64 = 11.0;
/// A slot is two writes where slots are taken in advance, and a read before it.
const SLOT_UNITS: f64 = 2.0;
const SLOT_READ_UNITS: f64 = 0.5;

/// What becomes of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    /// Its shop is still sending it.
    Placed,
    /// Its shop gave up.
    GivenUp,
    /// It was accepted, and is in the queue, at work, or waits in the ledger.
    Waiting,
    /// It has arrived.
    Exported,
    /// Its attempts are used up, since then.
    Error(Millis),
}

/// An order.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Order {
    pub(crate) state: State,
    pub(super) accepted_at: Millis,
    pub(super) attempts: u32,
    pub(super) resets: u32,
}

/// Everything that there is, at a time.
#[derive(Debug)]
pub(crate) struct World<'a> {
    pub(super) scenario: &'a Scenario,
    timing: Timing,
    pub(super) random: Rng,
    pub(super) now: Millis,
    pub(super) agenda: Agenda,
    arrivals: Arrivals<'a>,
    throttle: Bucket,
    mapping: Mapping,
    destination: Destination<'a>,
    pub(crate) orders: Vec<Order>,
    queue: VecDeque<(Message, Millis)>,
    pub(super) in_flight: u64,
    intake_running: u32,
    batches_running: u32,
    pub(super) waiting: BTreeSet<(Millis, usize)>,
    pub(super) in_error: BTreeSet<usize>,
    pub(crate) record: Record,
}

impl<'a> World<'a> {
    pub(crate) fn new(scenario: &'a Scenario, timing: Timing) -> Self {
        let mut world = Self {
            scenario,
            timing,
            // Apart from that of the arrivals, so that days that differ in something else have the same orders.
            random: Rng::with_seed(!scenario.seed),
            now: 0,
            agenda: Agenda::default(),
            arrivals: Arrivals::new(scenario),
            throttle: Bucket::new(scenario.throttling_rate, scenario.throttling_burst),
            mapping: Mapping::new(scenario),
            destination: Destination::new(scenario, timing),
            orders: Vec::new(),
            queue: VecDeque::new(),
            in_flight: 0,
            intake_running: 0,
            batches_running: 0,
            waiting: BTreeSet::new(),
            in_error: BTreeSet::new(),
            record: Record::default(),
        };
        world.place_next();
        world.agenda.add(seconds(1.0), Event::Second);
        world.agenda.add(hours(1.0), Event::Reset);
        world
    }

    /// Runs to the end of the day.
    pub(crate) fn run(&mut self) {
        while let Some((at, event)) = self.agenda.next() {
            if at >= self.scenario.end() {
                break;
            }
            self.now = at;
            self.happen(event);
        }
        self.record.close();
    }

    /// Orders that were accepted and are neither exported nor in error.
    pub(crate) fn waiting(&self) -> u64 {
        self.waiting.len() as u64
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::Webhook(order, before) => self.webhook(order, before),
            Event::Accepted(order) => self.accepted(order),
            Event::Visible(message, was_in_flight) => {
                if was_in_flight {
                    self.in_flight -= 1;
                }
                self.queue.push_back((message, self.now));
                self.receive();
            }
            Event::Ended(records) => self.ended(records),
            Event::Window => self.receive(),
            Event::Second => self.second(),
            Event::Reset => self.reset(),
        }
    }

    /// The next order is placed: its webhook is sent.
    fn place_next(&mut self) {
        if let Some(at) = self.arrivals.next() {
            let order = self.orders.len();
            self.orders.push(Order { state: State::Placed, accepted_at: 0, attempts: 0, resets: 0 });
            self.agenda.add(at, Event::Webhook(order, 0));
        }
    }

    fn webhook(&mut self, order: usize, before: u32) {
        if before == 0 {
            self.place_next();
            self.record.hour(self.now).placed += 1;
            self.record.minute(self.now).placed += 1.0 / 60.0;
        }
        if !self.throttle.take(self.now) {
            return self.refuse(order, before);
        }
        self.record.hour(self.now).used.requests += 1.0;
        if self.intake_running + self.batches_running >= self.scenario.account_concurrency {
            return self.refuse(order, before);
        }
        self.intake_running += 1;
        let took = self.timing.intake_ms * (0.5 + self.random.f64());
        let hour = self.record.hour(self.now);
        hour.intake_at_once = hour.intake_at_once.max(self.intake_running);
        hour.used.intake += 1.0;
        hour.used.intake_ms += took;
        self.agenda.add(self.now + millis(took), Event::Accepted(order));
    }

    /// The shop hears 429 or 503 and sends again, or gives up.
    fn refuse(&mut self, order: usize, before: u32) {
        self.record.hour(self.now).refused += 1;
        if before >= self.scenario.shop_retries {
            self.orders[order].state = State::GivenUp;
            self.record.hour(self.now).given_up_by_shop += 1;
            return;
        }
        let wait = self.scenario.shop_waits * f64::from(1u32 << before.min(20)) * (0.5 + self.random.f64());
        self.agenda.add(self.now + seconds(wait), Event::Webhook(order, before + 1));
    }

    fn accepted(&mut self, order: usize) {
        self.intake_running -= 1;
        self.orders[order] = Order { state: State::Waiting, accepted_at: self.now, ..self.orders[order] };
        self.waiting.insert((self.now, order));
        let hour = self.record.hour(self.now);
        hour.accepted += 1;
        hour.used.queue_requests += 1.0;
        self.queue.push_back((Message { order, receives: 0, slot: None }, self.now));
        self.receive();
    }

    /// The mapping receives as many batches as it may.
    fn receive(&mut self) {
        while let Some(&(_, since)) = self.queue.front() {
            let size = self.queue.len().min(self.scenario.batch_size);
            let window = since + seconds(self.scenario.batch_window);
            let has_room = self.batches_running < self.mapping.allowed()
                && self.intake_running + self.batches_running < self.scenario.account_concurrency
                && self.in_flight + size as u64 <= MOST_IN_FLIGHT;
            if !has_room {
                return;
            }
            if size < self.scenario.batch_size && self.now < window {
                return self.agenda.add(window, Event::Window);
            }
            let batch = self.queue.drain(..size).map(|(message, _)| message).collect();
            self.begin(batch);
        }
    }

    fn begin(&mut self, batch: Vec<Message>) {
        self.batches_running += 1;
        self.in_flight += batch.len() as u64;
        let mut ends = self.now;
        let (mut exported, mut failed, mut parked) = (0.0, 0.0, 0.0);
        let mut records = Vec::with_capacity(batch.len());
        for message in batch {
            let message = Message { receives: message.receives + 1, ..message };
            let (ended, outcome) = self.destination.work_on(message, self.now, &mut self.random);
            ends = ends.max(ended);
            match outcome {
                Outcome::Exported => exported += 1.0,
                Outcome::Failed => failed += 1.0,
                Outcome::Parked(_) => parked += 1.0,
                Outcome::Early(_) => {}
            }
            records.push((message, outcome));
        }
        let took = real(ends - self.now) + self.timing.batch_ms;
        let slots = if self.scenario.rate_limit > 0.0 { exported + failed + parked } else { 0.0 };
        let hour = self.record.hour(self.now);
        hour.batches_at_once = hour.batches_at_once.max(self.batches_running);
        hour.in_flight = hour.in_flight.max(self.in_flight);
        hour.used.batches += 1.0;
        hour.used.batch_ms += took;
        // One to receive; orders of 10 KB, ten of which are two times 64 KB; one to delete.
        hour.used.queue_requests += 2.0 + if records.len() > 5 { 1.0 } else { 0.0 };
        hour.used.write_units +=
            exported * EXPORTED_UNITS + failed * FAILED_UNITS + parked * PARKED_UNITS + slots * SLOT_UNITS;
        hour.used.read_units += slots * SLOT_READ_UNITS;
        self.agenda.add(self.now + millis(took), Event::Ended(records));
    }

    fn ended(&mut self, records: Vec<(Message, Outcome)>) {
        self.batches_running -= 1;
        for (message, outcome) in records {
            match outcome {
                Outcome::Exported => self.exported(message),
                Outcome::Failed => self.failed(message),
                Outcome::Early(slot) => self.come_again(message, slot),
                Outcome::Parked(slot) => self.park(message, slot),
            }
        }
        self.receive();
    }

    fn second(&mut self) {
        self.mapping.second(!self.queue.is_empty());
        let oldest = self.waiting.first().map_or(0, |(accepted_at, _)| self.now - accepted_at);
        let (waiting, in_error, queued) = (self.waiting(), self.in_error.len() as u64, self.queue.len() as u64);
        // What is noted at the end of a second belongs to the minute and hour that the second was of.
        let during = self.now - 1;
        self.record.minute(during).waiting = real(waiting);
        let hour = self.record.hour(during);
        (hour.waiting, hour.in_error) = (waiting, in_error);
        hour.queued = hour.queued.max(queued);
        hour.oldest_s = hour.oldest_s.max(real(oldest) / 1000.0);
        self.agenda.add(self.now + seconds(1.0), Event::Second);
        self.receive();
    }
}
