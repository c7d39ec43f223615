//! What operators and functions tell each other through the table: pauses, slots of rate limits, and where a walk
//! through the table stopped.

use std::collections::BTreeMap;
use std::time::Duration;

use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::delete_item::DeleteItemError;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue};
use jiff::Timestamp;

use super::keys::{Item, sortable, text};
use super::{Ledger, LedgerError};

/// Partition of what is no export. A shop's code is followed by `#`, so that no order is in it.
pub(super) const CONTROL: &str = "control";
const PAUSE: &str = "pause#";
/// The next slot of a destination's rate limit.
pub(super) const RATE: &str = "rate#";
/// Where a walk through the table stopped.
pub(super) const WALK: &str = "walk#";
/// Stands for every pipeline.
const ALL: &str = "*";

/// What is paused.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pauses(BTreeMap<String, Pause>);

/// A pause, or its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pause {
    /// Whether it goes on; else it has ended, and what waited is being handed out.
    pub is_on: bool,
    /// Since when it is so.
    pub since: Timestamp,
    /// Why, as whoever paused it said.
    pub reason: Option<String>,
}

impl Pauses {
    /// Whether exports of a pipeline wait.
    pub fn holds(&self, pipeline: &str) -> bool {
        [pipeline, ALL].iter().any(|name| self.0.get(*name).is_some_and(|pause| pause.is_on))
    }

    /// Every pause by pipeline; `None` for that of everything.
    pub fn iter(&self) -> impl Iterator<Item = (Option<&str>, &Pause)> {
        self.0.iter().map(|(name, pause)| (Some(name.as_str()).filter(|name| *name != ALL), pause))
    }
}

impl FromIterator<(Option<String>, Pause)> for Pauses {
    fn from_iter<I: IntoIterator<Item = (Option<String>, Pause)>>(pauses: I) -> Self {
        Self(pauses.into_iter().map(|(pipeline, pause)| (pipeline.unwrap_or_else(|| ALL.to_owned()), pause)).collect())
    }
}

impl Ledger {
    /// Pauses a pipeline, or all of them.
    pub async fn pause(&self, pipeline: Option<&str>, reason: &str, now: Timestamp) -> Result<(), LedgerError> {
        let reason = Some(("reason", AttributeValue::S(reason.to_owned()))).filter(|_| !reason.is_empty());
        self.put_pause(pipeline, "paused", reason, now).await
    }

    /// Ends a pause. What waits is handed out by the next runs of the release schedule. The end is recorded, not the
    /// pause removed: what is recorded is what the schedule goes by.
    pub async fn resume(&self, pipeline: Option<&str>, now: Timestamp) -> Result<(), LedgerError> {
        self.put_pause(pipeline, "resumed", None, now).await
    }

    async fn put_pause(
        &self,
        pipeline: Option<&str>,
        state: &str,
        reason: Option<(&str, AttributeValue)>,
        now: Timestamp,
    ) -> Result<(), LedgerError> {
        let put =
            self.client.put_item().table_name(&self.table).set_item(Some(control(PAUSE, pipeline.unwrap_or(ALL))));
        let put = put.item("state", text(state)).item("since", text(&sortable(now)));
        let put = reason.into_iter().fold(put, |put, (name, value)| put.item(name, value));
        put.send().await.map(drop).map_err(|failure| LedgerError::unavailable(&failure))
    }

    /// What is paused now.
    pub async fn pauses(&self) -> Result<Pauses, LedgerError> {
        let request = self.client.query().table_name(&self.table);
        let request = request.key_condition_expression("pk = :control AND begins_with(sk, :pause)");
        let request = request.expression_attribute_values(":control", AttributeValue::S(CONTROL.into()));
        let request = request.expression_attribute_values(":pause", AttributeValue::S(PAUSE.into()));
        let answer = request.send().await.map_err(|failure| LedgerError::unavailable(&failure))?;
        Ok(Pauses(answer.items().iter().filter_map(pause).collect()))
    }

