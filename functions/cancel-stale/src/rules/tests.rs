//! Each condition on its own, the first rule of several, and ages by the calendar.

use std::collections::BTreeSet;

use jiff::civil;
use ordersync::config::Files;
use proptest::prelude::*;

use super::*;

fn span(text: &str) -> Span {
    text.parse().unwrap()
}

fn zone(name: &str) -> TimeZone {
    TimeZone::get(name).unwrap()
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn rule(age: &str) -> StaleRule {
    StaleRule {
        shops: BTreeSet::from(["acme-eu".to_owned()]),
        method: "banktransfer".to_owned(),
        statuses: BTreeSet::from(["pending".to_owned(), "new".to_owned()]),
        only_exported: true,
        older_than: span(age),
        report: false,
    }
}

/// An order that the rule of seven days fits at [`NOW`].
fn stale(zone: &TimeZone) -> Subject<'_> {
    Subject {
        shop: "acme-eu",
        zone,
        method: Some("banktransfer"),
        state: Some("pending"),
        placed_at: at("2026-03-01T12:00:00Z"),
        exports: Some(&[Status::Exported]),
    }
}

const NOW: &str = "2026-03-08T12:00:00Z";

fn found(rules: &[StaleRule], order: Subject<'_>, now: &str) -> Option<Reason> {
    match judge(rules, order, at(now)) {
        Verdict::Fits(_) => None,
        Verdict::Not(reason) => Some(reason),
    }
}

#[test]
fn all_conditions_have_to_hold_and_each_alone_is_not_enough() {
    let (utc, rules) = (TimeZone::UTC, [rule("7 days")]);
    let fits = stale(&utc);
    assert_eq!(found(&rules, fits, NOW), None);
    let late = fits.placed_at + SignedDuration::from_millis(1);
    for (order, expected) in [
        (Subject { shop: "acme-us", ..fits }, Reason::NoRule),
        (Subject { method: Some("paypal"), ..fits }, Reason::OtherMethod),
        (Subject { method: Some("Banktransfer"), ..fits }, Reason::OtherMethod),
        (Subject { method: None, ..fits }, Reason::OtherMethod),
        (Subject { state: Some("processing"), ..fits }, Reason::OtherState),
        (Subject { state: Some("Pending"), ..fits }, Reason::OtherState),
        (Subject { state: None, ..fits }, Reason::OtherState),
        (Subject { exports: Some(&[]), ..fits }, Reason::NotExported),
        (Subject { exports: Some(&[Status::Pending]), ..fits }, Reason::NotExported),
        (Subject { placed_at: late, ..fits }, Reason::TooYoung),
    ] {
        assert_eq!(found(&rules, order, NOW), Some(expected), "{order:?}");
    }
    // Each holds alone, and the other three do not.
    let other = Subject { method: Some("x"), state: Some("x"), placed_at: late, exports: Some(&[]), ..fits };
    for order in [
        Subject { method: fits.method, ..other },
        Subject { state: fits.state, ..other },
        Subject { placed_at: fits.placed_at, ..other },
        Subject { exports: fits.exports, ..other },
    ] {
        assert!(found(&rules, order, NOW).is_some(), "{order:?}");
    }
}

#[test]
fn an_order_is_exported_when_every_pipeline_that_wants_it_has_done_so() {
    use Status::{Acknowledged, Canceled, Error, Exported, Pending, Processing, Skipped};
    for (exports, expected) in [
        (&[][..], false),
        (&[Exported], true),
        (&[Acknowledged], true),
        (&[Exported, Acknowledged, Skipped, Canceled], true),
        (&[Skipped], false),
        (&[Canceled, Skipped], false),
        (&[Exported, Pending], false),
        (&[Exported, Processing], false),
        (&[Exported, Error], false),
    ] {
        assert_eq!(is_exported(exports), expected, "{exports:?}");
    }
    let utc = TimeZone::UTC;
    let any = [StaleRule { only_exported: false, ..rule("7 days") }];
    assert_eq!(found(&any, Subject { exports: Some(&[]), ..stale(&utc) }, NOW), None, "where it does not matter");
}

#[test]
fn the_first_rule_that_fits_counts() {
    let utc = TimeZone::UTC;
    let report = StaleRule { report: true, ..rule("7 days") };
    let judged = |rules: &[StaleRule]| match judge(rules, stale(&utc), at(NOW)) {
        Verdict::Fits(rule) => rule.report,
        Verdict::Not(reason) => panic!("{reason:?}"),
    };
    assert!(judged(&[report.clone(), rule("7 days")]));
    assert!(!judged(&[rule("7 days"), report.clone()]));
    assert!(!judged(&[StaleRule { older_than: span("1 month"), ..report }, rule("7 days")]));
    let everywhere = StaleRule { shops: BTreeSet::new(), ..rule("7 days") };
    assert_eq!(found(&[everywhere], Subject { shop: "any", ..stale(&utc) }, NOW), None);
}

