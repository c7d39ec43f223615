//! Slots of a destination's rate limit.

use proptest::prelude::*;

use super::*;
use crate::fake::{FakeTable, Log};
use crate::ledger::{Ledger, Status, Why};
use crate::pipeline::bench::{Answer, Bench};

const DESTINATION: &str = "https://erp.example.com";
const SLOT_TAKEN: [&str; 3] =
    ["read erp", "refused rate#https://erp.example.com", "write rate#https://erp.example.com"];
const MADE: [&str; 3] = ["write erp processing", "deliver erp open", "write erp exported"];

/// Takes slots until the next one comes after so long.
async fn busy_for(ledger: &Ledger, time: Duration) {
    ledger.slot(DESTINATION, time, clock::now()).await.unwrap();
}

fn slot_in(bench: &Bench, seconds: i64) {
    bench.slot("erp", clock::now() + jiff::SignedDuration::from_secs(seconds));
}

#[tokio::test]
async fn a_slot_that_is_near_is_waited_for() {
    let bench = Bench::new("code = 'erp' | rate_limit = '10/s'");
    let free_at = clock::later(clock::now(), Duration::from_millis(300));
    busy_for(&bench.ledger, Duration::from_millis(300)).await;
    bench.done();
    assert_eq!(bench.deliver(&placed(), 1).await.unwrap(), Verdict::Done);
    assert!(clock::now() >= free_at);
    assert_eq!(bench.done(), [&SLOT_TAKEN[..], &MADE].concat());
}

#[tokio::test]
async fn a_slot_that_is_far_is_waited_for_by_a_message_that_comes_somewhat_early() {
    let bench = Bench::new("code = 'erp' | rate_limit = '10/s'");
    busy_for(&bench.ledger, Duration::from_secs(100)).await;
    bench.done();
    assert_eq!(bench.deliver(&placed(), 1).await.unwrap(), Verdict::Done);
    assert_eq!(bench.done(), [&SLOT_TAKEN[..], &["write erp pending slot", "send erp"]].concat());
    let delay = bench.queue.take()[0].delay.as_secs();
    assert!((98..=99).contains(&delay), "{delay}");

    slot_in(&bench, 20);
    assert!(is_retry(bench.deliver_export("erp", 1).await.unwrap(), 18, 19), "early by this clock");
    assert_eq!(bench.deliver(&placed(), 1).await.unwrap(), Verdict::Done, "a webhook leaves it to its message");
    let free_at = clock::later(clock::now(), Duration::from_millis(999));
    slot_in(&bench, 1);
    bench.done();
    assert_eq!(bench.deliver_export("erp", 2).await.unwrap(), Verdict::Done);
    assert!(clock::now() >= free_at, "not before its slot");
    assert_eq!(bench.done(), [&["read erp"], &MADE[..]].concat(), "no other slot is taken");
    assert_eq!(bench.row("erp").unwrap().attempts, 1);
}

#[tokio::test]
async fn a_slot_that_was_missed_is_given_up_for_another() {
    for (late, takes_another) in [(1, false), (4, true)] {
        let bench = Bench::new("code = 'erp' | rate_limit = '10/s'");
        busy_for(&bench.ledger, Duration::from_secs(100)).await;
        bench.deliver(&placed(), 1).await.unwrap();
        slot_in(&bench, -late);
        bench.done();
        bench.queue.take();
        assert_eq!(bench.deliver_export("erp", 1).await.unwrap(), Verdict::Done);
        let row = bench.row("erp").unwrap();
        let expected = if takes_another { Status::Pending } else { Status::Exported };
        assert_eq!((row.status, bench.queue.take().len()), (expected, usize::from(takes_another)));
        assert_eq!(row.slot().is_some_and(|slot| slot > clock::now()), takes_another);
        assert_eq!(row.attempts, u32::from(!takes_another), "no attempt is used up");
    }
}

