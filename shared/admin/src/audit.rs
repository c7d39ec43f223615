//! Who did what, with what, when, and what came of it: a row in the ledger's table and a line in the log.

use std::sync::atomic::{AtomicU64, Ordering};

use jiff::Timestamp;
use ordersync::clock;
use ordersync::ledger::{Note, NotePlace, day_before, day_of};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Actor, Admin, AdminError};

/// Days that are looked through for one page.
const DAYS: usize = 31;
/// Entries of a page where none are asked for, and the most that are given.
const USUAL: usize = 100;
const MOST: usize = 500;
/// Longest outcome that is kept, in characters.
const LONGEST: usize = 500;

/// Something that somebody did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Entry {
    /// When.
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub at: Timestamp,
    /// Who.
    pub who: Actor,
    /// What: `reset`, `export-now`, `pause`, `reveal-payload`.
    pub action: String,
    /// With what: `shop:order:pipeline`, a pipeline, a template.
    pub what: String,
    /// Whether it was done.
    pub is_done: bool,
    /// What came of it, or why it was not done.
    pub outcome: String,
}

/// A page of the audit log, newest first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Audited {
    /// The entries.
    pub entries: Vec<Entry>,
    /// Where to go on; nothing at the end.
    pub cursor: Option<String>,
}

impl Entry {
    pub(crate) fn new(who: &Actor, action: &str, what: &str, is_done: bool, outcome: &str) -> Self {
        Self {
            at: clock::now(),
            who: who.clone(),
            action: action.to_owned(),
            what: what.to_owned(),
            is_done,
            outcome: outcome.chars().take(LONGEST).collect(),
        }
    }

    fn to_note(&self) -> Note {
        Note {
            at: self.at,
            who: self.who.0.clone(),
            action: self.action.clone(),
            what: self.what.clone(),
            is_done: self.is_done,
            outcome: self.outcome.clone(),
        }
    }
}

impl From<Note> for Entry {
    fn from(note: Note) -> Self {
        Self {
            at: note.at,
            who: Actor(note.who),
            action: note.action,
            what: note.what,
            is_done: note.is_done,
            outcome: note.outcome,
        }
    }
}

impl Admin {
    /// Notes what was done, as far as the table answers: it is done, and the line in the log says so in any case.
    pub(crate) async fn note(&self, entry: Entry) {
        if let Err(error) = self.note_first(&entry).await {
            tracing::error!(error = %error, "not in the audit log, but in this one: {error}");
        }
    }

    /// Notes what is about to be done, for what is not to be done unless it is noted.
    pub(crate) async fn note_first(&self, entry: &Entry) -> Result<(), AdminError> {
        let Entry { who, action, what, is_done, outcome, .. } = entry;
        tracing::info!(who = who.0, action, what, is_done, outcome, "audit: {} {action} {what}", who.0);
        Ok(self.ledger.write_down(&entry.to_note(), &unique()).await?)
    }

    /// A page of the audit log, newest first. One that finds nothing for a month ends there and goes on with its cursor.
    ///
    /// # Errors
    /// A cursor that is none; a ledger that does not answer.
    pub async fn audited(&self, limit: Option<u32>, cursor: Option<&str>) -> Result<Audited, AdminError> {
        let bad = || AdminError::not_found("cursor: expected one that the audit log has returned");
        let mut after = cursor.map(|cursor| NotePlace::from_text(cursor).ok_or_else(bad)).transpose()?;
        let from = after.as_ref().and_then(|place| place.as_str().split_once('#')?.0.parse::<Timestamp>().ok());
        let limit = limit.and_then(|limit| usize::try_from(limit).ok()).unwrap_or(USUAL).clamp(1, MOST);
        let mut day = day_of(from.unwrap_or_else(clock::now));
        let mut page = Audited::default();
        for _ in 0..DAYS {
            loop {
                let (notes, more) = self.ledger.notes(day, after.as_ref()).await?;
                for (place, note) in notes {
                    page.entries.push(note.into());
                    if page.entries.len() >= limit {
                        page.cursor = Some(place.as_str().to_owned());
                        return Ok(page);
                    }
                }
                after = more;
                if after.is_none() {
                    break;
                }
            }
            match day_before(day) {
                Some(before) => day = before,
                None => return Ok(page),
            }
        }
        // The end of the day that is next, so that whoever looks further back can.
        page.cursor = is_kept(day).then(|| format!("{day}T23:59:59.999Z#~"));
        Ok(page)
    }
}

/// Whether notes of a day may still be there.
fn is_kept(day: jiff::civil::Date) -> bool {
    let oldest = clock::earlier(clock::now(), std::time::Duration::from_hours(400 * 24));
    day >= day_of(oldest)
}

/// Tells notes of the same millisecond apart.
fn unique() -> String {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let process = std::process::id();
    format!("{process:x}-{:x}-{:x}", COUNT.fetch_add(1, Ordering::Relaxed), clock::now().as_nanosecond() % 1_000_000)
}
