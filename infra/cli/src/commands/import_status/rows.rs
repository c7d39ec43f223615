//! From the rows of a table to exports, each order once. Pure.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use ordersync::ledger::Imported;
use serde::Serialize;

use super::columns::{Columns, Field};

/// Longest identifier that a webhook may have.
const LONGEST_ID: usize = 200;
/// Longest number that an order may have, and longest identifier that an answer may give it.
const LONGEST_NUMBER: usize = 512;
const LONGEST_EXTERNAL_ID: usize = 200;

/// What a table says.
#[derive(Debug, Default)]
pub(super) struct Table {
    pub(super) rows: u64,
    /// Orders that were exported, and those that were not.
    pub(super) done: Vec<Export>,
    pub(super) pending: Vec<Export>,
    /// Rows about updates of orders.
    pub(super) updates: u64,
    pub(super) rejects: Vec<Reject>,
}

/// What a system says of an order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Export {
    pub(super) order_id: String,
    pub(super) number: Option<String>,
    pub(super) placed_at: Option<Timestamp>,
    pub(super) exported_at: Option<Timestamp>,
    pub(super) external_id: Option<String>,
    pub(super) error: Option<String>,
    is_done: bool,
}

/// A row that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Reject {
    pub(super) line: u64,
    pub(super) error: String,
}

impl Export {
    /// As the ledger records it.
    pub(super) fn imported(&self, origin: &str) -> Imported {
        Imported {
            number: self.number.clone(),
            placed_at: self.placed_at,
            exported_at: self.exported_at,
            external_id: self.external_id.clone(),
            origin: format!("imported from {origin}"),
        }
    }

    /// One of two rows about an order: that it was exported once is what counts, and the first time of it.
    fn or(self, other: Self) -> Self {
        match (self.is_done, other.is_done) {
            (true, false) => self,
            (false, true) => other,
            _ if other.exported_at.is_some() && other.exported_at < self.exported_at => other,
            _ => self,
        }
    }
}

impl Table {
    /// Reads the rows; those that cannot be read are named.
    pub(super) fn read(
        records: impl Iterator<Item = Result<csv::StringRecord, csv::Error>>,
        columns: &Columns,
    ) -> Self {
        let (mut table, mut orders) = (Self::default(), BTreeMap::<String, Export>::new());
        for (index, record) in records.enumerate() {
            table.rows += 1;
            // The header is the first line.
            let counted = index as u64 + 2;
            let record = match record {
                Ok(record) => record,
                Err(error) => {
                    table.rejects.push(Reject { line: counted, error: broken(&error) });
                    continue;
                }
            };
            let line = record.position().map_or(counted, csv::Position::line);
            if columns.value(&record, Field::IsNew).as_deref() == Some("0") {
                table.updates += 1;
                continue;
            }
            match export(&record, columns) {
                Err(error) => table.rejects.push(Reject { line, error }),
                Ok(export) => {
                    let id = export.order_id.clone();
                    let export = match orders.remove(&id) {
                        Some(known) => known.or(export),
                        None => export,
                    };
                    orders.insert(id, export);
                }
            }
        }
        (table.done, table.pending) = orders.into_values().partition(|export| export.is_done);
        table
    }
}

/// What is wrong with the table, without what stands in it.
fn broken(error: &csv::Error) -> String {
    match error.kind() {
        csv::ErrorKind::Utf8 { .. } => "expected UTF-8".into(),
        _ => "expected a row of the table".into(),
    }
}

fn export(record: &csv::StringRecord, columns: &Columns) -> Result<Export, String> {
    let value = |field| columns.value(record, field);
    let order_id = value(Field::OrderId).ok_or("expected the order's identifier, found nothing")?;
    if order_id.chars().count() > LONGEST_ID || order_id.chars().any(char::is_control) {
        return Err(format!("expected an order's identifier of at most {LONGEST_ID} characters"));
    }
    let key = |field, name: &str, longest: usize| match value(field) {
        Some(key) if key.chars().count() > longest => Err(format!("{name}: expected at most {longest} characters")),
        key => Ok(key),
    };
    let is_done = columns.is_done(record);
    let time = |field, name: &str| value(field).map(|text| time(&text, name)).transpose();
    Ok(Export {
        order_id,
        number: key(Field::Number, "number", LONGEST_NUMBER)?,
        placed_at: time(Field::PlacedAt, "placed_at")?,
        // Of an order that was not exported it is the time of something else.
        exported_at: if is_done { time(Field::ExportedAt, "exported_at")? } else { None },
        external_id: key(Field::ExternalId, "external_id", LONGEST_EXTERNAL_ID)?,
        error: value(Field::Error),
        is_done,
    })
}

