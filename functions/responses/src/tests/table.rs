//! A table in memory that behaves as far as this function needs it. That the real conditions hold is shown end to end.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aws_sdk_dynamodb::operation::get_item::{GetItemError, GetItemOutput};
use aws_sdk_dynamodb::operation::query::{QueryError, QueryOutput};
use aws_sdk_dynamodb::operation::update_item::{UpdateItemError, UpdateItemInput, UpdateItemOutput};
use aws_sdk_dynamodb::types::AttributeValue;
use aws_sdk_dynamodb::types::error::ConditionalCheckFailedException;
use aws_smithy_mocks::{MockResponse, RuleMode, mock, mock_client};
use ordersync::ledger::{ExportKey, Ledger};

type Item = HashMap<String, AttributeValue>;

#[derive(Debug, Clone, Default)]
pub(crate) struct Table(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    rows: BTreeMap<(String, String), Item>,
    writes: usize,
    reads: usize,
    /// After so many reads the table answers no more.
    fails_after: Option<usize>,
    /// Exports that are recorded only while they are asked for: after so many refused writes.
    ripens: BTreeMap<(String, String), usize>,
    /// Numbers that the index does not know before it was asked so often.
    lag: usize,
}

impl Table {
    /// With a row for `shop order number pipeline status [fault [attempts]]` each.
    pub(crate) fn of(rows: &[&str]) -> Self {
        let table = Self::default();
        for row in rows {
            let words: Vec<&str> = row.split(' ').collect();
            let [shop, order, number, pipeline, status, rest @ ..] = words.as_slice() else { panic!("{row}") };
            let at = "2026-08-01T12:00:00.000Z";
            let key = (format!("{shop}#{order}"), (*pipeline).to_owned());
            let attributes =
                [("pk", key.0.as_str()), ("sk", pipeline), ("status", status), ("updated_at", at), ("created_at", at)];
            // A number that is the identifier is not written a second time.
            let number = Some(("number", *number)).filter(|(_, number)| number != order);
            let attributes = attributes.into_iter().chain(number).chain(rest.first().map(|fault| ("fault", *fault)));
            let attempts = rest.get(1).map(|attempts| ("attempts".to_owned(), AttributeValue::N((*attempts).into())));
            let text = attributes.map(|(name, value)| (name.to_owned(), AttributeValue::S(value.into())));
            let item = text.chain(attempts).collect();
            table.state(|state| state.rows.insert(key, item));
        }
        table
    }

    /// An export that is recorded as given after so many refused writes.
    pub(crate) fn ripening(self, shop: &str, order: &str, pipeline: &str, writes: usize) -> Self {
        self.state(|state| state.ripens.insert((format!("{shop}#{order}"), pipeline.to_owned()), writes));
        self
    }

    /// The index by number knows nothing before it was asked so often.
    pub(crate) fn lagging(self, times: usize) -> Self {
        self.state(|state| state.lag = times);
        self
    }

    /// After so many reads the table answers no more.
    pub(crate) fn failing_after(self, reads: usize) -> Self {
        self.state(|state| state.fails_after = Some(reads));
        self
    }

    /// It answers again.
    pub(crate) fn mended(&self) {
        self.state(|state| state.fails_after = None);
    }

    pub(crate) fn writes(&self) -> usize {
        self.state(|state| state.writes)
    }

    pub(crate) fn reads(&self) -> usize {
        self.state(|state| state.reads)
    }

    /// `status external-id error` of an export, `-` for what it has not.
    pub(crate) fn row(&self, shop: &str, order: &str, pipeline: &str) -> String {
        let item = self.state(|state| state.rows[&(format!("{shop}#{order}"), pipeline.to_owned())].clone());
        let text = |name: &str| item.get(name).and_then(|value| value.as_s().ok()).map_or("-", String::as_str);
        format!("{} {} {}", text("status"), text("external_id"), text("last_error"))
    }

