//! BigCommerce: the REST API v2 of orders with the token of an API account. Its webhooks name an order and say no more,
//! so that the order is fetched here too.
//!
//! `GET` and `PUT /v2/orders/{id}`, `GET /v2/orders/{id}/products` and `/shipping_addresses`. Writing `{"status_id": 5}`
//! cancels whatever the order's state is, paid or not. Errors are `[{"status": …, "message": …}]`.
//! <https://docs.bigcommerce.com/developer/api-reference/rest/admin/management/orders>

mod fetch;

use std::sync::Arc;

use futures_util::future::BoxFuture;
use http::Method;
use http::header::HeaderName;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::time::Instant;
use url::Url;

use super::json::{moment, text};
use super::remote::{Ask, Remote, Reply, whole_number};
use super::{Cancellation, OrderRef, OrderState, ShopApi, ShopFailure};
use crate::config::document::Table;
use crate::pipeline::transport::Clients;
use crate::pipeline::transport::egress::Egress;
use crate::pipeline::transport::http::auth::Auth;
use crate::webhook::bigcommerce::payment;

const TOKEN: HeaderName = HeaderName::from_static("x-auth-token");

/// How long until there is a new quota, in milliseconds.
/// <https://docs.bigcommerce.com/developer/docs/overview/api-fundamentals/rate-limits>
const RESET: HeaderName = HeaderName::from_static("x-rate-limit-time-reset-ms");

/// `status_id` of a cancelled order.
/// <https://docs.bigcommerce.com/developer/api-reference/rest/admin/management/orders/order-status>
const CANCELED: &str = "5";

/// The calls to a BigCommerce store.
#[derive(Debug)]
struct BigCommerce {
    remote: Remote,
}

/// Reads the settings.
pub(super) fn read(table: &Table<'_>, egress: &Egress) -> Option<Arc<dyn ShopApi>> {
    let remote = Remote::read(table, egress, |_, secret| Auth::Header { name: TOKEN, secret })?;
    Some(Arc::new(BigCommerce { remote: remote.with_wait_header(RESET) }))
}

impl ShopApi for BigCommerce {
    fn state<'a>(
        &'a self,
        clients: &'a Clients,
        order: OrderRef<'a>,
        deadline: Instant,
    ) -> BoxFuture<'a, Result<OrderState, ShopFailure>> {
        Box::pin(async move {
            let ask = Ask { method: Method::GET, url: self.order(order.id, None)?, body: None };
            read_state(&self.remote.ask(clients, ask, deadline).await?)
        })
    }

    fn cancel<'a>(
        &'a self,
        clients: &'a Clients,
        order: OrderRef<'a>,
        deadline: Instant,
    ) -> BoxFuture<'a, Result<Cancellation, ShopFailure>> {
        Box::pin(async move {
            let body = json!({ "status_id": 5 }).to_string().into_bytes();
            let ask = Ask { method: Method::PUT, url: self.order(order.id, None)?, body: Some(body) };
            outcome(&self.remote.ask(clients, ask, deadline).await?)
        })
    }

    fn fetch<'a>(
        &'a self,
        clients: &'a Clients,
        order_id: &'a str,
        deadline: Instant,
    ) -> BoxFuture<'a, Result<Vec<u8>, ShopFailure>> {
        Box::pin(fetch::order(self, clients, order_id, deadline))
    }
}

impl BigCommerce {
    fn order(&self, id: &str, part: Option<&str>) -> Result<Url, ShopFailure> {
        let segments = ["v2", "orders", whole_number(id)?].into_iter().chain(part);
        Ok(self.remote.at(&segments.collect::<Vec<_>>()))
    }
}

/// What the answer to the cancellation says became of the order. It is the only place where a payment that came in
/// since the caller looked is seen: then somebody has to decide between order and refund, so this is no success.
fn outcome(reply: &Reply) -> Result<Cancellation, ShopFailure> {
    if let (400 | 409 | 422, Some(message)) = (reply.status(), complaint(reply)) {
        return Ok(Cancellation::Refused(reply.words(&message)));
    }
    let state = read_state(reply)?;
    Ok(match state.order_state {
        Some(_) if state.is_canceled && state.is_paid => {
            let paid = "cancelled, but it was paid in the meantime: restore the order or refund the payment";
            Cancellation::Refused(paid.to_owned())
        }
        Some(_) if state.is_canceled => Cancellation::Done,
        word => Cancellation::Refused(reply.words(&format!("the order is {} still", word.unwrap_or_default()))),
    })
}

fn read_state(reply: &Reply) -> Result<OrderState, ShopFailure> {
    if is_unknown(reply) {
        return Err(ShopFailure::NotFound);
    }
    let state = state(&reply.json("an order")?);
    // Any order has a status; what has none is something else.
    if state.order_state.is_some() { Ok(state) } else { Err(reply.malformed("an order with its status")) }
}

/// An error of the API v2; that of a path that does not exist looks different.
#[derive(Deserialize)]
struct Error {
    message: String,
}

fn complaint(reply: &Reply) -> Option<String> {
    let errors: Vec<Error> = reply.error()?;
    let messages: Vec<String> = errors.into_iter().map(|error| error.message).collect();
    (!messages.is_empty()).then(|| messages.join("; "))
}

fn is_unknown(reply: &Reply) -> bool {
    reply.status() == 404 && complaint(reply).is_some()
}

/// The words of the webhook reader.
fn state(order: &Value) -> OrderState {
    let status_id = text(order, "/status_id");
    let payment = payment(text(order, "/payment_method"), text(order, "/payment_status"), status_id.as_deref());
    OrderState {
        order_state: text(order, "/status"),
        payment_state: payment.state,
        payment_method: payment.method,
        is_paid: payment.paid,
        is_canceled: status_id.as_deref() == Some(CANCELED),
        updated_at: moment(order, "/date_modified"),
    }
}
