//! The ledger's conditions, against a table.

use std::time::Duration;

use futures_util::future::join_all;
use jiff::Timestamp;
use ordersync::ledger::{
    Answered, Claim, Completion, ExportKey, Facts, Fault, FindBy, Keep, Kept, LedgerError, NextStep, Observation,
    Origin, Outcome, Recorded, Status, Told,
};
use ordersync::queue::Fields;
use ordersync::webhook::Event;

use crate::support::stack::Stack;

fn key(order_id: &str) -> ExportKey {
    ExportKey { shop: "it-ledger".into(), order_id: order_id.into(), pipeline: "erp".into() }
}

fn origin(webhook: &str) -> Origin {
    Origin { webhook: webhook.into(), inbound: None }
}

async fn kept(stack: &Stack) -> Kept {
    let payload = stack.payloads.keep("it-ledger", "1", b"{}").await.unwrap();
    Kept { payload, envelope: Fields::from([("shop".into(), "it-ledger".into())]) }
}

async fn facts(stack: &Stack) -> Facts {
    Facts {
        number: "N-1".into(),
        placed_at: None,
        order_state: None,
        payment_state: None,
        payment_method: None,
        is_unpaid: true,
        told: told(0),
        customer: None,
        origin: origin("0"),
        kept: Some(kept(stack).await),
        find_by: FindBy::default(),
    }
}

fn told(second: i64) -> Told {
    Told::by(&[Event::Updated], at(second))
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + second).unwrap()
}

fn granted<L>(claim: Claim<L>) -> L {
    match claim {
        Claim::Granted(lease) => lease,
        _ => panic!("the claim is refused"),
    }
}

#[tokio::test]
async fn of_many_at_once_one_gets_the_lease() {
    let (stack, key) = (Stack::get(), key("race"));
    let facts = facts(&stack).await;
    let owners: Vec<String> = (0..20).map(|n| format!("owner-{n}")).collect();
    let claims = join_all(owners.iter().map(|owner| stack.ledger.claim(&key, &facts, owner, at(0), at(60)))).await;
    let (mut won, mut held) = (0, 0);
    for claim in claims {
        match claim.unwrap() {
            Claim::Granted(_) => won += 1,
            Claim::Held { until } if until == at(60) => held += 1,
            _ => panic!("granted or held"),
        }
    }
    assert_eq!((won, held), (1, 19));
}

#[tokio::test]
async fn a_lease_that_ran_out_is_taken_over_and_its_holder_can_write_no_more() {
    let (stack, key) = (Stack::get(), key("expired"));
    let (facts, ledger) = (facts(&stack).await, &stack.ledger);
    let first = granted(ledger.claim(&key, &facts, "first", at(0), at(60)).await.unwrap());
    assert_eq!(ledger.claim(&key, &facts, "second", at(59), at(99)).await.unwrap(), Claim::Held { until: at(60) });
    let second = granted(ledger.claim(&key, &facts, "second", at(60), at(120)).await.unwrap());
    assert_eq!((first.attempt, second.attempt), (1, 2));
    let done = Completion { destination: "s3://b/k".into(), external_id: None, acknowledge_by: None };
    assert_eq!(ledger.complete(&first, &done, Keep::AsItIs, at(61)).await, Err(LedgerError::LeaseLost));
    assert_eq!(
        ledger.fail(&first, "x", None, NextStep::GiveUp(Fault::Permanent), None, at(61)).await,
        Err(LedgerError::LeaseLost)
    );
    ledger.complete(&second, &done, Keep::AsItIs, at(62)).await.unwrap();
    let row = ledger.export(&key).await.unwrap().unwrap();
    let outcomes: Vec<_> = row.history.iter().map(|attempt| attempt.outcome).collect();
    assert_eq!((row.status, outcomes), (Status::Exported, vec![Outcome::Lost, Outcome::Exported]));
    assert_eq!(ledger.claim(&key, &facts, "third", at(999), at(1000)).await.unwrap(), Claim::Over(Status::Exported));
}

