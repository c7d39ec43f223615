//! Counts that all instances of a function share.

use std::time::Duration;

use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue};
use jiff::Timestamp;

use super::control::control;
use super::{Ledger, LedgerError};

const COUNT: &str = "count#";

impl Ledger {
    /// Adds to the count of this name in the window of time that `at` is in, and gives how many there are then. Windows
    /// follow each other; the table forgets one some time after its end.
    pub async fn count_by(&self, name: &str, by: i64, window: Duration, at: Timestamp) -> Result<i64, LedgerError> {
        let length = i64::try_from(window.as_secs().max(1)).unwrap_or(i64::MAX);
        let begins = at.as_second() - at.as_second().rem_euclid(length);
        let key = control(COUNT, &format!("{name}#{begins}"));
        let number = |value: i64| AttributeValue::N(value.to_string());
        let update = self.client.update_item().table_name(&self.table).set_key(Some(key));
        let update = update.update_expression("ADD #n :by SET expires_at = :end");
        let update = update.expression_attribute_names("#n", "n").expression_attribute_values(":by", number(by));
        let update = update.expression_attribute_values(":end", number(begins.saturating_add(length)));
        let answer = update.return_values(ReturnValue::UpdatedNew).send().await;
        let answer = answer.map_err(|failure| LedgerError::unavailable(&failure))?;
        let counted = answer.attributes.and_then(|item| item.get("n")?.as_n().ok()?.parse().ok());
        counted.ok_or_else(|| LedgerError::BadRow { key: format!("{COUNT}{name}"), expected: "a number in n".into() })
    }
}
