//! What can happen, and in which order: any.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select, subsequence};

/// How many workers there are.
pub(super) const WORKERS: usize = 3;
/// How long a lease lasts, in seconds.
pub(super) const LEASE: i64 = 30;

/// A worker.
pub(super) type W = usize;

/// Where a raw order is put that is to be kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Into {
    Nowhere,
    Row,
    Bucket,
}

/// What an export is to wait for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum For {
    Delay,
    Slot,
    Resume,
}

/// What the shop says of the order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Word {
    Paid,
    Canceled,
    /// It is in the state again that it was in before it was cancelled.
    Open,
}

/// One step of one worker. What it needs and does not have, it leaves.
#[derive(Debug, Clone, Copy)]
pub(super) enum Step {
    /// So many seconds pass.
    Time(i64),
    /// Reads the row.
    Look(W),
    /// A webhook, told at this second, begins the export.
    Claim(W, i64),
    /// Takes the lease on the row as it was seen.
    ClaimSeen(W),
    /// The destination has it; whether the back office is to acknowledge it.
    Complete(W, Into, bool),
    /// The same once more: the answer to the first write was lost.
    CompleteAgain(W),
    /// The attempt failed and is tried again.
    Retry(W, Into),
    /// The attempt failed for good.
    GiveUp(W, Into),
    /// The worker falls, and what it knew is lost.
    Fall(W),
    Keep(W, Into),
    Skip(W, i64, Into),
    Reject(W, i64, Into),
    Abandon(W, Into),
    Park(W, i64, For, Into),
    ParkSeen(W, For, Into),
    /// Takes what it saw out of the index, marks it, and has yet to say that its message is sent.
    Release(W),
    Settle(W),
    Expire(W, bool),
    Lose(W),
    Reset(W, bool),
    /// Somebody sets back, cancels or skips what was seen.
    SetBack(W),
    CancelByHand(W),
    SkipByHand(W),
    /// The shop says this, at this second; whether that ends the export.
    Observe(W, Word, i64, bool),
    Foresee(W, Word, i64),
    EndIfCanceled(W),
    Acknowledge(W),
    Deny(W),
    GiveUpWaiting(W),
    DropDeadline(W),
    Announce(W, i64),
    Decline(W),
    Erase(W),
    Bar(W),
    /// Another system made it before.
    Import(W),
    Remove(W),
}

impl Step {
    /// Who takes it.
    pub(super) fn worker(self) -> Option<W> {
        match self {
            Self::Time(_) => None,
            Self::Look(w)
            | Self::Claim(w, _)
            | Self::ClaimSeen(w)
            | Self::Complete(w, ..)
            | Self::CompleteAgain(w)
            | Self::Retry(w, _)
            | Self::GiveUp(w, _)
            | Self::Fall(w)
            | Self::Keep(w, _)
            | Self::Skip(w, ..)
            | Self::Reject(w, ..)
            | Self::Abandon(w, _)
            | Self::Park(w, ..)
            | Self::ParkSeen(w, ..)
            | Self::Release(w)
            | Self::Settle(w)
            | Self::Expire(w, _)
            | Self::Lose(w)
            | Self::Reset(w, _)
            | Self::SetBack(w)
            | Self::CancelByHand(w)
            | Self::SkipByHand(w)
            | Self::Observe(w, ..)
            | Self::Foresee(w, ..)
            | Self::EndIfCanceled(w)
            | Self::Acknowledge(w)
            | Self::Deny(w)
            | Self::GiveUpWaiting(w)
            | Self::DropDeadline(w)
            | Self::Announce(w, _)
            | Self::Decline(w)
            | Self::Erase(w)
            | Self::Bar(w)
            | Self::Import(w)
            | Self::Remove(w) => Some(w),
        }
    }
}

/// What the dice say about one step.
#[derive(Debug, Clone, Copy)]
struct Dice {
    w: W,
    at: i64,
    seconds: i64,
    into: Into,
    why: For,
    word: Word,
    yes: bool,
}

type Kind = fn(Dice) -> Step;

/// What happens in every case.
const USUAL: [Kind; 6] = [
    |dice| Step::Time(dice.seconds),
    |dice| Step::Look(dice.w),
    |dice| Step::Look(dice.w),
    |dice| Step::Claim(dice.w, dice.at),
    |dice| Step::ClaimSeen(dice.w),
    |dice| Step::Complete(dice.w, dice.into, dice.yes),
];

/// What happens in some: with few kinds at a time, they meet each other more often.
const OTHERS: [Kind; 32] = [
    |dice| Step::CompleteAgain(dice.w),
    |dice| Step::Retry(dice.w, dice.into),
    |dice| Step::Retry(dice.w, dice.into),
    |dice| Step::GiveUp(dice.w, dice.into),
    |dice| Step::Fall(dice.w),
    |dice| Step::Keep(dice.w, dice.into),
    |dice| Step::Skip(dice.w, dice.at, dice.into),
    |dice| Step::Reject(dice.w, dice.at, dice.into),
    |dice| Step::Abandon(dice.w, dice.into),
    |dice| Step::Park(dice.w, dice.at, dice.why, dice.into),
    |dice| Step::ParkSeen(dice.w, dice.why, dice.into),
    |dice| Step::Release(dice.w),
    |dice| Step::Settle(dice.w),
    |dice| Step::Expire(dice.w, dice.yes),
    |dice| Step::Lose(dice.w),
    |dice| Step::Reset(dice.w, dice.yes),
    |dice| Step::SetBack(dice.w),
    |dice| Step::CancelByHand(dice.w),
    |dice| Step::SkipByHand(dice.w),
    |dice| Step::Observe(dice.w, dice.word, dice.at, dice.yes),
    |dice| Step::Foresee(dice.w, dice.word, dice.at),
    |dice| Step::EndIfCanceled(dice.w),
    |dice| Step::Acknowledge(dice.w),
    |dice| Step::Deny(dice.w),
    |dice| Step::GiveUpWaiting(dice.w),
    |dice| Step::DropDeadline(dice.w),
    |dice| Step::Announce(dice.w, dice.at),
    |dice| Step::Decline(dice.w),
    |dice| Step::Erase(dice.w),
    |dice| Step::Bar(dice.w),
    |dice| Step::Import(dice.w),
    |dice| Step::Remove(dice.w),
];

prop_compose! {
    fn any_dice()(
        w in select(vec![0, 0, 0, 1, 1, WORKERS - 1]), at in 0..6i64, seconds in select(vec![1, LEASE - 1, LEASE + 1, LEASE + 1, 400]),
        into in select(vec![Into::Nowhere, Into::Row, Into::Bucket]), why in select(vec![For::Delay, For::Slot, For::Resume]),
        word in select(vec![Word::Paid, Word::Canceled, Word::Canceled, Word::Open]), yes: bool,
    ) -> Dice {
        Dice { w, at, seconds, into, why, word, yes }
    }
}

/// Steps of kinds that are the same throughout a case.
pub(super) fn any_steps() -> impl Strategy<Value = Vec<Step>> {
    (subsequence(OTHERS.to_vec(), 4..=14), vec((any::<Index>(), any_dice()), 1..40)).prop_map(|(others, steps)| {
        let kinds = [&USUAL[..], &others].concat();
        steps.into_iter().map(|(kind, dice)| kind.get(&kinds)(dice)).collect()
    })
}