#[tokio::test]
async fn a_failed_export_waits_for_its_back_off() {
    let (stack, key) = (Stack::get(), key("waiting"));
    let (facts, ledger) = (facts(&stack).await, &stack.ledger);
    let lease = granted(ledger.claim(&key, &facts, "a", at(0), at(60)).await.unwrap());
    let next = NextStep::Retry { not_before: at(30) };
    ledger.fail(&lease, "HTTP 503", Some("busy"), next, None, at(1)).await.unwrap();
    assert_eq!(ledger.claim(&key, &facts, "b", at(29), at(99)).await.unwrap(), Claim::NotYet { until: at(30) });
    let lease = granted(ledger.claim(&key, &facts, "b", at(30), at(90)).await.unwrap());
    ledger.fail(&lease, "HTTP 400", None, NextStep::GiveUp(Fault::Permanent), None, at(31)).await.unwrap();
    let row = ledger.export(&key).await.unwrap().unwrap();
    assert_eq!((row.status, row.attempts, row.last_error.as_deref()), (Status::Error, 2, Some("HTTP 400")));
    assert_eq!(row.history[0].took, Duration::from_secs(1));
    assert_eq!(ledger.claim(&key, &facts, "c", at(999), at(1000)).await.unwrap(), Claim::Over(Status::Error));
}

#[tokio::test]
async fn a_skipped_order_may_be_wanted_later_and_an_exported_one_is_not_skipped() {
    let (stack, key) = (Stack::get(), key("skipped"));
    let (facts, ledger) = (facts(&stack).await, &stack.ledger);
    assert_eq!(ledger.skip(&key, &facts, "not paid", at(0)).await, Ok(Recorded::Written));
    assert_eq!(ledger.skip(&key, &facts, "still not paid", at(1)).await, Ok(Recorded::Written));
    let lease = granted(ledger.claim(&key, &facts, "a", at(2), at(60)).await.unwrap());
    ledger.complete(&lease, &Completion::default(), Keep::AsItIs, at(3)).await.unwrap();
    assert_eq!(ledger.skip(&key, &facts, "late", at(4)).await, Ok(Recorded::LeftAsIs));
    assert_eq!(ledger.reject(&key, &facts, "late", Fault::Permanent, at(4)).await, Ok(Recorded::LeftAsIs));
    let row = ledger.export(&key).await.unwrap().unwrap();
    assert_eq!((row.status, row.created_at), (Status::Exported, at(0)));
    assert_eq!(row.payload, None, "what the message has that was claimed last is not kept beside it");
}

#[tokio::test]
async fn what_the_shop_says_is_noted_and_what_it_does_not_say_is_kept() {
    let (stack, key) = (Stack::get(), key("observed"));
    let (facts, ledger) = (facts(&stack).await, &stack.ledger);
    let lease = granted(ledger.claim(&key, &facts, "a", at(0), at(60)).await.unwrap());
    ledger.fail(&lease, "HTTP 503", None, NextStep::Retry { not_before: at(30) }, None, at(1)).await.unwrap();
    let paid = Observation {
        order_state: Some("processing".into()),
        payment_state: Some("paid".into()),
        payment_method: None,
        is_unpaid: false,
        is_canceled: false,
        told: told(2),
    };
    ledger.observe(&key.shop, &key.order_id, &paid, &[], at(2)).await.unwrap();
    let row = ledger.export(&key).await.unwrap().unwrap();
    assert_eq!((row.status, row.is_unpaid, row.payment_state.as_deref()), (Status::Pending, false, Some("paid")));
    ledger
        .observe(&key.shop, &key.order_id, &Observation::named(Event::Canceled, told(3)).unwrap(), &[], at(3))
        .await
        .unwrap();
    let row = ledger.export(&key).await.unwrap().unwrap();
    assert_eq!((row.status, row.payment_state.as_deref()), (Status::Canceled, Some("paid")));
    assert_eq!(row.order_state.as_deref(), Some("canceled"));
    assert_eq!(ledger.claim(&key, &facts, "b", at(99), at(160)).await.unwrap(), Claim::Over(Status::Canceled));
}

