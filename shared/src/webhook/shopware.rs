//! Shopware 6: the order entity of an app's webhook, signed with the shop's secret of the app.

use jiff::Timestamp;
use ring::hmac::HMAC_SHA256;
use rust_decimal::Decimal;

use super::address::Parts;
use super::amounts::{Amounts, sum};
use super::identity;
use super::json::Node;
use super::scan::{Document, Scan};
use super::signature::{self, Encoding};
use super::{BadOrder, Body, Platform, Rejection, Sender, Subject, Webhook, time};
#[cfg(feature = "sign")]
use super::{Signed, ToSign, Unsignable};
use crate::order::{Customer, Item, Money, Order, Payment};
use crate::secrets::Secret;

const SIGNATURE: &str = "shopware-shop-signature";
const ORDER: &str = "data/payload/order";

/// Fields of the order that the model holds in full, and the addresses and items. All others are `extra`.
const KNOWN: [&str; 13] = [
    "id",
    "orderNumber",
    "salesChannelId",
    "orderDateTime",
    "updatedAt",
    "currency",
    "amountTotal",
    "positionPrice",
    "shippingTotal",
    "stateMachineState",
    "billingAddress",
    "lineItems",
    "customerComment",
];

const ADDRESS: Parts = Parts {
    full_name: None,
    names: &["title", "firstName", "lastName"],
    company: "company",
    street: &["street", "additionalAddressLine1", "additionalAddressLine2"],
    city: "city",
    postcode: "zipcode",
    region: &["countryState/name", "countryState/shortCode"],
    country: &["country/iso", "country/name"],
    phone: "phoneNumber",
};

/// Shopware 6.
#[derive(Debug)]
pub(super) struct Shopware;

impl Sender for Shopware {
    fn verify(&self, webhook: Webhook<'_>, secrets: &[Secret], now: Timestamp) -> Result<(), Rejection> {
        let text = signature::header(webhook.headers, SIGNATURE)?;
        signature::verify(HMAC_SHA256, Encoding::Hex, text, webhook.body, secrets)?;
        signed_time(webhook.body)?.map_or(Ok(()), |signed| time::within_tolerance(signed, now))
    }

    fn subject(&self, webhook: Webhook<'_>, read: Option<&Body<'_>>) -> Result<Subject, Rejection> {
        let scan = Scan::new(webhook.body, read)?;
        let document = scan.document();
        let said = document.find(&["data", "event"]).and_then(Document::text);
        let event = identity::event(said.as_deref(), webhook)?;
        let delivery = document.find(&["source", "eventId"]).and_then(Document::text);
        let id = document.find(&["data", "payload", "order", "id"]);
        // `timestamp` is the time of the attempt, not of the event.
        identity::subject(id, "data.payload.order.id", event, identity::delivery_id(delivery.as_deref()), None)
    }

    /// The time is in the body, and the topic too.
    #[cfg(feature = "sign")]
    fn sign(&self, webhook: &ToSign<'_>) -> Result<Signed, Unsignable> {
        use serde_json::{Map, Value};
        let mut body: Map<String, Value> = serde_json::from_slice(webhook.body).map_err(|_| Unsignable::Body)?;
        body.insert("timestamp".into(), webhook.at.as_second().into());
        let body = Value::Object(body).to_string().into_bytes();
        let tag = signature::sign(HMAC_SHA256, Encoding::Hex, webhook.secret, &body)?;
        Ok(Signed { body, ..webhook.with([(SIGNATURE, tag)]) })
    }

    fn owns_header(&self, name: &str) -> bool {
        name.starts_with("shopware-") || name.starts_with("sw-")
    }
}

impl Platform for Shopware {
    fn read_from(&self, shop: &str, body: &Body<'_>) -> Result<Order, BadOrder> {
        read(shop, &Node::root(body.tree()?).at(ORDER))
    }
}

/// The time of this attempt, which is part of the body and so of what is signed. Shopware before 6.4.1 sends none.
fn signed_time(body: &[u8]) -> Result<Option<Timestamp>, Rejection> {
    let Ok(scan) = Scan::of(body) else { return Ok(None) };
    let Some(found) = scan.document().find(&["timestamp"]) else { return Ok(None) };
    let expected = || Rejection::Malformed("timestamp: expected seconds since 1970".into());
    let text = found.scalar().ok_or_else(expected)?;
    time::moment(&text).map(|(signed, _)| Some(signed)).ok_or_else(expected)
}

