//! Cancelling an order at its shop, by hand.

use ordersync::clock;
use ordersync::config::Config;
use ordersync::ledger::{LedgerError, Observation, Row, Told};
use ordersync::pipeline::cancellation;
use ordersync::pipeline::transport::Clients;
use ordersync::shop::{Cancellation, OrderRef, OrderState, ShopApi, ShopFailure, has_money_in};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use crate::order::facts as order_facts;
use crate::{Actor, Admin, AdminError, Entry, OrderFacts, OrderKey};

/// What the ledger has where a shop does not say by which word it calls a cancelled order.
const CANCELED: &str = "canceled";

/// What became of a cancellation at the shop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AtShop {
    /// The shop has cancelled it; exports that were not done are canceled, pipelines that ask for it are told.
    Canceled,
    /// It was cancelled already, which is on record now.
    WasCanceled,
    /// The shop has accepted it and not carried it out yet; its webhook will say so.
    Started,
}

/// Whether an order of a shop may be cancelled there, as far as it is known here; the shop is asked first.
///
/// # Errors
/// Why not.
pub fn may_cancel_at_shop<'c>(
    config: &'c Config,
    shop: &str,
    facts: &OrderFacts,
) -> Result<&'c dyn ShopApi, AdminError> {
    let known = config.shops.get(shop);
    let known = known.ok_or_else(|| AdminError::refused(format!("no shop {shop:?} is configured")))?;
    let api = known.api.as_deref().filter(|api| api.can_cancel());
    let api =
        api.ok_or_else(|| AdminError::refused(format!("the shop {shop:?} has no api by which orders are cancelled")))?;
    if facts.erased_at.is_some() {
        return Err(AdminError::refused("it was erased on request"));
    }
    if facts.canceled_at.is_some() {
        return Err(AdminError::refused("the shop has cancelled it"));
    }
    Ok(api)
}

impl Admin {
    /// Cancels an order at its shop, which is asked first: not one that is paid, or paid in part. What the shop says is
    /// put on record as if its webhook had said it.
    ///
    /// # Errors
    /// There is no such order; it is paid; its shop has no such call, refuses, or does not answer.
    pub async fn cancel_at_shop(
        &self,
        actor: &Actor,
        config: &Config,
        clients: &Clients,
        order: &OrderKey,
        deadline: Instant,
    ) -> Result<AtShop, AdminError> {
        let done = self.cancel_unnoted(config, clients, order, deadline).await;
        let words = match &done {
            Ok(AtShop::Canceled) => "canceled",
            Ok(AtShop::WasCanceled) => "was canceled already",
            Ok(AtShop::Started) => "accepted by the shop",
            Err(error) => &error.message,
        };
        let what = format!("{}:{}", order.shop, order.order);
        self.note(Entry::new(actor, "cancel-at-shop", &what, done.is_ok(), words)).await;
        done
    }

    async fn cancel_unnoted(
        &self,
        config: &Config,
        clients: &Clients,
        order: &OrderKey,
        deadline: Instant,
    ) -> Result<AtShop, AdminError> {
        let rows = self.ledger.order(&order.shop, &order.order).await?;
        if rows.is_empty() {
            return Err(AdminError::not_found("there is no such order"));
        }
        let api = may_cancel_at_shop(config, &order.shop, &order_facts(&rows))?;
        let number = rows.first().map_or(order.order.as_str(), |row| row.number.as_str());
        let named = OrderRef { id: &order.order, number };
        let told = rows.iter().filter_map(|row| row.observed).max();
        // What comes in while the shop answers is newer than the answer.
        let asked_at = clock::now();
        let state = api.state(clients, named, deadline).await?;
        if state.is_canceled {
            self.record(config, &rows, &Observation::asked(&state, told, asked_at)).await?;
            return Ok(AtShop::WasCanceled);
        }
        if state.is_paid || has_money_in(state.payment_state.as_deref()) {
            return Err(AdminError::refused(
                "the shop says that it is paid, or a part of it: cancel it there, where the money is given back",
            ));
        }
        match api.cancel(clients, named, deadline).await? {
            Cancellation::Refused(words) => Err(AdminError::refused(format!("the shop refuses: {words}"))),
            Cancellation::Started => Ok(AtShop::Started),
            Cancellation::Done => {
                let said = look_again(api, clients, named, deadline, (&state, told)).await;
                self.record(config, &rows, &said).await?;
                Ok(AtShop::Canceled)
            }
        }
    }

    async fn record(&self, config: &Config, rows: &[Row], said: &Observation) -> Result<(), LedgerError> {
        let Some(row) = rows.first() else { return Ok(()) };
        Box::pin(cancellation::canceled(config, &self.ledger, &self.requeue, &row.key, said)).await
    }
}

/// The order that the shop has just cancelled, in the shop's own words and by its own clock.
async fn look_again(
    api: &dyn ShopApi,
    clients: &Clients,
    order: OrderRef<'_>,
    deadline: Instant,
    (before, told): (&OrderState, Option<Told>),
) -> Observation {
    let asked_at = clock::now();
    let after = match api.state(clients, order, deadline).await {
        Ok(state) if state.is_canceled => state,
        // It is cancelled all the same: the shop has said so.
        _ => OrderState {
            order_state: Some(CANCELED.to_owned()),
            is_canceled: true,
            updated_at: before.updated_at,
            ..OrderState::default()
        },
    };
    Observation::asked(&after, told, asked_at)
}

impl From<ShopFailure> for AdminError {
    fn from(failure: ShopFailure) -> Self {
        match failure {
            ShopFailure::Throttled { .. } | ShopFailure::Unavailable(_) => Self::unavailable(failure.to_string()),
            ShopFailure::Refused(_) => Self::refused(failure.to_string()),
            ShopFailure::NotFound => Self::not_found(failure.to_string()),
        }
    }
}
