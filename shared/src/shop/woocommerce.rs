//! WooCommerce: the REST API v3 with a key of its own, `consumer_key:consumer_secret` by Basic authentication.
//!
//! `GET` and `PUT /wp-json/wc/v3/orders/{id}`. Writing `{"status": "cancelled"}` cancels whatever the order's state is,
//! paid or not. Errors are `{"code": …, "message": …}`; an unknown order is 404 when read and 400 when written.
//! <https://woocommerce.github.io/woocommerce-rest-api-docs/#update-an-order>

use std::sync::Arc;

use futures_util::future::BoxFuture;
use http::Method;
use serde::Deserialize;
use serde_json::Value;
use tokio::time::Instant;
use url::Url;

use super::json::{moment, text};
use super::remote::{Ask, Remote, Reply, whole_number};
use super::{Cancellation, OrderRef, OrderState, ShopApi, ShopFailure};
use crate::config::document::Table;
use crate::pipeline::transport::Clients;
use crate::pipeline::transport::egress::Egress;
use crate::pipeline::transport::http::auth::Auth;

/// What is asked of an order: no more than is looked at, so that no customer's data travel.
/// <https://developer.wordpress.org/rest-api/using-the-rest-api/global-parameters/#_fields>
const FIELDS: &str = "id,status,payment_method,date_paid,date_paid_gmt,date_modified_gmt";

const CANCELED: &str = "cancelled";

/// The calls to a WooCommerce shop.
#[derive(Debug)]
struct WooCommerce {
    remote: Remote,
}

/// Reads the settings.
pub(super) fn read(table: &Table<'_>, egress: &Egress) -> Option<Arc<dyn ShopApi>> {
    let remote = Remote::read(table, egress, |_, secret| Auth::Basic { secret })?;
    Some(Arc::new(WooCommerce { remote }))
}

impl ShopApi for WooCommerce {
    fn state<'a>(
        &'a self,
        clients: &'a Clients,
        order: OrderRef<'a>,
        deadline: Instant,
    ) -> BoxFuture<'a, Result<OrderState, ShopFailure>> {
        Box::pin(async move {
            let ask = Ask { method: Method::GET, url: self.order(order)?, body: None };
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
            let body = serde_json::json!({ "status": CANCELED }).to_string().into_bytes();
            let ask = Ask { method: Method::PUT, url: self.order(order)?, body: Some(body) };
            outcome(&self.remote.ask(clients, ask, deadline).await?)
        })
    }
}

impl WooCommerce {
    fn order(&self, order: OrderRef<'_>) -> Result<Url, ShopFailure> {
        let mut url = self.remote.at(&["wp-json", "wc", "v3", "orders", whole_number(order.id)?]);
        url.set_query(Some(&format!("_fields={FIELDS}")));
        Ok(url)
    }
}

/// What the answer to the cancellation says became of the order. It is the only place where a payment that came in
/// since the caller looked is seen: then somebody has to decide between order and refund, so this is no success.
fn outcome(reply: &Reply) -> Result<Cancellation, ShopFailure> {
    let is_known = !is_unknown(reply);
    if let (400, true, Some(error)) = (reply.status(), is_known, reply.error::<Error>()) {
        return Ok(Cancellation::Refused(reply.words(&error.message)));
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

/// An error as the REST API writes it.
#[derive(Deserialize)]
struct Error {
    code: String,
    message: String,
}

/// A path that does not exist is 404 as well (`rest_no_route`): that is a wrong URL, not an unknown order.
fn is_unknown(reply: &Reply) -> bool {
    let says_so = |error: Error| error.code == "woocommerce_rest_shop_order_invalid_id";
    matches!(reply.status(), 400 | 404) && reply.error().is_some_and(says_so)
}

/// The words of the webhook reader: WooCommerce has none for the state of a payment, only the time of it.
fn state(order: &Value) -> OrderState {
    let order_state = text(order, "/status");
    let is_paid = text(order, "/date_paid_gmt").or_else(|| text(order, "/date_paid")).is_some();
    OrderState {
        payment_state: Some(if is_paid { "paid" } else { "pending" }.to_owned()),
        payment_method: text(order, "/payment_method"),
        is_paid,
        is_canceled: order_state.as_deref() == Some(CANCELED),
        updated_at: moment(order, "/date_modified_gmt"),
        order_state,
    }
}
