//! BigCommerce: webhooks signed as Standard Webhooks says, which name the order and say no more of it. The order is what
//! its REST API v2 answers.
//!
//! <https://docs.bigcommerce.com/docs/integrations/webhooks>,
//! <https://docs.bigcommerce.com/docs/rest-management/orders>

use jiff::Timestamp;
use rust_decimal::Decimal;

use super::address::Parts;
use super::amounts::{Amounts, sum};
use super::identity;
use super::json::Node;
use super::scan::{Document, Scan};
use super::signature::key_bytes;
use super::standard_webhooks::{self, Key};
use super::{BadOrder, Body, Event, Platform, Rejection, Sender, Subject, Webhook, topic};
#[cfg(feature = "sign")]
use super::{Signed, ToSign, Unsignable};
use crate::order::{Customer, Item, Money, Order, Payment};
use crate::secrets::Secret;

/// `status_id` of a checkout that was not finished.
const INCOMPLETE: &str = "0";
/// `status_id` of a cancelled order.
const CANCELED: &str = "5";
/// `status_id` of an order whose payment was declined.
const DECLINED: &str = "6";
/// `payment_status` of what was paid. What was refunded had been paid.
const PAID: [&str; 4] = ["captured", "paid", "partially refunded", "refunded"];
/// `status_id` of what was paid where there is no `payment_status`, as for offline methods: 11 awaiting fulfilment
/// ("payment has been confirmed"), what comes after that (2 and 3 shipped, 8 pickup, 9 shipment, 10 completed), and what
/// was given back (4, 14).
const PAID_STATUSES: [&str; 8] = ["2", "3", "4", "8", "9", "10", "11", "14"];

/// Fields of the order that the model holds in full, and the addresses and items. All others are `extra`.
const KNOWN: [&str; 16] = [
    "id",
    "channel_id",
    "date_created",
    "date_modified",
    "currency_code",
    "total_inc_tax",
    "subtotal_ex_tax",
    "total_tax",
    "shipping_cost_ex_tax",
    "payment_method",
    "status",
    "customer_id",
    "billing_address",
    "shipping_addresses",
    "products",
    "customer_message",
];

const ADDRESS: Parts = Parts {
    full_name: None,
    names: &["first_name", "last_name"],
    company: "company",
    street: &["street_1", "street_2"],
    city: "city",
    postcode: "zip",
    region: &["state"],
    country: &["country_iso2", "country"],
    phone: "phone",
};

/// BigCommerce.
#[derive(Debug)]
pub(super) struct BigCommerce;

impl Sender for BigCommerce {
    fn verify(&self, webhook: Webhook<'_>, secrets: &[Secret], now: Timestamp) -> Result<(), Rejection> {
        let keys: Vec<Key> = secrets.iter().filter_map(key).collect();
        standard_webhooks::verify(webhook, &keys, now)
    }

    fn subject(&self, webhook: Webhook<'_>, read: Option<&Body<'_>>) -> Result<Subject, Rejection> {
        let scan = Scan::new(webhook.body, read)?;
        let document = scan.document();
        let said = |key: &str| document.find(&[key]).and_then(Document::text);
        let is_finished = was_finished(document);
        let event = identity::event_by(|scope| event(scope, is_finished), said("scope").as_deref(), webhook)?;
        let delivery = identity::delivery_id(said("hash").as_deref());
        let occurred_at = document.find(&["created_at"]).and_then(Document::moment);
        // Webhooks of a single channel have another field.
        let id = document.find(&["data", "id"]).or_else(|| document.find(&["data", "order_id"]));
        identity::subject(id, "data.id", event, delivery, occurred_at)
    }

    #[cfg(feature = "sign")]
    fn sign(&self, webhook: &ToSign<'_>) -> Result<Signed, Unsignable> {
        standard_webhooks::sign(webhook, key(webhook.secret))
    }

    fn owns_header(&self, name: &str) -> bool {
        name.starts_with("webhook-")
    }
}

impl Platform for BigCommerce {
    fn is_reference(&self, body: &[u8]) -> bool {
        Scan::of(body).is_ok_and(|scan| scan.document().find(&["order"]).is_none())
    }

    fn read_from(&self, shop: &str, body: &Body<'_>) -> Result<Order, BadOrder> {
        read(shop, &Node::root(body.tree()?))
    }
}

/// The standard's secret is the base64 of the app's client secret, so its key is the client secret itself.
fn key(secret: &Secret) -> Option<Key> {
    let bytes = key_bytes(secret);
    if bytes.starts_with(b"whsec_") { Key::of(secret) } else { Key::shared(bytes) }
}

