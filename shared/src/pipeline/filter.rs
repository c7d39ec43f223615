//! Filters: which orders a pipeline takes.

mod read;
#[cfg(test)]
mod tests;

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::order::Order;
use crate::template::{Condition, TemplateError};

pub use read::read;

/// Which orders a pipeline takes. Every part that is set has to agree; without any, all orders are taken.
#[derive(Debug, Default)]
pub struct Filter {
    placed_after: Option<Timestamp>,
    placed_before: Option<Timestamp>,
    max_age: Option<Duration>,
    stores: Vec<String>,
    payments: Vec<PaymentStatus>,
    states: Vec<String>,
    when: Option<Condition>,
}

/// A payment method together with a status of the order; what is not named may be any.
#[derive(Debug)]
struct PaymentStatus {
    method: Option<String>,
    status: Option<String>,
}

/// What a pipeline does with an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It exports it.
    Take,
    /// It leaves it, for this reason: the same words for the same order, without personal data.
    Decline(String),
}

impl Filter {
    /// Whether the pipeline takes the order. An error of `when` is for the order's record: it is neither yes nor no.
    pub fn decide(&self, order: &Order, now: Timestamp) -> Result<Verdict, TemplateError> {
        let reason = self
            .wrong_date(order, now)
            .or_else(|| self.wrong_store(order))
            .or_else(|| self.wrong_payment(order))
            .or_else(|| self.wrong_state(order));
        if let Some(reason) = reason {
            return Ok(Verdict::Decline(reason));
        }
        match &self.when {
            Some(when) if !when.holds_for(order)? => Ok(Verdict::Decline(format!("when is false: {}", when.source()))),
            _ => Ok(Verdict::Take),
        }
    }

    /// The window is half open, so that two pipelines can share a boundary without sharing an order.
    fn wrong_date(&self, order: &Order, now: Timestamp) -> Option<String> {
        let placed = order.placed_at;
        let too_early = self.placed_after.filter(|start| placed < *start);
        let too_late = self.placed_before.filter(|end| placed >= *end);
        let too_old = self.max_age.filter(|most| {
            let most = SignedDuration::try_from(*most).unwrap_or(SignedDuration::MAX);
            now.duration_since(placed) > most
        });
        too_early
            .map(|start| format!("placed before {start}"))
            .or_else(|| too_late.map(|end| format!("placed not before {end}")))
            .or_else(|| too_old.map(|most| format!("placed more than {} ago", in_words(most))))
    }

    fn wrong_store(&self, order: &Order) -> Option<String> {
        let store = order.store.as_deref();
        (!fits(&self.stores, store)).then(|| format!("store {} is not in the list", shown(store)))
    }

    fn wrong_payment(&self, order: &Order) -> Option<String> {
        let (method, status) = (order.payment.method.as_deref(), status(order));
        let is_pair = |pair: &PaymentStatus| {
            pair.method.as_deref().is_none_or(|wanted| same(method, wanted))
                && pair.status.as_deref().is_none_or(|wanted| same(status, wanted))
        };
        let declined = !self.payments.is_empty() && !self.payments.iter().any(is_pair);
        declined.then(|| format!("payment {}/{} is not in the list", shown(method), shown(status)))
    }

    fn wrong_state(&self, order: &Order) -> Option<String> {
        let status = status(order);
        (!fits(&self.states, status)).then(|| format!("state {} is not in the list", shown(status)))
    }
}

/// The status of the order; of its payment for platforms that give the order none.
fn status(order: &Order) -> Option<&str> {
    order.state.as_deref().or(order.payment.state.as_deref())
}

/// Platforms and merchants disagree on capitals (`PayPal`, `paypal`), never on what they mean by them.
fn same(found: Option<&str>, wanted: &str) -> bool {
    found.is_some_and(|found| found.trim().to_lowercase() == wanted.trim().to_lowercase())
}

fn fits(wanted: &[String], found: Option<&str>) -> bool {
    wanted.is_empty() || wanted.iter().any(|wanted| same(found, wanted))
}

/// A code of the platform for the record: one short word whatever the platform sent.
fn shown(code: Option<&str>) -> String {
    let printable = |character: &char| !character.is_control();
    code.map_or_else(|| "(none)".into(), |code| code.chars().filter(printable).take(64).collect())
}

/// `30 days`, `36 hours`, `90 seconds`: the largest unit that fits without a rest.
fn in_words(duration: Duration) -> String {
    let seconds = duration.as_secs();
    let units = [(86_400, "day"), (3_600, "hour"), (60, "minute")];
    let (count, unit) = units
        .iter()
        .find(|(length, _)| seconds.is_multiple_of(*length))
        .map_or((seconds, "second"), |(length, unit)| (seconds / length, *unit));
    format!("{count} {unit}{}", if count == 1 { "" } else { "s" })
}
