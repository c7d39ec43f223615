use aws_sdk_dynamodb::types::AttributeValue;
use ordersync::clock;
use ordersync::webhook::Event;
use proptest::prelude::*;

use super::*;
use crate::tests::world::{Item, item, minutes, row, text};

const OWN: &str = "2026-03-01T00:00:00Z";

/// A message that was sent an hour ago.
fn letter(redriven: u32) -> Letter {
    let sent_at = earlier(clock::now(), Duration::from_hours(1));
    Letter::new(sent_at, redriven, Fields::from([("received_at".into(), OWN.into())]))
}

/// The row of a webhook that was received then.
fn by(received_at: &str, status: &str, attempts: u32) -> Item {
    let envelope = AttributeValue::M([("received_at".to_owned(), text(received_at))].into());
    let attempts = AttributeValue::N(attempts.to_string());
    item("1", [("status", text(status)), ("attempts", attempts), ("envelope", envelope)])
}

fn own(status: &str) -> Item {
    by(OWN, status, 1)
}

fn with(mut item: Item, name: &str, value: AttributeValue) -> Item {
    item.insert(name.into(), value);
    item
}

/// The same while only the message has the order.
fn unkept(mut item: Item) -> Item {
    item.remove("payload").expect("an order");
    item
}

fn placed() -> Errand {
    Errand::Webhook { pipelines: vec!["flaky".into()], is_whole: true, news: None }
}

fn named() -> Errand {
    Errand::Export("flaky".into())
}

#[tokio::test]
async fn a_message_goes_where_its_exports_need_it() {
    use Verdict::{PutBack, Remove, Stays};
    let reset = Stays("waits_for_reset");
    for (what, item, of_webhook, of_export) in [
        ("exported", own("exported"), Remove, Remove),
        ("acknowledged", own("acknowledged"), Remove, Remove),
        ("canceled", own("canceled"), Remove, Remove),
        ("skipped", own("skipped"), Remove, Remove),
        ("skipped for another webhook", by("another", "skipped", 0), PutBack, Remove),
        ("waits for its message", own("pending"), PutBack, PutBack),
        (
            "waits in the ledger",
            with(with(own("pending"), "due_key", text("due#1")), "due_at", minutes(1)),
            Remove,
            Remove,
        ),
        ("queued again since", with(own("pending"), "requeued_at", minutes(-50)), Remove, Remove),
        ("queued again before", with(own("pending"), "requeued_at", minutes(-70)), PutBack, PutBack),
        ("queued again by this very message", with(own("pending"), "requeued_at", minutes(-60)), PutBack, PutBack),
        ("is tried", with(own("processing"), "lease_until", minutes(1)), Stays("being_tried"), Stays("being_tried")),
        ("was tried to no end", with(own("processing"), "lease_until", minutes(-1)), PutBack, PutBack),
        ("failed", own("error"), reset, reset),
        ("failed for another webhook", by("another", "error", 3), reset, reset),
        ("failed, was reset, failed again", with(own("error"), "requeued_at", minutes(-50)), Remove, Remove),
        ("could not be read", by(OWN, "error", 0), reset, reset),
        ("another could not be read", by("another", "error", 0), PutBack, reset),
        ("it has the order", unkept(own("pending")), PutBack, Remove),
        ("it has the order of another webhook", unkept(by("another", "pending", 1)), PutBack, Remove),
        (
            "it has the order of what waits in the ledger",
            unkept(with(with(own("pending"), "due_key", text("due#1")), "due_at", minutes(1))),
            PutBack,
            Remove,
        ),
        (
            "it has the order of what was queued since",
            unkept(with(own("pending"), "requeued_at", minutes(-50))),
            PutBack,
            Remove,
        ),
        (
            "it has the order of what is tried",
            unkept(with(own("processing"), "lease_until", minutes(1))),
            Stays("being_tried"),
            Remove,
        ),
        ("it had the order of what is canceled", unkept(own("canceled")), Remove, Remove),
    ] {
        let rows = [row(item).await];
        let now = clock::now();
        assert_eq!(judge(&letter(0), &placed(), &rows, now), of_webhook, "{what}");
        assert_eq!(judge(&letter(0), &named(), &rows, now), of_export, "{what}");
        let again = if of_webhook == PutBack { Stays("redriven_before") } else { of_webhook };
        assert_eq!(judge(&letter(1), &placed(), &rows, now), again, "put back before: {what}");
    }
}

