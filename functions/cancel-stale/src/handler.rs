//! What a run of cancel-stale does: it reads the index, then cancels, the shops side by side.

use std::collections::BTreeMap;
use std::sync::Mutex;

use futures_util::{StreamExt, stream};
use lambda_runtime::Error;
use ordersync::clock;
use ordersync::config::{Config, Live};
use ordersync::ledger::{Ledger, Standing};
use ordersync::pipeline::transport::Clients;
use ordersync::queue::Requeue;
use ordersync::schedule::{Report, Run};
use ordersync::secrets::Secrets;
use tokio::time::Instant;

use crate::cancel::AtShop;
use crate::listing::Listing;
use crate::memory::Memory;
use crate::rules;

/// Shops that are worked on at the same time.
const SHOPS_AT_ONCE: usize = 16;

/// The cancel-stale function: what it works with, built once.
#[derive(Debug)]
pub(crate) struct CancelStale {
    pub(crate) config: Live,
    pub(crate) ledger: Ledger,
    pub(crate) s3: aws_sdk_s3::Client,
    pub(crate) secrets: Secrets,
    pub(crate) requeue: Requeue,
    pub(crate) memory: Memory,
}

impl CancelStale {
    /// One run.
    pub(crate) async fn handle(&self, run: &Run) -> Result<Report, Error> {
        run.only(&[])?;
        let (config, now) = (self.config.current().await, clock::now());
        let Some(until) = rules::placed_until(&config, now) else { return Ok(run.report()) };
        let listing = Listing {
            run,
            config: &config,
            ledger: &self.ledger,
            memory: &self.memory,
            until,
            now,
            ends: half_of(run),
            found: Mutex::default(),
        };
        let mut report = listing.read().await;
        let found = listing.into_found();
        if !found.is_empty() {
            report.merge(self.cancel(run, &config, &found).await);
        }
        Ok(report)
    }

    async fn cancel(&self, run: &Run, config: &Config, found: &BTreeMap<String, Vec<Standing>>) -> Report {
        // Nothing is kept in a bucket here.
        let clients = Clients::new(self.s3.clone(), "", self.secrets.clone(), config.egress.clone());
        let shops = found.iter().filter_map(|(code, orders)| {
            let shop = config.shops.get(code)?;
            let api = shop.api.as_deref()?;
            let (ledger, requeue, memory) = (&self.ledger, &self.requeue, &self.memory);
            Some((AtShop { run, config, ledger, requeue, memory, clients: &clients, shop, api }, orders))
        });
        let work = stream::iter(shops).map(|(at_shop, orders)| async move { at_shop.cancel(orders).await });
        let merge = async |mut all: Report, one| {
            all.merge(one);
            all
        };
        work.buffer_unordered(SHOPS_AT_ONCE).fold(run.report(), merge).await
    }
}

/// The reading gets half of the time, so that something is done even where it does not come to its end.
fn half_of(run: &Run) -> Instant {
    let now = Instant::now();
    now + run.deadline().saturating_duration_since(now) / 2
}
