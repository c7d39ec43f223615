use ordersync::ledger::Payload;
use ordersync::queue::Fields;

use super::*;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + second).unwrap()
}

/// A row of this status whose order is kept in it.
fn row(status: Status) -> Row {
    Row {
        key: ExportKey::new("acme", "9007", "erp"),
        number: "#1001".into(),
        status,
        updated_at: at(0),
        created_at: at(0),
        placed_at: None,
        attempts: 1,
        lease_owner: None,
        lease_until: None,
        not_before: None,
        history: Vec::new(),
        last_error: None,
        external_id: None,
        destination: None,
        pack: None,
        exported_at: None,
        order_state: None,
        payment_state: None,
        payment_method: None,
        observed: None,
        canceled_at: None,
        reopened_at: None,
        fault: None,
        resets: 0,
        due: None,
        waits_for: None,
        requeued_at: None,
        cancellation: None,
        customer: None,
        set_aside_at: None,
        erased_at: None,
        is_unpaid: false,
        payload: Some(Payload::Inline(vec![7].into())),
        envelope: Fields::new(),
        webhook: None,
        inbound: None,
    }
}

/// What is said to resetting, stopping and deleting.
fn answers(row: &Row) -> [Option<Refusal>; 3] {
    let answer = |action| allowed(row, action, at(10)).err();
    assert_eq!(answer(Action::Reset), answer(Action::ExportNow));
    assert_eq!(answer(Action::Cancel), answer(Action::Skip));
    [answer(Action::Reset), answer(Action::Cancel), answer(Action::Delete)]
}

#[test]
fn each_state_allows_what_does_no_harm_in_it() {
    use Refusal::{BeingTried, LeaseRanOut, NotOver, OrderCanceled, Over, WasExported};
    let leased = |until| Row { lease_until: Some(at(until)), ..row(Status::Processing) };
    let exported = |status| Row { exported_at: Some(at(1)), ..row(status) };
    let canceled = Row { canceled_at: Some(at(1)), ..row(Status::Canceled) };
    let tried = Some(BeingTried { until: at(30) });
    for (row, expected) in [
        (row(Status::Pending), [None, None, Some(NotOver)]),
        (leased(30), [tried, tried, tried]),
        (leased(10), [Some(LeaseRanOut), Some(LeaseRanOut), Some(LeaseRanOut)]),
        (row(Status::Error), [None, None, None]),
        (exported(Status::Error), [None, Some(WasExported), None]),
        (exported(Status::Exported), [None, Some(Over(Status::Exported)), None]),
        (exported(Status::Acknowledged), [None, Some(Over(Status::Acknowledged)), None]),
        (row(Status::Skipped), [None, Some(Over(Status::Skipped)), None]),
        (row(Status::Canceled), [None, Some(Over(Status::Canceled)), None]),
        (canceled, [Some(OrderCanceled), Some(Over(Status::Canceled)), None]),
    ] {
        assert_eq!(answers(&row), expected, "{:?}", row.status);
    }
}

#[test]
fn nothing_is_set_back_that_cannot_be_made_again() {
    for (status, expected) in [
        (Status::Pending, Refusal::OrderInQueue),
        (Status::Error, Refusal::OrderGone),
        (Status::Exported, Refusal::OrderGone),
        (Status::Skipped, Refusal::OrderGone),
    ] {
        let row = Row { payload: None, ..row(status) };
        assert_eq!(answers(&row)[0], Some(expected), "{status}");
    }
    for status in Status::ALL.into_iter().filter(|status| *status != Status::Processing) {
        let unwanted = Row { key: ExportKey::new("acme", "9007", ExportKey::NO_PIPELINE), ..row(status) };
        assert_eq!(answers(&unwanted)[0], Some(Refusal::NoPipeline), "{status}");
    }
}

#[test]
fn what_was_erased_is_left_alone() {
    for status in Status::ALL {
        let erased = Row { erased_at: Some(at(1)), ..row(status) };
        assert_eq!(answers(&erased), [Some(Refusal::Erased); 3], "{status}");
    }
}

#[test]
fn no_row_goes_that_leads_to_an_object() {
    let stored = Row { payload: Some(Payload::Stored("payloads/orders/acme/9007/x".into())), ..row(Status::Exported) };
    let inbound = Row { inbound: Some("payloads/inbound/x".into()), ..row(Status::Skipped) };
    for row in [stored, inbound] {
        assert_eq!(answers(&row)[2], Some(Refusal::LeadsToObject));
    }
}

#[test]
fn an_action_is_called_the_same_everywhere() {
    for action in Action::ALL {
        assert_eq!(serde_json::to_value(action).unwrap(), action.name());
    }
}
