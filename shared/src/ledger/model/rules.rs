//! The rules of the ledger, step by step.

use super::expected::{Expected, Turn, state_of, wait_until};
use super::steps::{For, Into, Step, Word};
use crate::ledger::due::again_at;
use crate::ledger::kept::Place;
use crate::ledger::{Due, Fault, Row, Status, Told};
use jiff::Timestamp;

/// Makes a place in the index of what is due.
type Makes<'p> = &'p dyn Fn(For) -> Due;
/// What the row is after a step, where the step changes it.
type Rule = fn(Step, Expected, &Turn<'_>, Makes<'_>) -> Option<Expected>;

/// What the row is after a step, if there is one then.
pub(super) fn after(step: Step, before: Option<Expected>, turn: &Turn<'_>, place: Makes<'_>) -> Option<Expected> {
    let Some(row) = before else { return first(step, turn, place) };
    if matches!(step, Step::Remove(_)) {
        // Only what is over is removed.
        let is_over = |seen: &Row| is_removable(seen) && row.is_unchanged(seen) && row.due.is_none();
        return if turn.seen.is_some_and(is_over) { None } else { Some(row) };
    }
    let rules: [Rule; 6] = [attempts, without_attempt, waits, recovers, by_hand, said];
    let changed = rules.iter().find_map(|rule| rule(step, row.clone(), turn, place));
    Some(changed.unwrap_or(row))
}

/// Attempts: how they begin and end.
fn attempts(step: Step, row: Expected, turn: &Turn<'_>, place: Makes<'_>) -> Option<Expected> {
    let (now, seen) = (turn.now, turn.seen);
    match step {
        Step::Claim(_, told) if row.is_untried() => {
            Some(Expected { place: Place::Queue, ..row.told_by(told).taken(turn, 1) })
        }
        // A webhook that comes again finds the row as it is.
        Step::Claim(..) => claims(&row, (row.attempts, row.status, row.updated_at), true, turn),
        Step::ClaimSeen(_) => seen.and_then(|seen| claims_seen(&row, seen, turn)),
        Step::Complete(_, into, ack) => ends(&row, turn).map(|row| completes(row, turn, into, ack, place)),
        Step::Retry(..) | Step::GiveUp(..) if ends(&row, turn).is_some_and(|row| row.is_canceled) => {
            Some(row.moves(Status::Canceled, now).let_go())
        }
        Step::Retry(_, into) => ends(&row, turn).map(|row| {
            let row = row.kept(into).moves(Status::Pending, now);
            Expected { not_before: Some(wait_until(now)), holder: None, ..row }
        }),
        Step::GiveUp(_, into) => {
            ends(&row, turn).map(|row| row.kept(into).moves(Status::Error, now).let_go().fails(Fault::Exhausted))
        }
        _ => None,
    }
}

/// What is recorded of an export without an attempt.
fn without_attempt(step: Step, row: Expected, turn: &Turn<'_>, _: Makes<'_>) -> Option<Expected> {
    let (now, seen) = (turn.now, turn.seen);
    match step {
        Step::Keep(_, into) => {
            let may_need_it = matches!(row.status, Status::Pending | Status::Processing | Status::Canceled);
            ((may_need_it || row.is_set_aside) && !row.is_erased).then(|| row.kept_if_missing(into))
        }
        Step::Skip(_, told, into) => {
            row.is_untried().then(|| row.told_by(told).kept(into).moves(Status::Skipped, now).without_fault())
        }
        Step::Import(_) if row.is_untried() && !row.is_delivered && row.place != Place::Bucket => {
            Some(imported(row, now))
        }
        Step::Reject(_, told, into) if row.is_untried() => {
            Some(row.told_by(told).kept(into).moves(Status::Error, now).fails(Fault::Permanent))
        }
        // The webhook that began it, and cannot be read any more.
        Step::Reject(_, _, into) => {
            let is_free = row.status == Status::Pending || row.is_expired(now);
            is_free.then(|| {
                let into = if row.place == Place::Queue { into } else { Into::Nowhere };
                abandoned(row, into, now)
            })
        }
        Step::Abandon(_, into) => seen.filter(|seen| row.is_free(seen, now)).map(|seen| {
            let into = if seen.place() == Place::Queue { into } else { Into::Nowhere };
            abandoned(row, into, now)
        }),
        _ => None,
    }
}