/// Whether the webhook tells of the checkout's end: there is an order with a status before, too.
fn was_finished(document: Document<'_>) -> bool {
    let status = |key| document.find(&["data", "status", key]).and_then(Document::bare);
    let is_given_up = matches!(status("new_status_id"), Some(INCOMPLETE | CANCELED | DECLINED));
    status("previous_status_id") == Some(INCOMPLETE) && !is_given_up
}

fn event(scope: &str, was_finished: bool) -> Option<Event> {
    let event = topic::event(scope)?;
    Some(if event == Event::Updated && was_finished { Event::Placed } else { event })
}

/// Reads what [`crate::shop::ShopApi::fetch`] puts together: `order`, `products` and `shipping_addresses`.
fn read(shop: &str, composite: &Node<'_>) -> Result<Order, BadOrder> {
    let order = composite.at("order");
    let (placed_at, utc_offset) = order.at("date_created").required_moment()?;
    let (currency, amounts) = Amounts::currency(&order.at("currency_code"))?;
    let billing = ADDRESS.read(&order.at("billing_address"))?;
    let lines = composite.at("products").items()?;
    let id = order.at("id").order_id()?;
    let payment_status = order.at("payment_status").text()?;
    let status_id = order.at("status_id").text()?;
    Ok(Order {
        number: id.clone(),
        id,
        shop: shop.to_owned(),
        store: order.at("channel_id").text()?,
        placed_at,
        utc_offset,
        updated_at: order.at("date_modified").moment(),
        currency,
        total: amounts.require(&order.at("total_inc_tax"))?,
        subtotal: amounts.read(&order.at("subtotal_ex_tax"))?,
        tax: amounts.read(&order.at("total_tax"))?,
        discount: Some(discount(&order, amounts)?),
        shipping: amounts.read(&order.at("shipping_cost_ex_tax"))?,
        payment: payment(order.at("payment_method").text()?, payment_status, status_id.as_deref()),
        state: order.at("status").text()?,
        canceled: status_id.as_deref() == Some(CANCELED),
        customer: Customer {
            id: order.at("customer_id").id()?,
            email: order.at("billing_address/email").text()?,
            name: billing.name.clone(),
            phone: billing.phone.clone(),
        },
        billing,
        delivery: ADDRESS.read(&composite.at("shipping_addresses/0"))?,
        items: lines.iter().map(|line| item(line, amounts)).collect::<Result<_, _>>()?,
        note: order.at("customer_message").text()?,
        extra: order.extra(&KNOWN),
    })
}

/// How an order is paid. `payment_status` is empty for offline methods; then the order's status says how far.
pub(crate) fn payment(method: Option<String>, payment_status: Option<String>, status_id: Option<&str>) -> Payment {
    let paid = match &payment_status {
        Some(status) => PAID.iter().any(|paid| status.eq_ignore_ascii_case(paid)),
        None => status_id.is_some_and(|id| PAID_STATUSES.contains(&id)),
    };
    let state = payment_status.unwrap_or_else(|| if paid { "paid" } else { "pending" }.to_owned());
    Payment { method, state: Some(state), paid }
}

/// Manual discounts and promotions, and coupons.
fn discount(order: &Node<'_>, amounts: Amounts) -> Result<Money, BadOrder> {
    let (manual, coupons) = (order.at("discount_amount"), order.at("coupon_discount"));
    let sum = [&manual, &coupons].into_iter().try_fold(Decimal::ZERO, |sum, part| {
        let part_sum = sum.checked_add(part.decimal()?.unwrap_or_default());
        part_sum.ok_or_else(|| part.bad("amounts whose sum has at most 28 digits"))
    });
    Ok(amounts.money(sum?).abs())
}

fn item(line: &Node<'_>, amounts: Amounts) -> Result<Item, BadOrder> {
    let quantity = line.at("quantity").quantity()?;
    let sku = line.at("sku").text()?;
    let unit_price = amounts.require(&line.at("price_ex_tax"))?;
    let total = amounts.read(&line.at("total_ex_tax"))?;
    Ok(Item {
        name: line.line_name(&["name"], sku.as_ref())?,
        sku,
        quantity,
        unit_price,
        discount: Some(amounts.money(sum(&line.at("applied_discounts").list()?, "amount")?).abs()),
        tax: amounts.read(&line.at("total_tax"))?,
        total: total.map_or_else(|| amounts.line_total(line, quantity, unit_price, None), Ok)?,
    })
}
