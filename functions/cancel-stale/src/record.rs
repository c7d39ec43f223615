//! Puts a cancellation on record, and has the pipelines export it that ask for cancellations.

use std::time::Duration;

use jiff::Timestamp;
use ordersync::clock;
use ordersync::config::Config;
use ordersync::ledger::{ExportKey, Facts, Ledger, LedgerError, Observation, Recorded, Row};
use ordersync::queue::Requeue;
use ordersync::webhook::Event;

use crate::listing::told_of_cancellations;

/// Records that the order which `order` is a row of is cancelled. What ends here before its last step is done again by
/// the next run: only that takes the order out of the index.
pub(crate) async fn canceled(
    config: &Config,
    ledger: &Ledger,
    requeue: &Requeue,
    order: &ExportKey,
    said: &Observation,
) -> Result<(), LedgerError> {
    let (shop, order_id) = (&order.shop, &order.order_id);
    let told = told_of_cancellations(config, shop);
    let rows = ledger.order(shop, order_id).await?;
    match Facts::of_cancellation(&rows, said) {
        Some(facts) => {
            announce(ledger, requeue, order, &told, &facts).await?;
            end_unseen(config, ledger, order, &told, &rows, &facts).await?;
        }
        None if told.is_empty() => {}
        None => tracing::warn!(
            shop,
            order_id,
            "no pipeline can tell that order {order_id} of {shop} is canceled: \
            its raw order is no longer kept"
        ),
    }
    ledger.observe(shop, order_id, said, &told, clock::now()).await.map(drop)
}

/// Has the pipelines in `told` export the cancellation that have done nothing about the order yet.
async fn announce(
    ledger: &Ledger,
    requeue: &Requeue,
    order: &ExportKey,
    told: &[&str],
    facts: &Facts,
) -> Result<(), LedgerError> {
    let now = clock::now();
    let mut begun = Vec::new();
    for pipeline in told {
        let key = ExportKey::new(&order.shop, &order.order_id, pipeline);
        if ledger.announce(&key, facts, now).await? == Recorded::Written {
            begun.push(key);
        }
    }
    let sent = requeue.send_all(&begun).await;
    for (key, sent) in begun.iter().zip(sent) {
        match sent {
            Ok(()) => drop(ledger.settle(key, now).await?),
            // The ledger hands it out again.
            Err(error) => {
                let export = key.idempotency_key();
                tracing::warn!(export, error = %error, "{export} is canceled and not queued yet: {error}");
            }
        }
    }
    Ok(())
}

/// Exports of the order as it was placed that were not begun: should its own webhook still be tried, it begins none.
async fn end_unseen(
    config: &Config,
    ledger: &Ledger,
    order: &ExportKey,
    told: &[&str],
    rows: &[Row],
    facts: &Facts,
) -> Result<(), LedgerError> {
    let has_row = |code: &str| rows.iter().any(|row| row.key.pipeline == code);
    let placed =
        config.pipelines.iter().filter(|pipeline| pipeline.serves(&order.shop) && pipeline.on.contains(&Event::Placed));
    let codes = placed.map(|pipeline| pipeline.code.as_str());
    for code in codes.filter(|code| !told.contains(code) && !has_row(code)) {
        ledger.end_unseen(&ExportKey::new(&order.shop, &order.order_id, code), facts, clock::now()).await?;
    }
    Ok(())
}

/// A time after a wait.
pub(crate) fn later(now: Timestamp, wait: Duration) -> Timestamp {
    now.saturating_add(wait).unwrap_or(Timestamp::MAX)
}
