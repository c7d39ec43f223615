//! Shopify: the order as its REST Admin API writes it, signed with the app's client secret.

use jiff::Timestamp;
use ring::hmac::HMAC_SHA256;

use super::address::Parts;
use super::amounts::{Amounts, sum};
use super::identity;
use super::json::Node;
use super::scan::{Document, Scan};
use super::signature::{self, Encoding};
use super::{BadOrder, Body, Event, Platform, Rejection, Sender, Subject, Webhook};
#[cfg(feature = "sign")]
use super::{Signed, ToSign, Unsignable};
use crate::order::{Customer, Item, Money, Order, Payment};
use crate::secrets::Secret;

const SIGNATURE: &str = "x-shopify-hmac-sha256";

/// Fields of the order that the model holds in full, and the addresses and items. All others are `extra`.
const KNOWN: [&str; 18] = [
    "id",
    "name",
    "created_at",
    "updated_at",
    "currency",
    "total_price",
    "subtotal_price",
    "total_tax",
    "total_discounts",
    "total_shipping_price_set",
    "financial_status",
    "fulfillment_status",
    "email",
    "phone",
    "billing_address",
    "shipping_address",
    "line_items",
    "note",
];

const ADDRESS: Parts = Parts {
    full_name: Some("name"),
    names: &["first_name", "last_name"],
    company: "company",
    street: &["address1", "address2"],
    city: "city",
    postcode: "zip",
    region: &["province", "province_code"],
    country: &["country_code", "country"],
    phone: "phone",
};

/// Shopify.
#[derive(Debug)]
pub(super) struct Shopify;

impl Sender for Shopify {
    fn verify(&self, webhook: Webhook<'_>, secrets: &[Secret], _now: Timestamp) -> Result<(), Rejection> {
        // No time is signed, so there is none to be checked.
        let text = signature::header(webhook.headers, SIGNATURE)?;
        signature::verify(HMAC_SHA256, Encoding::Base64, text, webhook.body, secrets)
    }

    fn subject(&self, webhook: Webhook<'_>, read: Option<&Body<'_>>) -> Result<Subject, Rejection> {
        let event = identity::event(webhook.headers.get("x-shopify-topic"), webhook)?;
        let scan = Scan::new(webhook.body, read)?;
        let delivery = ["x-shopify-event-id", "x-shopify-webhook-id"];
        let delivery = delivery.iter().find_map(|name| identity::delivery_id(webhook.headers.get(name)));
        let occurred_at = identity::moment(webhook.headers.get("x-shopify-triggered-at"));
        // The body of `refunds/create` is the refund, which names its order.
        let id = if event.1 == Event::Refunded { "order_id" } else { "id" };
        identity::subject(scan.document().find(&[id]), id, event, delivery, occurred_at)
    }

    #[cfg(feature = "sign")]
    fn sign(&self, webhook: &ToSign<'_>) -> Result<Signed, Unsignable> {
        let tag = signature::sign(HMAC_SHA256, Encoding::Base64, webhook.secret, webhook.body)?;
        Ok(webhook.with([
            ("x-shopify-topic", webhook.topic_or("orders/create")),
            ("x-shopify-webhook-id", webhook.id.to_owned()),
            ("x-shopify-triggered-at", webhook.at.to_string()),
            (SIGNATURE, tag),
        ]))
    }

    fn owns_header(&self, name: &str) -> bool {
        name.starts_with("x-shopify-")
    }
}

impl Platform for Shopify {
    fn read_from(&self, shop: &str, body: &Body<'_>) -> Result<Order, BadOrder> {
        read(shop, &Node::root(body.tree()?))
    }

    /// "Send test notification" in the admin: an order that never was, marked as a test and cancelled.
    fn is_test_in(&self, body: &[u8], read: Option<&Body<'_>>) -> bool {
        Scan::new(body, read).is_ok_and(|scan| {
            let document = scan.document();
            let is_test = document.find(&["test"]).and_then(Document::bare) == Some("true");
            is_test && document.find(&["cancelled_at"]).is_some()
        })
    }
}

