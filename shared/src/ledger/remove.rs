//! Removing exports: those that are over when their time is over, and all that is kept of an order on request.

use std::collections::HashMap;
use std::time::Duration;

use aws_sdk_dynamodb::operation::delete_item::DeleteItemError;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue, ReturnValuesOnConditionCheckFailure, Select};
use jiff::Timestamp;

use super::keys::{self, Item, partition, primary, sortable, text};
use super::size::item_bytes;
use super::{ExportKey, Ledger, LedgerError, Recorded, Row, Status};

/// How long an erased export keeps the webhooks of its order from beginning anew. A message lives for 14 days in the
/// queue, and for as many more when it is put back from the dead-letter queue.
const BARRED_FOR: Duration = Duration::from_hours(30 * 24);
/// Why an erased export is over.
const ERASED: &str = "erased on request";
/// What decides about removing a row. Without the raw order and the attempts, which are most of it.
const OUTLINE: [&str; 16] = [
    "pk",
    "sk",
    "number",
    "order_number",
    "status",
    "updated_at",
    "created_at",
    "lease_until",
    "due_key",
    "due_at",
    "payload_key",
    "envelope",
    "inbound_key",
    "destination",
    "pack",
    "erased_at",
];

/// What became of a row that was to be removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Removed {
    /// It is gone.
    Gone {
        /// Its size, as `DynamoDB` counts it.
        bytes: u64,
    },
    /// It is not as it was seen any more, and stays.
    Changed,
    /// Somebody else had removed it.
    Missing,
}

impl Ledger {
    /// Every export of an order as it is at this moment, without the raw order where that is in the row, and without
    /// attempts.
    pub async fn outlines(&self, shop: &str, order_id: &str) -> Result<Vec<Row>, LedgerError> {
        let names: Vec<String> = OUTLINE.iter().map(|name| format!("#{name}")).collect();
        let pages = self.now(shop, order_id).projection_expression(names.join(", "));
        let pages = OUTLINE
            .iter()
            .zip(names)
            .fold(pages, |pages, (name, alias)| pages.expression_attribute_names(alias, *name));
        let items = pages.into_paginator().items().send().collect::<Result<Vec<_>, _>>().await;
        items.map_err(|failure| LedgerError::unavailable(&failure))?.iter().map(Row::from_item).collect()
    }

    /// Whether an order was erased on request, so that nothing is to be kept of it.
    pub async fn is_erased(&self, shop: &str, order_id: &str) -> Result<bool, LedgerError> {
        let pages = self.now(shop, order_id).select(Select::Count).filter_expression("attribute_exists(erased_at)");
        let pages = pages.into_paginator().send().collect::<Result<Vec<_>, _>>().await;
        Ok(pages.map_err(|failure| LedgerError::unavailable(&failure))?.iter().any(|page| page.count > 0))
    }

    /// A consistent read of an order's exports.
    pub(super) fn now(
        &self,
        shop: &str,
        order_id: &str,
    ) -> aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder {
        let query = self.client.query().table_name(&self.table).consistent_read(true);
        let query = query.key_condition_expression("pk = :pk");
        query.expression_attribute_values(":pk", AttributeValue::S(partition(shop, order_id)))
    }

    /// Removes an export that is over, if its state is as it was seen.
    ///
    /// One by one: `BatchWriteItem` takes 25 deletes in a request, but no conditions, costs the same write units, and
    /// would remove a row that was reset meanwhile.
    pub async fn remove(&self, seen: &Row) -> Result<Removed, LedgerError> {
        let delete = self.client.delete_item().table_name(&self.table).set_key(Some(primary(&seen.key)));
        let delete = delete
            .condition_expression("#status = :status AND #updated_at = :seen AND attribute_not_exists(#due_key)")
            .expression_attribute_names("#status", "status")
            .expression_attribute_names("#updated_at", "updated_at")
            .expression_attribute_names("#due_key", "due_key")
            .set_expression_attribute_values(Some(as_seen(seen)))
            .return_values(ReturnValue::AllOld)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        match delete.send().await {
            Ok(answer) => Ok(Removed::Gone { bytes: answer.attributes().map_or(0, item_bytes) }),
            Err(failure) => match failure.as_service_error() {
                Some(DeleteItemError::ConditionalCheckFailedException(refused)) => {
                    let is_there = refused.item().is_some_and(|item| !item.is_empty());
                    Ok(if is_there { Removed::Changed } else { Removed::Missing })
                }
                _ => Err(LedgerError::unavailable(&failure)),
            },
        }
    }

    /// The exports of every order of a customer, in whatever shop; `customer` is what [`super::customer_key`] makes.
    pub async fn by_customer(&self, customer: &str) -> Result<Vec<ExportKey>, LedgerError> {
        self.keys_in(keys::BY_CUSTOMER, "customer_key", customer).await
    }

    /// Leaves nothing of an export but that it is over, if its state is as it was seen. What comes of its order within
    /// the next 30 days begins nothing.
    pub async fn erase(&self, seen: &Row, now: Timestamp) -> Result<Recorded, LedgerError> {
        let condition = "#status = :status AND #updated_at = :seen";
        self.put_erased(&seen.key, condition, Some(as_seen(seen)), now).await
    }

    /// Does the same for an export that an erased order has not had yet.
    pub async fn bar(&self, key: &ExportKey, now: Timestamp) -> Result<Recorded, LedgerError> {
        self.put_erased(key, "attribute_not_exists(pk)", None, now).await
    }

    async fn put_erased(
        &self,
        key: &ExportKey,
        condition: &str,
        values: Option<HashMap<String, AttributeValue>>,
        now: Timestamp,
    ) -> Result<Recorded, LedgerError> {
        // The whole item is written anew: nothing stays that a later version may have put into it.
        let put = self.client.put_item().table_name(&self.table).set_item(Some(erased(key, now)));
        let put = put.condition_expression(condition);
        let put = match values {
            Some(values) => put
                .set_expression_attribute_values(Some(values))
                .expression_attribute_names("#status", "status")
                .expression_attribute_names("#updated_at", "updated_at"),
            None => put,
        };
        match put.send().await {
            Ok(_) => Ok(Recorded::Written),
            Err(failure) => match failure.as_service_error() {
                Some(PutItemError::ConditionalCheckFailedException(_)) => Ok(Recorded::LeftAsIs),
                _ => Err(LedgerError::unavailable(&failure)),
            },
        }
    }
}

/// The state of a row as it was seen. Every change of it has a time of its own.
fn as_seen(row: &Row) -> HashMap<String, AttributeValue> {
    HashMap::from([
        (":status".to_owned(), text(row.status.name())),
        (":seen".to_owned(), text(&sortable(row.updated_at))),
    ])
}

/// What is left of an erased export. That it was canceled keeps every webhook and message of its order from beginning
/// it: see the conditions of the first writes.
fn erased(key: &ExportKey, now: Timestamp) -> Item {
    let at = sortable(now);
    let until = now.as_second().saturating_add_unsigned(BARRED_FOR.as_secs());
    let text = [
        ("status", Status::Canceled.name().to_owned()),
        ("last_error", ERASED.to_owned()),
        ("created_at", at.clone()),
        ("updated_at", at.clone()),
        ("canceled_at", at.clone()),
        ("erased_at", at),
    ];
    let mut item = primary(key);
    item.extend(text.into_iter().map(|(name, value)| (name.to_owned(), AttributeValue::S(value))));
    item.insert("expires_at".to_owned(), AttributeValue::N(until.to_string()));
    item
}

#[cfg(test)]
mod tests;