#[tokio::test]
async fn a_row_that_was_never_tried_gives_way_and_one_that_was_does_not() {
    let (stack, key) = (Stack::get(), key("refused"));
    let (facts, ledger) = (facts(&stack).await, &stack.ledger);
    assert_eq!(ledger.reject(&key, &facts, "no currency", Fault::Permanent, at(0)).await, Ok(Recorded::Written));
    assert_eq!(ledger.reject(&key, &facts, "no currency", Fault::Permanent, at(1)).await, Ok(Recorded::Written));
    let lease = granted(ledger.claim(&key, &facts, "a", at(2), at(60)).await.unwrap());
    assert_eq!(
        ledger.reject(&key, &facts, "no currency", Fault::Permanent, at(3)).await,
        Ok(Recorded::LeftAsIs),
        "it is held"
    );
    ledger.fail(&lease, "HTTP 400", None, NextStep::GiveUp(Fault::Permanent), None, at(4)).await.unwrap();
    assert_eq!(ledger.reject(&key, &facts, "no currency", Fault::Permanent, at(5)).await, Ok(Recorded::LeftAsIs));
    assert_eq!(ledger.skip(&key, &facts, "declined", at(5)).await, Ok(Recorded::LeftAsIs));
    assert_eq!(ledger.claim(&key, &facts, "b", at(99), at(160)).await.unwrap(), Claim::Over(Status::Error));
}

#[tokio::test]
async fn a_back_office_has_a_word_on_an_error_only_after_an_attempt() {
    let (stack, tried) = (Stack::get(), ["yes", "no"].map(|word| key(&format!("tried-{word}"))));
    let (facts, ledger) = (facts(&stack).await, &stack.ledger);
    for key in &tried {
        let lease = granted(ledger.claim(key, &facts, "a", at(0), at(60)).await.unwrap());
        let pending = ledger.export(key).await.unwrap().unwrap();
        let early = ledger.acknowledge(&pending, None, at(0)).await.unwrap();
        assert!(matches!(early, Answered::NotGiven(Some(_))), "an attempt that runs may still fail: {early:?}");
        ledger.fail(&lease, "no answer in time", None, NextStep::GiveUp(Fault::Exhausted), None, at(1)).await.unwrap();
    }
    let [yes, no] = &tried;
    let row = ledger.export(yes).await.unwrap().unwrap();
    assert_eq!(ledger.acknowledge(&row, Some("E-1"), at(2)).await, Ok(Answered::Recorded));
    let row = ledger.export(yes).await.unwrap().unwrap();
    assert_eq!((row.status, row.external_id.as_deref(), row.fault), (Status::Acknowledged, Some("E-1"), None));
    let row = ledger.export(no).await.unwrap().unwrap();
    assert_eq!(ledger.deny(&row, None, "no such customer", at(2)).await, Ok(Answered::Recorded));
    let row = ledger.export(no).await.unwrap().unwrap();
    assert_eq!((row.status, row.fault), (Status::Error, Some(Fault::Rejected)));

    let untried = key("untried");
    assert_eq!(ledger.reject(&untried, &facts, "no currency", Fault::Permanent, at(0)).await, Ok(Recorded::Written));
    let row = ledger.export(&untried).await.unwrap().unwrap();
    for answered in [ledger.acknowledge(&row, None, at(1)).await, ledger.deny(&row, None, "no", at(1)).await] {
        assert!(matches!(answered, Ok(Answered::NotGiven(Some(_)))), "{answered:?}");
    }
}