#[tokio::test]
async fn an_export_without_a_row_is_begun_by_its_webhook_and_by_nothing_else() {
    let now = clock::now();
    assert_eq!(judge(&letter(0), &placed(), &[], now), Verdict::PutBack);
    assert_eq!(judge(&letter(2), &placed(), &[], now), Verdict::PutBack, "nothing else knows of the order");
    assert_eq!(judge(&letter(3), &placed(), &[], now), Verdict::Stays("redriven_before"));
    assert_eq!(judge(&letter(0), &named(), &[], now), Verdict::Remove, "its row was removed, and the order with it");
    let other = [row(with(own("exported"), "sk", text("other"))).await];
    assert_eq!(judge(&letter(0), &placed(), &other, now), Verdict::PutBack);
}

#[tokio::test]
async fn a_message_that_alone_knows_of_one_export_goes_round_as_often_for_it_beside_the_rows_of_others() {
    let errand = Errand::Webhook { pipelines: vec!["flaky".into(), "other".into()], is_whole: true, news: None };
    let all = [row(own("pending")).await, row(with(own("pending"), "sk", text("other"))).await];
    for (redriven, of_some, of_all) in [
        (0, Verdict::PutBack, Verdict::PutBack),
        (1, Verdict::PutBack, Verdict::Stays("redriven_before")),
        (2, Verdict::PutBack, Verdict::Stays("redriven_before")),
        (3, Verdict::Stays("redriven_before"), Verdict::Stays("redriven_before")),
    ] {
        let (letter, now) = (letter(redriven), clock::now());
        assert_eq!(judge(&letter, &errand, &all[..1], now), of_some, "put back {redriven} times, one has no row");
        assert_eq!(judge(&letter, &errand, &all, now), of_all, "put back {redriven} times, all have rows");
    }
}

#[tokio::test]
async fn of_an_order_that_was_erased_nothing_stays() {
    let errand = Errand::Webhook { pipelines: vec!["flaky".into(), "other".into()], is_whole: true, news: None };
    for redriven in [0, 3] {
        let erased = [row(with(own("canceled"), "erased_at", minutes(-5))).await];
        assert_eq!(judge(&letter(redriven), &errand, &erased, clock::now()), Verdict::Remove);
    }
}

#[tokio::test]
async fn one_export_that_needs_the_message_is_enough() {
    let errand = Errand::Webhook { pipelines: vec!["flaky".into(), "other".into()], is_whole: true, news: None };
    for (other, expected) in [
        ("exported", Verdict::Stays("waits_for_reset")),
        ("pending", Verdict::PutBack),
        ("error", Verdict::Stays("waits_for_reset")),
    ] {
        let rows = [row(own("error")).await, row(with(own(other), "sk", text("other"))).await];
        assert_eq!(judge(&letter(0), &errand, &rows, clock::now()), expected, "{other}");
    }
}

#[tokio::test]
async fn what_the_shop_said_is_noted_before_its_message_goes() {
    let told = |rank_of| Told::by(&[rank_of], "2026-03-01T10:00:00.123456Z".parse().unwrap());
    let errand = |pipelines: &[&str], event| Errand::Webhook {
        pipelines: pipelines.iter().map(ToString::to_string).collect(),
        is_whole: true,
        news: Some(told(event)),
    };
    let observed = |at: &str, rank: &str| {
        let item = with(own("exported"), "observed_at", text(at));
        with(item, "observed_rank", AttributeValue::N(rank.into()))
    };
    let canceled = errand(&[], Event::Canceled);
    for (what, item, expected) in [
        ("never told", own("exported"), Verdict::PutBack),
        ("told earlier", observed("2026-03-01T09:59:59.000Z", "4"), Verdict::PutBack),
        ("told less at the time", observed("2026-03-01T10:00:00.123Z", "2"), Verdict::PutBack),
        ("told this", observed("2026-03-01T10:00:00.123Z", "4"), Verdict::Remove),
        ("told more since", observed("2026-03-01T10:00:01.000Z", "0"), Verdict::Remove),
    ] {
        assert_eq!(judge(&letter(0), &canceled, &[row(item).await], clock::now()), expected, "{what}");
    }
    assert_eq!(judge(&letter(0), &canceled, &[], clock::now()), Verdict::PutBack, "nothing is known of the order");
    let paid = errand(&["flaky"], Event::Paid);
    let known = [row(observed("2026-03-01T10:00:01.000Z", "0")).await];
    assert_eq!(judge(&letter(0), &paid, &known, clock::now()), Verdict::Remove);
}

