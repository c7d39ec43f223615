//! The table of the world.

use std::collections::HashMap;

use aws_sdk_dynamodb::operation::delete_item::{DeleteItemError, DeleteItemInput, DeleteItemOutput};
use aws_sdk_dynamodb::operation::get_item::{GetItemInput, GetItemOutput};
use aws_sdk_dynamodb::operation::put_item::{PutItemError, PutItemInput, PutItemOutput};
use aws_sdk_dynamodb::operation::query::{QueryInput, QueryOutput};
use aws_sdk_dynamodb::operation::scan::{ScanInput, ScanOutput};
use aws_sdk_dynamodb::operation::update_item::UpdateItemInput;
use aws_sdk_dynamodb::types::error::{ConditionalCheckFailedException, ProvisionedThroughputExceededException};
use aws_smithy_mocks::MockResponse;

use super::{Item, World, plain, text};

impl World {
    pub(super) fn query(&self, input: &QueryInput) -> QueryOutput {
        let value = |name: &str| input.expression_attribute_values()?.get(name)?.as_s().ok().cloned();
        let (name, wanted) = match input.index_name() {
            Some("by-number") => ("number", value(":number")),
            Some("by-customer") => ("customer_key", value(":customer_key")),
            _ => ("pk", value(":pk")),
        };
        let wanted = wanted.unwrap_or_default();
        let fits = |item: &&Item| plain(item, name) == wanted;
        let items: Vec<_> = self.rows.values().filter(fits).cloned().collect();
        QueryOutput::builder().set_items(Some(items)).build()
    }

    /// A page of the table, or of one of its parts: here, every row is in the first one.
    pub(super) fn scan(&self, input: &ScanInput) -> ScanOutput {
        let values = input.expression_attribute_values().unwrap();
        let value = |name: String| values.get(&name).and_then(|value| value.as_s().ok()).cloned();
        let cutoffs: Vec<_> =
            (0..).map_while(|n| value(format!(":status{n}")).zip(value(format!(":until{n}")))).collect();
        let fits = |item: &&Item| {
            let is_old = |(status, until): &(String, String)| {
                plain(item, "status") == *status && *plain(item, "updated_at") <= **until
            };
            let is =
                |name: &str, wanted: &str| value(wanted.to_owned()).is_some_and(|wanted| plain(item, name) == wanted);
            cutoffs.iter().any(is_old)
                || is("customer", ":customer")
                || is("customer_key", ":customer")
                || is("number", ":number")
                || is("order_number", ":number")
        };
        let from = input.exclusive_start_key().map(|key| (plain(key, "pk").to_owned(), plain(key, "sk").to_owned()));
        let rest = self.rows.iter().filter(|(key, _)| from.as_ref().is_none_or(|from| *key > from));
        let page: Vec<_> = rest.take(self.rows_at_once.unwrap_or(usize::MAX)).collect();
        let is_elsewhere = input.segment().is_some_and(|segment| segment > 0);
        let items = page.iter().map(|(_, item)| *item).filter(fits).filter(|_| !is_elsewhere).cloned().collect();
        let last = page
            .last()
            .filter(|_| self.rows_at_once == Some(page.len()))
            .map(|((pk, sk), _)| HashMap::from([("pk".to_owned(), text(pk)), ("sk".to_owned(), text(sk))]));
        ScanOutput::builder().set_items(Some(items)).set_last_evaluated_key(last).build()
    }

    pub(super) fn row_of(&self, input: &GetItemInput) -> GetItemOutput {
        let key = input.key().map(|key| (plain(key, "pk").to_owned(), plain(key, "sk").to_owned())).unwrap();
        GetItemOutput::builder().set_item(self.rows.get(&key).cloned()).build()
    }

    /// A change of a row that nobody else changes meanwhile.
    pub(super) fn update(&mut self, input: &UpdateItemInput) {
        let key = input.key().map(|key| (plain(key, "pk").to_owned(), plain(key, "sk").to_owned())).unwrap();
        self.calls.push(format!("update {} {}", key.0, key.1));
        let row = self.rows.get_mut(&key).unwrap();
        for (name, value) in input.expression_attribute_values().unwrap() {
            if let Some(name) = name.strip_prefix(":set_") {
                row.insert(name.to_owned(), value.clone());
            }
        }
    }

    fn throttles(&mut self) -> bool {
        let is_throttled = self.throttle > 0;
        self.throttle = self.throttle.saturating_sub(1);
        is_throttled
    }

    /// Whether a row is as the values of a condition say.
    fn is_as_seen(&self, key: &(String, String), values: Option<&Item>) -> bool {
        let Some(values) = values else { return !self.rows.contains_key(key) };
        self.rows.get(key).is_some_and(|row| {
            plain(row, "status") == plain(values, ":status") && plain(row, "updated_at") == plain(values, ":seen")
        })
    }

    pub(super) fn delete_row(&mut self, input: &DeleteItemInput) -> MockResponse<DeleteItemOutput, DeleteItemError> {
        let key = input.key().map(|key| (plain(key, "pk").to_owned(), plain(key, "sk").to_owned())).unwrap();
        if self.throttles() {
            let error = ProvisionedThroughputExceededException::builder().build();
            return MockResponse::Error(DeleteItemError::ProvisionedThroughputExceededException(error));
        }
        if key.0 == "control" {
            self.rows.remove(&key);
            return MockResponse::Output(DeleteItemOutput::builder().build());
        }
        if !self.is_as_seen(&key, input.expression_attribute_values()) {
            let error = ConditionalCheckFailedException::builder().set_item(self.rows.get(&key).cloned()).build();
            return MockResponse::Error(DeleteItemError::ConditionalCheckFailedException(error));
        }
        self.calls.push(format!("row {} {}", key.0, key.1));
        MockResponse::Output(DeleteItemOutput::builder().set_attributes(self.rows.remove(&key)).build())
    }

    pub(super) fn put_row(&mut self, input: &PutItemInput) -> MockResponse<PutItemOutput, PutItemError> {
        let item = input.item().unwrap();
        let key = (plain(item, "pk").to_owned(), plain(item, "sk").to_owned());
        if self.throttles() {
            let error = ProvisionedThroughputExceededException::builder().build();
            return MockResponse::Error(PutItemError::ProvisionedThroughputExceededException(error));
        }
        if key.0 == "control" {
            self.rows.insert(key, item.clone());
            return MockResponse::Output(PutItemOutput::builder().build());
        }
        if !self.is_as_seen(&key, input.expression_attribute_values()) {
            let error = ConditionalCheckFailedException::builder().build();
            return MockResponse::Error(PutItemError::ConditionalCheckFailedException(error));
        }
        self.calls.push(format!("put {} {}", key.0, key.1));
        self.rows.insert(key, item.clone());
        MockResponse::Output(PutItemOutput::builder().build())
    }
}
