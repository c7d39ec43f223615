//! Shopify: the GraphQL Admin API with the access token of an app.
//!
//! The query `order` and the mutation `orderCancel`, which starts a job and cannot be undone.
//! <https://shopify.dev/docs/api/admin-graphql/latest/mutations/orderCancel>

mod graphql;
mod settings;

use std::time::Duration;

use futures_util::future::BoxFuture;
use http::Method;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::time::Instant;

use self::settings::CancelSettings;
use super::json::{moment, text};
use super::remote::{Ask, Remote, Reply, whole_number};
use super::{Cancellation, OrderRef, OrderState, ShopApi, ShopFailure};
use crate::pipeline::transport::Clients;

pub(super) use self::settings::read;

const STATE: &str = "query State($id: ID!) { order(id: $id) { cancelledAt displayFinancialStatus \
    displayFulfillmentStatus paymentGatewayNames fullyPaid updatedAt } }";

const CANCEL: &str = "mutation Cancel($orderId: ID!, $reason: OrderCancelReason!, $restock: Boolean!, \
    $notifyCustomer: Boolean, $staffNote: String, $refundMethod: OrderCancelRefundMethodInput) { \
    orderCancel(orderId: $orderId, reason: $reason, restock: $restock, notifyCustomer: $notifyCustomer, \
    staffNote: $staffNote, refundMethod: $refundMethod) { job { id done } orderCancelUserErrors { code message } } }";

const PROGRESS: &str = "query Progress($job: ID!, $id: ID!) { job(id: $job) { done } order(id: $id) { cancelledAt } }";

/// The waits before each look at the job: it takes a second or two as a rule. One that takes longer goes on by itself.
const LOOKS: [Duration; 5] = [
    Duration::from_millis(250),
    Duration::from_millis(500),
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(4),
];

/// The calls to a Shopify shop.
#[derive(Debug)]
struct Shopify {
    remote: Remote,
    /// Of the API, such as `2026-07`.
    version: String,
    cancel: CancelSettings,
}

impl ShopApi for Shopify {
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

impl Shopify {
    /// The answer to a query, and its `data`.
    async fn ask(
        &self,
        clients: &Clients,
        query: &str,
        variables: Value,
        deadline: Instant,
    ) -> Result<(Reply, Value), ShopFailure> {
        let url = self.remote.at(&["admin", "api", &self.version, "graphql.json"]);
        let body = json!({ "query": query, "variables": variables }).to_string().into_bytes();
        let reply = self.remote.ask(clients, Ask { method: Method::POST, url, body: Some(body) }, deadline).await?;
        let data = graphql::data(&reply)?;
        Ok((reply, data))
    }

    async fn read_state(
        &self,
        clients: &Clients,
        order: OrderRef<'_>,
        deadline: Instant,
    ) -> Result<OrderState, ShopFailure> {
        let (reply, data) = self.ask(clients, STATE, json!({ "id": gid(order)? }), deadline).await?;
        match data.get("order") {
            Some(Value::Null) => Err(ShopFailure::NotFound),
            Some(order) if order.get("cancelledAt").is_some() => Ok(state(order)),
            _ => Err(reply.malformed("an order or null")),
        }
    }

    async fn try_cancel(
        &self,
        clients: &Clients,
        order: OrderRef<'_>,
        deadline: Instant,
    ) -> Result<Cancellation, ShopFailure> {
        let variables = self.cancel.variables(&gid(order)?);
        let (reply, data) = self.ask(clients, CANCEL, variables, deadline).await?;
        let payload = data.get("orderCancel").and_then(|payload| Payload::deserialize(payload).ok());
        let payload = payload.ok_or_else(|| reply.malformed("what became of orderCancel"))?;
        if let Some(refusal) = payload.refusal(&reply)? {
            // An order that is cancelled already cannot be cancelled either; no code says so.
            let state = self.read_state(clients, order, deadline).await;
            return Ok(if state.is_ok_and(|state| state.is_canceled) { Cancellation::Done } else { refusal });
        }
        let job = payload.job.ok_or_else(|| reply.malformed("a job"))?;
        Ok(self.follow(clients, order, &job.id, deadline).await)
    }

