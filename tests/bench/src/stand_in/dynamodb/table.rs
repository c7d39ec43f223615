//! The items of a table, and the order of its indexes.

use std::collections::{BTreeMap, BTreeSet};

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

    /// Keys of a partition of the table in its order or against it, after `start`.
    pub(super) fn partition(&self, partition: &str, start: Option<&Key>, is_forward: bool) -> Vec<Key> {
        let first = (partition.to_owned(), String::new());
        let keys = self.items.range(first..).map(|(key, _)| key).take_while(|(hash, _)| hash == partition);
        after(keys.cloned().collect(), start, is_forward)
    }

    /// Keys of a partition of an index in its order or against it, after the item `start`.
    pub(super) fn index_partition(
        &self,
        number: usize,
        partition: &str,
        start: Option<&Item>,
        is_forward: bool,
    ) -> Option<Vec<Key>> {
        let (index, places) = (self.schema.indexes.get(number)?, self.indexes.get(number)?);
        let start = start.and_then(|start| place(index, start, &self.key(start)?));
        let first = (partition.to_owned(), String::new(), Key::default());
        let places = places.range(first..).take_while(|(hash, _, _)| hash == partition);
        let places = after(places.cloned().collect(), start.as_ref(), is_forward);
        Some(places.into_iter().map(|(_, _, key)| key).collect())
    }
}

/// What comes after `start` of what is sorted, in its order or against it.
fn after<T: Ord>(mut sorted: Vec<T>, start: Option<&T>, is_forward: bool) -> Vec<T> {
    sorted.retain(|one| start.is_none_or(|start| if is_forward { one > start } else { one < start }));
    if !is_forward {
        sorted.reverse();
    }
    sorted
}

fn place(index: &Index, item: &Item, key: &Key) -> Option<Place> {
    let mut parts = index.key.iter().map(|name| text(item, name).map(ToOwned::to_owned));
    let partition = parts.next()??;
    let sort = parts.next().unwrap_or(Some(String::new()))?;
    Some((partition, sort, key.clone()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_goes_on_in_its_own_direction() {
        assert_eq!(after(vec![1, 2, 3, 4], Some(&2), true), [3, 4]);
        assert_eq!(after(vec![1, 2, 3, 4], Some(&3), false), [2, 1]);
        assert_eq!(after(vec![1, 2], None, false), [2, 1]);
    }
}
