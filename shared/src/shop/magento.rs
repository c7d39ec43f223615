//! Magento Open Source and Adobe Commerce: the REST API with the token of an integration.
//!
//! `GET /V1/orders/{id}` and `POST /V1/orders/{id}/cancel`, which answers `true`, or `false` where the order cannot be
//! cancelled (`Magento\Sales\Api\OrderManagementInterface`, since 2.2). Errors are `{"message": …, "parameters": …}`.
//! <https://developer.adobe.com/commerce/webapi/rest/quick-reference/>

use std::sync::Arc;

use futures_util::future::BoxFuture;
use http::Method;
use rust_decimal::Decimal;
use serde::Deserialize;
use serde_json::Value;
use tokio::time::Instant;
use toml::de::DeValue;
use url::Url;

use super::json::{decimal, moment, text};
use super::remote::{Ask, Remote, Reply, below, whole_number};
use super::{Cancellation, OrderRef, OrderState, ShopApi, ShopFailure};
use crate::config::document::Table;
use crate::pipeline::transport::Clients;
use crate::pipeline::transport::egress::Egress;
use crate::pipeline::transport::http::auth::Auth;

/// What is asked of an order: no more than is looked at, so that no customer's data travel.
/// <https://developer.adobe.com/commerce/webapi/rest/use-rest/retrieve-filtered-responses/>
const FIELDS: &str = "entity_id,state,status,total_due,total_paid,grand_total,updated_at,payment[method]";

/// Magento's way of saying that there is no order of that identifier, over the years. It answers 404 for a wrong path
/// or store too, with other messages.
const UNKNOWN: [&str; 3] = ["entity that was requested", "No such entity", "Requested entity"];

/// Where the REST API is. Adobe Commerce as a Cloud Service has it at `/V1`.
/// <https://developer.adobe.com/commerce/webapi/rest/>
const PATH: &str = "/rest/V1";

/// The calls to a Magento shop.
#[derive(Debug)]
struct Magento {
    remote: Remote,
    /// Segments of the path to the REST API.
    path: Vec<String>,
}

/// Reads the settings.
pub(super) fn read(table: &Table<'_>, egress: &Egress) -> Option<Arc<dyn ShopApi>> {
    let remote = Remote::read(table, egress, |_, secret| Auth::Bearer { secret });
    let path = table.read("path", path).unwrap_or_else(|| segments(PATH));
    Some(Arc::new(Magento { remote: remote?, path }))
}

fn path(value: &DeValue<'_>) -> Result<Vec<String>, String> {
    let is_plain = |segment: &str| segment.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte));
    let is_path = |text: &&str| text.starts_with('/') && text.split('/').all(is_plain);
    let text = value.as_str().filter(is_path);
    text.map(segments).ok_or_else(|| "the path to the REST API, such as \"/rest/V1\" or \"/rest/all/V1\"".into())
}

fn segments(path: &str) -> Vec<String> {
    path.split('/').filter(|segment| !segment.is_empty()).map(ToOwned::to_owned).collect()
}

impl ShopApi for Magento {
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

impl Magento {
    async fn read_state(
        &self,
        clients: &Clients,
        order: OrderRef<'_>,
        deadline: Instant,
    ) -> Result<OrderState, ShopFailure> {
        let mut url = self.order(order)?;
        url.set_query(Some(&format!("fields={FIELDS}")));
        let reply = self.remote.ask(clients, Ask { method: Method::GET, url, body: None }, deadline).await?;
        if is_unknown(&reply) {
            return Err(ShopFailure::NotFound);
        }
        let document: Value = reply.json("an order")?;
        // Any order has a state; what has none is something else.
        let state = state(&document);
        if state.order_state.is_some() { Ok(state) } else { Err(reply.malformed("an order with its state")) }
    }

    async fn try_cancel(
        &self,
        clients: &Clients,
        order: OrderRef<'_>,
        deadline: Instant,
    ) -> Result<Cancellation, ShopFailure> {
        let url = below(&self.order(order)?, &["cancel"]);
        let reply = self.remote.ask(clients, Ask { method: Method::POST, url, body: None }, deadline).await?;
        if is_unknown(&reply) {
            return Err(ShopFailure::NotFound);
        }
        // What a module or a payment method has against it comes as 400.
        if let (400, Some(error)) = (reply.status(), reply.error::<Error>()) {
            return Ok(Cancellation::Refused(reply.words(&error.text())));
        }
        if reply.json::<bool>("true or false")? {
            return Ok(Cancellation::Done);
        }
        // An order that is cancelled already cannot be cancelled either.
        let state = self.read_state(clients, order, deadline).await;
        Ok(match state {
            Ok(state) if state.is_canceled => Cancellation::Done,
            Ok(OrderState { order_state: Some(word), .. }) => {
                Cancellation::Refused(reply.words(&format!("false; the order is {word}")))
            }
            _ => Cancellation::Refused("false".to_owned()),
        })
    }

    fn order(&self, order: OrderRef<'_>) -> Result<Url, ShopFailure> {
        let path = self.path.iter().map(String::as_str).chain(["orders", whole_number(order.id)?]);
        Ok(self.remote.at(&path.collect::<Vec<_>>()))
    }
}

/// An error as Magento's REST API writes it.
#[derive(Deserialize)]
struct Error {
    message: String,
    #[serde(default)]
    parameters: Value,
}

impl Error {
    /// The message with its parameters in their places: `%1`, `%2` of a list, `%name` of an object.
    fn text(&self) -> String {
        let named: Vec<(String, String)> = match &self.parameters {
            Value::Array(list) => (1..=list.len()).map(|n| n.to_string()).zip(list.iter().map(plain)).collect(),
            Value::Object(fields) => fields.iter().map(|(name, value)| (name.clone(), plain(value))).collect(),
            _ => Vec::new(),
        };
        let fill = |text: String, (name, value): &(String, String)| text.replace(&format!("%{name}"), value);
        named.iter().rev().fold(self.message.clone(), fill)
    }
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned)
}

fn is_unknown(reply: &Reply) -> bool {
    let says_so = |error: Error| UNKNOWN.iter().any(|known| error.message.contains(known));
    reply.status() == 404 && reply.error().is_some_and(says_so)
}

/// The words of the webhook reader: Magento has none for the state of a payment, only what is due.
fn state(order: &Value) -> OrderState {
    let (state, status) = (text(order, "/state"), text(order, "/status"));
    let due = decimal(order, "/total_due");
    let so_far = decimal(order, "/total_paid").zip(decimal(order, "/grand_total"));
    let is_finished = matches!(state.as_deref(), Some("complete" | "closed"));
    let is_paid = due.is_some_and(|due| due <= Decimal::ZERO)
        || so_far.is_some_and(|(paid, total)| paid >= total)
        || (due.is_none() && so_far.is_none() && is_finished);
    OrderState {
        payment_state: Some(if is_paid { "paid" } else { "pending" }.to_owned()),
        payment_method: text(order, "/payment/method"),
        is_paid,
        is_canceled: [&state, &status].iter().any(|word| word.as_deref() == Some("canceled")),
        updated_at: moment(order, "/updated_at"),
        order_state: status.or(state),
    }
}
