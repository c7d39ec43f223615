//! Reading an index page by page.

use aws_sdk_dynamodb::operation::query::QueryOutput;
use aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder;
use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;

use super::due::Due;
use super::keys::{self, Item, export_key, sortable};
use super::row::{number, number_of};
use super::{ExportKey, Fault, Ledger, LedgerError, Status, Waiting, Why};

/// Items read at once: a page of them fits in the memory of a small function.
const PAGE: i32 = 200;

/// One partition of an index, read page by page.
#[derive(Debug)]
pub struct Pages {
    request: QueryFluentBuilder,
    next: Option<Item>,
    is_over: bool,
    passed_over: u64,
}

/// What an index by status holds of an export.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    /// Which export.
    pub key: ExportKey,
    /// The number that the customer and the merchant see.
    pub number: String,
    /// Its state.
    pub status: Status,
    /// When that last changed.
    pub updated_at: Timestamp,
    /// Attempts so far.
    pub attempts: u32,
    /// How often it was reset by itself.
    pub resets: u32,
    /// Why it is in error.
    pub fault: Option<Fault>,
    /// When the lease on it ends.
    pub lease_until: Option<Timestamp>,
    /// What went wrong last, or why it was skipped.
    pub last_error: Option<String>,
    /// When its order was cancelled.
    pub canceled_at: Option<Timestamp>,
    /// The back office's own identifier.
    pub external_id: Option<String>,
    /// When the customer placed the order.
    pub placed_at: Option<Timestamp>,
    /// When the destination took it.
    pub exported_at: Option<Timestamp>,
    /// When the next attempt is due.
    pub not_before: Option<Timestamp>,
    /// Why it waits, where that is not for a retry.
    pub waits_for: Option<Why>,
}

impl Pages {
    /// What a request asks for.
    pub(super) fn new(request: QueryFluentBuilder) -> Self {
        Self { request, next: None, is_over: false, passed_over: 0 }
    }

    /// The next page; nothing when there are no more.
    pub(super) async fn items(&mut self) -> Result<Option<Vec<Item>>, LedgerError> {
        Ok(self.answer().await?.map(|answer| answer.items.unwrap_or_default()))
    }

    /// How many are on the next page; nothing when there are no more.
    pub(super) async fn counted(&mut self) -> Result<Option<u64>, LedgerError> {
        Ok(self.answer().await?.map(|answer| u64::try_from(answer.count).unwrap_or(0)))
    }

    /// Whether all pages were read.
    pub fn is_over(&self) -> bool {
        self.is_over
    }

    async fn answer(&mut self) -> Result<Option<QueryOutput>, LedgerError> {
        if self.is_over {
            return Ok(None);
        }
        let request = self.request.clone().set_exclusive_start_key(self.next.take());
        let mut answer = request.send().await.map_err(|failure| LedgerError::unavailable(&failure))?;
        self.next = answer.last_evaluated_key.take().filter(|key| !key.is_empty());
        self.is_over = self.next.is_none();
        Ok(Some(answer))
    }

    /// The next page of an index by status. Rows that are not as this version writes them are passed over.
    pub async fn summaries(&mut self) -> Result<Option<Vec<Summary>>, LedgerError> {
        Ok(self.items().await?.map(|items| self.readable(&items, Summary::from_item)))
    }

    /// The next page of what waits. Rows that are not as this version writes them are passed over.
    pub async fn waiting(&mut self) -> Result<Option<Vec<Waiting>>, LedgerError> {
        Ok(self.items().await?.map(|items| self.readable(&items, waiting)))
    }

    /// How many rows were passed over; each has been logged.
    pub fn passed_over(&self) -> u64 {
        self.passed_over
    }

    /// One row that somebody changed by hand must not keep those after it from their turn, run after run.
    pub(super) fn readable<T>(&mut self, items: &[Item], read: impl Fn(&Item) -> Result<T, LedgerError>) -> Vec<T> {
        let mut rows = Vec::with_capacity(items.len());
        for item in items {
            match read(item) {
                Ok(row) => rows.push(row),
                Err(error) => {
                    tracing::error!(error = %error, "passed over: {error}");
                    self.passed_over += 1;
                }
            }
        }
        rows
    }
}

impl Summary {
    fn from_item(item: &Item) -> Result<Self, LedgerError> {
        let key = export_key(item)?;
        let text = |name: &str| item.get(name).and_then(|value| value.as_s().ok()).cloned();
        let time = |name: &str| text(name).and_then(|text| text.parse::<Timestamp>().ok());
        let bad = |expected: &str| LedgerError::BadRow { key: key.idempotency_key(), expected: expected.to_owned() };
        Ok(Self {
            number: number_of(item).unwrap_or_else(|| key.order_id.clone()),
            status: text("status").and_then(|name| Status::from_name(&name)).ok_or_else(|| bad("a known status"))?,
            updated_at: time("updated_at").ok_or_else(|| bad("a time in updated_at"))?,
            attempts: number(item, "attempts").unwrap_or(0),
            resets: number(item, "resets").unwrap_or(0),
            fault: text("fault").and_then(|name| Fault::from_name(&name)),
            lease_until: time("lease_until"),
            last_error: text("last_error"),
            canceled_at: time("canceled_at"),
            external_id: text("external_id"),
            placed_at: time("placed_at"),
            exported_at: time("exported_at"),
            not_before: time("not_before"),
            waits_for: text("waits_for").and_then(|name| Why::from_name(&name)),
            key,
        })
    }
}

fn waiting(item: &Item) -> Result<Waiting, LedgerError> {
    let key = export_key(item)?;
    let text = |name: &str| item.get(name).and_then(|value| value.as_s().ok()).cloned();
    let due = text("due_key").zip(text("due_at").and_then(|text| text.parse().ok()));
    let (due_key, at) =
        due.ok_or_else(|| LedgerError::BadRow { key: key.idempotency_key(), expected: "a time in due_at".into() })?;
    Ok(Waiting { key, due: Due { key: due_key, at } })
}

impl Ledger {
    /// The exports of a status whose state last changed at `until` or before, oldest first.
    pub fn by_status(&self, status: Status, shard: u64, until: Timestamp) -> Pages {
        let partition = format!("{}#{shard}", status.name());
        self.pages(keys::BY_STATUS, ("status_key", &partition), Some(("updated_at", until)))
    }

    /// One partition of an index; of those with a sort key, up to a time.
    pub(super) fn pages(&self, index: &str, (name, value): (&str, &str), until: Option<(&str, Timestamp)>) -> Pages {
        let request = self.client.query().table_name(&self.table).index_name(index).limit(PAGE);
        let request = request.expression_attribute_names("#partition", name);
        let request = request.expression_attribute_values(":partition", AttributeValue::S(value.to_owned()));
        let request = match until {
            None => request.key_condition_expression("#partition = :partition"),
            Some((sort, until)) => request
                .key_condition_expression("#partition = :partition AND #sort <= :until")
                .expression_attribute_names("#sort", sort)
                .expression_attribute_values(":until", AttributeValue::S(sortable(until))),
        };
        Pages::new(request)
    }
}