#[tokio::test]
async fn a_failed_attempt_takes_another_slot() {
    let slow = "retries = { base = '11h', cap = '11h' }";
    let (bench, hook) = (Bench::new(&format!("code = 'erp' | rate_limit = '10/s' | {slow}")), placed());
    bench.answers("erp", &[Answer::Busy]);
    assert!(matches!(bench.deliver(&hook, 1).await.unwrap(), Verdict::Retry(_)));
    bench.done();
    assert!(matches!(bench.deliver(&hook, 2).await.unwrap(), Verdict::Retry(_)));
    assert_eq!(bench.done(), ["query order", "read erp", "refused erp"], "none while it backs off");
    bench.time_passes("erp", &["not_before"]);
    busy_for(&bench.ledger, Duration::from_secs(100)).await;
    assert_eq!(bench.deliver(&hook, 2).await.unwrap(), Verdict::Done);
    let row = bench.row("erp").unwrap();
    assert_eq!((row.waits_for, row.attempts, row.history.len()), (Some(Why::Slot), 1, 1));
    assert_eq!(bench.queue.take().len(), 1);
}

#[tokio::test]
async fn what_is_over_or_held_takes_no_slot() {
    let (bench, hook) = (Bench::new("code = 'erp' | rate_limit = '10/s'"), placed());
    bench.deliver(&hook, 1).await.unwrap();
    bench.done();
    assert_eq!(bench.deliver(&hook, 2).await.unwrap(), Verdict::Done);
    assert_eq!(bench.done(), ["query order", "read erp", "refused erp"]);
    bench.falls_while_it_delivers("erp");
    assert!(matches!(bench.deliver(&hook, 2).await.unwrap(), Verdict::Retry(_)));
    assert_eq!(bench.done(), ["query order", "read erp", "refused erp"]);
}

#[tokio::test]
async fn a_slot_beyond_the_queues_reach_is_waited_for_in_the_ledger() {
    let bench = Bench::new("code = 'erp' | rate_limit = '1/h'; code = 'wms' | rate_limit = '1/h'");
    assert_eq!(bench.deliver(&placed(), 1).await.unwrap(), Verdict::Done);
    let (erp, wms) = (bench.row("erp").unwrap(), bench.row("wms").unwrap());
    let (made, waits) = if erp.status == Status::Exported { (erp, wms) } else { (wms, erp) };
    assert_eq!((made.status, waits.waits_for), (Status::Exported, Some(Why::Slot)), "they share the destination");
    let (slot, due) = (waits.not_before.unwrap(), waits.due.unwrap().at);
    assert_eq!(slot.duration_since(due).as_secs(), 30, "handed out somewhat early");
    assert_eq!(bench.queue.take(), []);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    /// Whoever asks, by whatever clock: no two slots of a destination are closer than the interval of the first.
    #[test]
    fn slots_are_never_closer_than_the_interval(
        asks in proptest::collection::vec((0i64..400, -50i64..50, prop_oneof![Just(100u64), Just(250), Just(1000)]), 1..40),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()
            .map_err(|error| TestCaseError::fail(error.to_string()))?;
        let ledger = FakeTable::new(Log::default()).ledger();
        let (mut time, mut last) = (1_800_000_000_000_i64, None::<(Timestamp, u64)>);
        for (passed, skew, interval) in asks {
            time += passed;
            let now = Timestamp::from_millisecond(time + skew).map_err(|error| TestCaseError::fail(error.to_string()))?;
            let slot = runtime.block_on(ledger.slot(DESTINATION, Duration::from_millis(interval), now));
            let slot = slot.map_err(|error| TestCaseError::fail(error.to_string()))?;
            prop_assert!(slot >= now, "{slot} lies behind {now}");
            if let Some((last, interval)) = last {
                let earliest = last + Duration::from_millis(interval);
                prop_assert!(slot >= earliest, "{slot} is too close to {last}");
                prop_assert!(slot == earliest || slot == now, "no slot is left out");
            }
            last = Some((slot, interval));
        }
    }
}
