//! A ledger of many rows, made of some that the processor wrote, and a run of reset-errors over it.

use std::time::Duration;

use jiff::SignedDuration;
use ordersync::clock;
use serde_json::json;

use super::measure::{microseconds, milliseconds, number, number_u64};
use super::target::TABLE;
use super::{Bench, RunError};
use crate::results::Target;
use crate::stand_in::dynamodb::item::Item;
use crate::stand_in::tally::since;
use crate::work::console::FIRST_MADE;
use crate::work::input::Input;
use crate::work::{Format, MATCHES, Size, Transport, Variant, Work};

/// Rows that the processor writes; enough that every shard of the indexes has some.
const WRITTEN: usize = 100;
/// Number of the first order of those; no other number in a row has as many digits alike.
const FIRST: u64 = 71_000_000;
/// Longer than the configuration waits until an error is reset.
const UNTIL_DUE: Duration = Duration::from_millis(1200);

/// What the rows are of.
const SEED: Work = Work::Processor {
    transport: Transport::Http,
    format: Format::Json,
    batch: WRITTEN,
    size: Size::Ten,
    variant: Variant::Usual,
};

impl Bench {
    /// A run over so many rows. Nobody else has anything like it to be compared with.
    pub(super) async fn reset_errors(&mut self, rows: usize) -> Result<(), RunError> {
        let work = Work::ResetErrors(rows);
        self.fill(rows, None).await?;
        tokio::time::sleep(UNTIL_DUE).await;
        let mut session = self.start(Target::Ordersync, work).await?;
        session.asked().await?;
        let (units, counts) = (self.stand_ins.aws.dynamodb.units(), self.stand_ins.tally.counts());
        let (input, cpu) = (Input::new(work, 0)?, session.process.cpu()?);
        let run = session.invoke(input.event()).await?;
        input.check_answer(&run.answer).map_err(|wrong| session.unexpected(&wrong))?;
        let cpu = session.process.cpu()?.saturating_sub(cpu);
        let after = self.stand_ins.aws.dynamodb.units();
        let name = work.to_string();
        let mut add = |metric: &str, value| self.results.add(Target::Ordersync, &name, metric, vec![value]);
        add("read_units", after.read - units.read);
        add("write_units", number_u64(after.write - units.write) / number(MATCHES));
        add("cpu_us", microseconds(cpu));
        add("run_ms", milliseconds(run.answered - run.handed));
        add("rss_kb", number_u64(session.process.peak_rss_kb()?));
        for (operation, count) in since(&counts, &self.stand_ins.tally.counts()) {
            add(&format!("calls/{operation}"), number_u64(count.calls) / number(MATCHES));
        }
        self.stand_ins.aws.dynamodb.clear();
        Self::say(&format!("{name} ordersync: {} read units", after.read - units.read));
        Ok(())
    }

    /// Has the ledger hold so many rows, of which [`MATCHES`] are in error: the last ones. Their states changed one after the
    /// other over some time, or all of them now.
    pub(super) async fn fill(&mut self, rows: usize, over: Option<Duration>) -> Result<(), RunError> {
        let exported = self.written(false).await?;
        let failed = self.written(true).await?;
        let (dynamodb, now) = (&self.stand_ins.aws.dynamodb, clock::now());
        dynamodb.clear();
        let samples = |kind: &[Item], count: usize| kind.iter().cycle().take(count).cloned().collect::<Vec<_>>();
        let all = [samples(&exported, rows - MATCHES), samples(&failed, MATCHES)].concat();
        for (at, sample) in (0..).zip(&all) {
            let mut row = renumbered(sample, FIRST_MADE + at)?;
            if let Some(over) = over {
                let left = u32::try_from(all.len()).unwrap_or(u32::MAX) - u32::try_from(at).unwrap_or(u32::MAX);
                let ago = over / u32::try_from(all.len()).unwrap_or(u32::MAX) * left;
                let changed = now - SignedDuration::try_from(ago).unwrap_or_default();
                row.insert("updated_at".into(), json!({ "S": format!("{changed:.3}") }));
            }
            dynamodb.seed(TABLE, row);
        }
        Ok(())
    }

    /// Rows as the processor writes them, of orders that the destination took or refused.
    async fn written(&mut self, is_refused: bool) -> Result<Vec<Item>, RunError> {
        self.stand_ins.aws.dynamodb.clear();
        let mut session = self.start(Target::Ordersync, SEED).await?;
        session.asked().await?;
        self.stand_ins.manners.refuse(is_refused);
        let input = Input::new(SEED, FIRST)?;
        let invocation = session.invoke(input.event()).await;
        self.stand_ins.manners.refuse(false);
        input.check_answer(&invocation?.answer).map_err(|wrong| session.unexpected(&wrong))?;
        let items = self.stand_ins.aws.dynamodb.items(TABLE);
        if items.len() == WRITTEN {
            return Ok(items);
        }
        Err(session.unexpected(&format!("wrote {} rows for {WRITTEN} orders", items.len())).into())
    }
}

/// The same row, of the order of another number.
fn renumbered(item: &Item, number: u64) -> Result<Item, RunError> {
    let text = serde_json::to_string(item).map_err(std::io::Error::from)?;
    let old = (FIRST..).take(WRITTEN).map(|old| format!("{old:08}")).find(|old| text.contains(old));
    let old = old.ok_or_else(|| std::io::Error::other("a row of the ledger names no order of the batch"))?;
    Ok(serde_json::from_str(&text.replace(&old, &format!("{number:08}"))).map_err(std::io::Error::from)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_of_another_order_in_all_its_places() {
        let row = r#"{"pk":{"S":"bench#ord_71000042"},"number":{"S":"2026-71000042"},"created":{"S":"2026-08-01"}}"#;
        let made = renumbered(&serde_json::from_str(row).unwrap(), 80_000_007).unwrap();
        let expected =
            r#"{"pk":{"S":"bench#ord_80000007"},"number":{"S":"2026-80000007"},"created":{"S":"2026-08-01"}}"#;
        assert_eq!(serde_json::to_string(&made).unwrap(), expected);
        assert!(renumbered(&Item::new(), 1).is_err());
    }
}
