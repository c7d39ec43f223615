//! The layout of every write, by snapshot; that the conditions hold is shown against a real table, end to end.

use aws_sdk_dynamodb::primitives::Blob;

use super::*;
use crate::ledger::state::refusal;
use crate::ledger::{Claim, Completion, Due, FindBy, Keep, NextStep, Observation, Origin, Payload, Wait, Why};
use crate::queue::Fields;
use crate::webhook::Event;

fn at(text: &str) -> Timestamp {
    text.parse().expect("a time")
}

fn key() -> ExportKey {
    ExportKey::new("acme-eu", "9007199254740993", "erp")
}

fn facts() -> Facts {
    Facts {
        number: "100001234".into(),
        placed_at: Some(at("2026-01-05T09:15:00Z")),
        order_state: Some("processing".into()),
        payment_state: None,
        payment_method: Some("paypal".into()),
        is_unpaid: true,
        told: Told::by(&[Event::Placed], at("2026-01-05T09:15:01Z")),
        customer: Some(crate::ledger::customer_key("Erika@Example.com ")),
        origin: Origin::of(&kept().envelope),
        kept: Some(kept()),
        find_by: FindBy::default(),
    }
}

fn kept() -> Kept {
    let envelope = Fields::from([("shop".into(), "acme-eu".into())]);
    Kept { payload: Payload::Inline(Blob::new(b"zstd")), envelope }
}

fn lease() -> Lease {
    let began = at("2026-01-05T09:20:00Z");
    let (owner, history) = ("request-1".into(), Vec::new());
    Lease { key: key(), attempt: 1, pack: None, owner, began, history, place: Place::Queue }
}

fn attempt(outcome: Outcome) -> Attempt {
    Attempt { at: at("2026-01-05T09:15:02Z"), outcome, took: Duration::from_millis(5), error: None, response: None }
}

#[test]
fn what_another_system_exported_is_recorded_where_nothing_was_tried() {
    let imported = crate::ledger::Imported {
        number: Some("100001234".into()),
        placed_at: Some(at("2019-01-05T09:15:00Z")),
        exported_at: Some(at("2019-01-05T09:20:00Z")),
        external_id: Some("SO-7".into()),
        origin: "ordersyncquerunner".into(),
    };
    let (now, retention) = (at("2026-01-05T09:15:02Z"), Duration::from_hours(24));
    insta::assert_snapshot!("import", import(&key(), &imported, FindBy::default(), now, retention).describe());
}

#[test]
fn a_claim_names_the_states_it_may_come_from() {
    let (now, until) = (at("2026-01-05T09:15:02Z"), at("2026-01-05T09:15:37Z"));
    insta::assert_snapshot!("begin", begin(&key(), &facts(), State::Say, "request-1".into(), now, until).describe());
    insta::assert_snapshot!(
        "resume",
        resume(&Row::sample(Status::Pending), &[], "request-1".into(), now, until).describe()
    );
}

#[test]
fn an_end_needs_the_lease() {
    let completion =
        Completion { destination: "s3://bucket/key".into(), external_id: Some("E-1".into()), acknowledge_by: None };
    let complete = |lease: &Lease, keep| {
        complete(lease, &completion, keep, at("2026-01-05T09:20:01Z"), Duration::from_hours(24)).describe()
    };
    let kept = kept();
    insta::assert_snapshot!("complete", complete(&lease(), Keep::Put(&kept)));
    let failed = with_attempt(Vec::new(), Attempt { error: Some("503".into()), ..attempt(Outcome::Retry) });
    let second = Lease { attempt: 2, history: failed, place: Place::Row, ..lease() };
    insta::assert_snapshot!("complete_later", complete(&second, Keep::No));
    let next = NextStep::Retry { not_before: at("2026-01-05T09:21:00Z") };
    let change = fail(&lease(), "503", Some("busy"), next, None, at("2026-01-05T09:20:01Z"));
    insta::assert_snapshot!("fail_to_retry", change.describe());
    let end = NextStep::GiveUp(Fault::Permanent);
    let change = fail(&lease(), "400", None, end, Some(&kept), at("2026-01-05T09:20:01Z"));
    insta::assert_snapshot!("fail_for_good", change.describe());
}