/// What waits in the ledger, and is handed out.
fn waits(step: Step, row: Expected, turn: &Turn<'_>, place: Makes<'_>) -> Option<Expected> {
    let (now, seen) = (turn.now, turn.seen);
    match step {
        Step::Park(_, told, why, into) => row.is_untried().then(|| {
            let row = row.told_by(told).kept(into).without_fault().waits(why, place(why), now);
            Expected { attempts: 0, ..row }
        }),
        Step::ParkSeen(_, why, into) => {
            let is_same = |seen: &&Row| row.is_free(seen, now) && row.updated_at == seen.updated_at && !row.is_canceled;
            seen.filter(is_same)
                .map(|_| Expected { holder: None, ..row.kept_if_missing(into).waits(why, place(why), now) })
        }
        Step::Release(_) => {
            let is_same = |seen: &&Row| row.status == Status::Pending && seen.due.is_some() && row.due == seen.due;
            seen.filter(is_same).map(|_| Expected { due: Some(Due { at: again_at(now), ..place(For::Delay) }), ..row })
        }
        Step::Settle(_) => turn.released_at.and_then(|at| {
            let mark = Due { at: again_at(at), ..place(For::Delay) };
            (row.due.as_ref() == Some(&mark)).then_some(Expected { due: None, ..row })
        }),
        Step::Announce(_, told) => row.is_untried().then(|| {
            let due = Some(Due { at: again_at(now), ..place(For::Delay) });
            let row = row.told_by(told).kept(Into::Row).moves(Status::Pending, now).without_fault();
            Expected { due, attempts: 0, waits_for: None, not_before: None, ..row }
        }),
        Step::Decline(_) => seen
            .filter(|seen| row.status == Status::Pending && row.attempts == 0 && row.leads_where(seen))
            .map(|_| Expected { due: None, ..row.moves(Status::Skipped, now).let_go().without_fault() }),
        _ => None,
    }
}

/// What is set back, or given up by the clock.
fn recovers(step: Step, row: Expected, turn: &Turn<'_>, place: Makes<'_>) -> Option<Expected> {
    let (now, seen) = (turn.now, turn.seen);
    match step {
        Step::Expire(_, has_attempts) => {
            let is_same = |seen: &&Row| row.updated_at == seen.updated_at && row.is_expired(now);
            seen.filter(is_same).map(|_| {
                if has_attempts {
                    let due = Some(Due { at: again_at(now), ..place(For::Delay) });
                    return Expected { due, ..row.moves(Status::Pending, now).let_go() };
                }
                Expected { due: None, ..row.moves(Status::Error, now).let_go().fails(Fault::Exhausted) }
            })
        }
        Step::Lose(_) => {
            let is_same =
                |seen: &&Row| row.is_free(seen, now) && row.updated_at == seen.updated_at && row.due.is_none();
            let is_lost_still = |seen: &&Row| seen.place() != Place::Queue || row.place == Place::Queue;
            seen.filter(is_same).filter(is_lost_still).map(|_| {
                let row = Expected { waits_for: None, ..row.moves(Status::Error, now).let_go() };
                match row.place {
                    Place::Queue => Expected { attempts: 0, ..row }.fails(Fault::Permanent),
                    Place::Row | Place::Bucket => row.fails(Fault::Orphaned),
                }
            })
        }
        Step::Reset(_, anew) => {
            let is_same = |seen: &&Row| seen.status == Status::Error && row.is_unchanged(seen) && !row.is_canceled;
            seen.filter(is_same).map(|_| {
                let due = Some(Due { at: again_at(now), ..place(For::Delay) });
                let row = Expected { due, not_before: None, ..row.moves(Status::Pending, now) };
                if anew { Expected { attempts: 0, resets: row.resets + 1, ..row } } else { row }
            })
        }
        _ => None,
    }
}

/// What people ask for, of what they have seen.
fn by_hand(step: Step, row: Expected, turn: &Turn<'_>, place: Makes<'_>) -> Option<Expected> {
    let (now, seen) = (turn.now, turn.seen?);
    if !row.is_unchanged(seen) || row.is_erased || row.status == Status::Processing {
        return None;
    }
    let is_unfinished = row.status == Status::Pending || (row.status == Status::Error && !row.is_delivered);
    let is_in_place = row.leads_where(seen);
    let ended = |row: Expected, to| {
        let row = row.moves(to, now).let_go().without_fault();
        Some(Expected { due: None, waits_for: None, ..row })
    };
    match step {
        Step::SetBack(_) if row.place != Place::Queue && !row.is_canceled => {
            let due = Some(Due { at: again_at(now), ..place(For::Delay) });
            let row = Expected { due, not_before: None, waits_for: None, ..row.moves(Status::Pending, now) };
            Some(Expected { attempts: 0, resets: 0, is_set_aside: false, ..row })
        }
        Step::CancelByHand(_) if is_unfinished && is_in_place => ended(row, Status::Canceled),
        Step::SkipByHand(_) if is_unfinished && is_in_place => {
            ended(row, Status::Skipped).map(|row| Expected { is_set_aside: true, ..row })
        }
        _ => None,
    }
}

