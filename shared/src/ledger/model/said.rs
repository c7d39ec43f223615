//! What is said of the order, and what is kept of it.

use jiff::Timestamp;

use super::expected::state_of;
use super::rules::told_at;
use super::steps::{Into, Word};
use crate::ledger::{Facts, FindBy, Kept, Observation, Origin, Payload, Row, Summary};
use crate::queue::Fields;

fn envelope() -> Fields {
    Fields::from([("shop".into(), "acme".into()), ("received_at".into(), "2026-01-01T00:00:00Z".into())])
}

pub(super) fn kept(into: Into) -> Option<Kept> {
    let payload = match into {
        Into::Nowhere => return None,
        Into::Row => Payload::Inline(vec![7; 10].into()),
        Into::Bucket => Payload::Stored("payloads/orders/acme/1001/x.zst".into()),
    };
    Some(Kept { payload, envelope: envelope() })
}

pub(super) fn facts(told: i64, kept: Option<Kept>) -> Facts {
    Facts {
        number: "N-1".into(),
        placed_at: Timestamp::from_second(1_700_000_000).ok(),
        order_state: Some(state_of(Word::Open).into()),
        payment_state: None,
        payment_method: None,
        is_unpaid: true,
        told: told_at(Word::Open, told),
        customer: None,
        origin: Origin::of(&envelope()),
        kept,
        find_by: FindBy::default(),
    }
}

pub(super) fn said(word: Word, told: i64) -> Observation {
    Observation {
        order_state: Some(state_of(word).into()),
        payment_state: None,
        payment_method: None,
        is_unpaid: word == Word::Open,
        is_canceled: word == Word::Canceled,
        told: told_at(word, told),
    }
}

/// The row as the index by status has it.
pub(super) fn summary(row: &Row) -> Summary {
    Summary {
        key: row.key.clone(),
        number: row.number.clone(),
        status: row.status,
        updated_at: row.updated_at,
        attempts: row.attempts,
        resets: row.resets,
        fault: row.fault,
        lease_until: row.lease_until,
        last_error: row.last_error.clone(),
        canceled_at: row.canceled_at,
        external_id: row.external_id.clone(),
        placed_at: row.placed_at,
        exported_at: row.exported_at,
        not_before: row.not_before,
        waits_for: row.waits_for,
    }
}
