//! Adobe I/O Events: `CloudEvents` of Adobe Commerce, signed with keys of Adobe's own. The order has Magento's shape.
//!
//! <https://developer.adobe.com/events/docs/guides> (webhooks, security considerations) and
//! <https://developer.adobe.com/commerce/extensibility/events>.

use jiff::Timestamp;
use rustls::pki_types::SubjectPublicKeyInfoDer;
use rustls::pki_types::pem::PemObject;
use toml::de::DeValue;
use url::Url;
use webpki::RawPublicKeyEntity;
use webpki::ring::RSA_PKCS1_2048_8192_SHA256;

use super::identity;
use super::json::Node;
use super::scan::{Document, Scan};
use super::signature::{any, base64, header};
use super::{BadOrder, Body, Event, Headers, Platform, Rejection, Sender, Subject, Webhook, magento, topic};
use crate::config::document::Table;
use crate::config::value;
use crate::order::Order;
use crate::pipeline::transport::egress::Egress;
use crate::secrets::Secret;

/// Where Adobe publishes its keys. The webhook names the path only.
const KEYS: &str = "https://static.adobeioevents.com";

/// The headers with a signature, each beside the header with the path of its key. Adobe sends both, so that keys can be
/// changed; one that is valid suffices.
const SIGNATURES: [(&str, &str); 2] = [
    ("x-adobe-digital-signature-1", "x-adobe-public-key1-path"),
    ("x-adobe-digital-signature-2", "x-adobe-public-key2-path"),
];

/// Longest path to a key; Adobe's have about 70 characters.
const LONGEST_PATH: usize = 200;

/// Where the order stands: by itself, or in `checkout_submit_all_after` beside the cart.
const PLACES: [&[&str]; 2] = [&["data", "value"], &["data", "value", "order"]];

/// Where the order's identifier stands, from the order: Commerce as a Cloud Service sends no `entity_id`, but everything
/// that belongs to an order names it. What has an `order_id` is no order.
const ORDER_IDS: [&[&str]; 5] = [
    &["order_id"],
    &["entity_id"],
    &["payment", "parent_id"],
    &["items", "0", "order_id"],
    &["addresses", "0", "parent_id"],
];

/// Adobe I/O Events.
#[derive(Debug)]
pub(super) struct Adobe {
    /// Whom the events are for: the client identifier of the project in Adobe's Developer Console.
    client_id: String,
    /// Where the keys are published.
    keys: Url,
}

impl Adobe {
    /// Reads the shop's settings: `client_id`, and for tests `public_keys`.
    pub(super) fn read(shop: &Table<'_>, egress: &Egress) -> Option<Self> {
        let client_id = shop.require("client_id", value::text);
        let keys = match shop.get("public_keys") {
            Some(node) => {
                let origin = node.parse(origin);
                if origin.as_ref().is_some_and(|origin| !egress.names(origin)) {
                    node.problem("expected a host and port named in [egress] allow: this key is for tests only");
                    return None;
                }
                origin
            }
            None => Url::parse(KEYS).ok(),
        };
        Some(Self { client_id: client_id?, keys: keys? })
    }
}

impl Sender for Adobe {
    fn public_keys(&self, webhook: Webhook<'_>) -> Result<Vec<Url>, Rejection> {
        let paths = SIGNATURES.iter().filter(|(signature, _)| webhook.headers.get(signature).is_some());
        let paths: Vec<&str> = paths.map(|(_, path)| header(webhook.headers, path)).collect::<Result<_, _>>()?;
        if paths.is_empty() {
            return Err(Rejection::Unsigned(SIGNATURES[0].0.to_owned()));
        }
        let keys = paths.into_iter().map(|path| self.key_at(path)).collect::<Result<_, _>>()?;
        // Anyone can name keys that are not there, and after some of them no more are fetched for a while. Who does not
        // know whom events are for cannot have it come to that.
        self.is_recipient(webhook.body)?;
        Ok(keys)
    }

