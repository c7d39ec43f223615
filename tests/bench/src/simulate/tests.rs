//! Days whose course is known beforehand.

use super::day::Day;
use super::scenario::Timing;
use super::scenario::tests::scenario;
use crate::cost::prices::tests::prices;

const TIMING: Timing =
    Timing { intake_ms: 12.0, ledger_ms: 5.0, batch_ms: 5.0, destination_ms: 150.0, is_measured: false };

fn day(options: &str) -> Day {
    Day::of(&scenario(options), TIMING, &prices())
}

/// Every order that was accepted is exported, waits or is in error, by the orders as by the hours.
fn assert_nothing_is_lost(day: &Day) {
    let sum = day.sum;
    let of = |count: fn(&super::Hour) -> u64| day.hours.iter().map(count).sum::<u64>();
    assert_eq!(sum.accepted, of(|hour| hour.accepted), "accepted");
    assert_eq!(sum.exported, of(|hour| hour.exported), "exported");
    assert_eq!(sum.in_error, of(|hour| hour.errors) - of(|hour| hour.reset), "in error");
    assert_eq!(sum.attempts, sum.exported + of(|hour| hour.failed), "attempts");
    assert_eq!(sum.placed, sum.accepted + sum.given_up_by_shop + sum.still_at_shop, "placed");
    let last = day.hours.last().unwrap();
    // The last second of the day is noted at its end, when the day is over.
    assert!(last.waiting.abs_diff(sum.waiting) < 200, "{} {}", last.waiting, sum.waiting);
}

#[test]
fn nothing_is_lost_whatever_happens() {
    for options in [
        "--orders-per-day 30000",
        "--orders-per-day 30000 --rate-limit 0 --destination-limit 3",
        "--orders-per-day 30000 --rate-limit 1 --outage-minutes 300",
        "--orders-per-day 30000 --throttling-rate 5 --throttling-burst 5",
        "--orders-per-day 30000 --account-concurrency 6 --outage-ms 30000",
        "--orders-per-day 30000 --outage-at 2 --outage-minutes 1200 --max-attempts 3 --max-resets 1",
        "--orders-per-day 30000 --batch-window 5 --pollers 2 --most-pollers 5",
    ] {
        let day = day(options);
        assert!(day.sum.placed > 30_000, "{options}: the sale comes on top");
        assert_nothing_is_lost(&day);
    }
}

#[test]
fn below_its_capacity_nothing_queues() {
    let day = day("--orders-per-day 50000 --sale-minutes 0 --outage-minutes 0 --rate-limit 0");
    assert_nothing_is_lost(&day);
    assert_eq!((day.sum.refused, day.sum.in_error), (0, 0));
    assert_eq!(day.sum.attempts, day.sum.exported);
    for hour in &day.hours {
        // Claim, answer and completion: from 85 to 235 ms, and 5 ms of work.
        assert!(hour.took_p99_s < 0.3 && hour.oldest_s < 1.0, "{hour:?}");
        assert!(hour.queued <= 1 && hour.batches_at_once <= 5, "{hour:?}");
    }
    assert!(day.sum.waiting <= 2, "what was placed in the last moment");
}

#[test]
fn after_an_outage_what_waited_goes_out_at_the_rate_limit() {
    // About 0.6 a second come; for an hour none is taken, then ten a second may go out.
    let options = "--orders-per-day 50000 --sale-minutes 0 --outage-at 12 --outage-minutes 60 --rate-limit 10 \
        --max-attempts 20 --outage-ms 500";
    let day = day(options);
    assert_nothing_is_lost(&day);
    let at = |hour: usize| &day.hours[hour];
    assert_eq!(at(12).exported, 0, "{:?}", at(12));
    assert!(at(12).failed > at(12).accepted, "each is tried several times");
    assert!(at(12).waiting > 2000, "{:?}", at(12));
    let fastest = day.minutes.iter().map(|minute| minute.exported).fold(0.0, f64::max);
    assert!(fastest <= 10.5, "{fastest} a second");
    // The longest back-off is an hour: two hours after the outage nothing of it is left.
    assert!(at(14).waiting < 50, "{:?}", at(14));
    assert_eq!(day.sum.in_error, 0);
}

#[test]
fn a_backlog_at_the_rate_limit_drains_as_fast_as_the_limit_allows() {
    // 60 times 2.7 a second for ten minutes are some 97,000, less what 50 a second take meanwhile.
    let options = "--hours 14 --orders-per-day 200000 --outage-minutes 0 --sale-at 10 --sale-minutes 10 --sale-times 60 \
        --throttling-rate 10000 --throttling-burst 5000 --rate-limit 50";
    let day = day(options);
    assert_nothing_is_lost(&day);
    let minutes = |of: std::ops::Range<usize>| day.minutes[of].iter().map(|minute| minute.exported).sum::<f64>();
    let limit = minutes(612..630) / 18.0;
    assert!((45.0..=50.5).contains(&limit), "{limit} a second");
    let waiting = day.minutes.iter().map(|minute| minute.waiting).fold(0.0, f64::max);
    assert!((50_000.0..90_000.0).contains(&waiting), "{waiting}");
    // With 50 - 2.7 a second that is gone within half an hour.
    let gone = day.minutes.iter().rposition(|minute| minute.waiting > 200.0).unwrap();
    let expected = 610.0 + waiting / 47.0 / 60.0;
    assert!((super::scenario::real(gone as u64) - expected).abs() < 6.0, "{gone}, {expected}");
}

#[test]
fn attempts_run_out_in_a_long_outage_and_are_reset_after_it() {
    let options =
        "--orders-per-day 20000 --sale-minutes 0 --rate-limit 0 --outage-at 2 --outage-minutes 360 --outage-ms 500";
    let day = day(options);
    assert_nothing_is_lost(&day);
    let errors: u64 = day.hours.iter().map(|hour| hour.errors).sum();
    assert!(errors > 100, "{errors}");
    assert!(day.hours.iter().map(|hour| hour.dead_letters).sum::<u64>() == errors, "each at its last delivery");
    assert_eq!(day.sum.in_error, 0, "all were set back once the destination was there again");
    assert!(day.sum.waiting <= 2);
}

#[test]
fn what_the_throttle_refuses_the_shop_sends_again() {
    let options = "--orders-per-day 100000 --sale-minutes 5 --sale-times 100 --rate-limit 0 --outage-minutes 0 \
        --throttling-rate 20 --throttling-burst 20";
    let day = day(options);
    assert_nothing_is_lost(&day);
    assert!(day.sum.refused > 1000, "{:?}", day.sum);
    assert_eq!(day.sum.still_at_shop, 0);
    let fastest = day.minutes.iter().map(|minute| minute.exported).fold(0.0, f64::max);
    assert!(fastest <= 21.0, "{fastest}");
}

#[test]
fn the_same_day_twice_is_the_same() {
    let options = "--hours 12 --orders-per-day 10000";
    assert_eq!(day(options), day(options));
}

#[test]
fn an_order_is_priced_by_what_it_used() {
    let day = day("--orders-per-day 20000 --sale-minutes 0 --rate-limit 0 --outage-minutes 0");
    let a_million = day.sum.dollars / super::scenario::real(day.sum.exported) * 1e6;
    // Each alone: 1.00 + 0.20 + 0.05 + 1.20 + 0.20 + 165 ms at 512 MB 1.38 + 1.25.
    assert!((a_million - 5.28).abs() < 0.1, "{a_million}");
}
