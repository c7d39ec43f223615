//! What a write costs: by the size of the item, and by the indexes that `template.yaml` gives the table.

use std::ops::AddAssign;

use super::expression::Item;
use crate::ledger::item_bytes;

const TEMPLATE: &str = include_str!("../../../template.yaml");

/// Write units, as `DynamoDB` charges them for requests that are not transactions.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Units {
    pub(crate) table: u64,
    pub(crate) indexes: u64,
}

impl AddAssign for Units {
    fn add_assign(&mut self, other: Self) {
        self.table += other.table;
        self.indexes += other.indexes;
    }
}

/// An index of the table.
#[derive(Debug, PartialEq, Eq)]
struct Index {
    name: &'static str,
    keys: Vec<&'static str>,
    projected: Vec<&'static str>,
}

/// The indexes as the template has them.
fn indexes() -> Vec<Index> {
    let attribute = |line: &'static str| line.split("AttributeName: ").nth(1)?.split(',').next();
    let table = TEMPLATE.split("GlobalSecondaryIndexes:").nth(1).expect("indexes");
    let table = table.split("\n\n").next().expect("an end");
    let index = |text: &'static str| {
        let projected = text.split("NonKeyAttributes: [").nth(1).and_then(|list| list.split(']').next());
        Index {
            name: text.lines().next().expect("a name").trim(),
            keys: text.lines().filter_map(attribute).collect(),
            projected: projected.map(|list| list.split(", ").collect()).unwrap_or_default(),
        }
    };
    table.split("- IndexName:").skip(1).map(index).collect()
}

impl Index {
    /// What the index has of an item, if that has its keys.
    fn entry(&self, item: Option<&Item>) -> Option<Item> {
        let item = item?;
        if !self.keys.iter().all(|key| item.contains_key(*key)) {
            return None;
        }
        let names = ["pk", "sk"].iter().chain(&self.keys).chain(&self.projected);
        Some(names.filter_map(|name| Some(((*name).to_owned(), item.get(*name)?.clone()))).collect())
    }

    /// An entry that comes or goes costs a write; one whose keys change goes and comes; one that has nothing new costs
    /// nothing.
    fn units(&self, before: Option<&Item>, after: Option<&Item>) -> u64 {
        let keys = |entry: &Item| self.keys.iter().map(|key| entry[*key].clone()).collect::<Vec<_>>();
        match (self.entry(before), self.entry(after)) {
            (None, None) => 0,
            (Some(one), None) | (None, Some(one)) => kilobytes(&one),
            (Some(before), Some(after)) if before == after => 0,
            (Some(before), Some(after)) if keys(&before) == keys(&after) => kilobytes(&before).max(kilobytes(&after)),
            (Some(before), Some(after)) => kilobytes(&before) + kilobytes(&after),
        }
    }
}

/// What it costs to make one item of another.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/GSI.html#GSI.ThroughputConsiderations.Writes>
pub(super) fn write_units(before: Option<&Item>, after: Option<&Item>) -> Units {
    let table = [before, after].into_iter().flatten().map(kilobytes).max().unwrap_or(1);
    Units { table, indexes: indexes().iter().map(|index| index.units(before, after)).sum() }
}

fn kilobytes(item: &Item) -> u64 {
    item_bytes(item).div_ceil(1024).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fake::attribute;

    fn item(attributes: &[(&str, &str)]) -> Item {
        let keys = [("pk", "acme#1"), ("sk", "erp")];
        let all = keys.iter().chain(attributes);
        all.map(|(name, value)| ((*name).to_owned(), attribute(*value))).collect()
    }

    #[test]
    fn the_templates_indexes_are_found() {
        let names: Vec<_> = indexes().iter().map(|index| index.name).collect();
        assert_eq!(names, ["by-status", "by-number", "unpaid", "due", "by-customer", "by-external-id"]);
        let by_status = &indexes()[0];
        assert_eq!(by_status.keys, ["status_key", "updated_at"]);
        assert!(by_status.projected.contains(&"attempts"), "{by_status:?}");
    }

    #[test]
    fn an_entry_costs_when_it_comes_changes_and_goes() {
        let units = |before: &[_], after: &[_]| write_units(Some(&item(before)), Some(&item(after))).indexes;
        let (pending, failed) =
            ([("status_key", "pending#1"), ("updated_at", "1")], [("status_key", "error#1"), ("updated_at", "1")]);
        let counted = [("status_key", "error#1"), ("updated_at", "1"), ("attempts", "2")];
        let unseen = [("status_key", "error#1"), ("updated_at", "1"), ("destination", "x")];
        for (before, after, expected) in [
            (&[][..], &pending[..], 1),
            (&pending, &[], 1),
            (&pending, &failed, 2),
            (&failed, &counted, 1),
            (&failed, &unseen, 0),
            (&failed, &failed, 0),
        ] {
            assert_eq!(units(before, after), expected, "{before:?} {after:?}");
        }
    }

    #[test]
    fn a_write_is_charged_by_the_larger_of_before_and_after() {
        let large = item(&[("payload", &"x".repeat(3000))]);
        for (before, after) in [(None, Some(&large)), (Some(&large), Some(&item(&[]))), (Some(&large), None)] {
            assert_eq!(write_units(before, after).table, 3);
        }
        assert_eq!(write_units(None, Some(&item(&[]))), Units { table: 1, indexes: 0 });
    }
}
