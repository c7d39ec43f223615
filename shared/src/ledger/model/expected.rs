//! A row as the model has it: plain values, without conditions and updates.

use jiff::Timestamp;

use super::steps::{For, Into, LEASE, Word};
use crate::ledger::kept::Place;
use crate::ledger::{Due, Fault, Lease, Row, Status, Told, Why};

/// What a step is about besides the row: the worker as it is, and what the time is.
#[derive(Debug)]
pub(super) struct Turn<'a> {
    pub(super) now: Timestamp,
    pub(super) seen: Option<&'a Row>,
    pub(super) lease: Option<&'a Lease>,
    pub(super) released_at: Option<Timestamp>,
    pub(super) owner: &'a str,
}

/// What the model knows of a row.
#[derive(Debug, Clone, PartialEq)]
#[expect(clippy::struct_excessive_bools, reason = "each is an attribute of its own, that is there or is not")]
pub(super) struct Expected {
    pub(super) status: Status,
    pub(super) attempts: u32,
    pub(super) holder: Option<(String, Timestamp)>,
    pub(super) not_before: Option<Timestamp>,
    pub(super) waits_for: Option<Why>,
    pub(super) due: Option<Due>,
    pub(super) is_canceled: bool,
    pub(super) is_set_aside: bool,
    pub(super) fault: Option<Fault>,
    pub(super) resets: u32,
    pub(super) place: Place,
    pub(super) told: Option<Told>,
    pub(super) state: Option<String>,
    pub(super) is_delivered: bool,
    pub(super) is_erased: bool,
    pub(super) updated_at: Timestamp,
}

impl Expected {
    /// What the model sees of a row.
    pub(super) fn of(row: &Row) -> Self {
        Self {
            status: row.status,
            attempts: row.attempts,
            holder: row.lease_owner.clone().zip(row.lease_until),
            not_before: row.not_before,
            waits_for: row.waits_for,
            due: row.due.clone(),
            is_canceled: row.canceled_at.is_some(),
            is_set_aside: row.set_aside_at.is_some(),
            fault: row.fault,
            resets: row.resets,
            place: row.place(),
            told: row.observed,
            state: row.order_state.clone(),
            is_delivered: row.exported_at.is_some(),
            is_erased: row.erased_at.is_some(),
            updated_at: row.updated_at,
        }
    }

    pub(super) fn new(now: Timestamp) -> Self {
        Self {
            status: Status::Pending,
            attempts: 0,
            holder: None,
            not_before: None,
            waits_for: None,
            due: None,
            is_canceled: false,
            is_set_aside: false,
            fault: None,
            resets: 0,
            place: Place::Queue,
            told: None,
            state: None,
            is_delivered: false,
            is_erased: false,
            updated_at: now,
        }
    }

    pub(super) fn is_untried(&self) -> bool {
        let is_open = self.status == Status::Skipped || (self.status == Status::Error && self.attempts == 0);
        is_open && !self.is_canceled && !self.is_set_aside
    }

    pub(super) fn is_expired(&self, now: Timestamp) -> bool {
        self.status == Status::Processing && self.holder.as_ref().is_some_and(|(_, until)| *until <= now)
    }

    /// Nobody works on it, and no attempt was begun since it was seen: by its number while it waits, else by its beginning.
    pub(super) fn is_free(&self, seen: &Row, now: Timestamp) -> bool {
        if seen.status == Status::Processing {
            return self.is_expired(now) && self.updated_at == seen.updated_at;
        }
        self.status == Status::Pending && self.attempts == seen.attempts
    }

    /// Whether it leads to an object where it was seen to, and to none where not: what decides about its end.
    pub(super) fn leads_where(&self, seen: &Row) -> bool {
        (self.place == Place::Bucket) == (seen.place() == Place::Bucket)
    }

    pub(super) fn is_unchanged(&self, seen: &Row) -> bool {
        self.status == seen.status && self.updated_at == seen.updated_at
    }

    pub(super) fn moves(mut self, to: Status, now: Timestamp) -> Self {
        (self.status, self.updated_at) = (to, now);
        self
    }

    /// Without lease and back-off.
    pub(super) fn let_go(self) -> Self {
        Self { holder: None, not_before: None, ..self }
    }

    pub(super) fn fails(self, fault: Fault) -> Self {
        Self { fault: Some(fault), ..self }
    }

    pub(super) fn kept(self, into: Into) -> Self {
        match into {
            Into::Nowhere => self,
            Into::Row => Self { place: Place::Row, ..self },
            Into::Bucket => Self { place: Place::Bucket, ..self },
        }
    }

    /// With what is to be kept, where nothing is yet.
    pub(super) fn kept_if_missing(self, into: Into) -> Self {
        if self.place == Place::Queue { self.kept(into) } else { self }
    }

    pub(super) fn taken(self, turn: &Turn<'_>, attempt: u32) -> Self {
        let until = turn.now + jiff::SignedDuration::from_secs(LEASE);
        let taken = self.moves(Status::Processing, turn.now).let_go();
        let holder = Some((turn.owner.to_owned(), until));
        Self { attempts: attempt, holder, waits_for: None, due: None, fault: None, ..taken }
    }

    pub(super) fn canceled(self, now: Timestamp) -> Self {
        let ended = self.moves(Status::Canceled, now).let_go();
        Self { fault: None, waits_for: None, due: None, ..ended }
    }

    pub(super) fn waits(self, why: For, row_due: Due, now: Timestamp) -> Self {
        let (why, until) = match why {
            For::Delay => (Why::Delay, Some(wait_until(now))),
            For::Slot => (Why::Slot, Some(wait_until(now))),
            For::Resume => (Why::Pause, None),
        };
        Self { waits_for: Some(why), due: Some(row_due), not_before: until, ..self.moves(Status::Pending, now) }
    }

    pub(super) fn hears(mut self, told: Told, word: Word) -> Self {
        self.told = Some(told);
        self.state = Some(state_of(word).to_owned());
        self
    }
}

/// Until when an export waits that waits for a time.
pub(super) fn wait_until(now: Timestamp) -> Timestamp {
    now + jiff::SignedDuration::from_secs(300)
}

/// The order's state, by what the shop says.
pub(super) fn state_of(word: Word) -> &'static str {
    match word {
        Word::Paid => "paid",
        Word::Canceled => "canceled",
        Word::Open => "open",
    }
}

impl Expected {
    /// With what a webhook says of the order's state, where nothing later is known.
    pub(super) fn told_by(self, second: i64) -> Self {
        let told = super::rules::told_at(Word::Open, second);
        if self.told.is_none_or(|known| known <= told) { self.hears(told, Word::Open) } else { self }
    }

    pub(super) fn without_fault(self) -> Self {
        Self { fault: None, ..self }
    }
}
