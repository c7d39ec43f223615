//! `Query`, page by page, of the table or an index.

use serde_json::{Map, Value, json};

use super::capacity::{projected, read_units};
use super::expression::Expression;
use super::item::{Item, size};
use super::table::{Key, Table};

/// Most bytes of one page.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Query.Pagination.html>
const PAGE_BYTES: usize = 1024 * 1024;

/// What a query answers, and what it costs.
pub(super) struct Page {
    pub(super) answer: Value,
    pub(super) units: f64,
}

/// Answers a `Query`.
pub(super) fn query(table: &Table, request: &Value) -> Result<Page, String> {
    let none = Map::new();
    let map = |name: &str| request[name].as_object().unwrap_or(&none);
    let (names, values) = (map("ExpressionAttributeNames"), map("ExpressionAttributeValues"));
    let condition = request["KeyConditionExpression"].as_str().ok_or("expected a KeyConditionExpression")?;
    let limit = request["Limit"].as_u64().and_then(|limit| usize::try_from(limit).ok()).unwrap_or(usize::MAX);
    let read = |text| Expression::new(text, names, values);
    let (_, partition) = read(condition).hash_key()?;
    let keys = keys(table, request, partition["S"].as_str().unwrap_or_default())?;
    let (mut items, mut bytes, mut scanned, mut last) = (Vec::new(), 0, 0_usize, None);
    for key in keys {
        let Some(item) = table.get(&key) else { continue };
        let entry = index(table, request).and_then(|(_, index)| projected(&table.schema, index, item));
        let entry = entry.unwrap_or_else(|| item.clone());
        if !read(condition).holds(&entry)? {
            continue;
        }
        bytes += size(&entry);
        scanned += 1;
        let is_wanted = request["FilterExpression"].as_str().map_or(Ok(true), |filter| read(filter).holds(&entry))?;
        if scanned == limit || bytes >= PAGE_BYTES {
            last = Some(position(table, request, item));
        }
        if is_wanted {
            items.push(Value::Object(entry));
        }
        if last.is_some() {
            break;
        }
    }
    let mut answer = json!({ "Count": items.len(), "ScannedCount": scanned });
    if request["Select"] != "COUNT" {
        answer["Items"] = items.into();
    }
    if let Some(last) = last {
        answer["LastEvaluatedKey"] = Value::Object(last);
    }
    Ok(Page { answer, units: read_units(bytes, request["ConsistentRead"] == true) })
}

fn index<'a>(table: &'a Table, request: &Value) -> Option<(usize, &'a super::schema::Index)> {
    let name = request["IndexName"].as_str()?;
    table.schema.indexes.iter().enumerate().find(|(_, index)| index.name == name)
}

fn keys(table: &Table, request: &Value, partition: &str) -> Result<Vec<Key>, String> {
    let start = request["ExclusiveStartKey"].as_object();
    let is_forward = request["ScanIndexForward"] != false;
    match (request["IndexName"].as_str(), index(table, request)) {
        (None, _) => Ok(table.partition(partition, start.and_then(|start| table.key(start)).as_ref(), is_forward)),
        (Some(_), Some((number, _))) => {
            Ok(table.index_partition(number, partition, start, is_forward).unwrap_or_default())
        }
        (Some(name), None) => Err(format!("there is no index {name:?}")),
    }
}

/// Where the next page goes on.
fn position(table: &Table, request: &Value, item: &Item) -> Item {
    let index = index(table, request).map(|(_, index)| index.key.iter()).into_iter().flatten();
    let names = table.schema.key.iter().chain(index);
    names.filter_map(|name| Some((name.clone(), item.get(name)?.clone()))).collect()
}
