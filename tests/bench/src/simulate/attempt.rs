//! What becomes of a record that the processor works on: its turn at the destination, and the destination's answer.

use std::collections::BTreeMap;

use fastrand::Rng;

use super::scenario::{Millis, Scenario, Timing, millis, real, seconds};

/// A slot that comes this soon is slept for, and one that was missed by no more is used all the same, as the processor
/// has it (`shared/src/pipeline/wait.rs`).
const NEAR: Millis = 2_000;

/// A message of the queue: an order as its webhook brought it, or the name of an export.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Message {
    /// Which order.
    pub(crate) order: usize,
    /// How often it has been received.
    pub(crate) receives: u32,
    /// The slot of the rate limit that it has waited for.
    pub(crate) slot: Option<Millis>,
}

/// How a record ended.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Outcome {
    /// The destination took it.
    Exported,
    /// It did not.
    Failed,
    /// It came before its slot, and comes again.
    Early(Millis),
    /// Its slot is too far away to be slept for: it waits in the ledger.
    Parked(Millis),
}

/// The destination, and the turns at it.
#[derive(Debug)]
pub(crate) struct Destination<'a> {
    scenario: &'a Scenario,
    timing: Timing,
    /// The next free slot of the rate limit, in milliseconds: as finely as the ledger keeps it.
    next_slot: f64,
    /// Deliveries by second, for a destination that counts them itself.
    taken: BTreeMap<u64, f64>,
}

impl<'a> Destination<'a> {
    pub(crate) fn new(scenario: &'a Scenario, timing: Timing) -> Self {
        Self { scenario, timing, next_slot: 0.0, taken: BTreeMap::new() }
    }

    /// Works on a record from `now` on; when it has ended, and how.
    pub(crate) fn work_on(&mut self, message: Message, now: Millis, random: &mut Rng) -> (Millis, Outcome) {
        let ledger = millis(self.timing.ledger_ms);
        let starts = match self.turn(message, now) {
            Turn::Now => now,
            Turn::At(slot) => slot.max(now + 2 * ledger),
            Turn::Early(slot) => return (now + ledger, Outcome::Early(slot)),
            Turn::Far(slot) => return (now + 3 * ledger, Outcome::Parked(slot)),
        };
        let (answered, outcome) = self.deliver(starts + ledger, random);
        (answered + ledger, outcome)
    }

    fn turn(&mut self, message: Message, now: Millis) -> Turn {
        if self.scenario.rate_limit <= 0.0 {
            return Turn::Now;
        }
        match message.slot {
            Some(slot) if slot > now + NEAR => Turn::Early(slot),
            Some(slot) if now <= slot + NEAR => Turn::At(slot),
            _ => {
                let slot = self.next_slot.max(real(now));
                self.next_slot = slot + 1000.0 / self.scenario.rate_limit;
                let slot = millis(slot);
                if slot > now + NEAR { Turn::Far(slot) } else { Turn::At(slot) }
            }
        }
    }

    fn deliver(&mut self, at: Millis, random: &mut Rng) -> (Millis, Outcome) {
        if self.scenario.is_away(at) {
            return (at + millis(self.scenario.outage_ms), Outcome::Failed);
        }
        // From half as long to half as long again, evenly.
        let answered = at + millis(self.timing.destination_ms * (0.5 + random.f64()));
        let outcome = if self.has_room(at) { Outcome::Exported } else { Outcome::Failed };
        (answered, outcome)
    }

    /// Whether the destination takes one more in that second.
    fn has_room(&mut self, at: Millis) -> bool {
        if self.scenario.destination_limit <= 0.0 {
            return true;
        }
        let second = at / seconds(1.0);
        // Batches are not worked on in the order of their deliveries, but no more than some minutes apart.
        self.taken = self.taken.split_off(&second.saturating_sub(600));
        let taken = self.taken.entry(second).or_default();
        *taken += 1.0;
        *taken <= self.scenario.destination_limit
    }
}

/// When an export may be made.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Turn {
    Now,
    At(Millis),
    Early(Millis),
    Far(Millis),
}

#[cfg(test)]
mod tests {
    use super::super::scenario::hours;
    use super::super::scenario::tests::scenario;
    use super::*;

    const TIMING: Timing =
        Timing { intake_ms: 10.0, ledger_ms: 5.0, batch_ms: 5.0, destination_ms: 100.0, is_measured: false };
    const NEW: Message = Message { order: 0, receives: 1, slot: None };

    #[test]
    fn slots_are_evenly_spaced_and_far_ones_are_waited_for_in_the_ledger() {
        let scenario = scenario("--rate-limit 2 --outage-minutes 0");
        let mut destination = Destination::new(&scenario, TIMING);
        let mut random = Rng::with_seed(1);
        let turns: Vec<_> = (0..7).map(|_| destination.turn(NEW, 1000)).collect();
        let expected = [1000, 1500, 2000, 2500, 3000].map(Turn::At).into_iter().chain([3500, 4000].map(Turn::Far));
        assert!(turns.iter().copied().eq(expected), "{turns:?}");
        let early = destination.work_on(Message { slot: Some(9000), ..NEW }, 1000, &mut random);
        assert_eq!(early, (1005, Outcome::Early(9000)));
        assert_eq!(destination.turn(Message { slot: Some(9000), ..NEW }, 11_000), Turn::At(9000));
        assert_eq!(destination.turn(Message { slot: Some(9000), ..NEW }, 11_001), Turn::At(11_001), "missed");
    }

    #[test]
    fn a_destination_with_a_limit_refuses_what_is_above_it() {
        let scenario = scenario("--rate-limit 0 --destination-limit 3 --outage-minutes 0");
        let mut destination = Destination::new(&scenario, TIMING);
        let mut random = Rng::with_seed(1);
        let outcomes = |destination: &mut Destination<'_>, at, random: &mut Rng| {
            (0..5).filter(|_| destination.work_on(NEW, at, random).1 == Outcome::Exported).count()
        };
        assert_eq!(outcomes(&mut destination, 1000, &mut random), 3);
        assert_eq!(outcomes(&mut destination, 2000, &mut random), 3);
    }

    #[test]
    fn a_destination_that_is_away_takes_the_time_limit_to_fail() {
        let scenario = scenario("--rate-limit 0 --outage-at 1 --outage-minutes 60 --outage-ms 10000");
        let mut destination = Destination::new(&scenario, TIMING);
        let (ended, outcome) = destination.work_on(NEW, hours(1.5), &mut Rng::with_seed(1));
        assert_eq!((ended, outcome), (hours(1.5) + 10_010, Outcome::Failed));
    }
}