/// RFC 3339, or as a database writes it: Magento keeps its times in UTC.
fn time(text: &str, field: &str) -> Result<Timestamp, String> {
    let in_utc = || text.parse::<DateTime>().ok()?.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp());
    let expected = || format!("{field}: expected a time such as 2026-01-31 09:30:00");
    text.parse().ok().or_else(in_utc).ok_or_else(expected)
}

#[cfg(test)]
mod tests {
    use super::super::presets::From;
    use super::*;

    fn read(text: &str, from: From, map: &[&str]) -> Table {
        let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(text.as_bytes());
        let header: Vec<String> = reader.headers().unwrap().iter().map(ToOwned::to_owned).collect();
        let map: Vec<_> = map.iter().map(|text| text.parse().unwrap()).collect();
        Table::read(reader.records(), &Columns::find(&header, &map, Some(from), &[]).unwrap())
    }

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn each_order_of_the_queue_counts_once_and_updates_do_not() {
        let table = read(
            "id,increment_id,entity_id,created_at,synced_at,is_new_order\n\
             1,100001,7,2019-01-01 10:00:00,2019-01-01 10:05:00,1\n\
             2,100001,7,2019-01-01 10:00:00,,1\n\
             3,100002,8,2019-01-02 10:00:00,NULL,1\n\
             4,100001,7,2019-01-03 10:00:00,,0\n\
             5,100003,9,2019-01-04 10:00:00,0000-00-00 00:00:00,1\n\
             6,100001,7,2019-01-01 10:00:00,2019-01-01 09:59:00,1\n",
            From::Ordersyncquerunner,
            &[],
        );
        assert_eq!((table.rows, table.updates, table.rejects.len()), (6, 1, 0));
        let done = Export {
            order_id: "7".into(),
            number: Some("100001".into()),
            placed_at: Some(at("2019-01-01T10:00:00Z")),
            exported_at: Some(at("2019-01-01T09:59:00Z")),
            is_done: true,
            ..Export::default()
        };
        assert_eq!(table.done, [done]);
        let pending: Vec<&str> = table.pending.iter().map(|export| export.order_id.as_str()).collect();
        assert_eq!(pending, ["8", "9"]);
    }

    #[test]
    fn rows_that_cannot_be_read_are_named_by_their_lines() {
        let table = read(
            &("order_id,status,exported_at,external_id\n\
             1,success,2026-01-01T10:00:00+01:00,SO-1\n\
             ,success,,\n\
             3,success,yesterday,SO-3\n\
             4,error,whenever,\n"
                .to_owned()
                + &format!("5,success,,{}\n", "x".repeat(201))),
            From::Pacemaker,
            &[],
        );
        let rejected: Vec<_> = table.rejects.iter().map(|one| (one.line, one.error.as_str())).collect();
        assert_eq!(
            rejected,
            [
                (3, "expected the order's identifier, found nothing"),
                (4, "exported_at: expected a time such as 2026-01-31 09:30:00"),
                (6, "external_id: expected at most 200 characters")
            ]
        );
        assert_eq!(table.done.len(), 1);
        let imported = table.done[0].imported("pacemaker");
        assert_eq!(imported.exported_at, Some(at("2026-01-01T09:00:00Z")));
        assert_eq!(
            (imported.external_id.as_deref(), imported.origin.as_str()),
            (Some("SO-1"), "imported from pacemaker")
        );
        assert_eq!(table.pending.len(), 1);
    }

    #[test]
    fn jobs_are_all_pending() {
        let job = "\"O:3:\"\"Job\"\":1:{s:8:\"\"order_id\"\";i:42;}\"";
        let table =
            read(&format!("id,handler,error,created_at\n1,{job},boom,2019-01-01 10:00:00\n"), From::Jobqueue, &[]);
        assert_eq!((table.done.len(), table.pending.len()), (0, 1));
        assert_eq!(table.pending[0].order_id, "42");
        assert_eq!(table.pending[0].error.as_deref(), Some("boom"));
    }
}
