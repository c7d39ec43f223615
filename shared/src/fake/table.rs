//! The ledger's table in memory.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::delete_item::{DeleteItemError, DeleteItemInput, DeleteItemOutput};
use aws_sdk_dynamodb::operation::get_item::{GetItemError, GetItemInput, GetItemOutput};
use aws_sdk_dynamodb::operation::put_item::{PutItemError, PutItemInput, PutItemOutput};
use aws_sdk_dynamodb::operation::query::{QueryError, QueryInput, QueryOutput};
use aws_sdk_dynamodb::operation::update_item::{UpdateItemError, UpdateItemInput, UpdateItemOutput};
use aws_sdk_dynamodb::types::AttributeValue;
use aws_sdk_dynamodb::types::error::ConditionalCheckFailedException;
use aws_smithy_mocks::{MockResponse, Rule, RuleMode, mock, mock_client};

use super::Log;
use super::expression::{Expressions, Item};
use super::units::{Units, write_units};
use crate::ledger::{ExportKey, Ledger, Row};

type Key = (String, String);
type Hook = Box<dyn FnOnce(&FakeTable) + Send>;

/// The ledger's table in memory.
#[derive(Clone, Default)]
pub(crate) struct FakeTable {
    items: Arc<Mutex<BTreeMap<Key, Item>>>,
    log: Log,
    /// Calls that are answered, as long as there is a bound to them.
    answers: Arc<Mutex<Option<usize>>>,
    /// What happens before a call, by the number of calls before it.
    hooks: Arc<Mutex<HashMap<usize, Hook>>>,
    calls: Arc<Mutex<usize>>,
    units: Arc<Mutex<Units>>,
}

fn key_of(item: &Item) -> Key {
    let text = |name: &str| item[name].as_s().unwrap().clone();
    (text("pk"), text("sk"))
}

fn text<'i>(item: &'i Item, name: &str) -> &'i str {
    item.get(name).and_then(|value| value.as_s().ok()).map_or("", String::as_str)
}

impl FakeTable {
    pub(crate) fn new(log: Log) -> Self {
        Self { log, ..Self::default() }
    }

    /// Another one with the same items.
    pub(crate) fn fork(&self) -> Self {
        let items = self.items.lock().unwrap().clone();
        Self { items: Arc::new(Mutex::new(items)), ..Self::new(self.log.clone()) }
    }

    /// The ledger in it.
    pub(crate) fn ledger(&self) -> Ledger {
        Ledger::new(self.client(), "table".into(), Duration::from_hours(24))
    }

    /// The write units used up since the last time that this was asked.
    pub(crate) fn take_units(&self) -> Units {
        std::mem::take(&mut self.units.lock().unwrap())
    }

    /// Has every call fail after so many more, as if whoever makes them had fallen.
    pub(crate) fn falls_after(&self, calls: usize) {
        *self.answers.lock().unwrap() = Some(calls);
    }

    /// Whether a call has failed since.
    pub(crate) fn has_fallen(&self) -> bool {
        *self.answers.lock().unwrap() == Some(0)
    }

    /// It answers again.
    pub(crate) fn recovers(&self) {
        *self.answers.lock().unwrap() = None;
    }

    /// Has something happen before the call that comes after so many more.
    pub(crate) fn before_call(&self, after: usize, hook: impl FnOnce(&Self) + Send + 'static) {
        let calls = *self.calls.lock().unwrap();
        self.hooks.lock().unwrap().insert(calls + after, Box::new(hook));
    }

    /// An item as it is.
    pub(crate) fn item(&self, pk: &str, sk: &str) -> Option<Item> {
        self.items.lock().unwrap().get(&(pk.to_owned(), sk.to_owned())).cloned()
    }

    /// An export's row, if there is one.
    pub(crate) fn row(&self, key: &ExportKey) -> Option<Row> {
        let item = self.item(&format!("{}#{}", key.shop, key.order_id), &key.pipeline)?;
        Some(Row::from_item(&item).unwrap())
    }

    /// Every item.
    fn items(&self) -> Vec<Item> {
        self.items.lock().unwrap().values().cloned().collect()
    }

    /// Puts an item, as somebody else does.
    pub(crate) fn put(&self, item: Item) {
        self.items.lock().unwrap().insert(key_of(&item), item);
    }

