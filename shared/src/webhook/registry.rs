//! The platforms there are. A new one is its file and a line here.

use std::sync::Arc;

use super::Platform;
use super::adobe::Adobe;
use super::generic::Generic;
use super::magento::Magento;
use super::shopify::Shopify;
use super::shopware::Shopware;
use super::standard_webhooks::StandardWebhooks;
use super::woocommerce::WooCommerce;
use crate::config::document::Table;
use crate::config::value;
use crate::pipeline::transport::egress::Egress;

/// Reads what a platform wants to know from its `[[shops]]` table; nothing when that has problems.
type Read = fn(&Table<'_>, &Egress) -> Option<Arc<dyn Platform>>;

/// A platform, and whether it shares secrets with us.
type Kind = (Read, bool);

const PLATFORMS: [(&str, Kind); 7] = [
    ("shopify", (|_, _| Some(Arc::new(Shopify)), true)),
    ("woocommerce", (|_, _| Some(Arc::new(WooCommerce)), true)),
    ("magento", (|_, _| Some(Arc::new(Magento)), true)),
    ("adobe-io-events", (Adobe::read, false)),
    ("shopware", (|_, _| Some(Arc::new(Shopware)), true)),
    ("standard-webhooks", (|table, _| StandardWebhooks::read(table), true)),
    ("generic", (|table, _| Generic::read(table), true)),
];

/// What the key `platform` of a `[[shops]]` table and the keys of that platform say.
#[derive(Debug)]
pub struct Configured {
    /// The platform; nothing when its keys have problems.
    pub platform: Option<Arc<dyn Platform>>,
    /// Whether the shop needs `secrets`: not where the platform signs with keys of its own.
    pub needs_secrets: bool,
}

/// The platform of a `[[shops]]` table, by its key `platform` and whatever other keys that platform has. The caller
/// finishes the table.
pub fn read(table: &Table<'_>, egress: &Egress) -> Configured {
    let kind = table.require("platform", value::one_of(&PLATFORMS));
    let platform = kind.and_then(|(read, _)| read(table, egress));
    Configured { platform, needs_secrets: kind.is_none_or(|(_, needs_secrets)| needs_secrets) }
}
