//! `DynamoDB`: keeps items, honours conditions, and counts what each call is charged.

mod capacity;
mod expression;
pub mod item;
mod query;
mod schema;
mod table;

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use http::StatusCode;
use serde_json::{Map, Value, json};

use self::capacity::{read_units, write_units};
use self::expression::Expression;
use self::item::{Item, size};
pub use self::schema::{Index, Schema, SchemaError};
use self::table::{Key, Table};
use super::aws::{Answered, Refusal, json};

/// Key of the tables that the libraries of the peers keep.
const PEERS_KEY: &str = "id";

/// What was charged.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Units {
    /// Write request units, of the table and its indexes.
    pub write: u64,
    /// Read request units.
    pub read: f64,
}

/// The tables of a run.
#[derive(Debug)]
pub struct DynamoDb {
    schema: Schema,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    tables: BTreeMap<String, Table>,
    units: Units,
}

impl DynamoDb {
    pub(super) fn new(schema: Schema) -> Self {
        Self { schema, state: Mutex::default() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What was charged until now.
    pub fn units(&self) -> Units {
        self.state().units
    }

    /// Drops all items.
    pub fn clear(&self) {
        self.state().tables.clear();
    }

    /// The items of a table.
    pub fn items(&self, table: &str) -> Vec<Item> {
        self.state().tables.get(table).map(|table| table.items().cloned().collect()).unwrap_or_default()
    }

    /// Puts an item into a table, free of charge.
    pub fn seed(&self, table: &str, item: Item) {
        let mut state = self.state();
        let table = state.table(table, &item, &self.schema);
        if let Some(key) = table.key(&item) {
            table.set(&key, Some(item));
        }
    }

    pub(super) fn answer(&self, operation: &str, body: &Bytes) -> Answered {
        let request: Value = serde_json::from_slice(body).map_err(|error| Refusal::invalid(error.to_string()))?;
        let name = request["TableName"].as_str().unwrap_or_default();
        let mut state = self.state();
        if operation == "Query" {
            let table = state.tables.entry(name.to_owned()).or_insert_with(|| Table::new(self.schema.clone()));
            let page = query::query(table, &request).map_err(Refusal::invalid)?;
            state.units.read += page.units;
            return Ok(json(StatusCode::OK, &page.answer));
        }
        let of = if operation == "PutItem" { "Item" } else { "Key" };
        let given = request[of].as_object().ok_or_else(|| Refusal::invalid(format!("expected {of}")))?;
        let State { tables, units } = &mut *state;
        let table = table(tables, name, given, &self.schema);
        let key = table.key(given).ok_or_else(|| Refusal::invalid("expected the table's key"))?;
        match operation {
            "GetItem" => {
                let item = table.get(&key);
                units.read += read_units(item.map_or(0, size), request["ConsistentRead"] == true);
                Ok(json(StatusCode::OK, &item.map_or_else(|| json!({}), |item| json!({ "Item": item }))))
            }
            "PutItem" | "UpdateItem" | "DeleteItem" => write(table, units, operation, &key, given, &request),
            other => Err(Refusal::invalid(format!("DynamoDB has no {other} here"))),
        }
    }
}

impl State {
    fn table(&mut self, name: &str, item: &Item, schema: &Schema) -> &mut Table {
        table(&mut self.tables, name, item, schema)
    }
}

/// The table of a name, made when it is first used: ours, or one with the key that the peers' libraries use.
fn table<'a>(tables: &'a mut BTreeMap<String, Table>, name: &str, item: &Item, schema: &Schema) -> &'a mut Table {
    tables.entry(name.to_owned()).or_insert_with(|| {
        let is_peers = item.contains_key(PEERS_KEY) && !schema.key.iter().all(|name| item.contains_key(name));
        let theirs = || Schema { key: vec![PEERS_KEY.to_owned()], indexes: Vec::new() };
        Table::new(if is_peers { theirs() } else { schema.clone() })
    })
}

fn write(table: &mut Table, units: &mut Units, operation: &str, key: &Key, given: &Item, request: &Value) -> Answered {
    let none = Map::new();
    let map = |name: &str| request[name].as_object().unwrap_or(&none);
    let (names, values) = (map("ExpressionAttributeNames"), map("ExpressionAttributeValues"));
    let before = table.get(key).cloned();
    if let Some(condition) = request["ConditionExpression"].as_str() {
        let holds = Expression::new(condition, names, values).holds(before.as_ref().unwrap_or(&none));
        if !holds.map_err(Refusal::invalid)? {
            // A write that is refused is charged by the size of the item all the same.
            units.write += write_units(&Schema::default(), before.as_ref(), None);
            return Err(refused(request, before));
        }
    }
    let after = match operation {
        "PutItem" => Some(given.clone()),
        "DeleteItem" => None,
        _ => {
            let update = request["UpdateExpression"].as_str().unwrap_or_default();
            let item = before.as_ref().unwrap_or(given);
            Some(Expression::new(update, names, values).updated(item).map_err(Refusal::invalid)?)
        }
    };
    units.write += write_units(&table.schema, before.as_ref(), after.as_ref());
    let answer = match request["ReturnValues"].as_str() {
        Some("ALL_NEW") => json!({ "Attributes": after }),
        Some("ALL_OLD") if before.is_some() => json!({ "Attributes": before }),
        _ => json!({}),
    };
    table.set(key, after);
    Ok(json(StatusCode::OK, &answer))
}

fn refused(request: &Value, item: Option<Item>) -> Refusal {
    let is_wanted = request["ReturnValuesOnConditionCheckFailure"] == "ALL_OLD";
    Refusal {
        code: "ConditionalCheckFailedException",
        message: "The conditional request failed".into(),
        item: item.filter(|_| is_wanted).map(Value::Object),
        is_expected: true,
    }
}
