//! What rows say together of an order, and what is made of it.

use aws_sdk_dynamodb::primitives::Blob;

use super::*;
use crate::ledger::{CancelTry, Payload};

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

#[expect(clippy::unnecessary_wraps, reason = "as rows have it")]
fn told(second: i64, event: Event) -> Option<Told> {
    Some(Told::by(&[event], at(second)))
}

/// A row of an unpaid order, as a webhook of it wrote it.
fn row(pipeline: &str, status: Status, state: &str, observed: Option<Told>) -> Row {
    let sample = Row::sample(status);
    Row {
        key: ExportKey::new("acme-eu", "7", pipeline),
        placed_at: Some(at(0)),
        order_state: Some(state.into()),
        payment_method: Some("invoice".into()),
        is_unpaid: true,
        observed,
        payload: Some(Payload::Inline(Blob::new(pipeline.as_bytes()))),
        envelope: fields(1),
        ..sample
    }
}

fn fields(received_second: i64) -> Fields {
    let received_at = at(received_second).to_string();
    Fields::from([("shop".into(), "acme-eu".into()), ("received_at".into(), received_at)])
}

#[test]
fn what_was_said_last_counts_wherever_it_stands() {
    let early = row("erp", Status::Exported, "new", told(10, Event::Placed));
    let late = row(ExportKey::NO_PIPELINE, Status::Skipped, "pending", told(20, Event::Updated));
    for rows in [vec![early.clone(), late.clone()], vec![late, early]] {
        let standing = Standing::of(&rows).unwrap();
        assert_eq!(standing.key.pipeline, ExportKey::NO_PIPELINE, "the first by pipeline has the hold");
        assert_eq!(standing.order_state.as_deref(), Some("pending"));
        assert_eq!(standing.exports, [Status::Exported], "the row without a pipeline is no export");
    }
}

#[test]
fn a_row_that_knows_less_than_another_does_not_make_an_order_unpaid() {
    let paid = Row { is_unpaid: false, ..row("erp", Status::Exported, "processing", told(20, Event::Paid)) };
    let behind = row("wms", Status::Exported, "pending", told(10, Event::Placed));
    let standing = Standing::of(&[paid.clone(), behind.clone()]).unwrap();
    assert!(!standing.is_unpaid && !standing.is_canceled);
    assert_eq!(standing.key.pipeline, "wms", "the row in the index");
    assert_eq!(standing.observation().map(|said| (said.is_unpaid, said.told)), Some((false, paid.observed.unwrap())));
    let canceled = Row { observed: told(20, Event::Canceled), ..paid.clone() };
    let standing = Standing::of(&[canceled, behind.clone()]).unwrap();
    assert!(standing.is_canceled && !standing.is_unpaid);
    let same_time = Row { observed: behind.observed, ..paid };
    assert!(Standing::of(&[same_time, behind]).unwrap().is_unpaid, "one of the order's rows was put back by hand");
}

#[test]
fn a_webhook_that_could_not_be_read_says_nothing() {
    let known = row("erp", Status::Exported, "pending", told(10, Event::Placed));
    let unread =
        Row { placed_at: None, is_unpaid: false, ..row("cancellations", Status::Error, "", told(20, Event::Updated)) };
    let standing = Standing::of(&[unread, known]).unwrap();
    assert!(standing.is_unpaid);
    assert_eq!(standing.order_state.as_deref(), Some("pending"));
}

#[test]
fn an_order_without_a_row_in_the_index_is_none() {
    let paid = Row { is_unpaid: false, ..row("erp", Status::Exported, "processing", told(20, Event::Paid)) };
    assert_eq!(Standing::of(&[paid]), None);
    assert_eq!(Standing::of(&[]), None);
}

#[test]
fn tries_count_on_the_row_with_the_hold_and_any_row_makes_it_wait() {
    let tried = |tries, second| Some(CancelTry { tries, after: at(second), outcome: None });
    let first = Row { cancellation: tried(3, 50), ..row("a", Status::Exported, "pending", None) };
    let second = Row { cancellation: tried(7, 90), ..row("b", Status::Exported, "pending", None) };
    let standing = Standing::of(&[first, second]).unwrap();
    assert_eq!((standing.tries, standing.after), (3, Some(at(90))));
}

#[test]
fn an_answer_is_never_older_than_what_was_known_when_it_was_asked_for() {
    use Event::{Canceled, Paid, Placed, Updated};
    let state = |is_paid, is_canceled, second: Option<i64>| OrderState {
        is_paid,
        is_canceled,
        updated_at: second.map(at),
        ..OrderState::default()
    };
    for (state, known, expected) in [
        (state(false, false, Some(20)), told(10, Placed), told(20, Updated)),
        (state(true, false, Some(20)), told(10, Placed), told(20, Paid)),
        (state(true, true, Some(20)), told(10, Placed), told(20, Canceled)),
        (state(false, true, None), told(10, Placed), told(99, Canceled)),
        (state(false, true, None), None, told(99, Canceled)),
        // The shop's clock lags behind: the answer counts all the same.
        (state(true, false, Some(5)), told(10, Placed), told(10, Paid)),
        (state(false, false, Some(10)), told(10, Paid), told(10, Paid)),
    ] {
        let said = Observation::asked(&state, known, at(99));
        assert_eq!(Some(said.told), expected, "{state:?} {known:?}");
        assert_eq!(said.is_unpaid, !state.is_paid && !state.is_canceled);
        assert_eq!(said.is_canceled, state.is_canceled);
    }
}

#[test]
fn a_cancellation_is_told_with_the_latest_whole_order() {
    let said = Observation::named(Event::Canceled, told(30, Event::Canceled).unwrap()).unwrap();
    let old =
        Row { payment_state: Some("open".into()), ..row("erp", Status::Exported, "new", told(10, Event::Placed)) };
    let new = Row { envelope: fields(5), ..row("wms", Status::Exported, "new", told(10, Event::Placed)) };
    let erased = Row { payload: None, envelope: fields(9), ..row("x", Status::Exported, "new", None) };
    let unread = Row { placed_at: None, envelope: fields(9), ..row("y", Status::Error, "new", None) };
    let facts = Facts::of_cancellation(&[new, old.clone(), erased.clone(), unread], &said, FindBy::default()).unwrap();
    let kept = facts.kept.unwrap();
    assert_eq!(kept.payload, Payload::Inline(Blob::new(b"wms")));
    assert_eq!(envelope(&kept.envelope).unwrap().event, Some(Event::Canceled));
    assert_eq!((facts.order_state.as_deref(), facts.payment_state), (Some("canceled"), None));
    assert!(!facts.is_unpaid);
    let facts = Facts::of_cancellation(&[old], &said, FindBy::default()).unwrap();
    assert_eq!(facts.payment_state.as_deref(), Some("open"), "what is not said is kept");
    assert!(Facts::of_cancellation(&[erased], &said, FindBy::default()).is_none());
}
