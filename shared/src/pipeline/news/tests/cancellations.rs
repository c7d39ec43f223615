//! Orders that are cancelled, at whatever time, and opened again.

use super::*;
use crate::pipeline::bench::Answer;

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
