//! What callers tell the ledger, and what it tells them.

use jiff::Timestamp;

use super::{Attempt, ExportKey, Payload};
use crate::order::Order;
use crate::queue::Fields;

/// Longest state or method kept in a row, in characters.
const LONGEST_WORD: usize = 200;

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
    /// The raw order.
    pub payload: Payload,
    /// What came with it through the queue.
    pub envelope: Fields,
}

impl Facts {
    /// The facts of an order that could be read.
    pub fn of(order: &Order, is_canceled: bool, payload: Payload, envelope: Fields) -> Self {
        Self {
            number: order.number.clone(),
            placed_at: Some(order.placed_at),
            order_state: capped(order.state.as_ref()),
            payment_state: capped(order.payment.state.as_ref()),
            payment_method: capped(order.payment.method.as_ref()),
            is_unpaid: !order.payment.paid && !is_canceled,
            payload,
            envelope,
        }
    }
}

/// The platform's words are short; what is not is cut, so that the row stays within the table's limits.
fn capped(word: Option<&String>) -> Option<String> {
    word.map(|word| word.chars().take(LONGEST_WORD).collect())
}

/// What a shop says of an order after it was placed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Observation {
    /// The platform's word for the order's state; where it says none, the ledger keeps what it has.
    pub order_state: Option<String>,
    /// The platform's word for the payment's state; where it says none, the ledger keeps what it has.
    pub payment_state: Option<String>,
    /// Whether something is left to pay.
    pub is_unpaid: bool,
    /// Whether it was cancelled.
    pub is_canceled: bool,
    /// When intake received it.
    pub told_at: Timestamp,
}

impl Observation {
    /// What a webhook with the whole order says.
    pub fn of(order: &Order, is_canceled: bool, told_at: Timestamp) -> Self {
        Self {
            order_state: capped(order.state.as_ref()),
            payment_state: capped(order.payment.state.as_ref()),
            is_unpaid: !order.payment.paid && !is_canceled,
            is_canceled,
            told_at,
        }
    }

    /// What a webhook says that only names an order as cancelled or deleted.
    pub fn canceled(told_at: Timestamp) -> Self {
        let order_state = Some("canceled".to_owned());
        Self { order_state, payment_state: None, is_unpaid: false, is_canceled: true, told_at }
    }
}

/// The right to work on an export until a time.
#[derive(Debug, Clone, PartialEq)]
pub struct Lease {
    /// The export.
    pub key: ExportKey,
    /// Number of this attempt, from 1.
    pub attempt: u32,
    pub(super) owner: String,
    pub(super) began: Timestamp,
    pub(super) history: Vec<Attempt>,
}

/// What a destination made of an export.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Completion {
    /// Where the document is.
    pub destination: String,
    /// The back office's own identifier.
    pub external_id: Option<String>,
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
    GiveUp,
}

/// Whether a row was written, or found in a state that wants no change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recorded {
    /// It was written.
    Written,
    /// It was left as it is.
    LeftAsIs,
}
