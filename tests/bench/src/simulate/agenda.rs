//! What is to happen, in the order of its time.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;

use super::attempt::{Message, Outcome};
use super::scenario::Millis;

/// What happens.
#[derive(Debug)]
pub(crate) enum Event {
    /// A shop sends a webhook, and how often it has done so before.
    Webhook(usize, u32),
    /// Intake has sent the message and answers.
    Accepted(usize),
    /// A message can be received; whether it was in flight before.
    Visible(Message, bool),
    /// A batch has ended.
    Ended(Vec<(Message, Outcome)>),
    /// The batch window of the oldest message is over.
    Window,
    /// A second has passed.
    Second,
    /// reset-errors runs.
    Reset,
}

#[derive(Debug)]
struct Scheduled {
    at: Millis,
    sequence: u64,
    event: Event,
}

impl PartialEq for Scheduled {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Scheduled {}

impl PartialOrd for Scheduled {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Scheduled {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.at, self.sequence).cmp(&(other.at, other.sequence))
    }
}

/// What is to happen. Of two things at the same time the one that was noted first comes first.
#[derive(Debug, Default)]
pub(crate) struct Agenda {
    events: BinaryHeap<Reverse<Scheduled>>,
    sequence: u64,
}

impl Agenda {
    /// Notes what is to happen at a time.
    pub(crate) fn add(&mut self, at: Millis, event: Event) {
        self.sequence += 1;
        self.events.push(Reverse(Scheduled { at, sequence: self.sequence, event }));
    }

    /// What comes next, and when.
    pub(crate) fn next(&mut self) -> Option<(Millis, Event)> {
        self.events.pop().map(|Reverse(next)| (next.at, next.event))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_noted_first_comes_first_at_the_same_time() {
        let mut agenda = Agenda::default();
        for (at, order) in [(2, 1), (1, 2), (2, 3), (1, 4)] {
            agenda.add(at, Event::Accepted(order));
        }
        let orders: Vec<_> = std::iter::from_fn(|| agenda.next())
            .map(|(at, event)| match event {
                Event::Accepted(order) => (at, order),
                _ => (at, 0),
            })
            .collect();
        assert_eq!(orders, [(1, 2), (1, 4), (2, 1), (2, 3)]);
    }
}