#[tokio::test]
async fn a_claim_whose_answer_was_lost_is_known_as_ones_own() {
    let (stack, key) = (Stack::get(), key("own"));
    let (facts, ledger) = (facts(&stack).await, &stack.ledger);
    let first = granted(ledger.claim(&key, &facts, "a/m-1/1", at(0), at(60)).await.unwrap());
    let again = granted(ledger.claim(&key, &facts, "a/m-1/1", at(0), at(60)).await.unwrap());
    assert_eq!((again.attempt, &again), (1, &first));
    let other = ledger.claim(&key, &facts, "a/m-2/1", at(0), at(60)).await.unwrap();
    assert_eq!(other, Claim::Held { until: at(60) });
}

#[tokio::test]
async fn a_further_attempt_leaves_what_was_said_of_the_order() {
    let (stack, key) = (Stack::get(), key("further"));
    let (facts, ledger) = (facts(&stack).await, &stack.ledger);
    let lease = granted(ledger.claim(&key, &facts, "a", at(0), at(60)).await.unwrap());
    ledger.fail(&lease, "HTTP 503", None, NextStep::Retry { not_before: at(30) }, None, at(1)).await.unwrap();
    let paid = Observation {
        order_state: None,
        payment_state: Some("paid".into()),
        payment_method: None,
        is_unpaid: false,
        is_canceled: false,
        told: told(2),
    };
    ledger.observe(&key.shop, &key.order_id, &paid, &[], at(2)).await.unwrap();
    let lease = granted(ledger.claim(&key, &facts, "b", at(30), at(90)).await.unwrap());
    let row = ledger.export(&key).await.unwrap().unwrap();
    assert_eq!((row.is_unpaid, row.payment_state.as_deref(), lease.attempt), (false, Some("paid"), 2));
    granted(ledger.claim(&key, &facts, "c", at(90), at(120)).await.unwrap());
    granted(ledger.claim(&key, &facts, "d", at(120), at(150)).await.unwrap());
    let outcomes: Vec<_> =
        ledger.export(&key).await.unwrap().unwrap().history.iter().map(|attempt| attempt.outcome).collect();
    assert_eq!(outcomes, [Outcome::Retry, Outcome::Lost, Outcome::Lost], "each lost attempt is on record");
}

#[tokio::test]
async fn what_was_said_earlier_does_not_undo_what_was_said_later() {
    let (stack, key) = (Stack::get(), key("late"));
    let (facts, ledger) = (facts(&stack).await, &stack.ledger);
    granted(ledger.claim(&key, &facts, "a", at(0), at(60)).await.unwrap());
    let said = |state: &str, is_unpaid, second| Observation {
        order_state: None,
        payment_state: Some(state.into()),
        payment_method: None,
        is_unpaid,
        is_canceled: false,
        told: told(second),
    };
    ledger.observe(&key.shop, &key.order_id, &said("paid", false, 20), &[], at(21)).await.unwrap();
    ledger.observe(&key.shop, &key.order_id, &said("open", true, 10), &[], at(22)).await.unwrap();
    let row = ledger.export(&key).await.unwrap().unwrap();
    assert_eq!((row.payment_state.as_deref(), row.is_unpaid, row.observed), (Some("paid"), false, Some(told(20))));
}

#[tokio::test]
async fn a_waiting_export_is_rejected_by_its_own_message_only_and_keeps_what_is_known() {
    let (stack, key) = (Stack::get(), key("foreign"));
    let (mut facts, ledger) = (facts(&stack).await, &stack.ledger);
    facts.origin = origin("1");
    let lease = granted(ledger.claim(&key, &facts, "a", at(0), at(60)).await.unwrap());
    ledger.fail(&lease, "HTTP 503", None, NextStep::Retry { not_before: at(30) }, None, at(1)).await.unwrap();
    let mut foreign = facts.clone();
    foreign.number = "unreadable".into();
    foreign.origin = origin("2");
    assert_eq!(ledger.reject(&key, &foreign, "no currency", Fault::Permanent, at(2)).await, Ok(Recorded::LeftAsIs));
    assert_eq!(ledger.reject(&key, &facts, "no currency", Fault::Permanent, at(3)).await, Ok(Recorded::Written));
    let row = ledger.export(&key).await.unwrap().unwrap();
    assert_eq!((row.status, row.number.as_str(), row.is_unpaid), (Status::Error, "N-1", true));
}

