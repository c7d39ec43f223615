//! Everything about one order.

use jiff::Timestamp;
use ordersync::clock;
use ordersync::ledger::{Attempt, Outcome, Row};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Action, Admin, AdminError, ExportRow, OrderKey, allowed};

/// An order and what became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OrderView {
    /// Which order.
    pub order: OrderKey,
    /// The number that the customer and the merchant see.
    pub number: String,
    /// What the ledger knows of it.
    pub facts: OrderFacts,
    /// Its exports, by pipeline.
    pub exports: Vec<ExportView>,
}

/// What the ledger knows of an order, as the shop last said it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OrderFacts {
    /// When the customer placed it.
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    pub placed_at: Option<Timestamp>,
    /// The platform's word for its state.
    pub order_state: Option<String>,
    /// The platform's word for the payment's state.
    pub payment_state: Option<String>,
    /// The platform's code of the payment method.
    pub payment_method: Option<String>,
    /// When the shop said so.
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    pub told_at: Option<Timestamp>,
    /// Whether it waits to be paid.
    pub is_unpaid: bool,
    /// When the shop cancelled it.
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    pub canceled_at: Option<Timestamp>,
    /// What came of the last try to cancel it at the shop.
    pub cancellation: Option<String>,
    /// When it was erased on request.
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    pub erased_at: Option<Timestamp>,
}

/// An export with its attempts, and what may be done with it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ExportView {
    /// As a line of a table.
    #[serde(flatten)]
    pub row: ExportRow,
    /// When it was first written.
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub created_at: Timestamp,
    /// Where the document is.
    pub destination: Option<String>,
    /// What the receiver recognises a repeated delivery by.
    pub idempotency_key: String,
    /// Whether the raw order is kept, so that it can be looked at and exported again.
    pub has_payload: bool,
    /// When the ledger hands it out.
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    pub due_at: Option<Timestamp>,
    /// When the ledger last handed it out again.
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    pub requeued_at: Option<Timestamp>,
    /// The last attempts, oldest first.
    pub history: Vec<AttemptView>,
    /// Every action, and why not where it may not be taken.
    pub actions: Vec<Offer>,
}

/// An action on an export.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Offer {
    /// What.
    pub action: Action,
    /// Why not; nothing where it may be taken.
    pub refused: Option<String>,
}

/// An attempt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AttemptView {
    /// When it began.
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub at: Timestamp,
    /// How it ended.
    pub outcome: Outcome,
    /// How long it took, in milliseconds.
    pub took_ms: u64,
    /// What went wrong.
    pub error: Option<String>,
    /// What the destination answered, personal data hidden.
    pub response: Option<String>,
}

impl OrderView {
    /// What is left of an order whose last row was deleted.
    #[must_use]
    pub fn gone(order: OrderKey) -> Self {
        Self { number: order.order.clone(), order, facts: OrderFacts::default(), exports: Vec::new() }
    }
}

impl Admin {
    /// An order with all its exports and their attempts.
    ///
    /// # Errors
    /// There is no such order; a ledger that does not answer.
    pub async fn order(&self, order: &OrderKey) -> Result<OrderView, AdminError> {
        let rows = self.ledger.order(&order.shop, &order.order).await?;
        let Some(first) = rows.first() else {
            return Err(AdminError::not_found(format!("there is no order {} of {}", order.order, order.shop)));
        };
        let now = clock::now();
        Ok(OrderView {
            order: order.clone(),
            number: first.number.clone(),
            facts: facts(&rows),
            exports: rows.iter().map(|row| ExportView::of(row, now)).collect(),
        })
    }
}

