//! The index by status from its newest end: what a console lists and counts.

use aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder;
use aws_sdk_dynamodb::types::{AttributeValue, Select};
use jiff::Timestamp;

use super::keys::{self, export_key, sortable};
use super::pages::Pages;
use super::{Ledger, LedgerError, Status};

/// A part of the index by status: one status, one shard, and when the state last changed, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// The status.
    pub status: Status,
    /// One of [`Ledger::SHARDS`].
    pub shard: u64,
    /// Nothing that changed before then.
    pub since: Option<Timestamp>,
    /// Nothing that changed after then.
    pub until: Option<Timestamp>,
}

impl Span {
    /// Between which times, as texts sort: the epoch is before anything. A span that ends before it begins is of nothing,
    /// which `DynamoDB` would refuse.
    fn bounds(&self) -> (Timestamp, Timestamp) {
        let epoch = Timestamp::UNIX_EPOCH;
        let (since, until) = (self.since.unwrap_or(epoch).max(epoch), self.until.unwrap_or(Timestamp::MAX));
        if until < since { (epoch, epoch) } else { (since, until) }
    }
}

/// When an export of a pipeline came to the state that it is in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stamp {
    /// Code of the pipeline.
    pub pipeline: String,
    /// The time.
    pub at: Timestamp,
}

/// How many there are, as far as was counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counted {
    /// How many.
    pub count: u64,
    /// Whether there are more that were not counted.
    pub is_partial: bool,
}

impl Ledger {
    /// Exports of a part of the index by status, newest first, so many to a page.
    pub fn newest(&self, span: Span, page: i32) -> Pages {
        Pages::new(self.span(span).limit(page))
    }

    /// Nothing of them but when they came to their state, newest first, as many to a page as `DynamoDB` reads at once.
    pub fn stamps(&self, span: Span) -> Pages {
        Pages::new(self.span(span).projection_expression("pk, sk, updated_at"))
    }

    /// How many there are, reading no more than so many megabytes of the index.
    pub async fn count(&self, span: Span, most_pages: usize) -> Result<Counted, LedgerError> {
        let mut pages = Pages::new(self.span(span).select(Select::Count));
        let mut counted = Counted::default();
        for _ in 0..most_pages {
            match pages.counted().await? {
                None => return Ok(counted),
                Some(count) => counted.count += count,
            }
        }
        counted.is_partial = !pages.is_over();
        Ok(counted)
    }

    fn span(&self, span: Span) -> QueryFluentBuilder {
        let partition = format!("{}#{}", span.status.name(), span.shard);
        let (since, until) = span.bounds();
        let request = self.client.query().table_name(&self.table).index_name(keys::BY_STATUS);
        request
            .key_condition_expression("#partition = :partition AND #sort BETWEEN :since AND :until")
            .expression_attribute_names("#partition", "status_key")
            .expression_attribute_names("#sort", "updated_at")
            .expression_attribute_values(":partition", AttributeValue::S(partition))
            .expression_attribute_values(":since", AttributeValue::S(sortable(since)))
            .expression_attribute_values(":until", AttributeValue::S(sortable(until)))
            .scan_index_forward(false)
    }
}