    /// Changes an export's row by hand.
    pub(crate) fn edit(&self, key: &ExportKey, edit: impl FnOnce(&mut Item)) {
        let mut items = self.items.lock().unwrap();
        let key = (format!("{}#{}", key.shop, key.order_id), key.pipeline.clone());
        edit(items.get_mut(&key).expect("a row"));
    }

    /// Whether a call is answered.
    fn answers(&self) -> bool {
        let call = {
            let mut calls = self.calls.lock().unwrap();
            *calls += 1;
            *calls - 1
        };
        let hook = self.hooks.lock().unwrap().remove(&call);
        if let Some(hook) = hook {
            hook(self);
        }
        let mut answers = self.answers.lock().unwrap();
        let is_answered = *answers != Some(0);
        *answers = answers.map(|left| left.saturating_sub(1));
        if !is_answered {
            self.log.add("the table is away");
        }
        is_answered
    }

    fn client(&self) -> Client {
        let rules = [self.gets(), self.queries(), self.updates(), self.puts(), self.deletes()];
        mock_client!(aws_sdk_dynamodb, RuleMode::MatchAny, &rules)
    }

    fn gets(&self) -> Rule {
        let table = self.clone();
        mock!(Client::get_item).then_compute_response(move |input: &GetItemInput| {
            if !table.answers() {
                return MockResponse::Error(GetItemError::unhandled("away"));
            }
            let key = key_of(input.key().unwrap());
            table.log.add(format!("read {}", key.1));
            let item = table.items.lock().unwrap().get(&key).cloned();
            MockResponse::Output(GetItemOutput::builder().set_item(item).build())
        })
    }

    fn queries(&self) -> Rule {
        let table = self.clone();
        mock!(Client::query).then_compute_response(move |input: &QueryInput| {
            if !table.answers() {
                return MockResponse::Error(QueryError::unhandled("away"));
            }
            let (names, values) = (input.expression_attribute_names.clone(), input.expression_attribute_values.clone());
            let (names, values) = (names.unwrap_or_default(), values.unwrap_or_default());
            let condition = input.key_condition_expression().unwrap();
            let table_or_pauses = if values.contains_key(":pause") { "pauses" } else { "order" };
            table.log.add(format!("query {}", input.index_name().unwrap_or(table_or_pauses)));
            let fits = |item: &Item| {
                let mut expressions = Expressions::new(&names, &values);
                let holds = expressions.holds(condition, item);
                expressions.finish();
                holds
            };
            let mut items: Vec<Item> = table.items().into_iter().filter(fits).collect();
            let sort = match input.index_name() {
                None => "sk",
                Some("by-status") => "updated_at",
                Some(_) => "due_at",
            };
            items.sort_by_key(|item| text(item, sort).to_owned());
            if input.scan_index_forward() == Some(false) {
                items.reverse();
            }
            MockResponse::Output(page(items, input))
        })
    }

    fn updates(&self) -> Rule {
        let table = self.clone();
        mock!(Client::update_item).then_compute_response(move |input: &UpdateItemInput| {
            if !table.answers() {
                return MockResponse::Error(UpdateItemError::unhandled("away"));
            }
            table.update(input)
        })
    }

    fn update(&self, input: &UpdateItemInput) -> MockResponse<UpdateItemOutput, UpdateItemError> {
        let key = key_of(input.key().unwrap());
        let (names, values) = (input.expression_attribute_names.clone(), input.expression_attribute_values.clone());
        let (names, values) = (names.unwrap_or_default(), values.unwrap_or_default());
        let mut expressions = Expressions::new(&names, &values);
        let before = self.items.lock().unwrap().get(&key).cloned();
        let item = before.clone().unwrap_or_default();
        let holds = input.condition_expression().is_none_or(|condition| expressions.holds(condition, &item));
        let update = input.update_expression().unwrap();
        expressions.uses(update);
        if !holds {
            expressions.finish();
            self.log.add(format!("refused {}", key.1));
            let error = ConditionalCheckFailedException::builder().set_item(before).build();
            return MockResponse::Error(UpdateItemError::ConditionalCheckFailedException(error));
        }
        let with_key = item.into_iter().chain(input.key().unwrap().clone()).collect();
        let after = expressions.updated(update, &with_key);
        expressions.finish();
        self.log.add(format!("write {} {}", key.1, described(before.as_ref(), &after)).trim_end());
        *self.units.lock().unwrap() += write_units(before.as_ref(), Some(&after));
        self.items.lock().unwrap().insert(key, after);
        MockResponse::Output(UpdateItemOutput::builder().set_attributes(before).build())
    }

