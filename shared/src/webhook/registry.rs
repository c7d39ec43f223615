//! The platforms there are. A new one is its file and a line here.

use std::sync::Arc;

use super::Platform;
use super::generic::Generic;
use super::magento::Magento;
use super::shopify::Shopify;
use super::shopware::Shopware;
use super::standard_webhooks::StandardWebhooks;
use super::woocommerce::WooCommerce;
use crate::config::document::Table;
use crate::config::value;

/// Reads what a platform wants to know from its `[[shops]]` table; nothing when that has problems.
type Read = fn(&Table<'_>) -> Option<Arc<dyn Platform>>;

const PLATFORMS: [(&str, Read); 6] = [
    ("shopify", |_| Some(Arc::new(Shopify))),
    ("woocommerce", |_| Some(Arc::new(WooCommerce))),
    ("magento", |_| Some(Arc::new(Magento))),
    ("shopware", |_| Some(Arc::new(Shopware))),
    ("standard-webhooks", StandardWebhooks::read),
    ("generic", Generic::read),
];

/// The platform of a `[[shops]]` table, by its key `platform` and whatever other keys that platform has. The caller
/// finishes the table.
pub fn read(table: &Table<'_>) -> Option<Arc<dyn Platform>> {
    let platform = table.require("platform", value::one_of(&PLATFORMS))?;
    platform(table)
}