#[test]
fn what_waits_is_taken_as_it_was_seen_and_comes_back_by_itself() {
    let (now, again_at) = (at("2026-01-05T10:15:00Z"), at("2026-01-05T10:20:00Z"));
    let seen = Due { key: "paused#erp#3".into(), at: at("2026-01-05T10:00:00Z") };
    insta::assert_snapshot!("release", release(&key(), &seen, again_at, now).describe());
    insta::assert_snapshot!("settle", settle(&key(), again_at).describe());
    let failed_at = at("2026-01-05T09:15:00Z");
    insta::assert_snapshot!("reset_anew", reset(&key(), failed_at, 1, true, again_at, now).describe());
    insta::assert_snapshot!("reset_go_on", reset(&key(), failed_at, 1, false, again_at, now).describe());
    let row = Row { lease_until: Some(failed_at), ..Row::sample(Status::Processing) };
    insta::assert_snapshot!("expire", expire(&row, Some(again_at), now).describe());
    insta::assert_snapshot!("expire_for_good", expire(&row, None, now).describe());
}

#[test]
fn a_deadline_is_acted_on_as_it_was_seen() {
    let (now, seen) = (at("2026-01-05T10:15:00Z"), Due { key: "ack#3".into(), at: at("2026-01-05T10:00:00Z") });
    let within = Duration::from_hours(48);
    insta::assert_snapshot!("unacknowledged", unacknowledged(&key(), &seen, within, now).describe());
    insta::assert_snapshot!("drop_deadline", drop_deadline(&seen).describe());
}

/// [`Change::describe`] looks at that; the changes whose layout is kept above are looked at there.
#[test]
fn every_change_uses_the_names_and_values_that_it_gives() {
    let (now, day) = (at("2026-01-05T10:15:00Z"), Duration::from_hours(24));
    let row = Row::sample(Status::Processing);
    let waits = Waits::of(&key(), Wait::Until { why: Why::Delay, at: now, hand_out_at: now }, now);
    let said = Observation::named(Event::Canceled, facts().told).expect("a change of state");
    let stored = Kept { payload: Payload::Stored("payloads/orders/acme-eu/1/00.zst".into()), ..kept() };
    for state in [State::Say, State::Keep] {
        park(&key(), &facts(), state, &waits, now).describe();
        skip(&key(), &facts(), state, "declined", now, day).describe();
        reject(&key(), &facts(), state, "unreadable", Fault::Permanent, now).describe();
    }
    for change in [
        park_again(&row, &waits, Some(&kept()), now),
        keep(&row, &kept()),
        lose(&row, now),
        lose(&Row { payload: Some(stored.payload.clone()), ..Row::sample(Status::Pending) }, now),
        keep(&Row::sample(Status::Canceled), &stored),
        foresee(&key(), &facts(), true, now, day),
        abandon(&row, "gone", Fault::Orphaned, Some(&kept()), now),
        complete(&lease(), &Completion::default(), Keep::Put(&stored), now, day),
        complete(&lease(), &Completion::default(), Keep::AsItIs, now, day),
        end_canceled(&row, now, day),
        observe(&row, &said, true, now, day),
        observe(&Row::sample(Status::Pending), &said, true, now, day),
        observe(&row, &said, false, now, day),
        acknowledge(&row, Some("E-1"), now, day),
        acknowledge(&row, None, now, day),
        deny(&row, None, "no", now),
    ] {
        change.describe();
    }
}

#[test]
fn an_export_that_waits_says_why_and_where_in_the_index() {
    let now = at("2026-01-05T09:15:02Z");
    let (time, hand_out_at) = (at("2026-01-05T10:00:00Z"), at("2026-01-05T10:05:00Z"));
    let delayed = Waits::of(&key(), Wait::Until { why: Why::Delay, at: time, hand_out_at }, now);
    let paused = Waits::of(&key(), Wait::ForResume, now);
    insta::assert_snapshot!("park", park(&key(), &facts(), State::Say, &delayed, now).describe());
    insta::assert_snapshot!(
        "park_again",
        park_again(&Row::sample(Status::Pending), &paused, Some(&kept()), now).describe()
    );
    let lost = Row { lease_until: Some(time), ..Row::sample(Status::Processing) };
    insta::assert_snapshot!("park_again_after_a_loss", park_again(&lost, &delayed, None, now).describe());
}