fn read(shop: &str, order: &Node<'_>) -> Result<Order, BadOrder> {
    let (placed_at, utc_offset) = order.at("orderDateTime").required_moment()?;
    let currency = order.at("currency/isoCode");
    if currency.is_blank() {
        return Err(currency.bad("the currency's ISO code: let the webhook load the association currency"));
    }
    let (currency, amounts) = Amounts::currency(&currency)?;
    let lines = Lines::read(&order.at("lineItems"))?;
    let addresses = Addresses(order);
    let billing = ADDRESS.read(&addresses.find("billingAddress", "billingAddressId", order)?)?;
    let delivery = primary(order, "deliveries", "primaryOrderDeliveryId")?.unwrap_or_else(|| order.at("deliveries/0"));
    let state = order.at("stateMachineState/technicalName").text()?;
    Ok(Order {
        id: order.at("id").order_id()?,
        number: order.at("orderNumber").required_text()?,
        shop: shop.to_owned(),
        store: order.at("salesChannelId").text()?,
        placed_at,
        utc_offset,
        updated_at: updated_at(order),
        currency,
        total: amounts.require(&order.stated(&["amountTotal", "price/totalPrice"]))?,
        subtotal: amounts.read(&order.stated(&["positionPrice", "price/positionPrice"]))?,
        tax: tax(&order.at("price"), amounts)?,
        discount: if lines.known { Some(amounts.money(lines.discount()?).abs()) } else { None },
        shipping: amounts.read(&order.stated(&["shippingTotal", "shippingCosts/totalPrice"]))?,
        payment: payment(order)?,
        canceled: state.as_deref() == Some("cancelled"),
        state,
        customer: customer(order, billing.phone.as_deref())?,
        billing,
        delivery: ADDRESS.read(&addresses.find("shippingOrderAddress", "shippingOrderAddressId", &delivery)?)?,
        items: lines.goods.iter().map(|line| item(line, amounts)).collect::<Result<_, _>>()?,
        note: order.at("customerComment").text()?,
        extra: order.extra(&KNOWN),
    })
}

/// When the order or one of its payments or shipments was last changed: Shopware notes a change of state with the one
/// that it belongs to.
fn updated_at(order: &Node<'_>) -> Option<Timestamp> {
    let parts = ["transactions", "deliveries"].map(|list| order.at(list).collection().unwrap_or_default()).concat();
    let changes = parts.iter().map(|part| part.at("updatedAt").moment());
    changes.chain([order.at("updatedAt").moment()]).flatten().max()
}

/// The order's lines at the top level: what was bought, and what reduces the price. Lines below others, such as the
/// parts of a bundle, are part of theirs.
struct Lines<'v> {
    known: bool,
    goods: Vec<Node<'v>>,
    discounts: Vec<Node<'v>>,
}

impl<'v> Lines<'v> {
    fn read(items: &Node<'v>) -> Result<Self, BadOrder> {
        let all = items.at_most_items(items.collection()?)?;
        let top = all.into_iter().filter(|line| line.at("parentId").is_blank());
        let (discounts, goods) = top.partition(is_discount);
        Ok(Self { known: !items.is_blank(), goods, discounts })
    }

    /// What the discounts add to the price: a negative number.
    fn discount(&self) -> Result<Decimal, BadOrder> {
        sum(&self.discounts, "totalPrice")
    }
}

fn is_discount(line: &Node<'_>) -> bool {
    match line.at("type").text() {
        Ok(Some(kind)) => matches!(kind.as_str(), "promotion" | "credit" | "discount"),
        _ => line.at("totalPrice").decimal().is_ok_and(|total| total.is_some_and(|total| total < Decimal::ZERO)),
    }
}

/// The order's addresses, which stand beside those that refer to them, or among all of them.
struct Addresses<'n, 'v>(&'n Node<'v>);