#[test]
fn of_several_rules_the_closest_says_what_does_not_hold() {
    let utc = TimeZone::UTC;
    let rules = [StaleRule { method: "paypal".into(), ..rule("1 hour") }, rule("1 month")];
    assert_eq!(found(&rules, stale(&utc), NOW), Some(Reason::TooYoung));
    assert_eq!(found(&[], stale(&utc), NOW), Some(Reason::NoRule));
}

#[test]
fn what_is_not_known_yet_is_not_held_against_an_order() {
    let utc = TimeZone::UTC;
    let listed = Subject { exports: None, ..stale(&utc) };
    assert_eq!(found(&[rule("7 days")], listed, NOW), None);
    assert_eq!(found(&[rule("7 days")], Subject { state: None, ..listed }, NOW), None);
    let other = Subject { state: Some("processing"), ..listed };
    assert_eq!(found(&[rule("7 days")], other, NOW), Some(Reason::OtherState));
}

#[test]
fn ages_are_counted_by_the_calendar_of_the_shop() {
    for (placed, age, name, due) in [
        ("2026-01-10T09:00:00Z", "90 minutes", "UTC", "2026-01-10T10:30:00Z"),
        ("2026-01-10T09:00:00Z", "7 days", "UTC", "2026-01-17T09:00:00Z"),
        ("2026-01-10T09:00:00Z", "2 weeks", "UTC", "2026-01-24T09:00:00Z"),
        // Months end on different days.
        ("2026-01-31T09:00:00Z", "1 month", "UTC", "2026-02-28T09:00:00Z"),
        ("2026-01-28T09:00:00Z", "1 month", "UTC", "2026-02-28T09:00:00Z"),
        ("2028-01-31T09:00:00Z", "1 month", "UTC", "2028-02-29T09:00:00Z"),
        ("2026-01-31T09:00:00Z", "2 months", "UTC", "2026-03-31T09:00:00Z"),
        ("2028-02-29T09:00:00Z", "1 year", "UTC", "2029-02-28T09:00:00Z"),
        ("2026-01-31T09:00:00Z", "1 month 1 day", "UTC", "2026-03-01T09:00:00Z"),
        // The shop's month, not that of UTC: in Berlin it is February already.
        ("2026-01-31T23:30:00Z", "1 month", "Europe/Berlin", "2026-02-28T23:30:00Z"),
        ("2026-01-31T23:30:00Z", "1 month", "America/New_York", "2026-02-28T23:30:00Z"),
        ("2026-01-31T22:30:00Z", "1 month", "Europe/Berlin", "2026-02-28T22:30:00Z"),
        // Clocks go forward in Berlin on 29 March 2026 and back on 25 October: a day has 23 or 25 hours.
        ("2026-03-28T12:00:00Z", "1 day", "Europe/Berlin", "2026-03-29T11:00:00Z"),
        ("2026-03-28T12:00:00Z", "24 hours", "Europe/Berlin", "2026-03-29T12:00:00Z"),
        ("2026-10-24T12:00:00Z", "1 day", "Europe/Berlin", "2026-10-25T13:00:00Z"),
        ("2026-10-24T12:00:00Z", "24 hours", "Europe/Berlin", "2026-10-25T12:00:00Z"),
        // 02:30 does not exist that night: an hour later it is.
        ("2026-03-28T01:30:00Z", "1 day", "Europe/Berlin", "2026-03-29T01:30:00Z"),
        // 02:30 comes twice that night: the first counts.
        ("2026-10-24T00:30:00Z", "1 day", "Europe/Berlin", "2026-10-25T00:30:00Z"),
    ] {
        let (placed, due) = (at(placed), at(due));
        let just_before = due - SignedDuration::from_nanos(1);
        assert!(is_due(placed, span(age), &zone(name), due), "{placed} + {age} in {name} is not over by {due}");
        assert!(
            !is_due(placed, span(age), &zone(name), just_before),
            "{placed} + {age} in {name} is over before {due}"
        );
    }
}

#[test]
fn an_age_beyond_the_calendar_is_never_reached() {
    let age = span("9000 years");
    assert!(!is_due(at("2026-01-01T00:00:00Z"), age, &TimeZone::UTC, at("9999-01-01T00:00:00Z")));
    assert_eq!(latest(span("19000 years"), &TimeZone::UTC, at(NOW)), Timestamp::MIN);
}