#[test]
fn what_the_shop_says_is_written_unless_something_later_is_known() {
    let (now, day) = (at("2026-01-06T09:00:00Z"), Duration::from_hours(24));
    let said = |event| {
        let said = Observation::named(event, Told::by(&[event], at("2026-01-06T08:59:00Z")));
        said.expect("a change of state")
    };
    let (paid, canceled) = (said(Event::Paid), said(Event::Canceled));
    let row = Row::sample;
    insta::assert_snapshot!("observe_paid", observe(&row(Status::Exported), &paid, true, now, day).describe());
    insta::assert_snapshot!("observe_canceled", observe(&row(Status::Exported), &canceled, true, now, day).describe());
    insta::assert_snapshot!("cancel", observe(&row(Status::Pending), &canceled, true, now, day).describe());
    let over = Row {
        order_state: Some("cancelled".into()),
        canceled_at: Some(at("2026-01-05T12:00:00Z")),
        ..row(Status::Canceled)
    };
    let open = Observation { order_state: Some("processing".into()), ..paid };
    insta::assert_snapshot!("reopen", observe(&over, &open, true, now, day).describe());
    insta::assert_snapshot!("foresee", foresee(&key(), &facts(), false, now, day).describe());
    insta::assert_snapshot!("foresee_canceled", foresee(&key(), &facts(), true, now, day).describe());
    insta::assert_snapshot!("fail_canceled", fail_canceled(&lease(), "503", None, now, day).describe());
}

#[test]
fn a_cancellation_ends_what_is_not_finished_and_is_taken_back_by_another_state_only() {
    let said = |state: Option<&str>, is_canceled, second| Observation {
        order_state: state.map(ToOwned::to_owned),
        payment_state: None,
        payment_method: None,
        is_unpaid: true,
        is_canceled,
        told: Told::by(&[Event::Updated], Timestamp::from_second(second).expect("in range")),
    };
    let canceled = Row {
        order_state: Some("cancelled".into()),
        canceled_at: Timestamp::from_second(10).ok(),
        observed: Some(said(None, true, 10).told),
        ..Row::sample(Status::Canceled)
    };
    for (said, expected) in [
        (said(Some("processing"), false, 20), true),
        (said(Some("processing"), false, 9), false),
        (said(Some("cancelled"), false, 20), false),
        (said(None, false, 20), false),
        (said(Some("processing"), true, 20), false),
    ] {
        assert_eq!(said.takes_back(&canceled), expected, "{said:?}");
    }
    assert!(!said(Some("processing"), false, 20).takes_back(&Row { canceled_at: None, ..canceled.clone() }));
    assert!(!said(Some("processing"), false, 20).takes_back(&Row { order_state: None, ..canceled }), "an erased one");
    for (status, exported_at, expected) in [
        (Status::Pending, None, true),
        (Status::Error, None, true),
        (Status::Error, Timestamp::from_second(9).ok(), false),
        (Status::Processing, None, false),
        (Status::Exported, Timestamp::from_second(9).ok(), false),
        (Status::Skipped, None, false),
    ] {
        assert_eq!(Row { exported_at, ..Row::sample(status) }.is_unfinished(), expected, "{status}");
    }
}

#[test]
fn a_lost_attempt_is_on_record_and_the_last_ten_are_kept() {
    let attempt = |second: i64| Attempt {
        at: Timestamp::from_second(second).expect("in range"),
        error: Some("503".into()),
        ..attempt(Outcome::Retry)
    };
    let history = (0..10).map(attempt).collect();
    let row = Row { history, ..Row::sample(Status::Processing) };
    let history = history_with_lost(&row, at("2026-01-05T09:30:00Z"));
    assert_eq!(history.len(), 10);
    assert_eq!(history.first(), Some(&attempt(1)));
    assert_eq!(history.last().map(|attempt| attempt.outcome), Some(Outcome::Lost));
}