    /// Looks at the job until the order is cancelled, or the job is over, or there is no more time.
    async fn follow(&self, clients: &Clients, order: OrderRef<'_>, job: &str, deadline: Instant) -> Cancellation {
        let Ok(id) = gid(order) else { return Cancellation::Started };
        for wait in LOOKS {
            let at = Instant::now() + wait;
            if at >= deadline {
                break;
            }
            tokio::time::sleep_until(at).await;
            // The order is being cancelled whether or not we can look.
            let progress = self.ask(clients, PROGRESS, json!({ "job": job, "id": id }), deadline).await;
            let Ok((_, data)) = progress else { break };
            if text(&data, "/order/cancelledAt").is_some() {
                return Cancellation::Done;
            }
            if data.pointer("/job/done") == Some(&Value::Bool(true)) {
                return Cancellation::Refused("the job is done and the order is not cancelled".to_owned());
            }
        }
        Cancellation::Started
    }
}

fn gid(order: OrderRef<'_>) -> Result<String, ShopFailure> {
    Ok(format!("gid://shopify/Order/{}", whole_number(order.id)?))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Payload {
    job: Option<Job>,
    order_cancel_user_errors: Vec<UserError>,
}

#[derive(Deserialize)]
struct Job {
    id: String,
}

#[derive(Deserialize)]
struct UserError {
    code: Option<String>,
    message: String,
}

impl Payload {
    /// Why the order is not cancelled.
    fn refusal(&self, reply: &Reply) -> Result<Option<Cancellation>, ShopFailure> {
        let has = |code: &str| self.order_cancel_user_errors.iter().any(|error| error.code.as_deref() == Some(code));
        if has("NOT_FOUND") {
            return Err(ShopFailure::NotFound);
        }
        if has("INTERNAL_ERROR") {
            return Err(ShopFailure::Unavailable("orderCancel failed within Shopify (INTERNAL_ERROR)".to_owned()));
        }
        let messages: Vec<&str> = self.order_cancel_user_errors.iter().map(|error| error.message.as_str()).collect();
        Ok((!messages.is_empty()).then(|| Cancellation::Refused(reply.words(&messages.join("; ")))))
    }
}

/// The words of the webhook reader, which are those of the REST API.
fn state(order: &Value) -> OrderState {
    let is_canceled = text(order, "/cancelledAt").is_some();
    let fulfillment = text(order, "/displayFulfillmentStatus");
    let financial = text(order, "/displayFinancialStatus").map(|word| word.to_ascii_lowercase());
    // What was refunded had been paid.
    let was_paid = matches!(financial.as_deref(), Some("paid" | "partially_refunded" | "refunded"));
    OrderState {
        order_state: Some(if is_canceled { "cancelled" } else { fulfilled(fulfillment.as_deref()) }.to_owned()),
        payment_state: financial,
        payment_method: method(order),
        // Of what is cancelled nothing is left to pay, whether or not it was paid.
        is_paid: was_paid || (!is_canceled && order.get("fullyPaid") == Some(&Value::Bool(true))),
        is_canceled,
        updated_at: moment(order, "/updatedAt"),
    }
}

/// `fulfillment_status` of the REST API by `OrderDisplayFulfillmentStatus`, which tells more kinds of "not yet".
fn fulfilled(word: Option<&str>) -> &'static str {
    match word {
        Some("FULFILLED") => "fulfilled",
        Some("PARTIALLY_FULFILLED") => "partial",
        Some("RESTOCKED") => "restocked",
        _ => "unfulfilled",
    }
}

/// The gateway; where a gift card paid a part, the one that paid the rest.
fn method(order: &Value) -> Option<String> {
    let names = order.get("paymentGatewayNames")?.as_array()?;
    let mut names: Vec<&str> = names.iter().filter_map(Value::as_str).collect();
    names.sort_by_key(|name| *name == "gift_card");
    names.first().map(|name| (*name).to_owned())
}
