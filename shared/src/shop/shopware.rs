//! Shopware 6: the Admin API with the access key of an integration, `client_id:client_secret` (OAuth2 client
//! credentials).
//!
//! The state by `POST /api/search/order`, the cancellation by `POST /api/_action/order/{id}/state/cancel`, which the
//! order's state machine may refuse. Errors are `{"errors": [{"code": …, "detail": …}]}`.
//! <https://developer.shopware.com/docs/guides/integrations-api/>

use std::sync::Arc;

use futures_util::future::BoxFuture;
use http::Method;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::time::Instant;
use url::Url;

use super::json::{moment, text};
use super::remote::{Ask, Remote, Reply, below};
use super::{Cancellation, OrderRef, OrderState, ShopApi, ShopFailure};
use crate::config::document::Table;
use crate::config::value;
use crate::pipeline::transport::Clients;
use crate::pipeline::transport::egress::Egress;
use crate::pipeline::transport::http::auth::Auth;
use crate::pipeline::transport::http::oauth2::{ClientAuth, OAuth2, Settings};

/// The calls to a Shopware shop.
#[derive(Debug)]
struct Shopware {
    remote: Remote,
    /// Whether the mails of the shop's flows go out; without the setting Shopware decides.
    notify_customer: Option<bool>,
}

/// Reads the settings.
pub(super) fn read(table: &Table<'_>, egress: &Egress) -> Option<Arc<dyn ShopApi>> {
    let remote = Remote::read(table, egress, |base, secret| Auth::OAuth2(Box::new(token(base, secret))));
    let cancel = table.get("cancel").and_then(|node| node.table());
    let notify_customer = cancel.and_then(|table| {
        let notify = table.read("notify_customer", value::boolean);
        table.finish();
        notify
    });
    Some(Arc::new(Shopware { remote: remote?, notify_customer }))
}

/// <https://developer.shopware.com/docs/guides/integrations-api/general-concepts/api-authentication.html>
fn token(base: &Url, secret: String) -> OAuth2 {
    let token_url = below(base, &["api", "oauth", "token"]);
    let client_auth = ClientAuth::Body;
    OAuth2::new(Settings { token_url, client_id: None, secret, scope: None, audience: None, client_auth })
}

impl ShopApi for Shopware {
    fn state<'a>(
        &'a self,
        clients: &'a Clients,
        order: OrderRef<'a>,
        deadline: Instant,
    ) -> BoxFuture<'a, Result<OrderState, ShopFailure>> {
        Box::pin(self.read_state(clients, order, deadline))
    }

    fn cancel<'a>(
        &'a self,
        clients: &'a Clients,
        order: OrderRef<'a>,
        deadline: Instant,
    ) -> BoxFuture<'a, Result<Cancellation, ShopFailure>> {
        Box::pin(self.try_cancel(clients, order, deadline))
    }
}

impl Shopware {
    async fn read_state(
        &self,
        clients: &Clients,
        order: OrderRef<'_>,
        deadline: Instant,
    ) -> Result<OrderState, ShopFailure> {
        let url = self.remote.at(&["api", "search", "order"]);
        let body = Some(search(hexadecimal(order.id)?).to_string().into_bytes());
        let reply = self.remote.ask(clients, Ask { method: Method::POST, url, body }, deadline).await?;
        let found: Value = reply.json("orders")?;
        let list = found.get("data").and_then(Value::as_array).ok_or_else(|| reply.malformed("a list of orders"))?;
        let order = list.first().ok_or(ShopFailure::NotFound)?;
        let state = state(order);
        // Any order has a state; what has none is something else.
        if state.order_state.is_some() { Ok(state) } else { Err(reply.malformed("an order with its state")) }
    }

    async fn try_cancel(
        &self,
        clients: &Clients,
        order: OrderRef<'_>,
        deadline: Instant,
    ) -> Result<Cancellation, ShopFailure> {
        let url = self.remote.at(&["api", "_action", "order", hexadecimal(order.id)?, "state", "cancel"]);
        let body = self.notify_customer.map_or_else(|| json!({}), |notify| json!({ "sendMail": notify }));
        let ask = Ask { method: Method::POST, url, body: Some(body.to_string().into_bytes()) };
        let reply = self.remote.ask(clients, ask, deadline).await?;
        if reply.is_success() {
            return Ok(Cancellation::Done);
        }
        let Some(refusal) = refusal(&reply)? else { return Err(reply.refused()) };
        // An order that is cancelled already cannot be cancelled either; older versions refuse it.
        let state = self.read_state(clients, order, deadline).await;
        Ok(if state.is_ok_and(|state| state.is_canceled) { Cancellation::Done } else { refusal })
    }
}

