//! What people did, noted in the table beside the exports: a partition a day, which the table forgets by itself.

use std::time::Duration;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

use super::keys::{Item, sortable, text};
use super::{Ledger, LedgerError};
use aws_sdk_dynamodb::types::AttributeValue;

/// How long a note is kept.
const KEPT: Duration = Duration::from_hours(400 * 24);
/// Notes that are read at once.
const PAGE: i32 = 200;

/// Something that somebody did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// When.
    pub at: Timestamp,
    /// Who.
    pub who: String,
    /// What.
    pub action: String,
    /// With what.
    pub what: String,
    /// Whether it was done.
    pub is_done: bool,
    /// What came of it, or why it was not done.
    pub outcome: String,
}

/// A note's place among all of its day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotePlace(String);

impl NotePlace {
    /// As a text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The place that a text is.
    pub fn from_text(place: &str) -> Option<Self> {
        let (at, _) = place.split_once('#')?;
        at.parse::<Timestamp>().ok().map(|_| Self(place.to_owned()))
    }
}

/// Partition of a day's notes. A shop's code is followed by `#`, so that no order is in it.
fn partition(day: Date) -> String {
    format!("journal-{day}")
}

/// The day that a time is on.
pub fn day_of(at: Timestamp) -> Date {
    at.to_zoned(TimeZone::UTC).date()
}

/// The day before.
pub fn day_before(day: Date) -> Option<Date> {
    day.checked_sub(1.day()).ok()
}

impl Ledger {
    /// Notes what somebody did. `unique` tells it from all others of the same millisecond.
    pub async fn write_down(&self, note: &Note, unique: &str) -> Result<(), LedgerError> {
        let until = note.at.as_second().saturating_add_unsigned(KEPT.as_secs());
        let put = self.client.put_item().table_name(&self.table);
        let put = put
            .item("pk", text(&partition(day_of(note.at))))
            .item("sk", text(&format!("{}#{unique}", sortable(note.at))))
            .item("who", text(&note.who))
            .item("action", text(&note.action))
            .item("what", text(&note.what))
            .item("is_done", AttributeValue::Bool(note.is_done))
            .item("outcome", text(&note.outcome))
            .item("expires_at", AttributeValue::N(until.to_string()));
        put.send().await.map(drop).map_err(|failure| LedgerError::unavailable(&failure))
    }

    /// Notes of a day, newest first, from a place on; and the place of the last, where there are more.
    pub async fn notes(
        &self,
        day: Date,
        after: Option<&NotePlace>,
    ) -> Result<(Vec<(NotePlace, Note)>, Option<NotePlace>), LedgerError> {
        let start = after
            .map(|place| Item::from([("pk".to_owned(), text(&partition(day))), ("sk".to_owned(), text(&place.0))]));
        let query = self.client.query().table_name(&self.table).scan_index_forward(false).limit(PAGE);
        let query =
            query.key_condition_expression("pk = :day").expression_attribute_values(":day", text(&partition(day)));
        let answer = query.set_exclusive_start_key(start).send().await;
        let answer = answer.map_err(|failure| LedgerError::unavailable(&failure))?;
        let more = answer.last_evaluated_key().and_then(|key| Some(NotePlace(key.get("sk")?.as_s().ok()?.clone())));
        Ok((answer.items().iter().filter_map(note).collect(), more))
    }
}

fn note(item: &Item) -> Option<(NotePlace, Note)> {
    let text = |name: &str| item.get(name).and_then(|value| value.as_s().ok()).cloned();
    let sk = text("sk")?;
    let at = sk.split_once('#')?.0.parse().ok()?;
    let is_done = item.get("is_done").and_then(|value| value.as_bool().ok()).copied().unwrap_or(false);
    let note = Note {
        at,
        who: text("who")?,
        action: text("action")?,
        what: text("what")?,
        is_done,
        outcome: text("outcome")?,
    };
    Some((NotePlace(sk), note))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fake::{FakeTable, Log};

    fn note(at: &str, what: &str) -> Note {
        let text = ToOwned::to_owned;
        let (who, action, outcome) = (text("ada"), text("reset"), text("pending, queued"));
        Note { at: at.parse().unwrap(), who, action, what: text(what), is_done: true, outcome }
    }

    #[tokio::test]
    async fn notes_of_a_day_are_read_newest_first_and_are_no_exports() {
        let table = FakeTable::new(Log::default());
        let ledger = table.ledger();
        let (late, early) = (note("2026-03-01T09:00:00Z", "a"), note("2026-03-01T08:00:00Z", "b"));
        let other_day = note("2026-02-28T23:59:59.999Z", "c");
        for (unique, note) in [("1", &early), ("2", &late), ("3", &other_day)] {
            ledger.write_down(note, unique).await.unwrap();
        }
        let day = day_of(late.at);
        let (notes, more) = ledger.notes(day, None).await.unwrap();
        assert_eq!(more, None);
        assert_eq!(notes.iter().map(|(_, note)| note.clone()).collect::<Vec<_>>(), [late, early.clone()]);
        let (rest, _) = ledger.notes(day, Some(&notes[0].0)).await.unwrap();
        assert_eq!(rest.iter().map(|(_, note)| note).collect::<Vec<_>>(), [&early]);
        let (before, _) = ledger.notes(day_before(day).unwrap(), None).await.unwrap();
        assert_eq!(before[0].1, other_day);
        let item = table.item("journal-2026-03-01", notes[0].0.as_str()).unwrap();
        assert!(item.contains_key("expires_at") && !item.contains_key("status") && !item.contains_key("status_key"));
    }

    #[test]
    fn a_place_is_a_time_and_what_tells_it_from_others() {
        assert!(NotePlace::from_text("2026-03-01T09:00:00.000Z#1").is_some());
        assert_eq!(["", "x#1", "2026-03-01T09:00:00.000Z"].map(NotePlace::from_text), [None, None, None]);
    }
}
