//! The whole order, byte for byte as BigCommerce sent its parts: order, products, shipping addresses.

use futures_util::future::try_join;
use http::Method;
use serde::Serialize;
use serde_json::Value;
use serde_json::value::RawValue;
use tokio::time::Instant;

use super::{BigCommerce, is_unknown};
use crate::pipeline::transport::Clients;
use crate::shop::ShopFailure;
use crate::shop::json::text;
use crate::shop::remote::Ask;

/// Elements asked for at a time, the most that the API gives.
const PAGE: usize = 250;
/// Elements given at a time at least, as long as there are more: the API's own default. A page that is shorter is the
/// last one.
const SHORTEST_PAGE: usize = 50;
/// Pages read at most; no order has that many lines.
const MOST_PAGES: usize = 100;

/// What the reader of BigCommerce's webhooks takes. Raw, so that numbers keep their digits.
#[derive(Serialize)]
struct Composite {
    order: Box<RawValue>,
    products: Vec<Box<RawValue>>,
    shipping_addresses: Vec<Box<RawValue>>,
}

/// Fetches the order with its parts.
pub(super) async fn order(
    shop: &BigCommerce,
    clients: &Clients,
    id: &str,
    deadline: Instant,
) -> Result<Vec<u8>, ShopFailure> {
    let order = itself(shop, clients, id, deadline).await?;
    let products = list(shop, clients, id, "products", deadline);
    let shipping_addresses = list(shop, clients, id, "shipping_addresses", deadline);
    let (products, shipping_addresses) = try_join(products, shipping_addresses).await?;
    let composite = Composite { order, products, shipping_addresses };
    serde_json::to_vec(&composite).map_err(|_| ShopFailure::Refused("the order cannot be written as JSON".into()))
}

async fn itself(
    shop: &BigCommerce,
    clients: &Clients,
    id: &str,
    deadline: Instant,
) -> Result<Box<RawValue>, ShopFailure> {
    let ask = Ask { method: Method::GET, url: shop.order(id, None)?, body: None };
    let reply = shop.remote.ask(clients, ask, deadline).await?;
    if is_unknown(&reply) {
        return Err(ShopFailure::NotFound);
    }
    let order: Value = reply.json("an order")?;
    if text(&order, "/id").as_deref() != Some(id) {
        return Err(reply.malformed("the order that was asked for"));
    }
    reply.json("an order")
}

/// All pages of a list. One that is empty is 204 without a body.
async fn list(
    shop: &BigCommerce,
    clients: &Clients,
    id: &str,
    part: &'static str,
    deadline: Instant,
) -> Result<Vec<Box<RawValue>>, ShopFailure> {
    let mut all = Vec::new();
    for page in 1..=MOST_PAGES {
        let mut url = shop.order(id, Some(part))?;
        url.set_query(Some(&format!("limit={PAGE}&page={page}")));
        let reply = shop.remote.ask(clients, Ask { method: Method::GET, url, body: None }, deadline).await?;
        if reply.status() == 204 {
            return Ok(all);
        }
        let elements: Vec<Box<RawValue>> = reply.json("a list")?;
        let is_last = elements.len() < SHORTEST_PAGE;
        all.extend(elements);
        if is_last {
            return Ok(all);
        }
    }
    Err(ShopFailure::Refused(format!("{part} of the order: more than {MOST_PAGES} pages")))
}