#[test]
fn the_index_is_read_as_far_as_the_youngest_age_of_a_shop_that_can_be_called() {
    const SHOPS: &str = r#"
        [[shops]]
        code = "called"
        platform = "magento"
        secrets = ["s"]
        api = { url = "https://shop.example.com", auth = "a" }
        [[shops]]
        code = "not-called"
        platform = "magento"
        secrets = ["s"]
        [[pipelines]]
        code = "archive"
        format = { type = "json" }
        transport = { type = "s3", key = "{{ order.number }}.json" }
    "#;
    let until = |rules: &str| {
        let rules = if rules.is_empty() { String::new() } else { format!("[cancel_stale]\nrules = [{rules}]") };
        let text = format!("{SHOPS}\n{rules}");
        let config = ordersync::config::parse("ordersync.toml", &text, &Files::default(), 10);
        placed_until(&config.unwrap_or_else(|invalid| panic!("{invalid}")), at(NOW))
    };
    let rule = |age: &str| format!("{{ method = \"x\", statuses = [\"y\"], older_than = \"{age}\" }}");
    assert_eq!(until(""), None);
    assert_eq!(until(&rule("3 hours")), Some(at("2026-03-08T09:00:00Z")));
    assert_eq!(until(&format!("{}, {}", rule("7 days"), rule("1 month"))), Some(at("2026-03-03T12:00:00Z")));
    let named = |shop: &str, age: &str| rule(age).replace("{ method", &format!("{{ shops = [\"{shop}\"], method"));
    assert_eq!(until(&named("called", "3 hours")), Some(at("2026-03-08T09:00:00Z")));
}

fn any_zone() -> impl Strategy<Value = TimeZone> {
    // With and without daylight saving, by half an hour, ahead of and behind UTC, and one that once left out a day.
    const NAMES: [&str; 6] =
        ["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Pacific/Apia", "Asia/Kolkata"];
    proptest::sample::select(NAMES.as_slice()).prop_map(zone)
}

fn any_age() -> impl Strategy<Value = Span> {
    let counts = (0i32..3, 0i32..15, 0i32..6, 0i32..40, 0i32..72, 0i64..200);
    let span = |(years, months, weeks, days, hours, minutes)| {
        Span::new().years(years).months(months).weeks(weeks).days(days).hours(hours).minutes(minutes)
    };
    let only = |unit: usize, age: Span| match unit {
        0 => Span::new().hours(age.get_hours()).minutes(age.get_minutes()),
        1 => Span::new().days(age.get_days()),
        2 => Span::new().months(age.get_months()),
        3 => Span::new().years(age.get_years()),
        _ => age,
    };
    (counts, 0usize..5)
        .prop_map(move |(counts, unit)| only(unit, span(counts)))
        .prop_filter("an age", |age| age.is_positive())
}

/// From 2011, when Samoa left out a day, with many at the ends of months.
fn any_time() -> impl Strategy<Value = Timestamp> {
    const DAYS: [i8; 8] = [1, 2, 15, 27, 28, 29, 30, 31];
    let days = proptest::sample::select(DAYS.as_slice());
    (2011i16..2032, 1i8..=12, days, 0i8..24, 0i8..60).prop_map(|(year, month, day, hour, minute)| {
        let last = civil::date(year, month, 1).days_in_month();
        let local = civil::date(year, month, day.min(last)).at(hour, minute, 0, 0);
        local.to_zoned(TimeZone::UTC).unwrap().timestamp()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn an_order_becomes_stale_once_and_stays_so(
        placed in any_time(), age in any_age(), zone in any_zone(), first in 0i64..200_000_000, more in 0i64..10_000_000,
    ) {
        let now = placed + SignedDuration::from_secs(first);
        let later = now + SignedDuration::from_secs(more);
        prop_assert!(!is_due(placed, age, &zone, now) || is_due(placed, age, &zone, later));
        prop_assert!(!is_due(placed, age, &zone, placed), "it is older than nothing when it is placed");
    }

    #[test]
    fn no_order_that_is_due_is_beyond_what_is_read(
        placed in any_time(), age in any_age(), zone in any_zone(), beyond in 0i64..500_000,
    ) {
        let due = placed.to_zoned(zone.clone()).checked_add(age).unwrap().timestamp();
        let now = due + SignedDuration::from_secs(beyond);
        prop_assert!(is_due(placed, age, &zone, now));
        prop_assert!(placed <= latest(age, &zone, now), "{placed} + {age} by {now}");
    }
}
