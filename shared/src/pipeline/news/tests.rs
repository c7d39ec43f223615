//! What a shop says of an order, in every order in which it may arrive.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::json;

use super::*;
use crate::ledger::{Status, Told};
use crate::pipeline::bench::{Answer, Bench, Hook};

const PIPELINES: &str = "code = 'erp'; code = 'pay' | on = 'paid'; code = 'upd' | on = 'updated'; \
    code = 'can' | on = 'canceled'";

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_772_352_000 + second).unwrap()
}

/// What the shop says of the order, by a clock that ticks as often as the test wants it to.
fn said(event: Event, tick: i64) -> Hook {
    let (second, state, payment) = match event {
        Event::Placed => (0, "open", "open"),
        Event::Updated => (1, "processing", "open"),
        Event::Paid => (2, "processing", "paid"),
        Event::Refunded => (3, "processing", "refunded"),
        Event::Canceled => (4, "canceled", "open"),
    };
    let topic = match event {
        Event::Placed => "order.placed",
        Event::Updated => "order.updated",
        Event::Paid => "order.paid",
        Event::Refunded => "order.refunded",
        Event::Canceled => "order.canceled",
    };
    let payment = json!({ "method": "invoice", "state": payment });
    Hook::new(topic, json!({ "state": state, "payment": payment, "updated_at": at(second * tick).to_string() }))
}

/// A later word of the merchant, who opens the cancelled order again.
fn reopened() -> Hook {
    Hook::new("order.updated", json!({ "state": "processing", "updated_at": at(60).to_string() }))
}

fn orders_of(events: &[Event]) -> Vec<Vec<Event>> {
    if events.is_empty() {
        return vec![Vec::new()];
    }
    let with_first = |first: &Event| {
        let rest: Vec<Event> = events.iter().copied().filter(|event| event != first).collect();
        orders_of(&rest).into_iter().map(|rest| [&[*first], &rest[..]].concat()).collect::<Vec<_>>()
    };
    events.iter().flat_map(with_first).collect()
}

/// How often each pipeline has delivered.
fn delivered(bench: &Bench) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for line in bench.done() {
        if let Some(rest) = line.strip_prefix("deliver ") {
            *counts.entry(rest.split(' ').next().unwrap().to_owned()).or_default() += 1;
        }
    }
    counts
}

async fn deliver(bench: &Bench, hook: &Hook) {
    assert_eq!(bench.deliver(hook, 1).await.unwrap(), Verdict::Done);
}

/// Whatever arrives first: the rows say what the shop said last, late and repeated words change nothing, every pipeline
/// exports once, and a cancellation keeps what has not been exported from being so.
async fn every_order_comes_to_the_same(events: &[Event], tick: i64) {
    let last = events.iter().max().copied().unwrap();
    for order in orders_of(events) {
        let bench = Bench::new(PIPELINES);
        for event in &order {
            deliver(&bench, &said(*event, tick)).await;
        }
        let before = bench.rows().await;
        for event in &order {
            deliver(&bench, &said(*event, tick)).await;
        }
        let rows = bench.rows().await;
        let states =
            |rows: &[Row]| rows.iter().map(|row| (row.key.clone(), row.status, row.observed)).collect::<Vec<_>>();
        assert_eq!(states(&rows), states(&before), "{order:?}, and all of it again");

        let place = |event| order.iter().position(|known| *known == event);
        let comes_before_the_end =
            |event| place(event).is_some_and(|place_of_it| place(Event::Canceled).is_none_or(|end| place_of_it < end));
        let exported = delivered(&bench);
        for (pipeline, event) in [("erp", Event::Placed), ("pay", Event::Paid), ("upd", Event::Updated)] {
            let expected = usize::from(comes_before_the_end(event));
            assert_eq!(exported.get(pipeline).copied().unwrap_or(0), expected, "{pipeline} {order:?}");
        }
        assert_eq!(exported.contains_key("can"), last == Event::Canceled, "{order:?}");
        let (state, payment) = match last {
            Event::Placed => ("open", "open"),
            Event::Updated => ("processing", "open"),
            Event::Paid => ("processing", "paid"),
            Event::Refunded | Event::Canceled => ("canceled", "open"),
        };
        for row in rows {
            let name = format!("{} {order:?}", row.key.pipeline);
            assert_eq!(
                (row.order_state.as_deref(), row.payment_state.as_deref()),
                (Some(state), Some(payment)),
                "{name}"
            );
            assert_eq!(row.is_unpaid, matches!(last, Event::Placed | Event::Updated), "{name}");
            assert_eq!(row.canceled_at.is_some(), last == Event::Canceled && row.key.pipeline != "can", "{name}");
        }
    }
}

