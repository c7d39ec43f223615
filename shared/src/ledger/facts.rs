//! What callers tell the ledger, and what it tells them.

use jiff::Timestamp;
use ring::digest;

use super::kept::{Kept, Origin, Place};
use super::{Attempt, ExportKey, Fault, Row};
use crate::order::Order;
use crate::webhook::Event;

/// Longest state or method kept in a row, in characters.
const LONGEST_WORD: usize = 200;

/// When the shop said something, and how it ranks among what was said at the same time: some shops write whole seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Told {
    /// The shop's own time of it; where it states none, when intake received it.
    pub at: Timestamp,
    /// What cannot be followed by the other ranks higher.
    pub rank: u8,
}

impl Told {
    /// What a webhook said at a time about all that `happened`. The table keeps milliseconds.
    pub fn by<'a>(happened: impl IntoIterator<Item = &'a Event>, at: Timestamp) -> Self {
        let at = Timestamp::from_millisecond(at.as_millisecond()).unwrap_or(at);
        let rank = |event: &Event| match event {
            Event::Placed => 0,
            Event::Updated => 1,
            Event::Paid => 2,
            Event::Refunded => 3,
            Event::Canceled => 4,
        };
        Self { at, rank: happened.into_iter().map(rank).max().unwrap_or(0) }
    }
}

/// What is known of an order when its export is first written.
#[derive(Debug, Clone)]
pub struct Facts {
    /// The number that the customer and the merchant see.
    pub number: String,
    /// When the customer placed it; unknown where the order could not be read.
    pub placed_at: Option<Timestamp>,
    /// The platform's word for the order's state.
    pub order_state: Option<String>,
    /// The platform's word for the payment's state.
    pub payment_state: Option<String>,
    /// The platform's code of the payment method.
    pub payment_method: Option<String>,
    /// Whether something is left to pay, so that the order may become stale.
    pub is_unpaid: bool,
    /// When the shop said all this.
    pub told: Told,
    /// Whose order it is, see [`customer_key`].
    pub customer: Option<String>,
    /// The webhook that says all this.
    pub origin: Origin,
    /// The raw order, for writes after which the queue may forget it.
    pub kept: Option<Kept>,
    /// By what the order is to be found.
    pub find_by: FindBy,
}

/// The indexes that lead from what people know of an order to its exports; each costs a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FindBy {
    /// Its number, where that is not the platform's identifier.
    pub number: bool,
    /// A digest of the customer's e-mail address.
    pub customer: bool,
}

impl Default for FindBy {
    fn default() -> Self {
        Self { number: true, customer: false }
    }
}

impl Facts {
    /// The same with the order's state as a row knows it that has heard something later.
    pub(crate) fn with_state_of(&self, row: &Row) -> Self {
        Self {
            order_state: row.order_state.clone(),
            payment_state: row.payment_state.clone(),
            payment_method: row.payment_method.clone(),
            is_unpaid: row.is_unpaid,
            told: row.observed.unwrap_or(self.told),
            ..self.clone()
        }
    }

    /// The facts of an order that could be read.
    pub fn of(order: &Order, is_canceled: bool, told: Told, origin: Origin, find_by: FindBy) -> Self {
        Self {
            number: order.number.clone(),
            placed_at: Some(order.placed_at),
            order_state: capped(order.state.as_ref()),
            payment_state: capped(order.payment.state.as_ref()),
            payment_method: capped(order.payment.method.as_ref()),
            is_unpaid: !order.payment.paid && !is_canceled,
            told,
            customer: order.customer.email.as_deref().map(customer_key),
            origin,
            kept: None,
            find_by,
        }
    }
}

/// By what a customer's orders are found to be erased: a digest of the e-mail address, so that the index does not hold
/// the address itself. Case and white space at the ends do not count.
pub fn customer_key(email: &str) -> String {
    let digest = digest::digest(&digest::SHA256, email.trim().to_lowercase().as_bytes());
    hex::encode(&digest.as_ref()[..16])
}

/// The platform's words are short; what is not is cut, so that the row stays within the table's limits.
pub(super) fn capped(word: Option<&String>) -> Option<String> {
    word.map(|word| word.chars().take(LONGEST_WORD).collect())
}

