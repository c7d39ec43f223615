//! Puts a cancellation on record, and has the pipelines export it that ask for cancellations.

use crate::clock;
use crate::config::{Config, Pipeline};
use crate::ledger::{ExportKey, Facts, Ledger, LedgerError, Observation, Recorded, Row, Status};
use crate::queue::Requeue;
use crate::webhook::Event;

/// Records that the order which `order` is a row of is cancelled. What ends here before its last step is done again by
/// the next run: only that takes the order out of the index.
pub async fn canceled(
    config: &Config,
    ledger: &Ledger,
    requeue: &Requeue,
    order: &ExportKey,
    said: &Observation,
) -> Result<(), LedgerError> {
    let (shop, order_id) = (&order.shop, &order.order_id);
    let told = codes(config, shop, |pipeline| pipeline.on.contains(&Event::Canceled));
    let rows = ledger.order(shop, order_id).await?;
    match Facts::of_cancellation(&rows, said, config.find_by) {
        Some(facts) => {
            announce(ledger, requeue, order, &told, &facts).await?;
            end_unseen(config, ledger, order, said, &rows, &facts).await?;
        }
        None if told.is_empty() => {}
        // While an export is tried for the first time, its message has the order. The next run has it from the row.
        None if rows.iter().any(is_being_tried) => {
            tracing::info!(
                shop,
                order_id,
                "order {order_id} of {shop} is canceled, which is told when its attempt is over"
            );
            return Ok(());
        }
        None => tracing::warn!(
            shop,
            order_id,
            "no pipeline can tell that order {order_id} of {shop} is canceled: \
            its raw order is no longer kept"
        ),
    }
    let kept = codes(config, shop, Pipeline::outlives_cancellation);
    ledger.observe(shop, order_id, said, &kept, clock::now()).await.map(drop)
}

/// Whether somebody holds an export whose order its row does not lead to.
fn is_being_tried(row: &Row) -> bool {
    row.wants_order() && row.status == Status::Processing && row.lease_until.is_some_and(|until| until > clock::now())
}

/// Codes of a shop's pipelines of a kind.
pub fn codes<'c>(config: &'c Config, shop: &str, is_meant: impl Fn(&Pipeline) -> bool) -> Vec<&'c str> {
    let meant = config.pipelines.iter().filter(|pipeline| pipeline.serves(shop) && is_meant(pipeline));
    meant.map(|pipeline| pipeline.code.as_str()).collect()
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

/// Exports of the order that were not begun and are not to be any more: should a webhook of it still be tried, it begins
/// none of them.
async fn end_unseen(
    config: &Config,
    ledger: &Ledger,
    order: &ExportKey,
    said: &Observation,
    rows: &[Row],
    facts: &Facts,
) -> Result<(), LedgerError> {
    let has_row = |pipeline: &Pipeline| rows.iter().any(|row| row.key.pipeline == pipeline.code);
    let is_ended = |pipeline: &Pipeline| !pipeline.outlives_cancellation() && !has_row(pipeline);
    for code in codes(config, &order.shop, is_ended) {
        ledger.foresee(&ExportKey::new(&order.shop, &order.order_id, code), facts, said, clock::now()).await?;
    }
    Ok(())
}