fn read(shop: &str, order: &Node<'_>) -> Result<Order, BadOrder> {
    if !order.at("order_id").is_blank() {
        return Err(order.at("order_id").bad("an order, not something that belongs to one"));
    }
    let (placed_at, utc_offset) = order.at("created_at").required_moment()?;
    let (currency, amounts) = Amounts::currency(&order.at("currency"))?;
    let billing = ADDRESS.read(&order.at("billing_address"))?;
    Ok(Order {
        id: order.at("id").order_id()?,
        number: number(order)?,
        shop: shop.to_owned(),
        store: None,
        placed_at,
        utc_offset,
        updated_at: order.at("updated_at").moment(),
        currency,
        total: amounts.require(&order.at("total_price"))?,
        subtotal: amounts.read(&order.at("subtotal_price"))?,
        tax: amounts.read(&order.at("total_tax"))?,
        discount: amounts.discount(&order.at("total_discounts"))?,
        shipping: shipping(order, amounts)?,
        payment: payment(order)?,
        state: Some(state(order)?),
        canceled: is_canceled(order)?,
        customer: customer(order, billing.name.as_deref())?,
        billing,
        delivery: ADDRESS.read(&order.at("shipping_address"))?,
        items: order.at("line_items").items()?.iter().map(|line| item(line, amounts)).collect::<Result<_, _>>()?,
        note: order.at("note").text()?,
        extra: order.extra(&KNOWN),
    })
}

/// `name` is what customers see, such as `#1001`.
fn number(order: &Node<'_>) -> Result<String, BadOrder> {
    let number = order.first_text(&["name", "order_number"])?;
    number.ok_or_else(|| order.at("name").bad("the order's number as a text"))
}

fn shipping(order: &Node<'_>, amounts: Amounts) -> Result<Option<Money>, BadOrder> {
    let stated = amounts.read(&order.at("total_shipping_price_set/shop_money/amount"))?;
    if stated.is_some() || order.at("shipping_lines").is_blank() {
        return Ok(stated);
    }
    Ok(Some(amounts.money(sum(&order.at("shipping_lines").list()?, "price")?)))
}

fn payment(order: &Node<'_>) -> Result<Payment, BadOrder> {
    let state = order.at("financial_status").text()?;
    // What was refunded had been paid.
    let paid = matches!(state.as_deref(), Some("paid" | "partially_refunded" | "refunded"));
    Ok(Payment { method: method(order)?, state, paid })
}

/// The gateway; where a gift card paid a part, the one that paid the rest.
fn method(order: &Node<'_>) -> Result<Option<String>, BadOrder> {
    let names = order.at("payment_gateway_names").list()?;
    let names = names.iter().map(Node::text).collect::<Result<Vec<_>, _>>()?;
    let other = names.iter().flatten().find(|name| *name != "gift_card").or_else(|| names.iter().flatten().next());
    other.map_or_else(|| order.at("gateway").text(), |name| Ok(Some(name.clone())))
}

fn state(order: &Node<'_>) -> Result<String, BadOrder> {
    if is_canceled(order)? {
        return Ok("cancelled".to_owned());
    }
    Ok(order.at("fulfillment_status").text()?.unwrap_or_else(|| "unfulfilled".to_owned()))
}

fn is_canceled(order: &Node<'_>) -> Result<bool, BadOrder> {
    Ok(order.at("cancelled_at").text()?.is_some())
}

fn customer(order: &Node<'_>, billed_to: Option<&str>) -> Result<Customer, BadOrder> {
    let name = order.at("customer").joined(&["first_name", "last_name"], " ")?;
    Ok(Customer {
        id: order.at("customer/id").id()?,
        email: order.first_text(&["email", "contact_email", "customer/email"])?,
        name: name.or_else(|| billed_to.map(ToOwned::to_owned)),
        phone: order.first_text(&["phone", "customer/phone"])?,
    })
}

fn item(line: &Node<'_>, amounts: Amounts) -> Result<Item, BadOrder> {
    let quantity = line.at("quantity").quantity()?;
    let sku = line.at("sku").text()?;
    let unit_price = amounts.require(&line.at("price"))?;
    let discount = discount(line, amounts)?;
    let taxes = line.at("tax_lines");
    Ok(Item {
        name: line.line_name(&["name", "title"], sku.as_ref())?,
        sku,
        quantity,
        unit_price,
        discount,
        tax: if taxes.is_list() { Some(amounts.money(sum(&taxes.list()?, "price")?)) } else { None },
        total: amounts.line_total(line, quantity, unit_price, discount)?,
    })
}

/// What the line's share in all discounts is; `total_discount` leaves out those on the whole order.
fn discount(line: &Node<'_>, amounts: Amounts) -> Result<Option<Money>, BadOrder> {
    let shares = line.at("discount_allocations").list()?;
    if shares.is_empty() {
        return amounts.discount(&line.at("total_discount"));
    }
    Ok(Some(amounts.money(sum(&shares, "amount")?).abs()))
}
