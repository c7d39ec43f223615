//! The platforms there are. A new one is its file and a line here.

use super::Keep;
use super::adobe::Adobe;
use super::bigcommerce::BigCommerce;
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
type Read<K> = fn(&Table<'_>, &Egress) -> Option<K>;

/// What a shop of a platform must have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Needs {
    /// `secrets` that we share with the platform.
    Secrets,
    /// These, and `api`: the webhooks only name the order.
    SecretsAndApi,
    /// No secrets: the platform signs with keys of its own.
    Nothing,
}

fn platforms<K: Keep>() -> [(&'static str, (Read<K>, Needs)); 8] {
    [
        ("shopify", (|_, _| Some(K::of(Shopify)), Needs::Secrets)),
        ("woocommerce", (|_, _| Some(K::of(WooCommerce)), Needs::Secrets)),
        ("magento", (|_, _| Some(K::of(Magento)), Needs::Secrets)),
        ("adobe-io-events", (|table, egress| Adobe::read(table, egress).map(K::of), Needs::Nothing)),
        ("shopware", (|_, _| Some(K::of(Shopware)), Needs::Secrets)),
        ("bigcommerce", (|_, _| Some(K::of(BigCommerce)), Needs::SecretsAndApi)),
        ("standard-webhooks", (|table, _| StandardWebhooks::read(table).map(K::of), Needs::Secrets)),
        ("generic", (|table, _| Generic::read(table).map(K::of), Needs::Secrets)),
    ]
}

/// What the key `platform` of a `[[shops]]` table and the keys of that platform say.
#[derive(Debug)]
pub struct Configured<K> {
    /// The platform; nothing when its keys have problems.
    pub platform: Option<K>,
    /// What else the shop must have.
    pub needs: Needs,
}

/// The platform of a `[[shops]]` table, by its key `platform` and whatever other keys that platform has. The caller
/// finishes the table.
pub fn read<K: Keep>(table: &Table<'_>, egress: &Egress) -> Configured<K> {
    let kind = table.require("platform", value::one_of(&platforms()));
    let platform = kind.and_then(|(read, _): (Read<K>, _)| read(table, egress));
    Configured { platform, needs: kind.map_or(Needs::Secrets, |(_, needs)| needs) }
}
