//! Magento Open Source and Adobe Commerce with the async-events module: the order as the REST API writes it, signed
//! with the subscription's verification token.

use jiff::Timestamp;
use ring::hmac::HMAC_SHA256;
use rust_decimal::Decimal;

use super::address::Parts;
use super::amounts::Amounts;
use super::identity::{self, Document};
use super::json::{self, Node};
use super::signature::{self, Encoding};
use super::{BadOrder, Platform, Rejection, Subject, Webhook};
use crate::order::{Customer, Item, Order, Payment};
use crate::secrets::Secret;

const SIGNATURE: &str = "x-magento-signature";

/// Where the order may stand: by itself, or wrapped by modules that send more than the order.
const WRAPPINGS: [&[&str]; 5] = [&[], &["order"], &["data", "value"], &["data", "order"], &["data"]];

/// Fields of the order that the model holds in full, and the addresses and items. All others are `extra`.
const KNOWN: [&str; 18] = [
    "entity_id",
    "increment_id",
    "store_id",
    "created_at",
    "order_currency_code",
    "grand_total",
    "subtotal",
    "tax_amount",
    "discount_amount",
    "shipping_amount",
    "status",
    "customer_id",
    "customer_email",
    "customer_firstname",
    "customer_lastname",
    "billing_address",
    "items",
    "customer_note",
];

const ADDRESS: Parts = Parts {
    full_name: None,
    names: &["prefix", "firstname", "middlename", "lastname", "suffix"],
    company: "company",
    street: &["street"],
    city: "city",
    postcode: "postcode",
    region: &["region/region", "region", "region_code"],
    country: &["country_id"],
    phone: "telephone",
};

/// Magento with async-events.
#[derive(Debug)]
pub(super) struct Magento;

impl Platform for Magento {
    fn verify(&self, webhook: Webhook<'_>, secrets: &[Secret], _now: Timestamp) -> Result<(), Rejection> {
        // No time is signed, so there is none to be checked.
        let text = signature::header(webhook.headers, SIGNATURE)?;
        signature::verify(HMAC_SHA256, Encoding::Hex, text, webhook.body, secrets)
    }

    fn identify(&self, webhook: Webhook<'_>) -> Result<Subject, Rejection> {
        // The name of the event is not sent: the merchant writes it into the subscription's URL.
        let event = identity::event(None, webhook)?;
        let document = Document::parse(webhook.body)?;
        let id = WRAPPINGS.iter().find_map(|path| document.find(&[*path, &["entity_id"]].concat()));
        identity::subject(id, "entity_id", event, None)
    }

    fn read(&self, shop: &str, body: &[u8]) -> Result<Order, BadOrder> {
        let document = json::parse(body)?;
        let root = Node::root(&document);
        let places = WRAPPINGS.iter().map(|path| path.iter().fold(root.clone(), |node, key| node.at(key)));
        let order = places.into_iter().find(|place| !place.at("entity_id").is_blank());
        read(shop, &order.unwrap_or(root))
    }

    fn owns_header(&self, name: &str) -> bool {
        name.starts_with("x-magento-")
    }
}

fn read(shop: &str, order: &Node<'_>) -> Result<Order, BadOrder> {
    let (placed_at, utc_offset) = order.at("created_at").required_moment()?;
    let (currency, amounts) = Amounts::currency(&order.at("order_currency_code"))?;
    let billing = ADDRESS.read(&order.at("billing_address"))?;
    let lines = sold_lines(&order.at("items"))?;
    Ok(Order {
        id: order.at("entity_id").order_id()?,
        number: order.at("increment_id").required_text()?,
        shop: shop.to_owned(),
        store: order.at("store_id").text()?,
        placed_at,
        utc_offset,
        currency,
        total: amounts.require(&order.at("grand_total"))?,
        subtotal: amounts.read(&order.at("subtotal"))?,
        tax: amounts.read(&order.at("tax_amount"))?,
        discount: amounts.discount(&order.at("discount_amount"))?,
        shipping: amounts.read(&order.at("shipping_amount"))?,
        payment: payment(order)?,
        state: order.first_text(&["status", "state"])?,
        customer: Customer {
            id: order.at("customer_id").id()?,
            email: order.at("customer_email").text()?,
            name: order.joined(&["customer_firstname", "customer_lastname"], " ")?.or_else(|| billing.name.clone()),
            phone: billing.phone.clone(),
        },
        billing,
        delivery: ADDRESS.read(&delivery(order)?)?,
        items: lines.iter().map(|line| item(line, amounts)).collect::<Result<_, _>>()?,
        note: order.at("customer_note").text()?,
        extra: order.extra(&KNOWN),
    })
}

/// Magento has no word for the state of a payment, only what is due.
fn payment(order: &Node<'_>) -> Result<Payment, BadOrder> {
    let due = order.at("total_due").decimal()?;
    let so_far = order.at("total_paid").decimal()?.zip(order.at("grand_total").decimal()?);
    let is_finished = matches!(order.at("state").text()?.as_deref(), Some("complete" | "closed"));
    let paid = due.is_some_and(|due| due <= Decimal::ZERO)
        || so_far.is_some_and(|(paid, total)| paid >= total)
        || (due.is_none() && is_finished);
    let state = if paid { "paid" } else { "pending" };
    Ok(Payment { method: order.at("payment/method").text()?, state: Some(state.to_owned()), paid })
}

/// The delivery address stands deep in an extension; some modules put it where the billing address is.
fn delivery<'v>(order: &Node<'v>) -> Result<Node<'v>, BadOrder> {
    let assigned = order.at("extension_attributes/shipping_assignments/0/shipping/address");
    if assigned.is_object() {
        return Ok(assigned);
    }
    let listed = order.at("addresses").list()?.into_iter();
    let is_shipping =
        |address: &Node<'_>| matches!(address.at("address_type").text(), Ok(Some(kind)) if kind == "shipping");
    Ok(listed.into_iter().find(is_shipping).unwrap_or_else(|| order.at("shipping_address")))
}

/// The lines without the children of configurable products and bundles: the parent carries their price, and a
/// configurable's parent the chosen variant's SKU. A child whose parent is not in the list counts itself.
fn sold_lines<'v>(items: &Node<'v>) -> Result<Vec<Node<'v>>, BadOrder> {
    let lines = items.items()?;
    let ids = lines.iter().map(|line| line.at("item_id").text()).collect::<Result<Vec<_>, _>>()?;
    let mut sold = Vec::with_capacity(lines.len());
    let known: std::collections::HashSet<&str> = ids.iter().flatten().map(String::as_str).collect();
    let all_known = ids.iter().all(Option::is_some);
    for line in lines {
        let parent = line.at("parent_item_id").id()?;
        if parent.is_none_or(|parent| all_known && !known.contains(parent.as_str())) {
            sold.push(line);
        }
    }
    Ok(sold)
}

fn item(line: &Node<'_>, amounts: Amounts) -> Result<Item, BadOrder> {
    let quantity = line.at("qty_ordered").quantity()?;
    let sku = line.at("sku").text()?;
    let unit_price = amounts.require(&line.at("price"))?;
    let discount = amounts.discount(&line.at("discount_amount"))?;
    let total = amounts.read(&line.at("row_total"))?;
    Ok(Item {
        name: line.line_name(&["name"], sku.as_ref())?,
        sku,
        quantity,
        unit_price,
        discount,
        tax: amounts.read(&line.at("tax_amount"))?,
        total: total.map_or_else(|| amounts.line_total(line, quantity, unit_price, discount), Ok)?,
    })
}
