//! Magento Open Source and Adobe Commerce with the async-events module: the order as the REST API writes it, signed
//! with the subscription's verification token.

use std::collections::HashMap;

use jiff::Timestamp;
use ring::hmac::HMAC_SHA256;
use rust_decimal::Decimal;

use super::address::Parts;
use super::amounts::Amounts;
use super::identity;
use super::json::Node;
use super::scan::{Document, Scan};
use super::signature::{self, Encoding};
use super::{BadOrder, Body, Platform, Rejection, Sender, Subject, Webhook};
#[cfg(feature = "sign")]
use super::{Signed, ToSign, Unsignable};
use crate::order::{Customer, Item, Money, Order, Payment};
use crate::secrets::Secret;

const SIGNATURE: &str = "x-magento-signature";

/// Where the order may stand: by itself, or wrapped by modules that send more than the order.
const WRAPPINGS: [&[&str]; 5] = [&[], &["order"], &["data", "value"], &["data", "order"], &["data"]];

/// Fields of the order that the model holds in full, and the addresses and items. All others are `extra`.
const KNOWN: [&str; 19] = [
    "entity_id",
    "increment_id",
    "store_id",
    "created_at",
    "updated_at",
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

impl Sender for Magento {
    fn verify(&self, webhook: Webhook<'_>, secrets: &[Secret], _now: Timestamp) -> Result<(), Rejection> {
        // No time is signed, so there is none to be checked.
        let text = signature::header(webhook.headers, SIGNATURE)?;
        signature::verify(HMAC_SHA256, Encoding::Hex, text, webhook.body, secrets)
    }

    fn subject(&self, webhook: Webhook<'_>, read: Option<&Body<'_>>) -> Result<Subject, Rejection> {
        let scan = Scan::new(webhook.body, read)?;
        let document = scan.document();
        // Version 4 of the module sends a CloudEvent, which says what happened and which delivery it is. Before, the
        // merchant writes the event into the subscription's URL.
        let is_cloud_event = document.find(&["specversion"]).is_some();
        let said = |key: &str| document.find(&[key]).filter(|_| is_cloud_event).and_then(Document::text);
        let event = identity::event(said("type").as_deref(), webhook)?;
        let occurred_at = identity::moment(said("time").as_deref());
        let id = WRAPPINGS.iter().find_map(|path| {
            let at = |key| document.find(&[*path, &[key]].concat());
            // A credit memo has an `entity_id` of its own, and names its order beside it.
            at("entity_id").map(|own| at("order_id").unwrap_or(own))
        });
        identity::subject(id, "entity_id", event, identity::delivery_id(said("id").as_deref()), occurred_at)
    }

    /// The merchant writes the event into the URL of the subscription.
    #[cfg(feature = "sign")]
    fn sign(&self, webhook: &ToSign<'_>) -> Result<Signed, Unsignable> {
        let tag = signature::sign(HMAC_SHA256, Encoding::Hex, webhook.secret, webhook.body)?;
        Ok(webhook.with([(SIGNATURE, tag)]).in_query(Some(webhook.topic_or("sales.order.created"))))
    }

    fn owns_header(&self, name: &str) -> bool {
        name.starts_with("x-magento-")
    }
}

impl Platform for Magento {
    fn read_from(&self, shop: &str, body: &Body<'_>) -> Result<Order, BadOrder> {
        let root = Node::root(body.tree()?);
        let places = WRAPPINGS.iter().map(|path| path.iter().fold(root.clone(), |node, key| node.at(key)));
        let order = places.into_iter().find(|place| !place.at("entity_id").is_blank()).unwrap_or(root);
        read(shop, order.at("entity_id").order_id()?, &order)
    }
}

/// Reads the order of this `id` that stands at `order`.
pub(super) fn read(shop: &str, id: String, order: &Node<'_>) -> Result<Order, BadOrder> {
    if order.at("order_id").text()? != order.at("entity_id").text()? && !order.at("order_id").is_blank() {
        return Err(order.at("order_id").bad("an order, not something that belongs to one"));
    }
    let (placed_at, utc_offset) = order.at("created_at").required_moment()?;
    let (currency, amounts) = Amounts::currency(&order.at("order_currency_code"))?;
    let billing = ADDRESS.read(&address(order, "billing_address", "billing")?)?;
    let lines = sold_lines(&order.at("items"))?;
    Ok(Order {
        id,
        number: order.at("increment_id").required_text()?,
        shop: shop.to_owned(),
        store: order.at("store_id").text()?,
        placed_at,
        utc_offset,
        updated_at: order.at("updated_at").moment(),
        currency,
        total: amounts.require(&order.at("grand_total"))?,
        subtotal: amounts.read(&order.at("subtotal"))?,
        tax: amounts.read(&order.at("tax_amount"))?,
        discount: amounts.discount(&order.at("discount_amount"))?,
        shipping: amounts.read(&order.at("shipping_amount"))?,
        payment: payment(order)?,
        state: order.first_text(&["status", "state"])?,
        canceled: is_canceled(order)?,
        customer: Customer {
            id: order.at("customer_id").id()?,
            email: order.at("customer_email").text()?,
            name: order.joined(&["customer_firstname", "customer_lastname"], " ")?.or_else(|| billing.name.clone()),
            phone: billing.phone.clone(),
        },
        billing,
        delivery: ADDRESS.read(&delivery(order)?)?,
        items: lines.iter().map(|sold| item(sold, amounts)).collect::<Result<_, _>>()?,
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
        || (due.is_none() && so_far.is_none() && is_finished);
    let state = if paid { "paid" } else { "pending" };
    Ok(Payment { method: order.at("payment/method").text()?, state: Some(state.to_owned()), paid })
}

/// The merchant may name statuses, so that the state counts too.
fn is_canceled(order: &Node<'_>) -> Result<bool, BadOrder> {
    let (state, status) = (order.at("state").text()?, order.at("status").text()?);
    Ok([state, status].into_iter().flatten().any(|word| word == "canceled"))
}

/// The delivery address stands deep in an extension; some modules put it where the billing address is.
fn delivery<'v>(order: &Node<'v>) -> Result<Node<'v>, BadOrder> {
    let assigned = order.at("extension_attributes/shipping_assignments/0/shipping/address");
    if assigned.is_object() { Ok(assigned) } else { address(order, "shipping_address", "shipping") }
}

/// The address of this kind: the REST API has a field for it, events of Adobe Commerce a list of all addresses.
fn address<'v>(order: &Node<'v>, field: &'static str, kind: &str) -> Result<Node<'v>, BadOrder> {
    let own = order.at(field);
    if own.is_object() {
        return Ok(own);
    }
    let is_it = |address: &Node<'_>| matches!(address.at("address_type").text(), Ok(Some(found)) if found == kind);
    Ok(order.at("addresses").collection()?.into_iter().find(is_it).unwrap_or(own))
}

/// A line as it stands in the list.
struct Line<'v> {
    id: Option<String>,
    parent: Option<String>,
    node: Node<'v>,
}

