//! What the shop says of an order after it was placed. Pure.

use std::time::Duration;

use jiff::Timestamp;

use super::{
    Change, LEASE, NEWS, PENDING, State, WAITING, arrived, ended, lost, moved, news, number, optional, status, text,
    time,
};
use crate::ledger::keys::unpaid_key;
use crate::ledger::{ExportKey, Facts, Observation, Row, Status};

/// Why an export waits whose order's own webhook has not come, though another one of the order has.
const NOT_YET: &str = "the order's own webhook has not come yet";
/// Why an export is neither canceled any more nor made yet.
const REOPENED: &str = "the order was cancelled, and is open again";

/// Records what the shop says. A cancellation, where it `ends` the export, has one that waits become `canceled`, and
/// marks any other, so that one that is being tried is not tried again. One that is taken back removes the mark, and has
/// what it ended become `skipped`, for the webhook that said so to make it.
pub(in crate::ledger) fn observe(
    row: &Row,
    said: &Observation,
    ends: bool,
    now: Timestamp,
    retention: Duration,
) -> Change {
    let change = observation(row, said);
    if said.is_canceled && ends {
        let change = change.set_once("canceled_at", time(said.told.at));
        return if row.is_unfinished() { end_as_canceled(change, row, now, retention) } else { change };
    }
    match row.status {
        _ if !said.takes_back(row) => change,
        Status::Canceled => moved(change, &row.key, Status::Skipped, now)
            .set("last_error", text(REOPENED))
            .set("reopened_at", time(said.told.at))
            .remove(&["canceled_at"]),
        _ => change.remove(&["canceled_at"]),
    }
}

fn observation(row: &Row, said: &Observation) -> Change {
    let is_canceled = row.canceled_at.is_some() && !said.takes_back(row);
    let unpaid = (said.is_unpaid && !is_canceled).then(|| text(&unpaid_key(&row.key)));
    let states = [
        ("order_state", &said.order_state),
        ("payment_state", &said.payment_state),
        ("payment_method", &said.payment_method),
    ];
    let words = states.into_iter().filter_map(|(name, state)| Some((name, optional(state.as_ref())?)));
    let values = [&[("seen", status(row.status))][..], &news(said.told)].concat();
    words
        .fold(Change::default(), |change, (name, state)| change.set(name, state))
        .set("observed_at", time(said.told.at))
        .set("observed_rank", number(said.told.rank.into()))
        .set_or_remove("unpaid_key", unpaid)
        .expects(&format!("#status = :seen AND attribute_not_exists(#erased_at) AND ({NEWS})"), &values)
}

/// Records what is said of an order before its own webhook comes, for an export that this one would make: when it comes
/// late, it does not undo what was said; and where the order was cancelled, it begins nothing.
pub(in crate::ledger) fn foresee(
    key: &ExportKey,
    facts: &Facts,
    is_canceled: bool,
    now: Timestamp,
    retention: Duration,
) -> Change {
    let to = if is_canceled { Status::Canceled } else { Status::Skipped };
    let change = arrived(key, facts, to, State::Say, now);
    let change = match to {
        Status::Canceled => change.set("canceled_at", time(facts.told.at)),
        _ => change.set("last_error", text(NOT_YET)),
    };
    ended(change, facts, now, retention).expects("attribute_not_exists(#pk)", &[])
}

/// Ends an export that waits because its order was cancelled while it was tried.
pub(in crate::ledger) fn end_canceled(row: &Row, now: Timestamp, retention: Duration) -> Change {
    let change = lost(Change::default(), row, now);
    let change = change.expects_open("attribute_exists(#canceled_at)", row, PENDING, now);
    end_as_canceled(change, row, now, retention)
}

fn end_as_canceled(change: Change, row: &Row, now: Timestamp, retention: Duration) -> Change {
    moved(change, &row.key, Status::Canceled, now)
        .expires(row.place(), now, retention)
        .remove(&["fault", "waits_for"])
        .remove(&WAITING)
        .remove(&LEASE)
}