    fn verify(&self, webhook: Webhook<'_>, secrets: &[Secret], _now: Timestamp) -> Result<(), Rejection> {
        // No time is signed, so there is none to be checked.
        let signatures = signatures(webhook.headers)?;
        let keys: Vec<_> = secrets.iter().filter_map(key).collect();
        let pairs = keys.iter().flat_map(|key| signatures.iter().map(move |signature| (key, signature)));
        any(pairs.map(|(key, signature)| is_signed(key, signature, webhook.body)))?;
        self.is_recipient(webhook.body)
    }

    fn subject(&self, webhook: Webhook<'_>, read: Option<&Body<'_>>) -> Result<Subject, Rejection> {
        let scan = Scan::new(webhook.body, read)?;
        let document = scan.document();
        one_event(document)?;
        let said = |key: &str| document.find(&[key]).and_then(Document::text);
        let place = place(document);
        let is_new = place.and_then(|(_, order, _)| order.find(&["_isNew"])).and_then(Document::boolean);
        let event = identity::event_by(|name| event(name, is_new), said("type").as_deref(), webhook)?;
        let body_id = || said("event_id").or_else(|| said("eventid"));
        let delivery = identity::delivery_id(
            webhook.headers.get("x-adobe-event-id").map(ToOwned::to_owned).or_else(body_id).as_deref(),
        );
        let occurred_at = document.find(&["time"]).and_then(Document::moment);
        identity::subject(place.map(|(_, _, id)| id), "data.value.entity_id", event, delivery, occurred_at)
    }

    /// What Adobe posts where the challenge was not answered: the address that confirms the subscription.
    fn is_unsigned_ping(&self, webhook: Webhook<'_>) -> bool {
        self.confirmation(webhook).is_some()
    }

    fn confirmation(&self, webhook: Webhook<'_>) -> Option<Url> {
        if SIGNATURES.iter().any(|(signature, _)| webhook.headers.get(signature).is_some()) {
            return None;
        }
        let text = Scan::of(webhook.body).ok()?.document().find(&["validationUrl"])?.text()?;
        // Anyone can post this. It is shown to somebody who will open it: only if it leads to Adobe.
        let url = Url::parse(&text).ok().filter(|url| url.scheme() == "https" && text.len() <= 500)?;
        let is_adobe = url.domain().is_some_and(|host| host.ends_with(".adobe.io")) && url.port().is_none();
        (is_adobe && url.username().is_empty() && url.password().is_none()).then_some(url)
    }

    fn challenge_parameter(&self) -> Option<&'static str> {
        Some("challenge")
    }

    fn owns_header(&self, name: &str) -> bool {
        name.starts_with("x-adobe-")
    }
}

impl Platform for Adobe {
    fn read_from(&self, shop: &str, body: &Body<'_>) -> Result<Order, BadOrder> {
        let tree = body.tree()?;
        let root = Node::root(tree);
        let missing = || root.at("data/value/entity_id").bad(identity::ORDER_ID);
        let (path, _, id) = place(Document::Tree(tree)).ok_or_else(missing)?;
        let mut order = magento::read(shop, id.order_id().ok_or_else(missing)?, &root.at(&path.join("/")))?;
        if order.store.is_none() {
            order.store = root.at("data/_metadata/storeId").text()?;
        }
        // Read already, and not the order's: whether it is a new one, and what it was before.
        order.extra.retain(|name, _| !matches!(name.as_str(), "addresses" | "_isNew" | "_origData"));
        Ok(order)
    }
}

impl Adobe {
    fn key_at(&self, path: &str) -> Result<Url, Rejection> {
        if !is_key_path(path) {
            let expected = "x-adobe-public-key1-path and -key2-path: expected a path such as /prod/keys/pub-key-1.pem";
            return Err(Rejection::Malformed(expected.into()));
        }
        let mut url = self.keys.clone();
        url.set_path(path);
        Ok(url)
    }