/// What a shop says of an order after it was placed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Observation {
    /// The platform's word for the order's state; where it says none, the ledger keeps what it has.
    pub order_state: Option<String>,
    /// The platform's word for the payment's state; where it says none, the ledger keeps what it has.
    pub payment_state: Option<String>,
    /// The platform's code of the payment method; where it says none, the ledger keeps what it has.
    pub payment_method: Option<String>,
    /// Whether something is left to pay.
    pub is_unpaid: bool,
    /// Whether it was cancelled.
    pub is_canceled: bool,
    /// When the shop said it.
    pub told: Told,
}

impl Observation {
    /// What a webhook with the whole order says.
    pub fn of(order: &Order, is_canceled: bool, told: Told) -> Self {
        Self {
            order_state: capped(order.state.as_ref()),
            payment_state: capped(order.payment.state.as_ref()),
            payment_method: capped(order.payment.method.as_ref()),
            is_unpaid: !order.payment.paid && !is_canceled,
            is_canceled,
            told,
        }
    }

    /// Whether a cancellation is taken back: the order is in another state than the one that it was cancelled in. That a
    /// webhook does not call it cancelled is not enough, for some senders say so by the topic only.
    pub(crate) fn takes_back(&self, row: &Row) -> bool {
        let states = self.order_state.as_ref().zip(row.order_state.as_ref());
        let is_another = states.is_some_and(|(now, then)| now != then);
        !self.is_canceled && row.canceled_at.is_some() && is_another && !self.is_older_than(row)
    }

    /// Whether something later is known.
    pub(super) fn is_older_than(&self, row: &Row) -> bool {
        row.observed.is_some_and(|observed| observed > self.told)
    }

    /// What a webhook says that only names an order and what happened to it; nothing where that changes no state.
    pub fn named(event: Event, told: Told) -> Option<Self> {
        let word = |word: &str| Some(word.to_owned());
        let (order_state, payment_state) = match event {
            Event::Canceled => (word("canceled"), None),
            Event::Refunded => (None, word("refunded")),
            Event::Paid => (None, word("paid")),
            Event::Placed | Event::Updated => return None,
        };
        let is_canceled = event == Event::Canceled;
        Some(Self { order_state, payment_state, payment_method: None, is_unpaid: false, is_canceled, told })
    }
}

/// Who takes a lease.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Holder<'a> {
    /// Names this attempt and no other.
    pub owner: &'a str,
    /// The object of many orders that the attempt is to put the export into, `s3://bucket/key`.
    pub pack: Option<&'a str>,
}

impl<'a, T: AsRef<str> + ?Sized> From<&'a T> for Holder<'a> {
    fn from(owner: &'a T) -> Self {
        Self { owner: owner.as_ref(), pack: None }
    }
}

/// The right to work on an export until a time.
#[derive(Debug, Clone, PartialEq)]
pub struct Lease {
    /// The export.
    pub key: ExportKey,
    /// Number of this attempt, from 1.
    pub attempt: u32,
    /// The object of many orders that the row names: the export may be in it, by this attempt or an earlier one.
    pub pack: Option<String>,
    pub(super) owner: String,
    pub(super) began: Timestamp,
    pub(super) history: Vec<Attempt>,
    pub(super) place: Place,
}

impl Lease {
    /// Whether the row leads to the raw order; else the message of its webhook is all there is.
    pub fn is_kept(&self) -> bool {
        self.place != Place::Queue
    }
}

/// What a destination made of an export.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Completion {
    /// Where the document is.
    pub destination: String,
    /// The back office's own identifier.
    pub external_id: Option<String>,
    /// Until when the back office has to say what became of it.
    pub acknowledge_by: Option<Timestamp>,
}

/// What follows a failed attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NextStep {
    /// Another attempt, not before then.
    Retry {
        /// When it is due.
        not_before: Timestamp,
    },
    /// None: the export stays in error until it is reset.
    GiveUp(Fault),
}

/// Whether a row was written, or found in a state that wants no change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recorded {
    /// It was written.
    Written,
    /// It was left as it is.
    LeftAsIs,
}