#[tokio::test]
async fn a_message_that_only_names_its_order_is_for_all_that_it_began() {
    let errand = |is_whole| Errand::Webhook { pipelines: vec!["other".into()], is_whole, news: None };
    let other = row(with(own("exported"), "sk", text("other"))).await;
    for (what, item, of_reference, of_whole) in [
        ("it began it", own("pending"), Verdict::PutBack, Verdict::Remove),
        ("another began it", by("another", "pending", 1), Verdict::Remove, Verdict::Remove),
        ("it began and ended it", own("exported"), Verdict::Remove, Verdict::Remove),
    ] {
        let (rows, now) = ([other.clone(), row(item).await], clock::now());
        assert_eq!(judge(&letter(0), &errand(false), &rows, now), of_reference, "{what}");
        assert_eq!(judge(&letter(0), &errand(true), &rows, now), of_whole, "{what}");
    }
}

#[tokio::test]
async fn an_orphan_is_what_waits_and_has_no_pipeline_that_a_message_runs() {
    let (letter, now) = (letter(0), clock::now());
    let elsewhere = |is_whole| Errand::Webhook { pipelines: vec!["other".into()], is_whole, news: None };
    for (what, item, errand, is_configured, expected) in [
        ("waits", own("pending"), placed(), false, true),
        ("waits, and has one", own("pending"), placed(), true, false),
        ("its pipeline dropped the event", own("pending"), elsewhere(true), true, true),
        ("its pipeline has another event", by("another", "pending", 1), elsewhere(true), true, false),
        ("its event may stand in the order", own("pending"), elsewhere(false), true, false),
        ("is named", own("pending"), named(), true, false),
        ("was tried to no end", with(own("processing"), "lease_until", minutes(-1)), placed(), false, true),
        ("is tried", with(own("processing"), "lease_until", minutes(1)), placed(), false, false),
        ("was queued again", with(own("pending"), "requeued_at", minutes(-5)), placed(), false, false),
        ("failed", own("error"), placed(), false, false),
        ("skipped for another webhook", by("another", "skipped", 0), placed(), false, false),
        ("exported", own("exported"), placed(), false, false),
    ] {
        assert_eq!(is_orphan(&row(item).await, &letter, &errand, is_configured, now), expected, "{what}");
    }
}

proptest! {
    /// The one thing that must never happen: a message removed that an export still needs.
    #[test]
    fn nothing_is_removed_that_an_export_waits_for(
        statuses in proptest::collection::vec((0..Status::ALL.len(), any::<bool>(), any::<bool>(), any::<bool>()), 1..5),
        redriven in 0u32..4,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        let (base, now) = (runtime.block_on(row(own("pending"))), clock::now());
        let row_of = |number: usize, (status, is_requeued, is_held, is_kept): (usize, bool, bool, bool)| Row {
            payload: base.payload.clone().filter(|_| is_kept),
            key: ordersync::ledger::ExportKey::new("acme", "1", &number.to_string()),
            status: Status::ALL[status],
            requeued_at: is_requeued.then_some(now),
            lease_until: Some(if is_held { Timestamp::MAX } else { Timestamp::MIN }),
            ..base.clone()
        };
        let rows: Vec<_> = statuses.into_iter().enumerate().map(|(number, state)| row_of(number, state)).collect();
        let pipelines = rows.iter().map(|row| row.key.pipeline.clone()).collect();
        let waits = |row: &Row| {
            matches!(row.status, Status::Pending | Status::Processing | Status::Error)
                && (row.requeued_at.is_none() || row.wants_order())
        };
        let errand = Errand::Webhook { pipelines, is_whole: true, news: None };
        let verdict = judge(&letter(redriven), &errand, &rows, now);
        prop_assert_eq!(verdict == Verdict::Remove, !rows.iter().any(waits));
        prop_assert!(!(redriven > 0 && verdict == Verdict::PutBack), "all of them have rows");
    }
}

#[tokio::test]
async fn an_export_that_its_webhook_opened_again_is_made_by_it() {
    let told = Told::by(&[Event::Updated], clock::now());
    let reopened = text(&told.at.to_string());
    let update = Errand::Webhook { pipelines: Vec::new(), is_whole: true, news: Some(told) };
    let known = |status| {
        let item = with(own(status), "observed_at", text(&told.at.to_string()));
        let rank = AttributeValue::N(told.rank.to_string());
        with(with(item, "observed_rank", rank), "reopened_at", reopened.clone())
    };
    for (status, expected) in
        [("skipped", Verdict::PutBack), ("pending", Verdict::PutBack), ("exported", Verdict::Remove)]
    {
        let (row, now) = (row(known(status)).await, clock::now());
        assert!(!is_orphan(&row, &letter(0), &update, true, now), "{status}");
        assert_eq!(judge(&letter(0), &update, &[row], now), expected, "{status}");
    }
}