#[tokio::test]
async fn in_whatever_order_it_arrives_what_the_shop_said_last_counts() {
    use Event::{Canceled, Paid, Placed, Updated};
    for events in [&[Placed, Updated][..], &[Placed, Paid], &[Placed, Canceled], &[Placed, Updated, Paid, Canceled]] {
        every_order_comes_to_the_same(events, 1).await;
    }
}

#[tokio::test]
async fn within_one_second_what_cannot_be_followed_by_the_others_counts() {
    use Event::{Canceled, Paid, Placed, Updated};
    for events in [&[Placed, Paid][..], &[Paid, Canceled], &[Placed, Updated, Paid, Canceled]] {
        every_order_comes_to_the_same(events, 0).await;
    }
    assert!(Told::by(&[Placed], at(0)) < Told::by(&[Updated], at(0)));
    assert!(Told::by(&[Updated, Paid], at(0)) > Told::by(&[Updated], at(0)));
    assert!(Told::by(&[Canceled], at(0)) < Told::by(&[Placed], at(1)));
}

#[tokio::test]
async fn an_order_that_is_just_placed_costs_two_writes_and_reads_nothing() {
    let bench = Bench::new("code = 'erp'");
    deliver(&bench, &said(Event::Placed, 1)).await;
    assert_eq!(bench.done(), ["write erp processing", "deliver erp open", "write erp exported"]);
}

#[tokio::test]
async fn a_late_word_neither_undoes_the_payment_nor_brings_back_the_order_into_the_unpaid_ones() {
    let bench = Bench::new("code = 'erp'; code = 'ref' | on = 'refunded'");
    for event in [Event::Placed, Event::Paid, Event::Placed, Event::Updated] {
        deliver(&bench, &said(event, 1)).await;
    }
    let row = bench.row("erp").unwrap();
    assert_eq!((row.is_unpaid, row.payment_state.as_deref()), (false, Some("paid")));
    // What exports of the refund are begun by, too, says no more than is known.
    deliver(&bench, &said(Event::Canceled, 1)).await;
    deliver(&bench, &said(Event::Refunded, 1)).await;
    let row = bench.row("ref").unwrap();
    assert_eq!((row.status, row.order_state.as_deref(), row.is_unpaid), (Status::Exported, Some("canceled"), false));
}

#[tokio::test]
async fn a_cancellation_ends_what_waits_and_marks_what_is_done() {
    let bench = Bench::new("code = 'erp'; code = 'wms' | delay = '10m'; code = 'crm' | filter = { states = ['paid'] }");
    bench.answers("erp", &[Answer::Busy]);
    assert!(matches!(bench.deliver(&said(Event::Placed, 1), 1).await.unwrap(), Verdict::Retry(_)));
    deliver(&bench, &said(Event::Canceled, 1)).await;
    let row = |code| bench.row(code).unwrap();
    assert_eq!((row("erp").status, row("erp").attempts, row("erp").not_before), (Status::Canceled, 1, None));
    assert_eq!((row("wms").status, row("wms").waits_for, row("wms").due), (Status::Canceled, None, None));
    assert_eq!((row("crm").status, row("crm").canceled_at.is_some()), (Status::Skipped, true));
    bench.done();
    for code in ["erp", "wms", "crm"] {
        assert_eq!(bench.deliver_export(code, 1).await.unwrap(), Verdict::Done);
    }
    assert_eq!(bench.deliver(&said(Event::Placed, 1), 2).await.unwrap(), Verdict::Done);
    assert_eq!(delivered(&bench), BTreeMap::new());
    // An update that the filter would take does not bring it back either.
    let update = Hook::new("order.updated", json!({ "state": "canceled", "updated_at": at(9).to_string() }));
    deliver(&bench, &update).await;
    assert_eq!(row("crm").status, Status::Skipped);
}

