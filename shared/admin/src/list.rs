//! Exports, newest first, from the index by status.

use std::collections::BTreeSet;

use futures_util::{StreamExt, TryStreamExt, stream};
use jiff::Timestamp;
use ordersync::ledger::{Ledger, LedgerError, Span, Status, Summary};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::cursor::Place;
use crate::merge::{self, Stream};
use crate::part::MOST;
use crate::{Admin, AdminError, ExportRow};

/// Exports of a page where none are asked for.
const USUAL: u32 = 50;
/// Most entries of the index that are looked at for one page: with a filter that hardly any export fits, a page comes
/// short rather than late.
const MOST_EXAMINED: u32 = 5000;
/// Partitions of the index that are read at the same time.
const AT_ONCE: usize = 16;
/// Entries that are read of a partition at once: for all of them together to fill a page, and not much more; where much
/// is passed over, as many as a page of the index has.
const FEWEST: i32 = 10;
const READ: i32 = 200;

/// Which exports. What is left out does not matter.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Filter {
    /// In one of these states; none means in any.
    #[schemars(with = "Vec<Status>")]
    pub status: BTreeSet<Status>,
    /// Of this pipeline.
    pub pipeline: Option<String>,
    /// Of this shop.
    pub shop: Option<String>,
    /// Whose state last changed then or later.
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    pub since: Option<Timestamp>,
    /// Whose state last changed then or earlier.
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    pub until: Option<Timestamp>,
    /// Whose last error has this text in it, in small or capital letters.
    pub error_text: Option<String>,
}

/// Which part of a list.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Page {
    /// At most so many exports: 50 where nothing is said, 500 at most.
    #[serde(default, deserialize_with = "crate::limit")]
    #[schemars(with = "Option<u32>", range(min = 1, max = 500))]
    pub limit: Option<u32>,
    /// Where an earlier page ended.
    pub cursor: Option<String>,
}

/// A page of exports, newest change first.
///
/// An export that stays as it is comes once. One that changes while the list is gone through moves to its top: it does
/// not come a second time, and where it has not come yet, it is on a new first page.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Listing {
    /// The exports.
    pub exports: Vec<ExportRow>,
    /// Where to go on; nothing at the end. A page may come short, or empty, and the list go on all the same.
    pub cursor: Option<String>,
    /// How many were looked at.
    pub examined: u32,
}

impl Filter {
    /// Whether an export is one of them, as far as its place in the index does not say.
    fn takes(&self, row: &Summary) -> bool {
        let is = |wanted: &Option<String>, found: &str| wanted.as_ref().is_none_or(|wanted| wanted == found);
        let has_text = |text: &String| {
            let error = row.last_error.as_deref().unwrap_or_default();
            error.to_lowercase().contains(&text.to_lowercase())
        };
        is(&self.pipeline, &row.key.pipeline)
            && is(&self.shop, &row.key.shop)
            && self.error_text.as_ref().is_none_or(has_text)
    }

    fn spans(&self, after: Option<&Place>) -> Vec<Span> {
        let until = [self.until, after.map(|place| place.at)].into_iter().flatten().min();
        let wanted = |status: &Status| self.status.is_empty() || self.status.contains(status);
        let statuses = Status::ALL.into_iter().filter(wanted);
        let span = |status, shard| Span { status, shard, since: self.since, until };
        statuses.flat_map(|status| (0..Ledger::SHARDS).map(move |shard| span(status, shard))).collect()
    }

    /// Whether it passes over entries of the index.
    fn passes_over(&self) -> bool {
        self.pipeline.is_some() || self.shop.is_some() || self.error_text.is_some()
    }
}

impl Admin {
    /// A page of the exports that a filter takes, newest change first.
    ///
    /// # Errors
    /// A cursor that is none; a ledger that does not answer.
    pub async fn list(&self, filter: &Filter, page: &Page) -> Result<Listing, AdminError> {
        let after = page.cursor.as_deref().map(Place::from_cursor).transpose()?;
        let limit = page.limit.unwrap_or(USUAL).clamp(1, MOST);
        let mut streams = self.open(filter, limit, after).await?;
        let mut listing = Listing::default();
        while let Some((from, row)) = merge::next(&mut streams) {
            listing.examined += 1;
            let here = merge::place(&row);
            if filter.takes(&row) {
                listing.exports.push(row.into());
            }
            let is_full = listing.exports.len() >= limit as usize || listing.examined >= MOST_EXAMINED;
            if merge::wants_more(&streams[from]) {
                if is_full {
                    listing.cursor = Some(here.to_cursor());
                    break;
                }
                streams[from].fill().await?;
            }
            if is_full {
                let is_more = streams.iter().any(|stream| !stream.is_over());
                listing.cursor = is_more.then(|| here.to_cursor());
                break;
            }
        }
        Ok(listing)
    }

    /// The beginnings of every partition that the filter is about.
    async fn open(&self, filter: &Filter, limit: u32, after: Option<Place>) -> Result<Vec<Stream>, LedgerError> {
        let spans = filter.spans(after.as_ref());
        let share = i32::try_from(u64::from(limit) / Ledger::SHARDS).unwrap_or(READ) + 2;
        let read = if filter.passes_over() { READ } else { share.clamp(FEWEST, READ) };
        let open = spans.into_iter().map(|span| {
            let mut stream = Stream::new(self.ledger.newest(span, read), after.clone());
            async move { stream.fill().await.map(|()| stream) }
        });
        stream::iter(open).buffered(AT_ONCE).try_collect().await
    }
}
