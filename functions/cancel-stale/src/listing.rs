//! Finds the orders that a rule has cancelled: from the index, page by page, and from their rows.

use std::collections::{BTreeMap, BTreeSet};
use std::mem;
use std::sync::{Mutex, PoisonError};

use futures_util::{StreamExt, stream};
use jiff::Timestamp;
use ordersync::config::{Config, Pipeline, Shop};
use ordersync::ledger::{Ledger, LedgerError, Standing, Unpaid};
use ordersync::pipeline::cancellation::codes;
use ordersync::schedule::{Report, Run};
use tokio::time::Instant;

use crate::memory::Memory;
use crate::rules::{Reason, Subject, Verdict, judge};

/// Parts of the index that are read at the same time.
const SHARDS_AT_ONCE: usize = 8;
/// Orders of one shop that a run takes on; more than it gets done in its time.
const MOST_ORDERS: usize = 500;

/// Reading the index in one run.
#[derive(Debug)]
pub(crate) struct Listing<'a> {
    pub(crate) run: &'a Run,
    pub(crate) config: &'a Config,
    pub(crate) ledger: &'a Ledger,
    pub(crate) memory: &'a Memory,
    /// Orders placed later are too young for any rule.
    pub(crate) until: Timestamp,
    pub(crate) now: Timestamp,
    /// When the reading ends.
    pub(crate) ends: Instant,
    /// Orders to cancel, by shop.
    pub(crate) found: Mutex<BTreeMap<String, Vec<Standing>>>,
}

/// An order of the index: its shop, its identifier.
type OrderKey = (String, String);

/// What becomes of an order of the index.
enum Found {
    /// It is not to be cancelled, and why.
    Not(&'static str),
    /// A row of it was behind the others.
    Behind,
    /// It is to be cancelled.
    Stale(Box<Standing>),
    /// It is for another run.
    Left,
}

impl From<Reason> for Found {
    fn from(reason: Reason) -> Self {
        Self::Not(reason.name())
    }
}

impl Listing<'_> {
    /// Reads the index as far as a rule may apply.
    pub(crate) async fn read(&self) -> Report {
        let shards = stream::iter(0..Ledger::SHARDS).map(|shard| self.shard(shard));
        let merge = async |mut all: Report, one| {
            all.merge(one);
            all
        };
        shards.buffer_unordered(SHARDS_AT_ONCE).fold(self.run.report(), merge).await
    }

    /// The orders to cancel, by shop, in the order in which they are taken.
    pub(crate) fn into_found(self) -> BTreeMap<String, Vec<Standing>> {
        let mut found = self.found.into_inner().unwrap_or_else(PoisonError::into_inner);
        for orders in found.values_mut() {
            orders.sort_by_key(turn);
        }
        found
    }

    async fn shard(&self, shard: u64) -> Report {
        let mut report = self.run.report();
        if let Err(error) = self.pages(shard, &mut report).await {
            tracing::error!(shard, error = %error, "unpaid orders cannot be read: {error}");
            report.failed(1);
        }
        report
    }

    async fn pages(&self, shard: u64, report: &mut Report) -> Result<(), LedgerError> {
        let mut pages = self.ledger.unpaid(shard, self.until);
        let mut before = BTreeSet::new();
        while let Some(page) = pages.unpaid().await? {
            // Rows of one order stand side by side; the end of a page may come between them.
            let orders = by_order(page);
            let before = mem::replace(&mut before, orders.keys().cloned().collect());
            for (_, entries) in orders.into_iter().filter(|(order, _)| !before.contains(order)) {
                if Instant::now() >= self.ends {
                    report.left(1);
                    return Ok(());
                }
                report.saw(1);
                match self.judge(&entries).await {
                    Ok(found) => self.count(report, found),
                    // It keeps no other order from its turn.
                    Err(error @ LedgerError::BadRow { .. }) => {
                        tracing::error!(shard, error = %error, "an unpaid order cannot be read: {error}");
                        report.failed(1);
                    }
                    Err(error) => return Err(error),
                }
            }
        }
        Ok(())
    }

    fn count(&self, report: &mut Report, found: Found) {
        match found {
            Found::Not(reason) => report.skipped(reason, 1),
            Found::Behind => report.changed("caught_up", 1),
            Found::Left => report.left(1),
            Found::Stale(order) => {
                let mut found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
                found.entry(order.key.shop.clone()).or_default().push(*order);
            }
        }
    }

