//! The last run of each scheduled function, and the slots that destinations have given away: what an overview shows.

use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;

use super::control::{CONTROL, RATE, control};
use super::keys::{Item, sortable, text};
use super::row::number;
use super::{Ledger, LedgerError};

const RUN: &str = "run#";

/// A run of a scheduled function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LastRun {
    /// The function, and behind a slash the part of its work that it was asked for.
    pub name: String,
    /// When it ended.
    pub ended_at: Timestamp,
    /// How long it took.
    pub took: Duration,
    /// Whether it came to an end.
    pub is_ok: bool,
    /// Its report as JSON, or why it failed.
    pub said: String,
}

/// When a destination with a rate limit takes the next request that nobody has a slot for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NextSlot {
    /// The destination: scheme, host and port.
    pub destination: String,
    /// The time.
    pub at: Timestamp,
}

impl Ledger {
    /// Notes a run in the place of the last one of its name.
    pub async fn note_run(&self, run: &LastRun) -> Result<(), LedgerError> {
        let update = self.client.update_item().table_name(&self.table).set_key(Some(control(RUN, &run.name)));
        let update = update
            .update_expression("SET ended_at = :ended_at, took_ms = :took_ms, is_ok = :is_ok, said = :said")
            .expression_attribute_values(":ended_at", text(&sortable(run.ended_at)))
            .expression_attribute_values(":took_ms", AttributeValue::N(run.took.as_millis().to_string()))
            .expression_attribute_values(":is_ok", AttributeValue::Bool(run.is_ok))
            .expression_attribute_values(":said", text(&run.said));
        update.send().await.map(drop).map_err(|failure| LedgerError::unavailable(&failure))
    }

    /// The last run of each name.
    pub async fn last_runs(&self) -> Result<Vec<LastRun>, LedgerError> {
        Ok(self.controls(RUN).await?.iter().filter_map(last_run).collect())
    }

    /// The next slot of each destination that has a rate limit.
    pub async fn next_slots(&self) -> Result<Vec<NextSlot>, LedgerError> {
        Ok(self.controls(RATE).await?.iter().filter_map(next_slot).collect())
    }

    /// The rows of one kind in the partition of what is no export.
    async fn controls(&self, kind: &str) -> Result<Vec<Item>, LedgerError> {
        let query = self.client.query().table_name(&self.table);
        let query = query.key_condition_expression("pk = :control AND begins_with(sk, :kind)");
        let query = query.expression_attribute_values(":control", text(CONTROL));
        let query = query.expression_attribute_values(":kind", text(kind));
        let items = query.into_paginator().items().send().collect::<Result<Vec<_>, _>>().await;
        items.map_err(|failure| LedgerError::unavailable(&failure))
    }
}

fn string(item: &Item, name: &str) -> Option<String> {
    item.get(name).and_then(|value| value.as_s().ok()).cloned()
}

fn last_run(item: &Item) -> Option<LastRun> {
    Some(LastRun {
        name: string(item, "sk")?.strip_prefix(RUN)?.to_owned(),
        ended_at: string(item, "ended_at")?.parse().ok()?,
        took: Duration::from_millis(number(item, "took_ms").unwrap_or(0)),
        is_ok: item.get("is_ok").and_then(|value| value.as_bool().ok()).copied().unwrap_or(false),
        said: string(item, "said").unwrap_or_default(),
    })
}

fn next_slot(item: &Item) -> Option<NextSlot> {
    let destination = string(item, "sk")?.strip_prefix(RATE)?.to_owned();
    Some(NextSlot { destination, at: Timestamp::from_microsecond(number(item, "next")?).ok()? })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fake::{FakeTable, Log};

    #[tokio::test]
    async fn of_each_name_the_last_run_is_known_and_the_next_slot_of_each_destination() {
        let table = FakeTable::new(Log::default());
        let ledger = table.ledger();
        let at = |second: i64| Timestamp::from_second(1_800_000_000 + second).unwrap();
        let run = |name: &str, second, said: &str| LastRun {
            name: name.to_owned(),
            ended_at: at(second),
            took: Duration::from_millis(12),
            is_ok: said.starts_with('{'),
            said: said.to_owned(),
        };
        for run in [run("cleanup", 0, "{}"), run("reset-errors", 1, "{}"), run("cleanup", 2, "the table is away")] {
            ledger.note_run(&run).await.unwrap();
        }
        let runs = ledger.last_runs().await.unwrap();
        assert_eq!(runs, [run("cleanup", 2, "the table is away"), run("reset-errors", 1, "{}")]);
        let destination = "https://erp.example.com";
        ledger.slot(destination, Duration::from_secs(2), at(5)).await.unwrap();
        let next = NextSlot { destination: destination.to_owned(), at: at(7) };
        assert_eq!(ledger.next_slots().await.unwrap(), [next]);
    }
}
