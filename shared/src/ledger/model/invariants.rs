//! What is true after every step, whatever the steps.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;

use super::steps::Step;
use crate::ledger::kept::Place;
use crate::ledger::keys::status_key;
use crate::ledger::{Lease, Outcome, Row, Status, Why};

/// What was promised so far.
#[derive(Debug, Default)]
pub(super) struct Invariants {
    /// Leases that were granted and not ended, with their ends.
    leases: HashMap<String, Timestamp>,
    /// Whether the destination has it, and nobody has asked for it to be sent again.
    is_delivered: bool,
    /// Writes of the row, and whether there were others than a first claim and its success.
    writes: usize,
    is_ordinary: bool,
}

impl Invariants {
    /// What the row must be like, by itself and after what it was before.
    pub(super) fn hold(
        &mut self,
        step: Step,
        before: Option<&Row>,
        row: Option<&Row>,
        item: Option<&HashMap<String, AttributeValue>>,
        now: Timestamp,
    ) {
        if let (Some(row), Some(item)) = (row, item) {
            indexes(row, item);
            expiry(row, item);
            holder(row);
        }
        if let (Some(before), Some(row)) = (before, row) {
            delivered_stays(step, before, row);
            attempts_are_on_record(before, row);
        }
        self.leases.retain(|owner, until| *until > now && row.is_some_and(|row| row.is_held_by(owner)));
    }

    /// What the steps so far come to.
    pub(super) fn count(
        &mut self,
        step: Step,
        writes: usize,
        granted: Option<&Lease>,
        before: Option<&Row>,
        row: Option<&Row>,
    ) {
        if let (Some(lease), Some(row)) = (granted, row) {
            assert!(self.leases.is_empty(), "{step:?}: two hold it, {} and {:?}", lease.owner, self.leases);
            assert!(!self.is_delivered, "{step:?}: it is run again, and nobody asked");
            self.leases.insert(lease.owner.clone(), row.lease_until.unwrap());
        }
        let status = row.map(|row| row.status);
        let is_changed = before.map(|row| row.status) != status;
        if row.is_none_or(|row| row.erased_at.is_some())
            || matches!(step, Step::Reset(..) | Step::SetBack(_)) && is_changed
        {
            self.is_delivered = false;
        }
        if matches!(step, Step::Complete(..) | Step::Import(_)) && is_changed && status == Some(Status::Exported) {
            self.is_delivered = true;
        }
        self.count_writes(step, writes, before, row);
    }

    /// An export that succeeds first time costs two writes.
    fn count_writes(&mut self, step: Step, writes: usize, before: Option<&Row>, row: Option<&Row>) {
        if before.is_none() {
            (self.writes, self.is_ordinary) = (0, matches!(step, Step::Claim(..)));
        }
        self.writes += writes;
        self.is_ordinary &= writes == 0 || matches!(step, Step::Claim(..) | Step::Complete(..));
        if self.is_ordinary && row.is_some_and(|row| row.status == Status::Exported && row.attempts == 1) {
            assert_eq!(self.writes, 2, "{step:?}");
        }
    }
}

/// Who looks into an index finds what is in that state, and nothing else.
fn indexes(row: &Row, item: &HashMap<String, AttributeValue>) {
    let text = |name: &str| item.get(name).and_then(|value| value.as_s().ok()).map(String::as_str);
    let listed = status_key(row.status, &row.key);
    match row.status {
        // The first attempt is not listed, unless its message was let go of.
        Status::Processing if row.attempts == 1 => {
            assert!(text("status_key").is_none_or(|key| key == listed), "{row:?}");
        }
        // What was erased leads to nobody from an index.
        _ if row.erased_at.is_some() => assert_eq!(text("status_key"), None, "{row:?}"),
        _ => assert_eq!(text("status_key"), Some(listed.as_str()), "{row:?}"),
    }
    assert_eq!(item.contains_key("due_key"), item.contains_key("due_at"));
    match text("due_key").and_then(|key| key.split('#').next()) {
        None => {}
        Some("due") => assert_eq!(row.status, Status::Pending, "{row:?}"),
        Some("paused") => assert_eq!((row.status, row.waits_for), (Status::Pending, Some(Why::Pause)), "{row:?}"),
        Some("ack") => assert_eq!(row.status, Status::Exported, "{row:?}"),
        Some(other) => panic!("{other}"),
    }
    let is_unpaid = item.contains_key("unpaid_key");
    assert!(!is_unpaid || row.canceled_at.is_none(), "an order that is cancelled is to be cancelled: {row:?}");
}

/// The table forgets by itself only what is over, and nothing that leads to an object.
fn expiry(row: &Row, item: &HashMap<String, AttributeValue>) {
    let is_over = matches!(row.status, Status::Exported | Status::Acknowledged | Status::Skipped | Status::Canceled);
    let expires = item.contains_key("expires_at");
    assert!(!expires || is_over, "the table would forget what is not over: {row:?}");
    assert!(!expires || row.place() != Place::Bucket, "the table would forget what leads to an object: {row:?}");
    let is_forgotten = matches!(row.status, Status::Exported | Status::Acknowledged) && row.place() != Place::Bucket;
    assert!(expires || !is_forgotten, "the table would never forget it: {row:?}");
}

/// Who holds it is named, and until when, where somebody does and nowhere else.
fn holder(row: &Row) {
    let is_held = row.status == Status::Processing;
    assert_eq!((row.lease_owner.is_some(), row.lease_until.is_some()), (is_held, is_held), "{row:?}");
    assert_eq!(row.fault.is_some() && !matches!(row.status, Status::Pending), row.status == Status::Error, "{row:?}");
}

/// What the destination has is on record until the back office refuses it, does not answer, or it is erased.
fn delivered_stays(step: Step, before: &Row, row: &Row) {
    let was_delivered = matches!(before.status, Status::Exported | Status::Acknowledged);
    let stays = matches!(row.status, Status::Exported | Status::Acknowledged);
    let is_asked = matches!(step, Step::Deny(_) | Step::GiveUpWaiting(_) | Step::Erase(_) | Step::SetBack(_));
    assert!(!was_delivered || stays || is_asked, "{step:?} undoes what was delivered");
    let is_taken_back = before.status == Status::Acknowledged && row.status == Status::Exported;
    assert!(!is_taken_back, "{step:?} undoes what was acknowledged");
}

/// Attempts are counted, and each that ended is among the last ten on record.
fn attempts_are_on_record(before: &Row, row: &Row) {
    assert!(row.history.len() <= 10);
    if row.erased_at.is_some() {
        return;
    }
    let is_new = row.status == Status::Processing && row.attempts == 1;
    if !is_new {
        // What was on record stays there, but for what is older than the last ten.
        let fallen = usize::from(before.history.len() == 10 && row.history.last() != before.history.last());
        let stays = row.history.starts_with(&before.history[fallen..]);
        assert!(stays, "an attempt is no longer on record: {before:?}, then {row:?}");
    }
    let is_same_attempt =
        row.status == Status::Processing && row.attempts == before.attempts && row.lease_owner == before.lease_owner;
    if before.status == Status::Processing && !is_same_attempt {
        let last = row.history.last();
        let is_its = last.is_some_and(|attempt| attempt.at.as_millisecond() == before.updated_at.as_millisecond());
        assert!(is_its, "the attempt that ended is not on record: {before:?}, then {row:?}");
        let is_lost = last.is_some_and(|attempt| attempt.outcome == Outcome::Lost);
        assert!(!is_lost || before.lease_until.is_some(), "{row:?}");
    }
}