/// What the shop and the back office say, and what is erased.
fn said(step: Step, row: Expected, turn: &Turn<'_>, _: Makes<'_>) -> Option<Expected> {
    let (now, seen) = (turn.now, turn.seen);
    match step {
        Step::Observe(_, word, told, ends) => Some(observed(row, word, told_at(word, told), ends, now)),
        Step::Foresee(_, word, told) => Some(observed(row, word, told_at(word, told), true, now)),
        Step::EndIfCanceled(_) => seen.filter(|seen| ends_canceled(&row, seen, now)).map(|_| row.canceled(now)),
        Step::Acknowledge(_) => seen
            .filter(|_| is_given(&row))
            .map(|_| Expected { due: None, ..row.moves(Status::Acknowledged, now).without_fault() }),
        Step::Deny(_) => seen
            .filter(|_| is_given(&row))
            .map(|_| Expected { due: None, ..row.moves(Status::Error, now).fails(Fault::Rejected) }),
        Step::GiveUpWaiting(_) => seen
            .filter(|seen| row.status == Status::Exported && seen.due.is_some() && row.due == seen.due)
            .map(|_| Expected { due: None, ..row.moves(Status::Error, now).fails(Fault::Unacknowledged) }),
        Step::DropDeadline(_) => seen
            .filter(|seen| row.status == Status::Exported && seen.due.is_some() && row.due == seen.due)
            .map(|_| Expected { due: None, ..row }),
        Step::Erase(_) => seen.filter(|seen| row.is_unchanged(seen)).map(|_| erased(now)),
        _ => None,
    }
}

/// Whether cleanup may remove what it saw.
pub(super) fn is_removable(seen: &Row) -> bool {
    matches!(seen.status, Status::Exported | Status::Acknowledged | Status::Skipped | Status::Canceled)
        && seen.due.is_none()
}

/// What the shop said at a second.
pub(super) fn told_at(word: Word, second: i64) -> Told {
    use crate::webhook::Event;
    let event = match word {
        Word::Paid => Event::Paid,
        Word::Canceled => Event::Canceled,
        Word::Open => Event::Placed,
    };
    Told::by(&[event], Timestamp::from_second(1_700_000_000 + second).unwrap())
}

/// The first step of an export.
fn first(step: Step, turn: &Turn<'_>, place: Makes<'_>) -> Option<Expected> {
    let (now, new) = (turn.now, Expected::new(turn.now));
    let by = |told: i64| new.clone().told_by(told);
    match step {
        Step::Claim(_, told) => Some(by(told).taken(turn, 1)),
        Step::Skip(_, told, into) => Some(by(told).kept(into).moves(Status::Skipped, now)),
        Step::Reject(_, told, into) => Some(by(told).kept(into).moves(Status::Error, now).fails(Fault::Permanent)),
        Step::Park(_, told, why, into) => Some(by(told).kept(into).waits(why, place(why), now)),
        Step::Announce(_, told) => {
            let due = Some(Due { at: again_at(now), ..place(For::Delay) });
            Some(Expected { due, ..by(told).kept(Into::Row) })
        }
        Step::Foresee(_, word, told) => {
            let to = if word == Word::Canceled { Status::Canceled } else { Status::Skipped };
            let row = Expected::new(now).hears(told_at(word, told), word).moves(to, now);
            Some(Expected { is_canceled: to == Status::Canceled, ..row })
        }
        Step::Bar(_) => Some(erased(now)),
        Step::Import(_) => Some(imported(new, now)),
        _ => None,
    }
}

/// A claim on a row that is as it was seen, or not. What was cancelled ends.
fn claims_seen(row: &Expected, seen: &Row, turn: &Turn<'_>) -> Option<Expected> {
    if ends_canceled(row, seen, turn.now) {
        return Some(row.clone().canceled(turn.now));
    }
    let was_free = match seen.status {
        Status::Pending => seen.not_before.is_none_or(|until| until <= turn.now),
        Status::Processing => seen.lease_until.is_none_or(|until| until <= turn.now),
        Status::Skipped => seen.set_aside_at.is_none(),
        Status::Error => seen.attempts == 0,
        Status::Exported | Status::Acknowledged | Status::Canceled => false,
    };
    if was_free && seen.canceled_at.is_none() {
        claims(row, (seen.attempts, seen.status, seen.updated_at), false, turn)
    } else {
        None
    }
}