#[tokio::test]
async fn an_order_that_is_cancelled_while_it_is_exported_is_not_tried_again() {
    for (answer, status, attempts) in [
        (None, Status::Exported, 1),
        (Some(Answer::Busy), Status::Canceled, 1),
        (Some(Answer::No), Status::Canceled, 1),
    ] {
        let bench = Bench::new("code = 'erp'");
        bench.answers("erp", answer.as_slice());
        bench.comes_meanwhile(said(Event::Canceled, 1));
        deliver(&bench, &said(Event::Placed, 1)).await;
        let row = bench.row("erp").unwrap();
        assert_eq!((row.status, row.attempts, row.canceled_at), (status, attempts, Some(at(4))), "{answer:?}");
        assert_eq!((row.history.len(), row.fault, row.lease_owner), (1, None, None));
        assert_eq!(row.last_error.is_some(), answer.is_some());
    }
}

#[tokio::test]
async fn an_attempt_that_is_lost_while_its_order_is_cancelled_is_not_repeated() {
    for by_own_message in [false, true] {
        let bench = Bench::new("code = 'erp'");
        deliver(&bench, &said(Event::Placed, 1)).await;
        bench.falls_while_it_delivers("erp");
        deliver(&bench, &said(Event::Canceled, 1)).await;
        assert_eq!(bench.row("erp").unwrap().status, Status::Processing);
        bench.lease_ends("erp");
        bench.done();
        let verdict = if by_own_message {
            bench.deliver_export("erp", 1).await
        } else {
            bench.deliver(&said(Event::Placed, 1), 2).await
        };
        assert_eq!((verdict.unwrap(), bench.row("erp").unwrap().status), (Verdict::Done, Status::Canceled));
        assert_eq!(delivered(&bench), BTreeMap::new());
    }
}

#[tokio::test]
async fn what_the_back_office_may_have_stays_as_it_is_when_the_order_is_cancelled() {
    let bench = Bench::new("code = 'erp'");
    deliver(&bench, &said(Event::Placed, 1)).await;
    let row = bench.row("erp").unwrap();
    bench.ledger.deny(&row, None, "no such SKU", at(3)).await.unwrap();
    deliver(&bench, &said(Event::Canceled, 1)).await;
    let row = bench.row("erp").unwrap();
    assert_eq!(
        (row.status, row.canceled_at, row.last_error.as_deref()),
        (Status::Error, Some(at(4)), Some("no such SKU"))
    );
}

#[tokio::test]
async fn exports_of_the_cancellation_and_of_refunds_go_on_when_the_order_is_deleted_too() {
    let bench = Bench::new("code = 'erp'; code = 'can' | on = 'canceled'; code = 'ref' | on = 'refunded'");
    bench.answers("can", &[Answer::Busy]);
    bench.answers("ref", &[Answer::Busy]);
    for event in [Event::Canceled, Event::Refunded] {
        assert!(matches!(bench.deliver(&said(event, 1), 1).await.unwrap(), Verdict::Retry(_)), "{event}");
    }
    deliver(&bench, &Hook::named("order.deleted")).await;
    for (code, event) in [("can", Event::Canceled), ("ref", Event::Refunded)] {
        bench.time_passes(code, &["not_before"]);
        assert_eq!(bench.deliver(&said(event, 1), 2).await.unwrap(), Verdict::Done);
        assert_eq!(bench.row(code).unwrap().status, Status::Exported, "{code}");
    }
    assert_eq!(bench.row("erp").unwrap().status, Status::Canceled);
}

#[tokio::test]
async fn an_order_that_is_only_named_as_deleted_or_paid_is_known_before_it_comes() {
    let bench = Bench::new("code = 'erp'");
    deliver(&bench, &Hook::named("order.deleted")).await;
    deliver(&bench, &said(Event::Placed, 1)).await;
    assert_eq!(bench.row("erp").unwrap().status, Status::Canceled);
    assert_eq!(delivered(&bench), BTreeMap::new());

    let bench = Bench::new("code = 'erp'");
    deliver(&bench, &Hook::named("order.paid")).await;
    deliver(&bench, &said(Event::Placed, 1)).await;
    let row = bench.row("erp").unwrap();
    assert_eq!((row.status, row.is_unpaid, row.payment_state.as_deref()), (Status::Exported, false, Some("paid")));
    assert_eq!(row.number, "N-1", "what was placed is what is kept");
}