/// What is asked of an order: no more than is looked at, so that no customer's data travel.
/// <https://developer.shopware.com/docs/guides/integrations-api/general-concepts/search-criteria.html>
fn search(id: &str) -> Value {
    json!({
        "ids": [id],
        "limit": 1,
        "associations": {
            "stateMachineState": {},
            "transactions": { "associations": { "stateMachineState": {}, "paymentMethod": {} } },
        },
        "includes": {
            "order": ["id", "stateMachineState", "transactions", "primaryOrderTransactionId", "updatedAt"],
            "order_transaction": ["id", "createdAt", "stateMachineState", "paymentMethod"],
            "state_machine_state": ["technicalName"],
            "payment_method": ["technicalName", "formattedHandlerIdentifier", "name"],
        },
    })
}

/// An identifier as Shopware has them, as it becomes part of a URL.
fn hexadecimal(id: &str) -> Result<&str, ShopFailure> {
    let fits = id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit());
    let expected = || ShopFailure::Refused("the order's identifier: expected 32 hexadecimal digits".into());
    fits.then_some(id).ok_or_else(expected)
}

#[derive(Deserialize)]
struct Errors {
    errors: Vec<Error>,
}

/// An error as the Admin API writes it, by JSON:API.
#[derive(Deserialize)]
struct Error {
    #[serde(default)]
    code: String,
    #[serde(default)]
    detail: String,
}

/// Why the order is not cancelled, where Shopware says so; nothing where it speaks of something else.
fn refusal(reply: &Reply) -> Result<Option<Cancellation>, ShopFailure> {
    let Some(Errors { errors }) = reply.error() else { return Ok(None) };
    let has = |code: &str| errors.iter().any(|error| error.code == code);
    if reply.status() == 404 && has("CHECKOUT__ORDER_ORDER_NOT_FOUND") {
        return Err(ShopFailure::NotFound);
    }
    let details: Vec<&str> = errors.iter().map(|error| error.detail.as_str()).collect();
    let is_refusal = reply.status() == 400 || has("SYSTEM__ILLEGAL_STATE_TRANSITION");
    Ok(is_refusal.then(|| Cancellation::Refused(reply.words(&details.join("; ")))))
}

/// The words of the webhook reader.
fn state(order: &Value) -> OrderState {
    let order_state = text(order, "/stateMachineState/technicalName");
    let transaction = transaction(order).unwrap_or(&Value::Null);
    let payment_state = text(transaction, "/stateMachineState/technicalName");
    let method = ["technicalName", "formattedHandlerIdentifier", "name"];
    OrderState {
        // What was refunded had been paid.
        is_paid: matches!(payment_state.as_deref(), Some("paid" | "refunded" | "refunded_partially")),
        payment_state,
        payment_method: method.iter().find_map(|key| text(transaction, &format!("/paymentMethod/{key}"))),
        is_canceled: order_state.as_deref() == Some("cancelled"),
        updated_at: moment(order, "/updatedAt"),
        order_state,
    }
}

/// The transaction that counts: the one that the order names, else the last that was not given up.
fn transaction(order: &Value) -> Option<&Value> {
    let mut all: Vec<&Value> = order.get("transactions")?.as_array()?.iter().collect();
    let named = text(order, "/primaryOrderTransactionId");
    if let Some(named) = all.iter().find(|one| named.is_some() && text(one, "/id") == named) {
        return Some(named);
    }
    // Stable: without times the order of the document counts.
    all.sort_by_cached_key(|transaction| moment(transaction, "/createdAt"));
    let is_active = |transaction: &&&Value| {
        let state = text(transaction, "/stateMachineState/technicalName");
        !matches!(state.as_deref(), Some("cancelled" | "failed"))
    };
    all.iter().rev().find(is_active).or(all.last()).copied()
}