    /// What is to become of an order: by what the index says, and where that leaves it possible, by its rows.
    async fn judge(&self, entries: &[Unpaid]) -> Result<Found, LedgerError> {
        let Some(entry) = entries.first() else { return Ok(Found::Not("gone")) };
        let Some(shop) = self.config.shops.get(&entry.key.shop) else { return Ok(Found::Not("unknown_shop")) };
        if shop.api.as_ref().is_none_or(|api| !api.can_cancel()) {
            return Ok(Found::Not("no_api"));
        }
        if entries.iter().any(|entry| self.is_later(entry.cancel_after)) {
            return Ok(Found::Not("waits"));
        }
        let verdicts = entries.iter().map(|entry| judge(&self.config.cancel_stale, listed(shop, entry), self.now));
        if let Some(reason) = none_fits(verdicts) {
            return Ok(reason.into());
        }
        if self.is_full(&shop.code) {
            return Ok(Found::Left);
        }
        self.look_up(shop, entry).await
    }

    async fn look_up(&self, shop: &Shop, entry: &Unpaid) -> Result<Found, LedgerError> {
        let rows = self.ledger.order(&shop.code, &entry.key.order_id).await?;
        let Some(order) = Standing::of(&rows) else { return Ok(Found::Not("gone")) };
        if !order.is_unpaid {
            return self.catch_up(&order).await;
        }
        if self.is_later(order.after) {
            return Ok(Found::Not("waits"));
        }
        Ok(match judge(&self.config.cancel_stale, known(shop, &order), self.now) {
            Verdict::Not(reason) => reason.into(),
            Verdict::Fits(rule) if rule.report || self.run.dry_run => {
                if self.run.dry_run || self.memory.is_news(&order.key) {
                    would_cancel(&order);
                }
                Found::Not("would_cancel")
            }
            Verdict::Fits(_) => Found::Stale(Box::new(order)),
        })
    }

    /// Tells the rows that are behind what another row of the order knows: it is paid, cancelled or set aside.
    async fn catch_up(&self, order: &Standing) -> Result<Found, LedgerError> {
        if let Some(said) = order.observation().filter(|_| !self.run.dry_run) {
            let kept = codes(self.config, &order.key.shop, Pipeline::outlives_cancellation);
            self.ledger.observe(&order.key.shop, &order.key.order_id, &said, &kept, self.now).await?;
        }
        Ok(Found::Behind)
    }

    fn is_later(&self, time: Option<Timestamp>) -> bool {
        time.is_some_and(|time| time > self.now)
    }

    fn is_full(&self, shop: &str) -> bool {
        let found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        found.get(shop).is_some_and(|orders| orders.len() >= MOST_ORDERS)
    }
}

/// When an order's turn comes: the oldest first, but those that failed before come last. Else as many of them as come due
/// again within a run's time would keep all others from being taken.
fn turn(order: &Standing) -> (u32, Timestamp) {
    (order.tries, order.placed_at)
}

/// Says in the log that a rule would have an order cancelled.
pub(crate) fn would_cancel(order: &Standing) {
    let (shop, order_id, placed_at) = (&order.key.shop, &order.key.order_id, order.placed_at);
    tracing::info!(shop, order_id, %placed_at, "would cancel order {order_id} of {shop}");
}

/// An order as the rules see it.
pub(crate) fn known<'o>(shop: &'o Shop, order: &'o Standing) -> Subject<'o> {
    Subject {
        shop: &shop.code,
        zone: &shop.time_zone,
        method: order.payment_method.as_deref(),
        state: order.order_state.as_deref().or(order.payment_state.as_deref()),
        placed_at: order.placed_at,
        exports: Some(&order.exports),
    }
}

fn listed<'o>(shop: &'o Shop, entry: &'o Unpaid) -> Subject<'o> {
    Subject {
        shop: &shop.code,
        zone: &shop.time_zone,
        method: entry.payment_method.as_deref(),
        state: entry.order_state.as_deref(),
        placed_at: entry.placed_at,
        exports: None,
    }
}

/// The reason of the row that came closest; nothing where a rule fits one of them.
fn none_fits<'r>(verdicts: impl Iterator<Item = Verdict<'r>>) -> Option<Reason> {
    let mut closest = Reason::NoRule;
    for verdict in verdicts {
        match verdict {
            Verdict::Fits(_) => return None,
            Verdict::Not(reason) => closest = closest.max(reason),
        }
    }
    Some(closest)
}

fn by_order(page: Vec<Unpaid>) -> BTreeMap<OrderKey, Vec<Unpaid>> {
    let mut orders: BTreeMap<OrderKey, Vec<Unpaid>> = BTreeMap::new();
    for entry in page {
        orders.entry((entry.key.shop.clone(), entry.key.order_id.clone())).or_default().push(entry);
    }
    orders
}

#[cfg(test)]
mod tests;