#[test]
fn a_claim_is_refused_in_every_state_but_those_that_wait() {
    let now = at("2026-01-05T09:15:00Z");
    let (before, after) = (Some(at("2026-01-05T09:14:00Z")), Some(at("2026-01-05T09:16:00Z")));
    let until = at("2026-01-05T09:16:00Z");
    let waiting = Row { waits_for: Some(Why::Slot), not_before: after, ..Row::sample(Status::Pending) };
    assert_eq!(refusal::<()>(&waiting, now), Some(Claim::Waits { until }));
    for (status, not_before, lease_until, expected) in [
        (Status::Pending, None, None, None),
        (Status::Pending, before, None, None),
        (Status::Pending, after, None, Some(Claim::NotYet { until })),
        (Status::Processing, None, before, None),
        (Status::Processing, None, after, Some(Claim::Held { until })),
        (Status::Skipped, None, None, None),
        (Status::Exported, None, None, Some(Claim::Over(Status::Exported))),
        (Status::Acknowledged, None, None, Some(Claim::Over(Status::Acknowledged))),
        (Status::Error, None, None, Some(Claim::Over(Status::Error))),
        (Status::Canceled, None, None, Some(Claim::Over(Status::Canceled))),
    ] {
        let row = Row { lease_until, not_before, ..Row::sample(status) };
        assert_eq!(refusal::<()>(&row, now), expected, "{status}");
    }
}

#[test]
fn an_order_is_held_let_go_and_set_aside_as_it_was_seen() {
    let now = at("2026-01-12T09:15:02Z");
    let taken = crate::ledger::Hold { key: key(), until: at("2026-01-12T09:17:02Z"), tries: 2 };
    insta::assert_snapshot!("hold", hold(&taken, now).describe());
    insta::assert_snapshot!("postpone", postpone(&taken, 2, at("2026-01-12T09:19:02Z"), "503").describe());
    insta::assert_snapshot!("conclude", conclude(&taken, "canceled").describe());
    insta::assert_snapshot!("let_go", let_go(&taken).describe());
    let observed = Some(Told::by(&[Event::Placed], at("2026-01-05T09:15:01Z")));
    let seen = Row { observed, ..Row::sample(Status::Exported) };
    insta::assert_snapshot!("set_aside", set_aside(&seen, Some("refused: no")).describe());
}

#[test]
fn a_cancellation_is_announced_only_where_nothing_was_tried() {
    let (now, again) = (at("2026-01-12T09:15:02Z"), at("2026-01-12T09:20:02Z"));
    insta::assert_snapshot!("announce", announce(&key(), &facts(), State::Say, again, now).describe());
    let seen = Row { attempts: 0, ..Row::sample(Status::Pending) };
    insta::assert_snapshot!("decline", decline(&seen, "when is false", now, Duration::from_hours(24)).describe());
}

#[test]
fn a_pack_is_named_until_it_is_known_whether_the_export_is_in_it() {
    let (now, until) = (at("2026-01-05T09:15:02Z"), at("2026-01-05T09:15:37Z"));
    let holder = Holder { owner: "request-1", pack: Some("s3://bucket/packs/b") };
    let names = |change: Change| change.describe().contains("#pack = :set_pack");
    assert!(names(begin(&key(), &facts(), State::Say, holder, now, until)));
    let row = Row::sample(Status::Pending);
    assert!(names(resume(&row, &[], holder, now, until)));
    let row = Row { pack: Some("s3://bucket/packs/a".into()), ..row };
    assert!(!names(resume(&row, &[], holder, now, until)), "the export may be in the one that it names");
    insta::assert_snapshot!(repack(&lease(), "s3://bucket/packs/b").describe(), @r"
    SET #pack = :set_pack
    IF #status = :processing AND #lease_owner = :owner
    :owner = request-1
    :processing = processing
    :set_pack = s3://bucket/packs/b
    ");
    let lease = Lease { pack: row.pack, ..lease() };
    let change = complete(&lease, &Completion::default(), Keep::AsItIs, now, Duration::from_hours(24)).describe();
    assert!(change.contains("REMOVE") && change.contains("#pack"), "{change}");
}
