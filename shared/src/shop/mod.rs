//! Calls back to the shop: what it says of an order now, and cancelling it. One file a platform, and one line in
//! [`PLATFORMS`].

mod bigcommerce;
mod generic;
mod json;
mod magento;
mod remote;
mod shopify;
mod shopware;
mod woocommerce;

#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use jiff::Timestamp;
use tokio::time::Instant;

use crate::config::document::{Node, Table};
use crate::pipeline::transport::Clients;
use crate::pipeline::transport::egress::Egress;
use crate::pipeline::{Failure, Retry};

/// Calls back to a shop.
pub trait ShopApi: fmt::Debug + Send + Sync {
    /// What the shop says of the order now.
    fn state<'a>(
        &'a self,
        clients: &'a Clients,
        order: OrderRef<'a>,
        deadline: Instant,
    ) -> BoxFuture<'a, Result<OrderState, ShopFailure>>;

    /// Cancels the order. The caller looks at its state first: some platforms cancel whatever they are told to.
    fn cancel<'a>(
        &'a self,
        clients: &'a Clients,
        order: OrderRef<'a>,
        deadline: Instant,
    ) -> BoxFuture<'a, Result<Cancellation, ShopFailure>>;

    /// The whole order as the platform's webhook reader takes it; only for platforms whose webhooks name the order
    /// and say no more.
    fn fetch<'a>(
        &'a self,
        clients: &'a Clients,
        order_id: &'a str,
        deadline: Instant,
    ) -> BoxFuture<'a, Result<Vec<u8>, ShopFailure>> {
        let _ = (clients, order_id, deadline);
        Box::pin(async { Err(ShopFailure::Refused("webhooks of this platform carry the order themselves".into())) })
    }

    /// Whether orders can be looked at and cancelled through it. If not, no rule of `cancel_stale` can be for the shop.
    fn can_cancel(&self) -> bool {
        true
    }
}

/// Which order is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OrderRef<'a> {
    /// The platform's identifier.
    pub id: &'a str,
    /// The number that customer and merchant see.
    pub number: &'a str,
}

/// What the shop says of an order, in the words that the platform's webhook reader writes into the order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OrderState {
    /// As `order.state`.
    pub order_state: Option<String>,
    /// As `order.payment.state`.
    pub payment_state: Option<String>,
    /// As `order.payment.method`.
    pub payment_method: Option<String>,
    /// As `order.payment.paid`.
    pub is_paid: bool,
    /// Whether it is cancelled already.
    pub is_canceled: bool,
    /// When the shop last changed it, where it says so.
    pub updated_at: Option<Timestamp>,
}

/// The platforms' words for a payment that has come in part, or is reserved: Shopify's `displayFinancialStatus`, the
/// states of Shopware's transactions, `BigCommerce`'s `payment_status`.
const MONEY_IN: [&str; 6] =
    ["partially_paid", "paid_partially", "partially paid", "authorized", "partially_refunded", "refunded_partially"];

/// Whether money has come in, or is reserved, although something is left to pay: what becomes of it is for people to
/// decide.
pub fn has_money_in(payment_state: Option<&str>) -> bool {
    payment_state.is_some_and(|state| MONEY_IN.iter().any(|word| state.eq_ignore_ascii_case(word)))
}

/// What became of a cancellation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cancellation {
    /// The order is cancelled, by this call or by an earlier one.
    Done,
    /// Accepted; the shop still works on it.
    Started,
    /// The shop says no, in its own words: at most 300 characters of one line. For the record, never for the log.
    Refused(String),
}

/// Why a call to a shop came to nothing. Messages name the host and never repeat secrets or what was answered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ShopFailure {
    /// Not now.
    #[error("the shop has us wait for {} s", after.as_secs_f32().ceil())]
    Throttled {
        /// The shortest time to wait before the next call.
        after: Duration,
    },
    /// It may work later.
    #[error("{0}")]
    Unavailable(String),
    /// It will not work until something changes: credentials, permissions, settings, or what the shop answers.
    #[error("{0}")]
    Refused(String),
    /// The shop knows no such order.
    #[error("the shop knows no such order")]
    NotFound,
}

impl From<Failure> for ShopFailure {
    fn from(failure: Failure) -> Self {
        match failure.retry {
            Retry::No => Self::Refused(failure.message),
            Retry::Backoff => Self::Unavailable(failure.message),
            Retry::After(after) => Self::Throttled { after },
        }
    }
}

/// Reads a platform's settings from the table `api` of its shop; nothing when that has problems. The caller finishes
/// the table.
type Read = fn(&Table<'_>, &Egress) -> Option<Arc<dyn ShopApi>>;

/// Every platform that can be called, by its name in `[[shops]]`.
const PLATFORMS: [(&str, Read); 8] = [
    ("adobe-io-events", magento::read),
    ("bigcommerce", bigcommerce::read),
    ("generic", generic::read),
    ("magento", magento::read),
    ("shopify", shopify::read),
    ("shopware", shopware::read),
    ("standard-webhooks", generic::read),
    ("woocommerce", woocommerce::read),
];

/// The calls that the table `api` of a shop of the platform called `platform` describes.
pub fn read(platform: &str, node: &Node<'_>, egress: &Egress) -> Option<Arc<dyn ShopApi>> {
    let Some((_, read)) = PLATFORMS.iter().find(|(name, _)| *name == platform) else {
        node.problem(format!("shops of the platform {platform:?} cannot be called back"));
        return None;
    };
    let table = node.table()?;
    let api = read(&table, egress);
    table.finish();
    api
}
