//! Ending exports that nobody comes for any more.

use ordersync::clock;
use ordersync::ledger::{ExportKey, LedgerError, Recorded};
use ordersync::schedule::Report;

use super::Sweep;
use crate::patience::patiently;
use crate::policy::is_lost;

impl Sweep<'_> {
    /// Ends an export whose message was lost, as it is now.
    pub(super) async fn lose(&self, key: &ExportKey) -> Report {
        let mut report = self.run.report();
        report.saw(1);
        let recorded = if self.run.dry_run { Ok(Recorded::Written) } else { self.end_lost(key).await };
        match recorded {
            Ok(Recorded::Written) => {
                let (export, dry_run) = (key.idempotency_key(), self.run.dry_run);
                tracing::error!(export, dry_run, "its message was lost, nobody comes for {}", key.name());
                report.changed("lost", 1);
            }
            Ok(Recorded::LeftAsIs) => report.skipped("changed", 1),
            Err(error) => {
                tracing::error!(export = key.idempotency_key(), error = %error, "ledger failed for {}", key.name());
                report.failed(1);
            }
        }
        report
    }

    async fn end_lost(&self, key: &ExportKey) -> Result<Recorded, LedgerError> {
        let ledger = &self.cleanup.ledger;
        let row = patiently(self.run.deadline(), async || ledger.export(key).await).await?;
        let Some(row) = row.filter(|row| is_lost(row, self.now)) else { return Ok(Recorded::LeftAsIs) };
        patiently(self.run.deadline(), async || match row.canceled_at {
            Some(_) => ledger.end_if_canceled(&row, clock::now()).await,
            None => ledger.lose(&row, clock::now()).await,
        })
        .await
    }
}
