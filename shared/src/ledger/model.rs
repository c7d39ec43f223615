//! The ledger against a model of it: workers take turns in any order, each with what it saw a while ago, on a table that
//! carries out the very conditions and updates that `DynamoDB` gets. After every step the row is what the model says, and
//! what must always be true is true. A failure is shrunk to the fewest steps that show it.
//!
//! `PROPTEST_CASES=20000 cargo nextest run --workspace -E 'test(ledger::model)'` looks further than the usual run.

mod expected;
mod invariants;
mod rules;
mod said;
mod steps;
mod world;

use proptest::prelude::*;

use steps::{For, Into, Step, Word, any_steps};
use world::World;

/// Takes the steps one by one, and then lets all faults end.
fn play(steps: &[Step]) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
    runtime.block_on(async {
        let mut world = World::new();
        for step in steps {
            world.take(*step).await;
        }
        world.comes_to_an_end().await;
    });
}

/// Each of these was wrong once: an attempt that left no word was not on record, or its late word was replaced, or the table
/// would have forgotten a row that led to an object. The last ones come about by chance too seldom.
#[test]
fn what_the_model_once_found_is_mended() {
    use Step::{
        Acknowledge, Announce, CancelByHand, Claim, ClaimSeen, Complete, Decline, Expire, GiveUp, Keep, Look, Lose,
        Observe, Park, ParkSeen, Reject, Release, Remove, Reset, Retry, SetBack, Skip, SkipByHand, Time,
    };
    for steps in [
        &[Claim(0, 0), Time(31), Reject(0, 0, Into::Nowhere)][..],
        &[Claim(0, 0), Observe(1, Word::Canceled, 1, true), Time(31), Look(1), ClaimSeen(1)],
        &[Claim(0, 0), Time(31), Look(1), Retry(0, Into::Row), Time(400), ClaimSeen(1)],
        &[Skip(0, 0, Into::Bucket), Skip(0, 0, Into::Nowhere)],
        &[Claim(0, 0), Keep(1, Into::Bucket), Complete(0, Into::Nowhere, false)],
        &[Announce(0, 0), Look(2), Claim(2, 0), GiveUp(2, Into::Bucket), Acknowledge(2)],
        &[Park(0, 0, For::Delay, Into::Row), Look(1), Reject(0, 0, Into::Nowhere), Reset(1, false), Decline(1)],
        &[Claim(0, 0), Look(1), Time(31), Look(2), ClaimSeen(2), Time(31), ClaimSeen(1)],
        &[Skip(0, 0, Into::Row), Look(0), Look(1), Remove(1), ClaimSeen(0)],
        &[Park(0, 0, For::Delay, Into::Row), Look(1), Look(2), ParkSeen(2, For::Delay, Into::Nowhere), Release(1)],
        &[Claim(0, 0), Time(31), Look(1), Observe(0, Word::Canceled, 1, true), ClaimSeen(1)],
        &[Claim(0, 0), Observe(1, Word::Canceled, 1, true), Retry(0, Into::Row)],
        &[Claim(0, 0), Look(0), Time(31), Keep(0, Into::Row), Lose(0)],
        &[Claim(0, 0), Look(1), Time(31), Lose(1), Claim(0, 0), Time(31), ClaimSeen(1)],
        &[Claim(0, 0), Complete(0, Into::Row, false), Look(0), SetBack(0), Claim(0, 0), Time(31), Expire(0, false)],
        &[Skip(0, 0, Into::Bucket), Look(1), Claim(1, 0), Complete(1, Into::Nowhere, false), Acknowledge(1)],
        &[Claim(0, 0), GiveUp(0, Into::Row), Look(1), SkipByHand(1), Claim(0, 0), Look(1), SetBack(1), ClaimSeen(1)],
        &[Claim(0, 0), Complete(0, Into::Row, true), Look(1), SetBack(1), Look(1), CancelByHand(1), Claim(0, 0)],
    ] {
        play(steps);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 192, max_shrink_iters: 20_000, ..ProptestConfig::default() })]

    #[test]
    fn whatever_workers_do_and_when_the_ledger_is_as_the_model_has_it(steps in any_steps()) {
        play(&steps);
    }
}