#[tokio::test]
async fn an_outcome_whose_answer_was_lost_is_known_as_ones_own() {
    let (stack, key) = (Stack::get(), key("twice"));
    let (facts, ledger) = (facts(&stack).await, &stack.ledger);
    let lease = granted(ledger.claim(&key, &facts, "a", at(0), at(60)).await.unwrap());
    let next = NextStep::Retry { not_before: at(30) };
    assert_eq!(ledger.fail(&lease, "HTTP 503", None, next, None, at(1)).await, Ok(Status::Pending));
    assert_eq!(ledger.fail(&lease, "HTTP 503", None, next, None, at(2)).await, Ok(Status::Pending));
    let second = granted(ledger.claim(&key, &facts, "b", at(30), at(90)).await.unwrap());
    assert_eq!(ledger.complete(&second, &Completion::default(), Keep::AsItIs, at(31)).await, Ok(()));
    assert_eq!(ledger.complete(&second, &Completion::default(), Keep::AsItIs, at(32)).await, Ok(()));
    assert_eq!(
        ledger.complete(&lease, &Completion::default(), Keep::AsItIs, at(33)).await,
        Err(LedgerError::LeaseLost)
    );
    assert_eq!(ledger.export(&key).await.unwrap().unwrap().history.len(), 2);
}

#[tokio::test]
async fn an_order_is_in_the_indexes_that_are_asked_for_and_number_and_identifier_are_said_once() {
    let stack = Stack::get();
    let facts = facts(&stack).await;
    let customer = Some(ordersync::ledger::customer_key("sparse@example.com"));
    let by = |number, customer| FindBy { number, customer };
    for (id, number, find_by) in [
        ("sparse-1", "N-sparse-1", by(true, true)),
        ("sparse-2", "N-sparse-2", by(false, false)),
        ("sparse-3", "sparse-3", by(true, false)),
    ] {
        let facts = Facts { number: number.into(), customer: customer.clone(), find_by, ..facts.clone() };
        granted(stack.ledger.claim(&key(id), &facts, "a", at(0), at(60)).await.unwrap());
        let row = stack.ledger.export(&key(id)).await.unwrap().unwrap();
        assert_eq!((row.number.as_str(), &row.customer), (number, &customer), "{id}");
        let indexed = stack.ledger.by_number(number).await.unwrap();
        assert_eq!(indexed.len(), usize::from(find_by.number && number != id), "{id}");
    }
    assert_eq!(stack.ledger.by_customer(customer.as_ref().unwrap()).await, Ok(vec![key("sparse-1")]));
}

#[tokio::test]
async fn an_order_is_kept_once_and_only_while_it_may_be_needed() {
    let (stack, key) = (Stack::get(), key("kept"));
    let (facts, ledger, kept) = (facts(&stack).await, &stack.ledger, kept(&stack).await);
    let lost = ledger.keep(&key, &kept).await;
    assert!(matches!(lost, Err(LedgerError::Unavailable(_))), "without a row its message is not to be let go of");
    let lease = granted(ledger.claim(&key, &facts, "a", at(0), at(60)).await.unwrap());
    assert_eq!(ledger.keep(&key, &kept).await, Ok(()));
    let row = ledger.export(&key).await.unwrap().unwrap();
    assert_eq!((row.payload.as_ref(), &row.envelope), (Some(&kept.payload), &kept.envelope));
    assert_eq!(row.webhook.as_deref(), Some("0"), "it was begun by the same one as before");
    ledger.complete(&lease, &Completion::default(), Keep::No, at(1)).await.unwrap();
    assert_eq!(ledger.keep(&key, &kept).await, Ok(()));
    let row = ledger.export(&key).await.unwrap().unwrap();
    assert_eq!((row.status, row.payload, row.envelope.len()), (Status::Exported, None, 0));
}
