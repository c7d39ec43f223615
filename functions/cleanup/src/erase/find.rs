//! From what was asked for to the orders.

use std::collections::BTreeSet;

use ordersync::ledger::customer_key;
use ordersync::schedule::Run;

use super::{Order, Request};
use crate::failed::Failed;
use crate::handler::Cleanup;
use crate::patience::patiently;

impl Cleanup {
    /// The orders that a request is about.
    pub(super) async fn find(&self, run: &Run, request: &Request) -> Result<BTreeSet<Order>, Failed> {
        let deadline = run.deadline();
        let (shop, exports) = match request {
            // Also one without rows: its payloads may be there.
            Request::Order { shop, order_id } => return Ok(BTreeSet::from([(shop.clone(), order_id.clone())])),
            Request::Number { shop, number } => {
                (Some(shop), patiently(deadline, async || self.ledger.by_number(number).await).await?)
            }
            Request::Customer { shop, email } => {
                let customer = customer_key(email);
                (shop.as_ref(), patiently(deadline, async || self.ledger.by_customer(&customer).await).await?)
            }
        };
        let is_meant = |of: &str| shop.is_none_or(|shop| shop == of);
        let orders = exports.into_iter().filter(|export| is_meant(&export.shop));
        Ok(orders.map(|export| (export.shop, export.order_id)).collect())
    }
}
