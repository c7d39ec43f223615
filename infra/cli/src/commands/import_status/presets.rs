//! What the tables of the replaced systems call things, and how they say that an order was exported.

use clap::ValueEnum;

use super::columns::{Column, Field};

/// A replaced system.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum From {
    /// The table `ordersyncquerunner_que` of `ProxiBlue_OrderSyncQueRunner`.
    Ordersyncquerunner,
    /// The table `jobs` of `JobQueue`, on `DJJob`; done jobs are no longer in it.
    Jobqueue,
    /// The export table of Pacemaker Order Export.
    Pacemaker,
}

impl From {
    /// Its name.
    pub(super) fn name(self) -> String {
        self.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
    }

    /// Columns that may hold a field; the first that the table has counts.
    pub(super) fn columns(self, field: Field) -> Vec<Column> {
        let plain: &[&str] = match (self, field) {
            (Self::Ordersyncquerunner, Field::OrderId) => &["entity_id"],
            (Self::Ordersyncquerunner, Field::Number) => &["increment_id"],
            (Self::Ordersyncquerunner | Self::Jobqueue, Field::PlacedAt) => &["created_at"],
            (Self::Ordersyncquerunner, Field::ExportedAt) => &["synced_at"],
            (Self::Ordersyncquerunner, Field::IsNew) => &["is_new_order"],
            (Self::Jobqueue, Field::Error) => &["error"],
            // Its schema is not public. These are the words of its documentation and of Magento's tables.
            (Self::Pacemaker, Field::OrderId) => &["order_id", "entity_id", "identifier"],
            (Self::Pacemaker, Field::Number) => &["increment_id", "order_increment_id"],
            (Self::Pacemaker, Field::Status) => &["status", "export_status"],
            (Self::Pacemaker, Field::PlacedAt) => &["order_created_at"],
            (Self::Pacemaker, Field::ExportedAt) => &["exported_at", "updated_at"],
            (Self::Pacemaker, Field::ExternalId) => &["external_id"],
            (Self::Pacemaker, Field::Error) => &["last_error", "error_message", "message"],
            _ => &[],
        };
        let plain = plain.iter().map(|name| Column::plain(name));
        // A job is a serialized object, whose class is the shop's own.
        let inside: &[&str] = match (self, field) {
            (Self::Jobqueue, Field::OrderId) => &["order_id", "orderId"],
            (Self::Jobqueue, Field::Number) => &["increment_id", "incrementId"],
            _ => &[],
        };
        plain
            .chain(inside.iter().map(|name| Column { name: "handler".into(), inside: Some((*name).to_owned()) }))
            .collect()
    }

    /// Statuses of an export that was made; none where the system has no status.
    pub(super) fn done(self) -> &'static [&'static str] {
        match self {
            Self::Ordersyncquerunner | Self::Jobqueue => &[],
            Self::Pacemaker => &["success", "exported", "done", "complete", "completed", "finished"],
        }
    }
}