/// A claim on a row that was seen after so many attempts, in this state and since then; `is_fresh` where it was seen just now.
fn claims(row: &Expected, seen: (u32, Status, Timestamp), is_fresh: bool, turn: &Turn<'_>) -> Option<Expected> {
    let is_open = row.status == Status::Pending || row.is_expired(turn.now);
    if row.is_canceled {
        return (is_fresh && is_open).then(|| row.clone().canceled(turn.now));
    }
    let is_time = row.not_before.is_none_or(|until| until <= turn.now);
    let waits = row.status == Status::Pending && is_time;
    let is_its = row.is_expired(turn.now) && row.updated_at == seen.2;
    let is_free = if seen.1 == Status::Processing { is_its } else { waits && row.attempts == seen.0 };
    is_free.then(|| row.clone().taken(turn, seen.0 + 1))
}

/// Whether an export ends because its order was cancelled while it was tried.
fn ends_canceled(row: &Expected, seen: &Row, now: Timestamp) -> bool {
    let was_open = seen.status == Status::Pending
        || (seen.status == Status::Processing && seen.lease_until.is_none_or(|until| until <= now));
    seen.canceled_at.is_some() && was_open && row.is_canceled && row.is_free(seen, now) && row.leads_where(seen)
}

/// The row, if the worker's lease is still the one on it.
fn ends(row: &Expected, turn: &Turn<'_>) -> Option<Expected> {
    let owner = &turn.lease?.owner;
    let is_ours = row.status == Status::Processing && row.holder.as_ref().is_some_and(|(holder, _)| holder == owner);
    is_ours.then(|| row.clone())
}

fn completes(row: Expected, turn: &Turn<'_>, into: Into, ack: bool, place: Makes<'_>) -> Expected {
    let was = turn.lease.map_or(Place::Queue, |lease| lease.place);
    let row = row.moves(Status::Exported, turn.now).let_go();
    let key = place(For::Delay).key.replace("due#", "ack#");
    let due = ack.then(|| Due { key, at: wait_until(turn.now) });
    let kept = match into {
        // The raw order is not kept any longer, but for the way to an object.
        Into::Nowhere if was == Place::Bucket => row.place,
        Into::Nowhere => {
            if row.place == Place::Bucket {
                Place::Bucket
            } else {
                Place::Queue
            }
        }
        Into::Row => Place::Row,
        Into::Bucket => Place::Bucket,
    };
    Expected { due, place: kept, is_delivered: true, ..row }
}

fn abandoned(row: Expected, into: Into, now: Timestamp) -> Expected {
    Expected { due: None, ..row.kept(into).moves(Status::Error, now).let_go().fails(Fault::Orphaned) }
}

/// Whether the back office has the document, or may have it.
fn is_given(row: &Expected) -> bool {
    match row.status {
        Status::Exported | Status::Acknowledged => true,
        Status::Error => row.attempts > 0 || matches!(row.fault, Some(Fault::Rejected | Fault::Unacknowledged)),
        _ => false,
    }
}

fn observed(row: Expected, word: Word, told: Told, ends: bool, now: Timestamp) -> Expected {
    if row.is_erased || row.told.is_some_and(|known| known > told) {
        return row;
    }
    let is_another = row.state.as_deref().is_some_and(|state| state != state_of(word));
    let was_canceled = row.is_canceled;
    let (was_delivered, status) = (row.is_delivered, row.status);
    let row = row.hears(told, word);
    match word {
        Word::Canceled if ends => {
            let is_unfinished = status == Status::Pending || (status == Status::Error && !was_delivered);
            let row = Expected { is_canceled: true, ..row };
            if is_unfinished { row.canceled(now) } else { row }
        }
        Word::Paid | Word::Open if was_canceled && is_another => {
            let row = Expected { is_canceled: false, ..row };
            if status == Status::Canceled { row.moves(Status::Skipped, now) } else { row }
        }
        Word::Canceled | Word::Paid | Word::Open => row,
    }
}

fn imported(row: Expected, now: Timestamp) -> Expected {
    Expected { is_delivered: true, attempts: 1, ..row.moves(Status::Exported, now).without_fault() }
}

fn erased(now: Timestamp) -> Expected {
    Expected { is_canceled: true, is_erased: true, ..Expected::new(now).moves(Status::Canceled, now) }
}