    fn state<T>(&self, with: impl FnOnce(&mut State) -> T) -> T {
        with(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn ledger(&self) -> Ledger {
        let table = self.clone();
        let query =
            mock!(aws_sdk_dynamodb::Client::query).match_requests(|_| true).then_compute_response(move |input| {
                let number = input.expression_attribute_values().unwrap()[":number"].clone();
                match table.state(|state| state.by_number(&number)) {
                    Some(items) => MockResponse::Output(QueryOutput::builder().set_items(Some(items)).build()),
                    None => MockResponse::Error(QueryError::unhandled("down")),
                }
            });
        let table = self.clone();
        let get =
            mock!(aws_sdk_dynamodb::Client::get_item).match_requests(|_| true).then_compute_response(move |input| {
                let key = key(input.key().unwrap());
                match table.state(|state| state.get(&key)) {
                    Ok(item) => MockResponse::Output(GetItemOutput::builder().set_item(item).build()),
                    Err(down) => MockResponse::Error(GetItemError::unhandled(down)),
                }
            });
        let table = self.clone();
        let update =
            mock!(aws_sdk_dynamodb::Client::update_item).match_requests(|_| true).then_compute_response(move |input| {
                match table.state(|state| state.update(input)) {
                    Ok(()) => MockResponse::Output(UpdateItemOutput::builder().build()),
                    Err(item) => {
                        let refused = ConditionalCheckFailedException::builder().set_item(item).build();
                        MockResponse::Error(UpdateItemError::ConditionalCheckFailedException(refused))
                    }
                }
            });
        let client = mock_client!(aws_sdk_dynamodb, RuleMode::MatchAny, [&query, &get, &update], |config| config
            .retry_config(aws_sdk_dynamodb::config::retry::RetryConfig::disabled()));
        Ledger::new(client, "table".into(), Duration::from_hours(24))
    }
}

impl State {
    fn is_up(&mut self) -> bool {
        self.reads += 1;
        self.fails_after.is_none_or(|reads| self.reads <= reads)
    }

    fn by_number(&mut self, number: &AttributeValue) -> Option<Vec<Item>> {
        if !self.is_up() {
            return None;
        }
        if self.lag > 0 {
            self.lag -= 1;
            return Some(Vec::new());
        }
        Some(self.rows.values().filter(|item| item.get("number") == Some(number)).cloned().collect())
    }

    /// The item, if there is one; an error where the table does not answer.
    fn get(&mut self, key: &(String, String)) -> Result<Option<Item>, &'static str> {
        if self.is_up() { Ok(self.rows.get(key).cloned()) } else { Err("down") }
    }

    /// As the conditions of acknowledging and refusing are meant: only what the back office was given.
    fn update(&mut self, input: &UpdateItemInput) -> Result<(), Option<Item>> {
        let key = key(input.key().unwrap());
        let item = self.rows.get_mut(&key).ok_or(None)?;
        let text = |name: &str| item.get(name).and_then(|value| value.as_s().ok()).map_or("", String::as_str);
        let was_tried = item.get("attempts").is_some_and(|attempts| attempts.as_n().unwrap() != "0");
        let is_given = match text("status") {
            "exported" | "acknowledged" => true,
            "error" => matches!(text("fault"), "rejected" | "unacknowledged") || was_tried,
            _ => false,
        };
        if !is_given {
            let refused = item.clone();
            match self.ripens.get_mut(&key) {
                Some(0) => drop(item.insert("status".into(), AttributeValue::S("exported".into()))),
                Some(left) => *left -= 1,
                None => {}
            }
            return Err(Some(refused));
        }
        let (set, remove) = input.update_expression().unwrap().split_once(" REMOVE ").unwrap();
        assert!(set.starts_with("SET "));
        for name in remove.split(", ") {
            item.remove(name.trim_start_matches('#'));
        }
        for (name, value) in input.expression_attribute_values().unwrap() {
            if let Some(name) = name.strip_prefix(":set_") {
                item.insert(name.into(), value.clone());
            }
        }
        self.writes += 1;
        Ok(())
    }
}

fn key(item: &Item) -> (String, String) {
    let text = |name: &str| item[name].as_s().unwrap().clone();
    (text("pk"), text("sk"))
}

/// The export as the ledger calls it.
pub(crate) fn export(shop: &str, order: &str, pipeline: &str) -> String {
    ExportKey::new(shop, order, pipeline).idempotency_key()
}
