//! Orders by what people know of them.

use std::collections::BTreeSet;

use futures_util::{StreamExt, TryStreamExt, stream};
use ordersync::ledger::{ExportKey, LedgerError, Row};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Admin, AdminError, ExportRow, Key, OrderKey};

/// Longest text that is searched for, in characters: no number and no identifier is longer.
const LONGEST: usize = 480;
/// Orders that are shown of those found.
const MOST: usize = 50;
/// Orders that are read at the same time.
const AT_ONCE: usize = 8;

/// An order that was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Found {
    /// Which order.
    pub order: OrderKey,
    /// The number that the customer and the merchant see.
    pub number: String,
    /// Its exports, by pipeline.
    pub exports: Vec<ExportRow>,
}

impl Admin {
    /// Orders by a text: their number, their identifier in one of these shops, the back office's identifier of an export,
    /// or `shop:order:pipeline`. Numbers are found as far as `[ledger] find_by` has them in the index.
    ///
    /// # Errors
    /// No text, or one that is too long; a ledger that does not answer.
    pub async fn search(&self, shops: &[String], text: &str) -> Result<Vec<Found>, AdminError> {
        let text = text.trim();
        if text.is_empty() || text.chars().count() > LONGEST {
            return Err(AdminError::invalid(format!("search: expected 1 to {LONGEST} characters")));
        }
        let orders = self.orders_called(shops, text).await?;
        let read = orders.into_iter().take(MOST).map(|order| async move {
            let rows = self.ledger.order(&order.shop, &order.order).await?;
            Ok::<_, LedgerError>(found(order, &rows))
        });
        let found: Vec<Option<Found>> = stream::iter(read).buffered(AT_ONCE).try_collect().await?;
        Ok(found.into_iter().flatten().collect())
    }

    async fn orders_called(&self, shops: &[String], text: &str) -> Result<BTreeSet<OrderKey>, LedgerError> {
        let mut orders: BTreeSet<OrderKey> = Key::parse(text).iter().map(Key::order).collect();
        for number in numbers(text) {
            orders.extend(self.ledger.by_number(&number).await?.iter().map(order));
        }
        orders.extend(self.ledger.by_external_id(text).await?.iter().map(order));
        // Whether there is such an order is seen when it is read.
        orders.extend(shops.iter().map(|shop| OrderKey { shop: shop.clone(), order: text.to_owned() }));
        Ok(orders)
    }
}

/// What an order's number may be that is written so: some shops have a sign before it that nobody types.
fn numbers(text: &str) -> Vec<String> {
    let mut numbers = vec![text.to_owned()];
    if !text.starts_with('#') {
        numbers.push(format!("#{text}"));
    }
    numbers
}

fn order(key: &ExportKey) -> OrderKey {
    OrderKey { shop: key.shop.clone(), order: key.order_id.clone() }
}

fn found(order: OrderKey, rows: &[Row]) -> Option<Found> {
    let number = rows.first()?.number.clone();
    Some(Found { order, number, exports: rows.iter().map(ExportRow::from).collect() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sign_before_a_number_need_not_be_typed() {
        assert_eq!(numbers("1001"), ["1001", "#1001"]);
        assert_eq!(numbers("#1001"), ["#1001"]);
    }
}