impl<'v> Addresses<'_, 'v> {
    fn find(&self, key: &'static str, id_key: &'static str, owner: &Node<'v>) -> Result<Node<'v>, BadOrder> {
        let direct = owner.at(key);
        let Some(id) = owner.at(id_key).text()?.filter(|_| !direct.is_object()) else { return Ok(direct) };
        Ok(with_id(self.0.at("addresses").collection()?, &id).unwrap_or(direct))
    }
}

fn with_id<'v>(nodes: Vec<Node<'v>>, id: &str) -> Option<Node<'v>> {
    nodes.into_iter().find(|node| matches!(node.at("id").text(), Ok(Some(found)) if found == id))
}

/// The one of several deliveries or transactions that the order names, since Shopware 6.7.
fn primary<'v>(order: &Node<'v>, list: &'static str, id_key: &'static str) -> Result<Option<Node<'v>>, BadOrder> {
    let Some(id) = order.at(id_key).text()? else { return Ok(None) };
    Ok(with_id(order.at(list).collection()?, &id))
}

fn tax(price: &Node<'_>, amounts: Amounts) -> Result<Option<Money>, BadOrder> {
    let taxes = price.at("calculatedTaxes");
    if taxes.is_list() || taxes.is_object() {
        return Ok(Some(amounts.money(sum(&taxes.collection()?, "tax")?)));
    }
    let (gross, net) = (price.at("totalPrice").decimal()?, price.at("netPrice").decimal()?);
    Ok(gross.zip(net).and_then(|(gross, net)| gross.checked_sub(net)).map(|tax| amounts.money(tax)))
}

/// A customer who changes the payment method gets another transaction; those given up stay, cancelled or failed.
fn payment(order: &Node<'_>) -> Result<Payment, BadOrder> {
    let Some(transaction) = transaction(order)? else { return Ok(Payment::default()) };
    let state = transaction.at("stateMachineState/technicalName").text()?;
    // What was refunded had been paid.
    let paid = matches!(state.as_deref(), Some("paid" | "refunded" | "refunded_partially"));
    let method = ["technicalName", "formattedHandlerIdentifier", "name"].map(|key| format!("paymentMethod/{key}"));
    Ok(Payment { method: transaction.first_text(&method.each_ref().map(String::as_str))?, state, paid })
}

fn transaction<'v>(order: &Node<'v>) -> Result<Option<Node<'v>>, BadOrder> {
    let named = primary(order, "transactions", "primaryOrderTransactionId")?;
    if named.is_some() {
        return Ok(named);
    }
    let mut all = order.at("transactions").collection()?;
    // Stable: without times the order of the document counts.
    all.sort_by_cached_key(|transaction| transaction.at("createdAt").required_moment().ok().map(|(at, _)| at));
    let is_active = |transaction: &&Node<'_>| {
        let state = transaction.at("stateMachineState/technicalName").text();
        !matches!(state, Ok(Some(state)) if matches!(state.as_str(), "cancelled" | "failed"))
    };
    Ok(all.iter().rev().find(is_active).or(all.last()).cloned())
}

fn customer(order: &Node<'_>, phone: Option<&str>) -> Result<Customer, BadOrder> {
    let customer = order.at("orderCustomer");
    Ok(Customer {
        id: customer.first_text(&["customerId", "customerNumber"])?,
        email: customer.at("email").text()?,
        name: customer.joined(&["title", "firstName", "lastName"], " ")?,
        phone: phone.map(ToOwned::to_owned),
    })
}

fn item(line: &Node<'_>, amounts: Amounts) -> Result<Item, BadOrder> {
    let quantity = line.at("quantity").quantity()?;
    let sku = line.first_text(&["payload/productNumber", "product/productNumber"])?;
    let unit_price = amounts.require(&line.stated(&["unitPrice", "price/unitPrice"]))?;
    let total = amounts.read(&line.stated(&["totalPrice", "price/totalPrice"]))?;
    Ok(Item {
        name: line.line_name(&["label"], sku.as_ref())?,
        sku,
        quantity,
        unit_price,
        discount: None,
        tax: tax(&line.at("price"), amounts)?,
        total: total.map_or_else(|| amounts.line_total(line, quantity, unit_price, None), Ok)?,
    })
}
