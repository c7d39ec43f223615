//! From what was asked for to the orders.

use std::collections::BTreeSet;

use futures_util::{StreamExt, stream};
use ordersync::ledger::{ExportKey, PARTS, Wanted, customer_key};
use ordersync::schedule::Run;

use super::{Order, Request};
use crate::failed::Failed;
use crate::handler::Cleanup;
use crate::patience::patiently;

/// The orders that a request is about.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) orders: BTreeSet<Order>,
    /// Whether there may be more: the table was not read to its end.
    pub(super) is_cut_short: bool,
}

impl Cleanup {
    /// Finds the orders that a request is about: by an index, where the configuration asks for one, else in the table.
    pub(super) async fn find(&self, run: &Run, request: &Request) -> Result<Found, Failed> {
        let find_by = self.config.current().await.find_by;
        let deadline = run.deadline();
        let (shop, (mut exports, is_cut_short)) = match request {
            // Also one without rows: its payloads may be there.
            Request::Order { shop, order_id } => {
                let orders = BTreeSet::from([(shop.clone(), order_id.clone())]);
                return Ok(Found { orders, is_cut_short: false });
            }
            Request::Number { shop, number, scan } => {
                let found = if find_by.number && !scan {
                    (patiently(deadline, async || self.ledger.by_number(number).await).await?, false)
                } else {
                    self.walk(run, Wanted::Number(number)).await?
                };
                (Some(shop), found)
            }
            Request::Customer { shop, email, scan } => {
                let customer = customer_key(email);
                let found = if find_by.customer && !scan {
                    (patiently(deadline, async || self.ledger.by_customer(&customer).await).await?, false)
                } else {
                    self.walk(run, Wanted::Customer(&customer)).await?
                };
                (shop.as_ref(), found)
            }
        };
        if let Request::Number { shop, number, .. } = request {
            // An order whose number is its identifier is found by that alone.
            let rows = patiently(deadline, async || self.ledger.outlines(shop, number).await).await?;
            exports.extend(rows.into_iter().filter(|row| row.number == *number).map(|row| row.key));
        }
        let is_meant = |of: &str| shop.is_none_or(|shop| shop == of);
        let orders = exports.into_iter().filter(|export| is_meant(&export.shop));
        Ok(Found { orders: orders.map(|export| (export.shop, export.order_id)).collect(), is_cut_short })
    }

    /// Walks through all parts of the table side by side; whether time ran out before their ends.
    async fn walk(&self, run: &Run, wanted: Wanted<'_>) -> Result<(Vec<ExportKey>, bool), Failed> {
        let parts = stream::iter(0..PARTS).map(|part| self.walk_part(run, wanted, part));
        let (mut exports, mut is_cut_short) = (Vec::new(), false);
        for part in parts.buffer_unordered(PARTS as usize).collect::<Vec<_>>().await {
            let (found, is_whole) = part?;
            exports.extend(found);
            is_cut_short |= !is_whole;
        }
        Ok((exports, is_cut_short))
    }

    async fn walk_part(&self, run: &Run, wanted: Wanted<'_>, part: u32) -> Result<(Vec<ExportKey>, bool), Failed> {
        let (mut walk, mut exports) = (self.ledger.walk_part(wanted, part), Vec::new());
        while run.has_time() {
            match patiently(run.deadline(), async || walk.page().await).await? {
                Some(page) => exports.extend(page),
                None => return Ok((exports, true)),
            }
        }
        Ok((exports, false))
    }
}
