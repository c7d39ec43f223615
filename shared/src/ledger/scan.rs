//! The whole table, page by page: for what no index leads to, because an index costs each export a write.

use aws_sdk_dynamodb::operation::scan::builders::ScanFluentBuilder;
use jiff::Timestamp;

use super::control::{WALK, control};
use super::keys::{Item, export_key, sortable, text};
use super::{ExportKey, Ledger, LedgerError, Status};

/// Rows read at once: what is wanted of them fits in the memory of a small function, and is worked through in seconds.
const PAGE: i32 = 1000;

/// What a walk through the table is for.
#[derive(Debug, Clone, Copy)]
pub enum Wanted<'a> {
    /// Exports that came to one of these statuses then or earlier.
    Since(&'a [(Status, Timestamp)]),
    /// Those of a customer, by [`super::customer_key`].
    Customer(&'a str),
    /// Those of an order by its number, where that is not its identifier.
    Number(&'a str),
}

/// Where a walk stopped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    pk: String,
    sk: String,
}

/// A walk through the table, or through a part of it.
#[derive(Debug)]
pub struct Walk {
    request: ScanFluentBuilder,
    next: Option<Item>,
    is_over: bool,
    passed_over: u64,
}

/// How many parts of the table can be walked through side by side.
pub const PARTS: u32 = 8;

impl Walk {
    /// Exports of the next page, which may be none; nothing at the end. A page is what is read at once, whether or not it
    /// is wanted: a thousand rows, or 1 MB.
    pub async fn page(&mut self) -> Result<Option<Vec<ExportKey>>, LedgerError> {
        if self.is_over {
            return Ok(None);
        }
        // What was not answered is asked for again.
        let request = self.request.clone().set_exclusive_start_key(self.next.clone());
        let answer = request.send().await.map_err(|failure| LedgerError::unavailable(&failure))?;
        self.next = answer.last_evaluated_key.filter(|key| !key.is_empty());
        self.is_over = self.next.is_none();
        let items = answer.items.unwrap_or_default();
        let keys = items.iter().filter_map(|item| match export_key(item) {
            Ok(key) => Some(key),
            Err(error) => {
                tracing::error!(error = %error, "passed over: {error}");
                self.passed_over += 1;
                None
            }
        });
        Ok(Some(keys.collect()))
    }

    /// How many rows were passed over that are not as this version writes them; each has been logged.
    pub fn passed_over(&self) -> u64 {
        self.passed_over
    }

    /// Where to go on; nothing at the end.
    pub fn place(&self) -> Option<Place> {
        let text = |name: &str| self.next.as_ref()?.get(name)?.as_s().ok().cloned();
        Some(Place { pk: text("pk")?, sk: text("sk")? })
    }
}

impl Place {
    fn key(&self) -> Item {
        Item::from([("pk".to_owned(), text(&self.pk)), ("sk".to_owned(), text(&self.sk))])
    }
}

impl Ledger {
    /// Walks through the table, from a place or its beginning.
    pub fn walk(&self, wanted: Wanted<'_>, from: Option<&Place>) -> Walk {
        let request = self.client.scan().table_name(&self.table).projection_expression("pk, sk").limit(PAGE);
        let request = filtered(request, wanted);
        Walk { request, next: from.map(Place::key), is_over: false, passed_over: 0 }
    }

    /// Walks through one of the [`PARTS`] of the table.
    pub fn walk_part(&self, wanted: Wanted<'_>, part: u32) -> Walk {
        let mut walk = self.walk(wanted, None);
        let number = |number: u32| i32::try_from(number).unwrap_or(0);
        walk.request = walk.request.segment(number(part)).total_segments(number(PARTS));
        walk
    }

    /// Where the walk of this name stopped.
    pub async fn walked_to(&self, name: &str) -> Result<Option<Place>, LedgerError> {
        let request = self.client.get_item().table_name(&self.table).set_key(Some(control(WALK, name)));
        let answer = request.consistent_read(true).send().await;
        let item = answer.map_err(|failure| LedgerError::unavailable(&failure))?.item;
        let text = |name: &str| item.as_ref()?.get(name)?.as_s().ok().cloned();
        Ok(text("next_pk").zip(text("next_sk")).map(|(pk, sk)| Place { pk, sk }))
    }

    /// Remembers where the walk of this name stopped, or that it came to its end.
    pub async fn remember_walk(&self, name: &str, place: Option<&Place>, now: Timestamp) -> Result<(), LedgerError> {
        let key = control(WALK, name);
        let Some(place) = place else {
            let delete = self.client.delete_item().table_name(&self.table).set_key(Some(key)).send().await;
            return delete.map(drop).map_err(|failure| LedgerError::unavailable(&failure));
        };
        let put = self.client.put_item().table_name(&self.table).set_item(Some(key));
        let put = put.item("next_pk", text(&place.pk)).item("next_sk", text(&place.sk));
        let put = put.item("stopped_at", text(&sortable(now))).send().await;
        put.map(drop).map_err(|failure| LedgerError::unavailable(&failure))
    }
}

fn filtered(request: ScanFluentBuilder, wanted: Wanted<'_>) -> ScanFluentBuilder {
    match wanted {
        Wanted::Since(cutoffs) => {
            let conditions = (0..cutoffs.len()).map(|n| format!("(#status = :status{n} AND updated_at <= :until{n})"));
            let request = request.filter_expression(conditions.collect::<Vec<_>>().join(" OR "));
            let request = request.expression_attribute_names("#status", "status");
            cutoffs.iter().enumerate().fold(request, |request, (n, (status, until))| {
                let request = request.expression_attribute_values(format!(":status{n}"), text(status.name()));
                request.expression_attribute_values(format!(":until{n}"), text(&sortable(*until)))
            })
        }
        Wanted::Customer(customer) => request
            .filter_expression("customer = :customer OR customer_key = :customer")
            .expression_attribute_values(":customer", text(customer)),
        Wanted::Number(number) => request
            .filter_expression("#number = :number OR order_number = :number")
            .expression_attribute_names("#number", "number")
            .expression_attribute_values(":number", text(number)),
    }
}