#[tokio::test]
async fn an_order_that_nobody_wants_keeps_a_row_of_its_state() {
    let bench = Bench::new("code = 'can' | on = 'canceled'");
    deliver(&bench, &said(Event::Paid, 1)).await;
    deliver(&bench, &said(Event::Placed, 1)).await;
    let row = bench.row(ExportKey::NO_PIPELINE).unwrap();
    assert_eq!((row.status, row.is_unpaid, row.payment_state.as_deref()), (Status::Skipped, false, Some("paid")));
    deliver(&bench, &said(Event::Canceled, 1)).await;
    assert_eq!(bench.row(ExportKey::NO_PIPELINE).unwrap().canceled_at, Some(at(4)));
    assert_eq!(delivered(&bench), BTreeMap::from([("can".into(), 1)]));
}

#[tokio::test]
async fn an_order_that_is_begun_just_then_is_cancelled_all_the_same() {
    for (event, status, is_unpaid) in
        [(Event::Canceled, Status::Canceled, false), (Event::Paid, Status::Pending, false)]
    {
        let placing = Bench::new("code = 'erp'");
        placing.answers("erp", &[Answer::Busy]);
        assert!(matches!(placing.deliver(&said(Event::Placed, 1), 1).await.unwrap(), Verdict::Retry(_)));
        let begun = placing.table.item("acme#1", "erp").unwrap();

        let bench = Bench::new("code = 'erp'");
        // After it was looked which rows there are, and before any is written.
        bench.table.before_call(1, move |table| table.put(begun));
        deliver(&bench, &said(event, 1)).await;
        assert_eq!(
            bench.done(),
            ["query order", "refused erp", if event == Event::Paid { "write erp" } else { "write erp canceled" }]
        );
        let row = bench.row("erp").unwrap();
        assert_eq!((row.status, row.is_unpaid, row.attempts), (status, is_unpaid, 1));
    }
}

#[tokio::test(start_paused = true)]
async fn an_order_that_is_opened_again_is_exported_by_the_word_of_it() {
    for canceled_first in [false, true] {
        let bench = Bench::new("code = 'erp'; code = 'crm' | filter = { states = ['processing'] }");
        bench.answers("erp", &[Answer::Busy]);
        if !canceled_first {
            bench.deliver(&said(Event::Placed, 1), 1).await.unwrap();
        }
        deliver(&bench, &said(Event::Canceled, 1)).await;
        bench.answers("erp", &[]);
        bench.done();
        for falls_after in [3, 4, 5] {
            let trial = bench.fork();
            trial.table.falls_after(falls_after);
            let first = trial.deliver(&reopened(), 1).await;
            trial.table.recovers();
            if !matches!(first, Ok(Verdict::Done)) {
                trial.lease_ends("erp");
                trial.lease_ends("crm");
                assert_eq!(trial.deliver(&reopened(), 2).await.unwrap(), Verdict::Done);
            }
            let row = trial.row("erp").unwrap();
            assert_eq!(
                (row.status, row.canceled_at, row.order_state.as_deref()),
                (Status::Exported, None, Some("processing"))
            );
            assert!(row.is_unpaid);
            deliver(&trial, &reopened()).await;
            deliver(&trial, &said(Event::Placed, 1)).await;
            deliver(&trial, &said(Event::Canceled, 1)).await;
            assert_eq!(trial.row("erp"), Some(row), "late and repeated words");
        }
    }
}

#[tokio::test]
async fn what_was_exported_before_is_no_longer_marked_when_the_order_is_opened_again() {
    let bench = Bench::new("code = 'erp'");
    for hook in [said(Event::Placed, 1), said(Event::Canceled, 1), reopened()] {
        deliver(&bench, &hook).await;
    }
    let row = bench.row("erp").unwrap();
    assert_eq!((row.status, row.canceled_at, row.is_unpaid), (Status::Exported, None, true));
    assert_eq!(delivered(&bench), BTreeMap::from([("erp".into(), 1)]));
}

#[tokio::test]
async fn a_word_that_does_not_repeat_the_cancellation_does_not_take_it_back() {
    let bench = Bench::new("code = 'erp' | delay = '10m'");
    deliver(&bench, &said(Event::Placed, 1)).await;
    // The topic says so, the order does not.
    let canceled = Hook::new("order.canceled", json!({ "updated_at": at(4).to_string() }));
    deliver(&bench, &canceled).await;
    let noted = Hook::new("order.updated", json!({ "note": "call first", "updated_at": at(60).to_string() }));
    deliver(&bench, &noted).await;
    let row = bench.row("erp").unwrap();
    assert_eq!((row.status, row.canceled_at, row.is_unpaid), (Status::Canceled, Some(at(4)), false));
}
