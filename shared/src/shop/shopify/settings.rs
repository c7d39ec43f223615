//! The settings of the calls to Shopify: `url`, `auth`, `timeout`, `version` and `cancel`.

use std::sync::Arc;

use http::header::HeaderName;
use serde_json::{Value, json};
use toml::de::DeValue;
use url::Url;

use super::Shopify;
use crate::config::document::{Node, Table};
use crate::config::value;
use crate::pipeline::transport::egress::Egress;
use crate::pipeline::transport::http::auth::Auth;
use crate::pipeline::transport::http::oauth2::{ClientAuth, OAuth2, Settings};
use crate::shop::ShopApi;
use crate::shop::remote::{Remote, below};

const TOKEN: HeaderName = HeaderName::from_static("x-shopify-access-token");

/// A version is supported for a year; Shopify answers with its oldest one for those that are not any more.
/// <https://shopify.dev/docs/api/usage/versioning>
const VERSION: &str = "2026-07";

/// The first version in which `orderCancel` has `refundMethod`.
const OLDEST: &str = "2025-07";

/// Longest `staffNote` that Shopify takes, in characters.
const MOST_NOTE: usize = 255;

/// `OrderCancelReason`.
const REASONS: [(&str, &str); 6] = [
    ("customer", "CUSTOMER"),
    ("declined", "DECLINED"),
    ("fraud", "FRAUD"),
    ("inventory", "INVENTORY"),
    ("other", "OTHER"),
    ("staff", "STAFF"),
];

/// How orders are cancelled.
#[derive(Debug)]
pub(super) struct CancelSettings {
    reason: &'static str,
    /// Whether what the order reserved goes back to stock.
    restock: bool,
    notify_customer: bool,
    /// Whether what was paid goes back the way it came; otherwise the order is cancelled and the payment kept.
    refund: bool,
    staff_note: Option<String>,
}

impl Default for CancelSettings {
    fn default() -> Self {
        let staff_note = Some("Cancelled by ordersync: not paid in time".to_owned());
        Self { reason: "OTHER", restock: true, notify_customer: false, refund: false, staff_note }
    }
}

impl CancelSettings {
    fn read(node: &Node<'_>) -> Option<Self> {
        let (table, usual) = (node.table()?, Self::default());
        let settings = Self {
            reason: table.read("reason", value::one_of(&REASONS)).unwrap_or(usual.reason),
            restock: table.read("restock", value::boolean).unwrap_or(usual.restock),
            notify_customer: table.read("notify_customer", value::boolean).unwrap_or(usual.notify_customer),
            refund: table.read("refund", value::boolean).unwrap_or(usual.refund),
            staff_note: table
                .read("staff_note", note)
                .map_or(usual.staff_note, |text| Some(text).filter(|text| !text.is_empty())),
        };
        table.finish();
        Some(settings)
    }

    /// The variables of `orderCancel`.
    pub(super) fn variables(&self, order_id: &str) -> Value {
        json!({
            "orderId": order_id,
            "reason": self.reason,
            "restock": self.restock,
            "notifyCustomer": self.notify_customer,
            "staffNote": self.staff_note,
            "refundMethod": self.refund.then(|| json!({ "originalPaymentMethodsRefund": true })),
        })
    }
}

fn note(value: &DeValue<'_>) -> Result<String, String> {
    let fits = |text: &String| text.chars().count() <= MOST_NOTE;
    value::string(value).ok().filter(fits).ok_or_else(|| format!("a text of at most {MOST_NOTE} characters"))
}

fn version(value: &DeValue<'_>) -> Result<String, String> {
    let is_month = |text: &String| {
        let (year, month) = text.split_once('-').unwrap_or_default();
        year.len() == 4 && year.bytes().all(|b| b.is_ascii_digit()) && matches!(month, "01" | "04" | "07" | "10")
    };
    let fits = |text: &String| text == "unstable" || (is_month(text) && text.as_str() >= OLDEST);
    value::string(value).ok().filter(fits).ok_or_else(|| format!("a version of the Admin API such as {VERSION:?}"))
}

/// The client credentials grant, for apps of the merchant's own organization: their tokens live for a day.
/// <https://shopify.dev/docs/apps/build/authentication-authorization/access-tokens/client-credentials-grant>
fn client(base: &Url, secret: String) -> Box<OAuth2> {
    let token_url = below(base, &["admin", "oauth", "access_token"]);
    let client_auth = ClientAuth::Body;
    Box::new(OAuth2::new(Settings { token_url, client_id: None, secret, scope: None, audience: None, client_auth }))
}

/// Reads the settings.
pub(crate) fn read(table: &Table<'_>, egress: &Egress) -> Option<Arc<dyn ShopApi>> {
    let remote =
        Remote::read(table, egress, |base, secret| Auth::TokenOrClient { name: TOKEN, oauth2: client(base, secret) });
    let version = table.read("version", version).unwrap_or_else(|| VERSION.to_owned());
    let cancel =
        table.get("cancel").map_or_else(|| Some(CancelSettings::default()), |node| CancelSettings::read(&node));
    Some(Arc::new(Shopify { remote: remote?, version, cancel: cancel? }))
}