/// A line that was sold, with its parts.
struct Sold<'v> {
    line: Node<'v>,
    parts: Vec<Node<'v>>,
}

/// The lines that were sold. The children of configurable products and bundles are no lines of their own: the parent
/// carries their price, and a configurable's parent the chosen variant's SKU. A child whose parent is not in the list
/// counts itself.
fn sold_lines<'v>(items: &Node<'v>) -> Result<Vec<Sold<'v>>, BadOrder> {
    let read =
        |node: Node<'v>| Ok(Line { id: node.at("item_id").text()?, parent: node.at("parent_item_id").id()?, node });
    let all = if items.is_object() { items.at_most_items(items.collection()?)? } else { items.items()? };
    let lines = all.into_iter().map(read).collect::<Result<Vec<_>, BadOrder>>()?;
    // Where lines have no identifiers, no parent can be found; then a child counts with it all the same.
    let are_known = lines.iter().all(|line| line.id.is_some());
    let (parents, children): (Vec<_>, Vec<_>) = lines.into_iter().partition(|line| line.parent.is_none());
    let (mut sold, mut places) = (Vec::new(), HashMap::new());
    for Line { id, node, .. } in parents {
        id.map(|id| places.insert(id, sold.len()));
        sold.push(Sold { line: node, parts: Vec::new() });
    }
    for Line { parent, node, .. } in children {
        match parent.and_then(|parent| places.get(&parent)) {
            Some(place) => sold[*place].parts.push(node),
            None if are_known => sold.push(Sold { line: node, parts: Vec::new() }),
            None => {}
        }
    }
    Ok(sold)
}

/// Of a bundle priced by its parts, Magento writes the discount to the parts and 0 to the bundle.
fn line_discount(Sold { line, parts }: &Sold<'_>, amounts: Amounts) -> Result<Option<Money>, BadOrder> {
    let own = amounts.discount(&line.at("discount_amount"))?;
    let is_bundle = line.at("product_type").text()?.as_deref() == Some("bundle");
    if !is_bundle || own.is_some_and(|own| !own.decimal().is_zero()) {
        return Ok(own);
    }
    let parts = parts.iter().map(|part| part.at("discount_amount").decimal());
    let parts = parts.collect::<Result<Vec<_>, _>>()?;
    let sum = parts.into_iter().flatten().try_fold(Decimal::ZERO, |sum, part| sum.checked_add(part.abs()));
    Ok(sum.map(|sum| amounts.money(sum)).filter(|sum| !sum.decimal().is_zero()).or(own))
}

fn item(sold: &Sold<'_>, amounts: Amounts) -> Result<Item, BadOrder> {
    let line = &sold.line;
    let quantity = line.at("qty_ordered").quantity()?;
    let sku = line.at("sku").text()?;
    let unit_price = amounts.require(&line.at("price"))?;
    let discount = line_discount(sold, amounts)?;
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
