//! The items of a table, and the order of its indexes.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

use super::item::{Item, text};
use super::schema::{Index, Schema};

/// Partition and sort key; the latter is empty where there is none. All keys are texts.
pub(super) type Key = (String, String);
/// Where an item is in an index: partition, sort key, and the item's own key.
type Place = (String, String, Key);

/// Items by key, and each index as a sorted set of places.
#[derive(Debug)]
pub(super) struct Table {
    pub(super) schema: Schema,
    items: BTreeMap<Key, Item>,
    indexes: Vec<BTreeSet<Place>>,
}

impl Table {
    pub(super) fn new(schema: Schema) -> Self {
        let indexes = schema.indexes.iter().map(|_| BTreeSet::new()).collect();
        Self { schema, items: BTreeMap::new(), indexes }
    }

    /// The key of an item, or of a request.
    pub(super) fn key(&self, item: &Item) -> Option<Key> {
        let mut parts = self.schema.key.iter().map(|name| text(item, name).map(ToOwned::to_owned));
        let partition = parts.next()??;
        let sort = parts.next().unwrap_or(Some(String::new()))?;
        Some((partition, sort))
    }

    pub(super) fn items(&self) -> impl Iterator<Item = &Item> {
        self.items.values()
    }

    pub(super) fn get(&self, key: &Key) -> Option<&Item> {
        self.items.get(key)
    }

    /// Puts an item there, or takes it away.
    pub(super) fn set(&mut self, key: &Key, item: Option<Item>) {
        let new = |index| item.as_ref().and_then(|item| place(index, item, key));
        let new: Vec<_> = self.schema.indexes.iter().map(new).collect();
        let before = match item {
            Some(item) => self.items.insert(key.clone(), item),
            None => self.items.remove(key),
        };
        for ((index, places), new) in self.schema.indexes.iter().zip(&mut self.indexes).zip(new) {
            if let Some(place) = before.as_ref().and_then(|before| place(index, before, key)) {
                places.remove(&place);
            }
            places.extend(new);
        }
    }

    /// Keys of a partition of the table in its order, after `start`.
    pub(super) fn partition(&self, partition: &str, start: Option<&Key>) -> Vec<Key> {
        let first = (partition.to_owned(), String::new());
        let from = start.map_or(Bound::Included(&first), Bound::Excluded);
        let keys = self.items.range((from, Bound::Unbounded)).map(|(key, _)| key);
        keys.take_while(|(hash, _)| hash == partition).cloned().collect()
    }

    /// Keys of a partition of an index in its order, after the item `start`.
    pub(super) fn index_partition(&self, number: usize, partition: &str, start: Option<&Item>) -> Option<Vec<Key>> {
        let (index, places) = (self.schema.indexes.get(number)?, self.indexes.get(number)?);
        let start = start.and_then(|start| place(index, start, &self.key(start)?));
        let first = (partition.to_owned(), String::new(), Key::default());
        let from = start.as_ref().map_or(Bound::Included(&first), Bound::Excluded);
        let places = places.range((from, Bound::Unbounded)).take_while(|(hash, _, _)| hash == partition);
        Some(places.map(|(_, _, key)| key.clone()).collect())
    }
}

fn place(index: &Index, item: &Item, key: &Key) -> Option<Place> {
    let mut parts = index.key.iter().map(|name| text(item, name).map(ToOwned::to_owned));
    let partition = parts.next()??;
    let sort = parts.next().unwrap_or(Some(String::new()))?;
    Some((partition, sort, key.clone()))
}
