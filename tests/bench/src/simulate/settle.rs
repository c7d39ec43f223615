//! What becomes of an order once the processor has worked on it, and later.

use ordersync::pipeline::Retry;
use ordersync::queue::{LONGEST_DELAY, backoff, visibility_timeout};

use super::agenda::Event;
use super::attempt::Message;
use super::scenario::{Millis, hours, seconds};
use super::world::{HANDED_OUT_UNITS, Order, State, World};

/// How long before its slot an export comes whose message could be held back, and one that the ledger hands out.
const MESSAGE_EARLY: Millis = 1_000;
const HANDED_OUT_EARLY: Millis = 30_000;

impl World<'_> {
    pub(super) fn exported(&mut self, message: Message) {
        self.in_flight -= 1;
        let order = &mut self.orders[message.order];
        order.state = State::Exported;
        let took = self.now - order.accepted_at;
        self.waiting.remove(&(order.accepted_at, message.order));
        self.record.hour(self.now).attempts += 1;
        self.record.exported(self.now, took);
    }

    /// Waits for the back-off that the processor itself would choose, or is over.
    pub(super) fn failed(&mut self, message: Message) {
        let order = &mut self.orders[message.order];
        order.attempts += 1;
        let (attempts, accepted_at) = (order.attempts, order.accepted_at);
        let hour = self.record.hour(self.now);
        hour.attempts += 1;
        hour.failed += 1;
        if attempts >= self.scenario.max_attempts {
            hour.errors += 1;
            // A message at its last delivery is given up with its export, others are done.
            hour.dead_letters += u64::from(message.receives >= self.scenario.max_attempts);
            self.in_flight -= 1;
            self.orders[message.order].state = State::Error(self.now);
            self.waiting.remove(&(accepted_at, message.order));
            self.in_error.insert(message.order);
            return;
        }
        let wait = backoff(&self.scenario.retries(), attempts, Retry::Backoff, self.random.f64()).unwrap_or_default();
        let wait = seconds(f64::from(visibility_timeout(wait)));
        if message.receives < self.scenario.max_attempts {
            return self.hide(Message { slot: None, ..message }, self.now + wait);
        }
        // It has no delivery left: the export goes on by a message of its own.
        self.in_flight -= 1;
        self.send(message.order, None, self.now + wait);
    }

    /// It came before its slot.
    pub(super) fn come_again(&mut self, message: Message, slot: Millis) {
        self.hide(message, slot.saturating_sub(MESSAGE_EARLY));
    }

    /// In flight until then, and visible again.
    fn hide(&mut self, message: Message, until: Millis) {
        self.record.hour(self.now).used.queue_requests += 1.0;
        self.agenda.add(until.max(self.now), Event::Visible(message, true));
    }

    /// The message is done; one of the export's own comes shortly before the slot, or the ledger hands the export out.
    pub(super) fn park(&mut self, message: Message, slot: Millis) {
        self.in_flight -= 1;
        self.record.hour(self.now).parked += 1;
        let early = if slot - self.now.min(slot) <= seconds(LONGEST_DELAY.as_secs_f64()) {
            MESSAGE_EARLY
        } else {
            self.record.hour(self.now).used.write_units += HANDED_OUT_UNITS;
            HANDED_OUT_EARLY
        };
        self.send(message.order, Some(slot), slot.saturating_sub(early));
    }

    fn send(&mut self, order: usize, slot: Option<Millis>, at: Millis) {
        self.record.hour(self.now).used.queue_requests += 1.0;
        self.agenda.add(at.max(self.now), Event::Visible(Message { order, receives: 0, slot }, false));
    }

    /// Errors that are old enough, and were not set back too often, get all their attempts anew.
    pub(super) fn reset(&mut self) {
        let since = self.now.saturating_sub(seconds(self.scenario.reset_after * 60.0));
        let is_due = |order: &Order| {
            order.resets < self.scenario.max_resets && matches!(order.state, State::Error(at) if at <= since)
        };
        let due: Vec<_> = self.in_error.iter().copied().filter(|&order| is_due(&self.orders[order])).collect();
        for order in due {
            self.in_error.remove(&order);
            let reset = &mut self.orders[order];
            *reset = Order { state: State::Waiting, attempts: 0, resets: reset.resets + 1, ..*reset };
            self.waiting.insert((reset.accepted_at, order));
            let hour = self.record.hour(self.now);
            hour.reset += 1;
            hour.used.write_units += HANDED_OUT_UNITS;
            self.send(order, None, self.now);
        }
        self.agenda.add(self.now + hours(1.0), Event::Reset);
    }
}