    /// Adobe signs everybody's events with the same keys, so who they are for is part of what is signed.
    fn is_recipient(&self, body: &[u8]) -> Result<(), Rejection> {
        let scan = Scan::of(body)?;
        let document = scan.document();
        one_event(document)?;
        let names = ["recipient_client_id", "recipientclientid"];
        let found = names.iter().find_map(|name| document.find(&[name])).and_then(Document::text);
        if found.is_some_and(|found| found == self.client_id) {
            return Ok(());
        }
        Err(Rejection::OtherRecipient("recipient_client_id"))
    }
}

/// The signatures that can be read, of which one must be there.
fn signatures(headers: &Headers) -> Result<Vec<Vec<u8>>, Rejection> {
    let found: Vec<&str> = SIGNATURES.iter().filter_map(|(name, _)| header(headers, name).ok()).collect();
    if found.is_empty() {
        return Err(Rejection::Unsigned(SIGNATURES[0].0.to_owned()));
    }
    Ok(found.into_iter().filter_map(base64).collect())
}

/// A public key in PEM (RFC 7468), as Adobe publishes it.
fn key(pem: &Secret) -> Option<SubjectPublicKeyInfoDer<'static>> {
    SubjectPublicKeyInfoDer::from_pem_slice(pem.expose().as_bytes()).ok()
}

/// RSASSA-PKCS1-v1_5 with SHA-256.
fn is_signed(key: &SubjectPublicKeyInfoDer<'_>, signature: &[u8], body: &[u8]) -> bool {
    let key = RawPublicKeyEntity::try_from(key);
    key.is_ok_and(|key| key.verify_signature(RSA_PKCS1_2048_8192_SHA256, body, signature).is_ok())
}

/// `/prod/keys/pub-key-….pem`: a plain file where Adobe's keys are.
fn is_key_path(path: &str) -> bool {
    let name = ["/prod/keys/", "/stage/keys/"].iter().find_map(|folder| path.strip_prefix(folder));
    let is_plain = |name: &str| name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
    let stem = name.and_then(|name| name.strip_suffix(".pem"));
    path.len() <= LONGEST_PATH && stem.is_some_and(|stem| !stem.is_empty() && is_plain(stem))
}

/// A scheme, host and port, and nothing behind them.
fn origin(value: &DeValue<'_>) -> Result<Url, String> {
    let is_bare = |url: &Url| url.path() == "/" && url.query().is_none() && url.fragment().is_none();
    value::url(value).ok().filter(is_bare).ok_or_else(|| "scheme, host and port such as http://127.0.0.1:9000".into())
}

/// Adobe delivers one event at a time, or several in a list, as the registration says.
fn one_event(document: Document<'_>) -> Result<(), Rejection> {
    if document.is_list() {
        let expected =
            "expected one event, not a list: set the registration's delivery to Webhook, not Webhook (batch)";
        return Err(Rejection::Malformed(expected.into()));
    }
    Ok(())
}

/// Where the order stands, the order, and its identifier.
fn place(document: Document<'_>) -> Option<(&'static [&'static str], Document<'_>, Document<'_>)> {
    PLACES.into_iter().find_map(|path| {
        let order = document.find(path)?;
        let id = ORDER_IDS.into_iter().find_map(|id| order.find(id))?;
        Some((path, order, id))
    })
}

/// What happened, by the event's name: `com.adobe.commerce.observer.sales_order_save_commit_after`.
fn event(name: &str, is_new: Option<bool>) -> Option<Event> {
    let code = name.trim_start_matches("com.adobe.commerce.");
    match code.strip_prefix("observer.").unwrap_or(code) {
        // Every save of an order, the first one too. An event without the field counts as the first: better an order
        // that is looked at again than one that is never seen.
        "sales_order_save_after" | "sales_order_save_commit_after" => {
            Some(if is_new.unwrap_or(true) { Event::Placed } else { Event::Updated })
        }
        "sales_order_place_after" | "checkout_submit_all_after" => Some(Event::Placed),
        "order_cancel_after" => Some(Event::Canceled),
        "sales_order_creditmemo_save_after"
        | "sales_order_creditmemo_save_commit_after"
        | "sales_order_creditmemo_refund" => Some(Event::Refunded),
        _ => topic::event(name),
    }
}
