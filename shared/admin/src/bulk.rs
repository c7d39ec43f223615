//! The same action on many exports: by keys or by filter, as a dry run or for real, with a word on each.

use futures_util::{StreamExt, stream};
use ordersync::clock;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::part::MOST;
use crate::{Action, Actor, Admin, AdminError, Filter, Key, Kind, Page, allowed};

/// Exports that are worked on at the same time.
const AT_ONCE: usize = 8;
/// Exports of a call where none are said.
const USUAL: u32 = 100;

/// Which exports.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Selection {
    /// These.
    Keys(#[schemars(length(max = 500))] Vec<Key>),
    /// All that a filter takes, page by page.
    Filter(Filter),
}

/// What is to be done with many exports.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Bulk {
    /// What.
    pub action: Action,
    /// With which.
    pub selection: Selection,
    /// Whether to only say what would be done.
    #[serde(default)]
    pub dry_run: bool,
    /// At most so many of what a filter takes, in this call: 100 where nothing is said, 500 at most.
    #[serde(default, deserialize_with = "crate::limit")]
    #[schemars(with = "Option<u32>", range(min = 1, max = 500))]
    pub limit: Option<u32>,
    /// Where an earlier call with the same filter ended.
    #[serde(default)]
    pub cursor: Option<String>,
}

/// What became of one of many.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It was done, or would be.
    Done,
    /// Its state does not allow it, or changed at the same moment.
    Refused,
    /// It could not be done now.
    Failed,
}

/// One of many.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Single {
    /// Which export.
    pub key: Key,
    /// What became of it.
    pub outcome: Outcome,
    /// Why, or what is to be known besides.
    pub note: Option<String>,
}

/// What became of many.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct BulkReport {
    /// Whether nothing was changed.
    pub dry_run: bool,
    /// How many were done, or would be.
    pub done: u32,
    /// How many were refused.
    pub refused: u32,
    /// How many failed.
    pub failed: u32,
    /// Each of them.
    pub exports: Vec<Single>,
    /// Where to go on; nothing at the end. There may be more to come after a call that found none.
    pub cursor: Option<String>,
}

impl Admin {
    /// Does something with many exports, each by itself and as far as its state allows it. Every one is in the audit log.
    ///
    /// # Errors
    /// More keys than a call takes; a list that cannot be had. What fails of a single export is in the report.
    pub async fn bulk(&self, actor: &Actor, bulk: &Bulk) -> Result<BulkReport, AdminError> {
        let (keys, cursor) = self.selected(bulk).await?;
        let one = |key: Key| async move {
            let done = if bulk.dry_run {
                self.would(bulk.action, &key).await.map(|()| None)
            } else {
                self.act(actor, bulk.action, &key).await.map(|done| done.note)
            };
            single(key, done)
        };
        let exports = stream::iter(keys).map(one).buffered(AT_ONCE).collect().await;
        Ok(BulkReport::new(bulk.dry_run, exports, cursor))
    }

    async fn selected(&self, bulk: &Bulk) -> Result<(Vec<Key>, Option<String>), AdminError> {
        match &bulk.selection {
            Selection::Keys(keys) if keys.len() > MOST as usize => {
                Err(AdminError::invalid(format!("keys: expected at most {MOST}, found {}", keys.len())))
            }
            Selection::Keys(keys) => Ok((keys.clone(), None)),
            Selection::Filter(filter) => {
                let limit = bulk.limit.unwrap_or(USUAL).clamp(1, MOST);
                let page = Page { limit: Some(limit), cursor: bulk.cursor.clone() };
                let listing = self.list(filter, &page).await?;
                Ok((listing.exports.into_iter().map(|row| row.key).collect(), listing.cursor))
            }
        }
    }

    async fn would(&self, action: Action, key: &Key) -> Result<(), AdminError> {
        let row = self.row(key).await?;
        allowed(&row, action, clock::now()).map_err(|refusal| AdminError::refused(refusal.to_string()))
    }
}

fn single(key: Key, done: Result<Option<String>, AdminError>) -> Single {
    match done {
        Ok(note) => Single { key, outcome: Outcome::Done, note },
        Err(error) => {
            let outcome = if error.kind == Kind::Unavailable { Outcome::Failed } else { Outcome::Refused };
            Single { key, outcome, note: Some(error.message) }
        }
    }
}

impl BulkReport {
    fn new(dry_run: bool, exports: Vec<Single>, cursor: Option<String>) -> Self {
        let count = |outcome| {
            let count = exports.iter().filter(|single| single.outcome == outcome).count();
            u32::try_from(count).unwrap_or(u32::MAX)
        };
        let (done, refused, failed) = (count(Outcome::Done), count(Outcome::Refused), count(Outcome::Failed));
        Self { dry_run, done, refused, failed, exports, cursor }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_counts_what_became_of_each() {
        let key = |order: &str| Key { shop: "acme".into(), order: order.into(), pipeline: "erp".into() };
        let singles = [
            single(key("1"), Ok(None)),
            single(key("2"), Err(AdminError::refused("no"))),
            single(key("3"), Err(AdminError::conflict("it has changed"))),
            single(key("4"), Err(AdminError::unavailable("away"))),
        ];
        let outcomes = singles.iter().map(|single| single.outcome).collect::<Vec<_>>();
        assert_eq!(outcomes, [Outcome::Done, Outcome::Refused, Outcome::Refused, Outcome::Failed]);
        let report = BulkReport::new(false, singles.to_vec(), None);
        assert_eq!((report.done, report.refused, report.failed), (1, 2, 1));
    }
}
