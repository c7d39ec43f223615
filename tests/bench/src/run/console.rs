//! Pages of the console over a ledger of many rows: how long they take, and what of the table they read.

use std::time::Duration;

use serde_json::Value;

use super::measure::{microseconds, milliseconds, number, number_u64};
use super::{Bench, RunError};
use crate::results::Target;
use crate::stand_in::tally::{Kept, since};
use crate::work::Work;
use crate::work::console::Page;
use crate::work::input::Input;
use crate::work::intake::SHOP;

/// Over which time the exports ended.
const WEEK: Duration = Duration::from_hours(6 * 24);
/// Looks at a page after the first.
const LOOKS: usize = 7;
/// What partitions of the table itself begin with that hold no exports: pauses, slots, last runs, the journal.
const SMALL: [&str; 2] = ["control", "journal-"];

impl Bench {
    /// A page, first of a new process, then again and again. Nobody else has anything like it to be compared with.
    pub(super) async fn console(&mut self, page: Page, rows: usize) -> Result<(), RunError> {
        let work = Work::Console(page, rows);
        self.fill(rows, Some(WEEK)).await?;
        let mut session = self.start(Target::Ordersync, work).await?;
        session.asked().await?;
        let input = Input::new(work, 0)?;
        let units = self.stand_ins.aws.dynamodb.units().read;
        let counts = self.stand_ins.tally.counts();
        self.stand_ins.tally.keep_requests(true);
        let first = session.invoke(input.event()).await?;
        let kept = self.stand_ins.tally.take_kept();
        self.stand_ins.tally.keep_requests(false);
        self.check(&session, &input, &first.answer)?;
        by_index(page, &kept).map_err(|wrong| RunError::Wrong {
            target: Target::Ordersync,
            work: work.to_string(),
            wrong,
        })?;
        let units = self.stand_ins.aws.dynamodb.units().read - units;
        let counts = since(&counts, &self.stand_ins.tally.counts());
        let (mut runs, mut cpu) = (Vec::new(), Vec::new());
        for _ in 0..LOOKS {
            let before = session.process.cpu()?;
            let again = session.invoke(input.event()).await?;
            self.check(&session, &input, &again.answer)?;
            runs.push(milliseconds(again.answered - again.handed));
            cpu.push(microseconds(session.process.cpu()?.saturating_sub(before)));
        }
        let name = work.to_string();
        let mut add = |metric: &str, values| self.results.add(Target::Ordersync, &name, metric, values);
        add("read_units", vec![units]);
        add("first_run_ms", vec![milliseconds(first.answered - first.handed)]);
        add("run_ms", runs);
        add("cpu_us", cpu);
        add("page_bytes", vec![number(first.answer.len())]);
        add("rss_kb", vec![number_u64(session.process.peak_rss_kb()?)]);
        for (operation, count) in counts {
            add(&format!("calls/{operation}"), vec![number_u64(count.calls)]);
        }
        self.stand_ins.aws.dynamodb.clear();
        Self::say(&format!("{name} ordersync: {units} read units"));
        Ok(())
    }
}

/// What is asked of the ledger is asked of its indexes, but for the partitions of a few rows each: that of the order that
/// a search has found is one.
fn by_index(page: Page, kept: &[Kept]) -> Result<(), String> {
    let asked = kept.iter().filter_map(|kept| Some((kept.operation.strip_prefix("DynamoDB.")?, &kept.body)));
    for (operation, body) in asked {
        let request: Value = serde_json::from_slice(body).map_err(|error| error.to_string())?;
        let of = |names: &Value| {
            let mut texts = names.as_object().into_iter().flatten().filter_map(|(_, value)| value["S"].as_str());
            let found = (page == Page::Search).then(|| format!("{SHOP}#"));
            texts.any(|text| SMALL.into_iter().chain(found.as_deref()).any(|small| text.starts_with(small)))
        };
        let is_right = match operation {
            "Query" => request["IndexName"].is_string() || of(&request["ExpressionAttributeValues"]),
            "GetItem" => of(&request["Key"]),
            _ => false,
        };
        if !is_right {
            return Err(format!("expected queries of indexes only, not {operation} {request}"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http::HeaderMap;
    use serde_json::json;

    use super::*;

    #[test]
    fn a_page_that_reads_the_table_is_found_out() {
        let asked = |operation: &str, body: Value| {
            let body = Bytes::from(body.to_string());
            [Kept { operation: operation.into(), target: "/".into(), headers: HeaderMap::new(), body }]
        };
        let of = |partition: &str| json!({ "ExpressionAttributeValues": { ":pk": { "S": partition } } });
        assert!(by_index(Page::Overview, &asked("DynamoDB.Query", json!({ "IndexName": "by-status" }))).is_ok());
        assert!(by_index(Page::Overview, &asked("DynamoDB.Query", of("control"))).is_ok());
        assert!(by_index(Page::Overview, &asked("DynamoDB.Query", of("bench#1"))).is_err());
        assert!(by_index(Page::Search, &asked("DynamoDB.Query", of("bench#1"))).is_ok());
        assert!(by_index(Page::Overview, &asked("DynamoDB.Scan", json!({}))).is_err());
        assert!(
            by_index(Page::Overview, &asked("DynamoDB.GetItem", json!({ "Key": { "pk": { "S": "bench#1" } } })))
                .is_err()
        );
        assert!(by_index(Page::Overview, &asked("SQS.GetQueueAttributes", json!({}))).is_ok());
    }
}
