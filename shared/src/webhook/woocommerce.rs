//! WooCommerce: the order as its REST API v3 writes it, signed with the webhook's own secret.

use jiff::Timestamp;
use jiff::tz::Offset;
use ring::hmac::HMAC_SHA256;

use super::address::Parts;
use super::amounts::{Amounts, sum};
use super::identity;
use super::json::Node;
use super::scan::Scan;
use super::signature::{self, Encoding};
use super::{BadOrder, Body, Headers, Platform, Rejection, Sender, Subject, Webhook, time};
#[cfg(feature = "sign")]
use super::{Signed, ToSign, Unsignable};
use crate::order::{Customer, Item, Money, Order, Payment};
use crate::secrets::Secret;

const SIGNATURE: &str = "x-wc-webhook-signature";

/// Fields of the order that the model holds in full, and the addresses and items. All others are `extra`.
const KNOWN: [&str; 18] = [
    "id",
    "number",
    "date_created",
    "date_created_gmt",
    "date_modified",
    "date_modified_gmt",
    "currency",
    "total",
    "total_tax",
    "discount_total",
    "shipping_total",
    "payment_method",
    "status",
    "customer_id",
    "billing",
    "shipping",
    "line_items",
    "customer_note",
];

const ADDRESS: Parts = Parts {
    full_name: None,
    names: &["first_name", "last_name"],
    company: "company",
    street: &["address_1", "address_2"],
    city: "city",
    postcode: "postcode",
    region: &["state"],
    country: &["country"],
    phone: "phone",
};

/// WooCommerce.
#[derive(Debug)]
pub(super) struct WooCommerce;

impl Sender for WooCommerce {
    fn verify(&self, webhook: Webhook<'_>, secrets: &[Secret], _now: Timestamp) -> Result<(), Rejection> {
        // No time is signed, so there is none to be checked.
        let text = signature::header(webhook.headers, SIGNATURE)?;
        signature::verify(HMAC_SHA256, Encoding::Base64, text, webhook.body, secrets)
    }

    fn subject(&self, webhook: Webhook<'_>, read: Option<&Body<'_>>) -> Result<Subject, Rejection> {
        if is_ping(webhook.body) {
            return Ok(Subject::Ping);
        }
        let event = identity::event(topic(webhook.headers).as_deref(), webhook)?;
        let scan = Scan::new(webhook.body, read)?;
        let delivery = identity::delivery_id(webhook.headers.get("x-wc-webhook-delivery-id"));
        identity::subject(scan.document().find(&["id"]), "id", event, delivery, None)
    }

    /// Saving a webhook posts `webhook_id=N`, unsigned, and goes on only after a 200.
    fn is_unsigned_ping(&self, webhook: Webhook<'_>) -> bool {
        webhook.headers.get(SIGNATURE).is_none() && is_ping(webhook.body)
    }

    #[cfg(feature = "sign")]
    fn sign(&self, webhook: &ToSign<'_>) -> Result<Signed, Unsignable> {
        let tag = signature::sign(HMAC_SHA256, Encoding::Base64, webhook.secret, webhook.body)?;
        Ok(webhook.with([
            ("x-wc-webhook-topic", webhook.topic_or("order.created")),
            ("x-wc-webhook-delivery-id", webhook.id.to_owned()),
            (SIGNATURE, tag),
        ]))
    }

    fn owns_header(&self, name: &str) -> bool {
        name.starts_with("x-wc-webhook-")
    }
}

impl Platform for WooCommerce {
    fn read_from(&self, shop: &str, body: &Body<'_>) -> Result<Order, BadOrder> {
        read(shop, &Node::root(body.tree()?))
    }
}

fn is_ping(body: &[u8]) -> bool {
    let number = body.trim_ascii().strip_prefix(b"webhook_id=");
    number.is_some_and(|digits| !digits.is_empty() && digits.len() <= 20 && digits.iter().all(u8::is_ascii_digit))
}

