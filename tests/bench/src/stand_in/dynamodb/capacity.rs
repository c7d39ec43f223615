//! What reads and writes are charged, on demand: units of the table and of each index. Pure.
//! <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html>,
//! <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/GSI.html#GSI.ThroughputConsiderations.Writes>

use super::item::{Item, size};
use super::schema::{Index, Schema};

/// Bytes that one write unit pays for.
const WRITE_UNIT: usize = 1024;
/// Bytes that one read unit pays for, read consistently.
const READ_UNIT: usize = 4096;

/// Units of one write: the table by the larger of the item before and after, each index by what changes in it.
pub(super) fn write_units(schema: &Schema, before: Option<&Item>, after: Option<&Item>) -> u64 {
    let sizes = [before, after].map(|item| item.map_or(0, size));
    let table = units(sizes[0].max(sizes[1]), WRITE_UNIT);
    table + schema.indexes.iter().map(|index| index_units(schema, index, before, after)).sum::<u64>()
}

/// Units of a read of so many bytes in all.
pub(super) fn read_units(bytes: usize, is_consistent: bool) -> f64 {
    let units = f64::from(u32::try_from(units(bytes, READ_UNIT)).unwrap_or(u32::MAX));
    if is_consistent { units } else { units / 2.0 }
}

/// What an index costs: an entry that comes, goes or changes one write, one whose key changes two, one that stays none.
fn index_units(schema: &Schema, index: &Index, before: Option<&Item>, after: Option<&Item>) -> u64 {
    let entry = |item: Option<&Item>| item.and_then(|item| projected(schema, index, item));
    match (entry(before), entry(after)) {
        (None, None) => 0,
        (Some(gone), None) => units(size(&gone), WRITE_UNIT),
        (None, Some(new)) => units(size(&new), WRITE_UNIT),
        (Some(old), Some(new)) if old == new => 0,
        (Some(old), Some(new)) if index.key.iter().all(|name| old.get(name) == new.get(name)) => {
            units(size(&old).max(size(&new)), WRITE_UNIT)
        }
        (Some(old), Some(new)) => units(size(&old), WRITE_UNIT) + units(size(&new), WRITE_UNIT),
    }
}

/// What an index has of an item: nothing unless the item has all of its key.
pub(super) fn projected(schema: &Schema, index: &Index, item: &Item) -> Option<Item> {
    if !index.key.iter().all(|name| item.contains_key(name)) {
        return None;
    }
    let is_in = |name: &String| {
        index.projected.as_ref().is_none_or(|projected| projected.contains(name))
            || index.key.contains(name)
            || schema.key.contains(name)
    };
    Some(item.iter().filter(|(name, _)| is_in(name)).map(|(name, value)| (name.clone(), value.clone())).collect())
}

/// Even the least costs one unit.
fn units(bytes: usize, unit: usize) -> u64 {
    u64::try_from(bytes.div_ceil(unit).max(1)).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn schema() -> Schema {
        let index = |name: &str, key: &str| Index {
            name: name.into(),
            key: vec![key.into()],
            projected: Some(["status".to_owned()].into()),
        };
        Schema { key: vec!["pk".into()], indexes: vec![index("due", "due_key"), index("by-status", "status_key")] }
    }

    fn item(value: &Value) -> Item {
        value.as_object().cloned().unwrap()
    }

    #[test]
    fn the_table_and_each_index_that_changes_is_paid_for() {
        let large = "x".repeat(1500);
        let bare = json!({ "pk": { "S": "a" } });
        let open = json!({ "pk": { "S": "a" }, "status_key": { "S": "open" } });
        let done = json!({ "pk": { "S": "a" }, "status_key": { "S": "done" } });
        let noted = json!({ "pk": { "S": "a" }, "status_key": { "S": "open" }, "status": { "S": "x" } });
        let beside = json!({ "pk": { "S": "a" }, "status_key": { "S": "open" }, "note": { "S": "x" } });
        let heavy = json!({ "pk": { "S": "a" }, "payload": { "S": large } });
        let heavy_in_index = json!({ "pk": { "S": "a" }, "status_key": { "S": "open" }, "status": { "S": large } });
        for (name, before, after, expected) in [
            ("a first write, in no index", None, Some(&bare), 1),
            ("a first write, in one index", None, Some(&open), 2),
            ("the key of an index changes", Some(&open), Some(&done), 1 + 2),
            ("what an index projects changes", Some(&open), Some(&noted), 1 + 1),
            ("what no index projects changes", Some(&open), Some(&beside), 1),
            ("nothing changes", Some(&open), Some(&open), 1),
            ("it leaves an index", Some(&open), Some(&bare), 1 + 1),
            ("it goes", Some(&open), None, 1 + 1),
            ("it was large", Some(&heavy), Some(&bare), 2),
            ("it is large in the index too", None, Some(&heavy_in_index), 2 + 2),
        ] {
            let before = before.map(|value: &Value| item(value));
            let after = after.map(|value: &Value| item(value));
            assert_eq!(write_units(&schema(), before.as_ref(), after.as_ref()), expected, "{name}");
        }
    }

    #[test]
    fn reads_are_charged_by_four_kilobytes() {
        for (bytes, is_consistent, expected) in
            [(0, true, 1.0), (4096, false, 0.5), (4097, true, 2.0), (9000, false, 1.5)]
        {
            assert!((read_units(bytes, is_consistent) - expected).abs() < f64::EPSILON, "{bytes} {is_consistent}");
        }
    }
}
