//! What a shop says of an order, in every order in which it may arrive.

mod cancellations;

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::json;

use super::*;
use crate::ledger::{Status, Told};
use crate::pipeline::bench::{Bench, Hook};

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