/// The topic, also where only its two halves are sent.
fn topic(headers: &Headers) -> Option<String> {
    let halves = || Some(format!("{}.{}", headers.get("x-wc-webhook-resource")?, headers.get("x-wc-webhook-event")?));
    headers.get("x-wc-webhook-topic").map(ToOwned::to_owned).or_else(halves)
}

fn read(shop: &str, order: &Node<'_>) -> Result<Order, BadOrder> {
    let (placed_at, _) = order.at("date_created_gmt").required_moment()?;
    let (currency, amounts) = Amounts::currency(&order.at("currency"))?;
    let billing = ADDRESS.read(&order.at("billing"))?;
    let lines = order.at("line_items").items()?;
    let state = order.at("status").text()?;
    Ok(Order {
        id: order.at("id").order_id()?,
        number: order.at("number").required_text()?,
        shop: shop.to_owned(),
        store: None,
        placed_at,
        utc_offset: utc_offset(order, placed_at)?,
        updated_at: order.at("date_modified_gmt").moment(),
        currency,
        total: amounts.require(&order.at("total"))?,
        subtotal: Some(amounts.money(sum(&lines, "subtotal")?)),
        tax: amounts.read(&order.at("total_tax"))?,
        discount: amounts.discount(&order.at("discount_total"))?,
        shipping: amounts.read(&order.at("shipping_total"))?,
        payment: payment(order)?,
        canceled: state.as_deref() == Some("cancelled"),
        state,
        customer: Customer {
            id: order.at("customer_id").id()?,
            email: order.at("billing/email").text()?,
            name: billing.name.clone(),
            phone: billing.phone.clone(),
        },
        billing,
        delivery: ADDRESS.read(&order.at("shipping"))?,
        items: lines.iter().map(|line| item(line, amounts)).collect::<Result<_, _>>()?,
        note: order.at("customer_note").text()?,
        extra: order.extra(&KNOWN),
    })
}

/// The shop's offset from UTC is in no field, but it is what the local time is ahead of the UTC time.
fn utc_offset(order: &Node<'_>, placed_at: Timestamp) -> Result<String, BadOrder> {
    let local = order.at("date_created").text()?.and_then(|text| time::moment(&text));
    let seconds = local.map_or(0, |(local, _)| local.as_second() - placed_at.as_second());
    let is_offset = seconds % (15 * 60) == 0;
    let offset =
        i32::try_from(seconds).ok().filter(|_| is_offset).and_then(|seconds| Offset::from_seconds(seconds).ok());
    Ok(time::offset_text(offset.unwrap_or(Offset::UTC)))
}

/// WooCommerce has no word for the state of a payment, only the time at which it was paid.
fn payment(order: &Node<'_>) -> Result<Payment, BadOrder> {
    let paid = order.first_text(&["date_paid_gmt", "date_paid"])?.is_some();
    let state = if paid { "paid" } else { "pending" };
    Ok(Payment { method: order.at("payment_method").text()?, state: Some(state.to_owned()), paid })
}

fn item(line: &Node<'_>, amounts: Amounts) -> Result<Item, BadOrder> {
    let quantity = line.at("quantity").quantity()?;
    let sku = line.at("sku").text()?;
    let unit_price = amounts.require(&line.at("price"))?;
    let total = amounts.read(&line.at("total"))?;
    Ok(Item {
        name: line.line_name(&["name"], sku.as_ref())?,
        sku,
        quantity,
        unit_price,
        discount: discount(line, amounts)?,
        tax: amounts.read(&line.at("total_tax"))?,
        total: total.map_or_else(|| amounts.line_total(line, quantity, unit_price, None), Ok)?,
    })
}

/// What the line costs less than before its discounts. A line may cost more, which is none.
fn discount(line: &Node<'_>, amounts: Amounts) -> Result<Option<Money>, BadOrder> {
    let (before, after) = (line.at("subtotal").decimal()?, line.at("total").decimal()?);
    let discount = before.zip(after).and_then(|(before, after)| before.checked_sub(after));
    Ok(discount.map(|discount| amounts.money(discount.max(rust_decimal::Decimal::ZERO))))
}