/// What the rows say, of which each may know more than the others: the one that heard the shop last.
pub(crate) fn facts(rows: &[Row]) -> OrderFacts {
    let Some(latest) = rows.iter().max_by_key(|row| row.observed) else { return OrderFacts::default() };
    OrderFacts {
        placed_at: rows.iter().find_map(|row| row.placed_at),
        order_state: latest.order_state.clone(),
        payment_state: latest.payment_state.clone(),
        payment_method: latest.payment_method.clone(),
        told_at: latest.observed.map(|told| told.at),
        is_unpaid: rows.iter().any(|row| row.is_unpaid),
        canceled_at: rows.iter().filter_map(|row| row.canceled_at).min(),
        cancellation: rows.iter().find_map(|row| row.cancellation.as_ref()?.outcome.clone()),
        erased_at: rows.iter().find_map(|row| row.erased_at),
    }
}

impl ExportView {
    /// An export as it is, and what may be done with it now.
    pub fn of(row: &Row, now: Timestamp) -> Self {
        let offer = |action| {
            let refused = allowed(row, action, now).err().map(|refusal| refusal.to_string());
            Offer { action, refused }
        };
        Self {
            row: row.into(),
            created_at: row.created_at,
            destination: row.destination.clone(),
            idempotency_key: row.key.idempotency_key(),
            has_payload: row.payload.is_some(),
            due_at: row.due.as_ref().map(|due| due.at),
            requeued_at: row.requeued_at,
            history: row.history.iter().map(AttemptView::from).collect(),
            actions: Action::ALL.into_iter().map(offer).collect(),
        }
    }
}

impl From<&Attempt> for AttemptView {
    fn from(attempt: &Attempt) -> Self {
        Self {
            at: attempt.at,
            outcome: attempt.outcome,
            took_ms: u64::try_from(attempt.took.as_millis()).unwrap_or(u64::MAX),
            error: attempt.error.as_deref().map(crate::mask::words),
            response: attempt.response.as_deref().map(mask_answer),
        }
    }
}

/// A destination's answer may repeat the order. What has no names of fields is mostly words about what went wrong, and
/// only addresses are hidden in it. Before the document stands its status.
fn mask_answer(response: &str) -> String {
    let is_status = |text: &str| text.chars().all(|char| char.is_numeric() || char == ' ');
    let begins_line = |at: usize| is_status(&response[response[..at].rfind('\n').map_or(0, |end| end + 1)..at]);
    let mut documents = response.match_indices(['{', '[', '<']).map(|(at, _)| at);
    match documents.find(|at| begins_line(*at)) {
        Some(at) => format!("{}{}", crate::mask::words(&response[..at]), crate::mask::answer(&response[at..])),
        None => crate::mask::words(response),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_says_what_is_wrong_and_not_with_whom() {
        for (answer, expected) in [
            ("sku A-1 is unknown", "sku A-1 is unknown"),
            ("no such user ada@example.com.", "no such user •••@•••••••.•••."),
            (
                "422 {\"error\":\"no sku\",\"email\":\"a@b.c\"}",
                "422 {\n  \"error\": \"no sku\",\n  \"email\": \"•@•.•\"\n}",
            ),
            (
                "{\"errors\":[{\"message\":\"no sku A-1 for a@b.c\"}],\"customer\":{\"message\":\"Hi\"}}",
                "{\n  \"errors\": [\n    {\n      \"message\": \"no sku A-1 for •@•.•\"\n    }\n  ],\n  \"customer\": {\n    \"message\": \"••\"\n  }\n}",
            ),
            ("503 <html>busy</html>", "503 <html>busy</html>"),
            (
                "HTTP 422\n{\"error\":\"no sku\",\"phone\":\"7\"}",
                "HTTP 422\n{\n  \"error\": \"no sku\",\n  \"phone\": \"•\"\n}",
            ),
            ("the sku [A-1] of \"a@b.c\" is unknown", "the sku [A-1] of \"•@•.•\" is unknown"),
            ("HTTP 500\n{\"broken\": \"Ada", "HTTP 500\n{\"••••••\": \"•••"),
            ("", ""),
        ] {
            assert_eq!(mask_answer(answer), expected);
        }
    }
}
