//! Webhooks that only name an order: the order itself comes from the shop.

use std::time::Duration;

use tokio::time::Instant;

use super::run::Runner;
use super::verdict::Verdict;
use crate::config::Shop;
use crate::ledger::Fault;
use crate::shop::ShopFailure;
use crate::webhook::BadOrder;

/// How long the calls to the shop may take, all together.
const FETCH_WITHIN: Duration = Duration::from_secs(10);

/// The body that an order is read from, and why it cannot be, if that is known already.
pub(super) type Whole = (Vec<u8>, Option<Missing>);

/// An order that could not be had from its shop.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Missing {
    /// Why.
    pub(super) error: BadOrder,
    /// Whether it may be had later.
    pub(super) fault: Fault,
}

impl Runner {
    /// The body as it came, or the order that was fetched in its place; else when the message is to be tried again.
    /// Where the order cannot be had for good, or not at the last delivery either, the body stays what it is, so that a
    /// reset fetches the order then; where the shop was just away, that is an error which is reset by itself.
    pub(super) async fn whole(
        &self,
        shop: &Shop,
        order_id: &str,
        body: Vec<u8>,
        receive_count: u32,
    ) -> Result<Whole, Verdict> {
        if !shop.platform.is_reference(&body) {
            return Ok((body, None));
        }
        let Some(api) = &shop.api else {
            let error = missing("api in the shop's configuration: the webhook only names the order");
            return Ok((body, Some(Missing { error, fault: Fault::Permanent })));
        };
        let deadline = self.deadline.min(Instant::now() + FETCH_WITHIN);
        let failure = match api.fetch(&self.clients, order_id, deadline).await {
            Ok(order) => return Ok((order, None)),
            Err(failure) => failure,
        };
        let is_last = receive_count >= self.max_receive_count;
        let least = wait(&failure);
        let Some(least) = least.filter(|_| !is_last) else {
            let fault = if least.is_some() { Fault::Exhausted } else { Fault::Permanent };
            let error = missing(&format!("the order from the shop, but: {failure}"));
            return Ok((body, Some(Missing { error, fault })));
        };
        let code = &shop.code;
        tracing::warn!(shop = code, order_id, "order {order_id} of {code} cannot be fetched now: {failure}");
        Err(match self.put_off(receive_count) {
            Verdict::Retry(usual) => Verdict::Retry(usual.max(least)),
            Verdict::Done => Verdict::Retry(least),
        })
    }
}

/// The shortest time until the next try; nothing when there is no use in one.
fn wait(failure: &ShopFailure) -> Option<Duration> {
    match failure {
        ShopFailure::Throttled { after } => Some(*after),
        ShopFailure::Unavailable(_) => Some(Duration::ZERO),
        ShopFailure::Refused(_) | ShopFailure::NotFound => None,
    }
}

fn missing(expected: &str) -> BadOrder {
    BadOrder { path: "order".into(), expected: format!("expected {expected}") }
}

#[cfg(test)]
mod tests;