impl Pages {
    /// The next page of [`Ledger::stamps`]. Rows that are not as this version writes them are passed over.
    pub async fn stamps(&mut self) -> Result<Option<Vec<Stamp>>, LedgerError> {
        let stamp = |item: &keys::Item| {
            let key = export_key(item)?;
            let at = item.get("updated_at").and_then(|value| value.as_s().ok()).and_then(|text| text.parse().ok());
            let bad =
                || LedgerError::BadRow { key: key.idempotency_key(), expected: "a time in updated_at".to_owned() };
            Ok(Stamp { at: at.ok_or_else(bad)?, pipeline: key.pipeline })
        };
        Ok(self.items().await?.map(|items| self.readable(&items, stamp)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fake::{FakeTable, Log, attribute};
    use crate::ledger::keys::{Item, shard, status_key};
    use crate::ledger::{ExportKey, Summary};

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + second).unwrap()
    }

    #[test]
    fn a_span_that_ends_before_it_begins_is_of_nothing() {
        let (epoch, ancient) = (Timestamp::UNIX_EPOCH, "1022-11-29T14:38:13Z".parse().unwrap());
        for (since, until, expected) in [
            (None, None, (epoch, Timestamp::MAX)),
            (Some(at(1)), Some(at(2)), (at(1), at(2))),
            (Some(at(2)), Some(at(1)), (epoch, epoch)),
            (None, Some(ancient), (epoch, epoch)),
            (Some(ancient), None, (epoch, Timestamp::MAX)),
        ] {
            assert_eq!(Span { status: Status::Error, shard: 0, since, until }.bounds(), expected);
        }
    }

    /// So many exports of one order, a second after each other.
    fn exported(table: &FakeTable, count: i64) -> u64 {
        for number in 0..count {
            let key = ExportKey::new("acme", "1", &format!("p{number}"));
            let status = Status::Exported;
            let mut item: Item = keys::primary(&key);
            for (name, value) in [
                ("status", status.name().to_owned()),
                ("status_key", status_key(status, &key)),
                ("updated_at", sortable(at(number))),
                ("order_number", "N-1".to_owned()),
                ("external_id", format!("E-{number}")),
            ] {
                item.insert(name.to_owned(), attribute(value));
            }
            table.put(item);
        }
        shard(&ExportKey::new("acme", "1", "p0"))
    }

    fn span(shard: u64, since: Option<i64>, until: Option<i64>) -> Span {
        Span { status: Status::Exported, shard, since: since.map(at), until: until.map(at) }
    }

    async fn all(mut pages: Pages) -> Vec<Vec<Summary>> {
        let mut all = Vec::new();
        while let Some(page) = pages.summaries().await.unwrap() {
            all.push(page);
        }
        all
    }

    #[tokio::test]
    async fn the_newest_come_first_page_by_page_within_the_time_asked_for() {
        let table = FakeTable::new(Log::default());
        let (shard, ledger) = (exported(&table, 5), table.ledger());
        for (since, until, expected) in [
            (None, None, vec![vec!["p4", "p3"], vec!["p2", "p1"], vec!["p0"]]),
            (Some(1), Some(3), vec![vec!["p3", "p2"], vec!["p1"]]),
            (Some(9), None, vec![vec![]]),
        ] {
            let pages = all(ledger.newest(span(shard, since, until), 2)).await;
            let names = |page: &Vec<Summary>| page.iter().map(|row| row.key.pipeline.clone()).collect::<Vec<_>>();
            assert_eq!(pages.iter().map(names).collect::<Vec<_>>(), expected, "{since:?} {until:?}");
        }
        let newest = all(ledger.newest(span(shard, None, None), 1)).await.remove(0).remove(0);
        assert_eq!((newest.number.as_str(), newest.external_id.as_deref()), ("N-1", Some("E-4")));
        assert!(all(ledger.newest(span(shard + 1, None, None), 1)).await.concat().is_empty());
    }

    #[tokio::test]
    async fn a_count_is_whole_or_says_that_it_is_not() {
        let table = FakeTable::new(Log::default());
        let (shard, ledger) = (exported(&table, 5), table.ledger());
        for (since, most_pages, expected) in [
            (None, 2, Counted { count: 5, is_partial: false }),
            (Some(3), 1, Counted { count: 2, is_partial: false }),
            (None, 0, Counted { count: 0, is_partial: true }),
        ] {
            assert_eq!(ledger.count(span(shard, since, None), most_pages).await.unwrap(), expected);
        }
    }

    #[tokio::test]
    async fn a_stamp_says_which_pipeline_and_when() {
        let table = FakeTable::new(Log::default());
        let (shard, ledger) = (exported(&table, 2), table.ledger());
        let stamps = ledger.stamps(span(shard, Some(1), None)).stamps().await.unwrap().unwrap();
        assert_eq!(stamps, [Stamp { pipeline: "p1".into(), at: at(1) }]);
    }
}