    /// Forgets a pause that has ended and has nothing waiting, if it is as it was seen. Not before every processor has
    /// heard of its end: until then, one may have exports wait that nobody would hand out.
    pub async fn forget_pause(&self, pipeline: Option<&str>, seen: &Pause) -> Result<(), LedgerError> {
        let delete = self.client.delete_item().table_name(&self.table);
        let delete = delete.set_key(Some(control(PAUSE, pipeline.unwrap_or(ALL))));
        let delete = delete.condition_expression("#since = :seen").expression_attribute_names("#since", "since");
        let delete = delete.expression_attribute_values(":seen", AttributeValue::S(sortable(seen.since)));
        match delete.send().await {
            Err(failure)
                if !failure.as_service_error().is_some_and(DeleteItemError::is_conditional_check_failed_exception) =>
            {
                Err(LedgerError::unavailable(&failure))
            }
            _ => Ok(()),
        }
    }

    /// A slot of a destination's rate limit, which all instances share: when the next request may be made. Each call
    /// takes one.
    pub async fn slot(&self, destination: &str, interval: Duration, now: Timestamp) -> Result<Timestamp, LedgerError> {
        let micros = |duration: Duration| AttributeValue::N(duration.as_micros().to_string());
        let now_micros = now.as_microsecond();
        let number = |value: i64| AttributeValue::N(value.to_string());
        let update = || {
            let update = self.client.update_item().table_name(&self.table);
            update.set_key(Some(control(RATE, destination))).expression_attribute_names("#next", "next")
        };
        let after = now_micros.saturating_add(i64::try_from(interval.as_micros()).unwrap_or(i64::MAX));
        for _ in 0..SLOT_TRIES {
            let idle = update()
                .update_expression("SET #next = :after")
                .condition_expression("attribute_not_exists(#next) OR #next <= :now")
                .expression_attribute_values(":after", number(after))
                .expression_attribute_values(":now", number(now_micros));
            match idle.send().await {
                Ok(_) => return Ok(now),
                Err(failure) if is_refused(&failure) => {}
                Err(failure) => return Err(LedgerError::unavailable(&failure)),
            }
            // While requests queue up, the next slot follows the last one.
            let busy = update()
                .update_expression("SET #next = #next + :interval")
                .condition_expression("#next > :now")
                .expression_attribute_values(":interval", micros(interval))
                .expression_attribute_values(":now", number(now_micros))
                .return_values(ReturnValue::UpdatedOld);
            match busy.send().await {
                Ok(answer) => return Ok(next(answer.attributes()).unwrap_or(now)),
                Err(failure) if is_refused(&failure) => {}
                Err(failure) => return Err(LedgerError::unavailable(&failure)),
            }
        }
        Err(LedgerError::Unavailable("the rate limit's slots keep changing".into()))
    }
}

/// How often a slot is asked for that others take first. Between the two questions of one try it can only go to and fro
/// where the limit is idle and busy by turns.
const SLOT_TRIES: usize = 5;

fn is_refused(failure: &SdkError<UpdateItemError>) -> bool {
    failure.as_service_error().is_some_and(UpdateItemError::is_conditional_check_failed_exception)
}

fn next(attributes: Option<&Item>) -> Option<Timestamp> {
    let micros = super::row::number(attributes?, "next")?;
    Timestamp::from_microsecond(micros).ok()
}

pub(super) fn control(kind: &str, name: &str) -> Item {
    Item::from([
        ("pk".to_owned(), AttributeValue::S(CONTROL.into())),
        ("sk".to_owned(), AttributeValue::S(format!("{kind}{name}"))),
    ])
}

fn pause(item: &Item) -> Option<(String, Pause)> {
    let text = |name: &str| item.get(name).and_then(|value| value.as_s().ok()).cloned();
    let name = text("sk")?.strip_prefix(PAUSE)?.to_owned();
    let is_on = text("state").as_deref() != Some("resumed");
    // Written by hand, it may lack the time.
    let since = text("since").and_then(|since| since.parse().ok()).unwrap_or(Timestamp::UNIX_EPOCH);
    Some((name, Pause { is_on, since, reason: text("reason") }))
}