    fn puts(&self) -> Rule {
        let table = self.clone();
        mock!(Client::put_item).then_compute_response(move |input: &PutItemInput| {
            if !table.answers() {
                return MockResponse::Error(PutItemError::unhandled("away"));
            }
            let item = input.item().unwrap().clone();
            let (names, values) = (input.expression_attribute_names(), input.expression_attribute_values());
            if let Err(refused) = table.expects(&key_of(&item), input.condition_expression(), names, values) {
                return MockResponse::Error(PutItemError::ConditionalCheckFailedException(*refused));
            }
            table.log.add(format!("put {}", text(&item, "sk")));
            table.items.lock().unwrap().insert(key_of(&item), item);
            MockResponse::Output(PutItemOutput::builder().build())
        })
    }

    fn deletes(&self) -> Rule {
        let table = self.clone();
        mock!(Client::delete_item).then_compute_response(move |input: &DeleteItemInput| {
            let key = key_of(input.key().unwrap());
            let (names, values) = (input.expression_attribute_names(), input.expression_attribute_values());
            if let Err(refused) = table.expects(&key, input.condition_expression(), names, values) {
                return MockResponse::Error(DeleteItemError::ConditionalCheckFailedException(*refused));
            }
            table.log.add(format!("delete {}", key.1));
            table.items.lock().unwrap().remove(&key);
            MockResponse::Output(DeleteItemOutput::builder().build())
        })
    }

    /// Whether the item under a key fits the condition of a write that replaces or removes it.
    fn expects(
        &self,
        key: &Key,
        condition: Option<&str>,
        names: Option<&HashMap<String, String>>,
        values: Option<&HashMap<String, AttributeValue>>,
    ) -> Result<(), Box<ConditionalCheckFailedException>> {
        let Some(condition) = condition else { return Ok(()) };
        let (names, values) = (names.cloned().unwrap_or_default(), values.cloned().unwrap_or_default());
        let before = self.items.lock().unwrap().get(key).cloned();
        let mut expressions = Expressions::new(&names, &values);
        let holds = expressions.holds(condition, &before.clone().unwrap_or_default());
        expressions.finish();
        if holds {
            return Ok(());
        }
        self.log.add(format!("refused {}", key.1));
        Err(Box::new(ConditionalCheckFailedException::builder().set_item(before).build()))
    }
}

/// The page of what was found that a query asks for.
fn page(items: Vec<Item>, input: &QueryInput) -> QueryOutput {
    let start = input.exclusive_start_key().map(key_of);
    let after = start.and_then(|start| items.iter().position(|item| key_of(item) == start)).map_or(0, |at| at + 1);
    let limit = input.limit().and_then(|limit| usize::try_from(limit).ok()).unwrap_or(usize::MAX);
    let is_more = items.len() - after > limit;
    let items: Vec<_> = items.into_iter().skip(after).take(limit).collect();
    let last = items.last().filter(|_| is_more).map(|item| {
        let key = ["pk", "sk"].map(|name| (name.to_owned(), item[name].clone()));
        Item::from(key)
    });
    let count = i32::try_from(items.len()).unwrap();
    QueryOutput::builder().set_items(Some(items)).count(count).set_last_evaluated_key(last).build()
}

/// What a write does to an export, in a word or two.
fn described(before: Option<&Item>, after: &Item) -> String {
    let status = |item: Option<&Item>| item.map(|item| text(item, "status").to_owned());
    let is_new_status = status(before) != status(Some(after));
    let waits = |item: Option<&Item>| item.map(|item| text(item, "waits_for").to_owned()).unwrap_or_default();
    let status = Some(text(after, "status")).filter(|_| is_new_status).unwrap_or_default();
    let waits = Some(waits(Some(after))).filter(|word| *word != waits(before)).unwrap_or_default();
    [status, &waits].into_iter().filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

/// A text as an attribute.
pub(crate) fn attribute(value: impl Into<String>) -> AttributeValue {
    AttributeValue::S(value.into())
}
