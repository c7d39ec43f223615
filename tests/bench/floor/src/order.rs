//! The order as formats and templates see it, read from a webhook of Standard Webhooks that has it in our own shape.

use std::borrow::Cow;
use std::fmt;

use minijinja::value::serializing_for_value;
use serde::de::{IgnoredAny, MapAccess, Visitor};
use serde::ser::{SerializeMap as _, Serializer};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;

use crate::Error;
use crate::scalar::{amount, boolean, decimals, moment, plain, text, unsigned};

type Text<'a> = Cow<'a, str>;
type Raw<'a> = Option<&'a RawValue>;

/// The fields of the order that have a name in the model.
const NAMED: [&str; 17] = [
    "id",
    "number",
    "shop",
    "store",
    "placed_at",
    "utc_offset",
    "updated_at",
    "currency",
    "total",
    "subtotal",
    "tax",
    "discount",
    "shipping",
    "state",
    "canceled",
    "note",
    "extra",
];

/// One order, normalised.
#[derive(Serialize)]
pub(crate) struct Order<'a> {
    pub(crate) id: Text<'a>,
    pub(crate) number: Text<'a>,
    pub(crate) shop: &'a str,
    pub(crate) store: Option<Text<'a>>,
    pub(crate) placed_at: String,
    pub(crate) utc_offset: Text<'a>,
    pub(crate) updated_at: Option<String>,
    pub(crate) currency: String,
    pub(crate) total: Text<'a>,
    pub(crate) subtotal: Option<Text<'a>>,
    pub(crate) tax: Option<Text<'a>>,
    pub(crate) discount: Option<Text<'a>>,
    pub(crate) shipping: Option<Text<'a>>,
    pub(crate) payment: Payment<'a>,
    pub(crate) state: Option<Text<'a>>,
    pub(crate) canceled: bool,
    pub(crate) customer: Customer<'a>,
    pub(crate) billing: Address<'a>,
    pub(crate) delivery: Address<'a>,
    pub(crate) items: Vec<Item<'a>>,
    pub(crate) note: Option<Text<'a>>,
    /// All other fields as they are written; to a template, as text.
    #[serde(serialize_with = "as_object")]
    pub(crate) extra: Vec<(Text<'a>, &'a RawValue)>,
}

#[derive(Serialize)]
pub(crate) struct Payment<'a> {
    pub(crate) method: Option<Text<'a>>,
    pub(crate) state: Option<Text<'a>>,
    pub(crate) paid: bool,
}

#[derive(Serialize)]
pub(crate) struct Customer<'a> {
    pub(crate) id: Option<Text<'a>>,
    pub(crate) email: Option<Text<'a>>,
    pub(crate) name: Option<Text<'a>>,
    pub(crate) phone: Option<Text<'a>>,
}

#[derive(Serialize)]
pub(crate) struct Address<'a> {
    pub(crate) name: Option<Text<'a>>,
    pub(crate) company: Option<Text<'a>>,
    pub(crate) street: Option<Text<'a>>,
    pub(crate) city: Option<Text<'a>>,
    pub(crate) postcode: Option<Text<'a>>,
    pub(crate) region: Option<Text<'a>>,
    pub(crate) country: Option<Text<'a>>,
    pub(crate) phone: Option<Text<'a>>,
}

#[derive(Serialize)]
pub(crate) struct Item<'a> {
    pub(crate) sku: Option<Text<'a>>,
    pub(crate) name: Text<'a>,
    pub(crate) quantity: Quantity,
    pub(crate) unit_price: Text<'a>,
    pub(crate) discount: Option<Text<'a>>,
    pub(crate) tax: Option<Text<'a>>,
    pub(crate) total: Text<'a>,
}

/// A number of pieces.
#[derive(Clone, Copy, Serialize)]
#[serde(untagged)]
pub(crate) enum Quantity {
    Whole(i64),
    Broken(f64),
}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Whole(quantity) => quantity.fmt(f),
            Self::Broken(quantity) => quantity.fmt(f),
        }
    }
}

fn as_object<S: Serializer>(fields: &[(Text<'_>, &RawValue)], serializer: S) -> Result<S::Ok, S::Error> {
    let mut map = serializer.serialize_map(Some(fields.len()))?;
    for (name, value) in fields {
        if serializing_for_value() {
            map.serialize_entry(name, value.get())
        } else {
            map.serialize_entry(name, value)
        }?;
    }
    map.end()
}

#[derive(Deserialize)]
struct Document<'a> {
    #[serde(borrow)]
    data: Source<'a>,
}

/// The order as it is written.
#[derive(Default)]
struct Source<'a> {
    fields: Vec<(Text<'a>, &'a RawValue)>,
    payment: PaymentSource<'a>,
    customer: CustomerSource<'a>,
    billing: AddressSource<'a>,
    delivery: AddressSource<'a>,
    items: Vec<ItemSource<'a>>,
}

/// A key that is borrowed where it has no escapes.
#[derive(Deserialize)]
#[serde(transparent)]
struct Key<'a>(#[serde(borrow)] Text<'a>);

macro_rules! sources {
    ($($name:ident { $($field:ident),+ $(,)? })+) => { $(
        #[derive(Default, Deserialize)]
        #[serde(default)]
        struct $name<'a> { $(#[serde(borrow)] $field: Raw<'a>),+ }
    )+ };
}

sources! {
    PaymentSource { method, state, paid }
    CustomerSource { id, email, name, phone }
    AddressSource { name, company, street, city, postcode, region, country, phone }
    ItemSource { sku, name, quantity, unit_price, discount, tax, total }
}

impl<'de: 'a, 'a> Deserialize<'de> for Source<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(SourceVisitor)
    }
}

struct SourceVisitor;

impl<'de> Visitor<'de> for SourceVisitor {
    type Value = Source<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an order")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Source<'de>, A::Error> {
        let mut source = Source::default();
        while let Some(Key(key)) = map.next_key()? {
            match &*key {
                "payment" => source.payment = map.next_value::<Option<_>>()?.unwrap_or_default(),
                "customer" => source.customer = map.next_value::<Option<_>>()?.unwrap_or_default(),
                "billing" => source.billing = map.next_value::<Option<_>>()?.unwrap_or_default(),
                "delivery" => source.delivery = map.next_value::<Option<_>>()?.unwrap_or_default(),
                "items" => source.items = map.next_value()?,
                "shop" | "extra" => drop(map.next_value::<IgnoredAny>()?),
                _ => source.fields.push((key, map.next_value()?)),
            }
        }
        Ok(source)
    }
}

impl<'a> Source<'a> {
    fn at(&self, name: &str) -> Raw<'a> {
        self.fields.iter().find(|(key, _)| key == name).map(|(_, value)| *value)
    }
}

fn required<'a>(value: Option<Text<'a>>, name: &'static str) -> Result<Text<'a>, Error> {
    value.ok_or_else(|| Error::new(name, "expected a value"))
}

/// Reads the order in a webhook's body.
pub(crate) fn read<'a>(shop: &'a str, body: &'a str) -> Result<Order<'a>, Error> {
    let Document { data } = serde_json::from_str(body).map_err(Error::of("order"))?;
    let currency = required(text(data.at("currency"))?, "currency")?.trim().to_ascii_uppercase();
    let digits = decimals(&currency);
    let (placed_at, utc_offset) = moment(&required(text(data.at("placed_at"))?, "placed_at")?)?;
    let updated_at = text(data.at("updated_at"))?.map(|time| moment(&time)).transpose()?;
    let state = text(data.at("state"))?;
    let is_canceled = || state.as_deref().is_some_and(|state| is_word(state, &["canceled", "cancelled"]));
    Ok(Order {
        id: required(text(data.at("id"))?, "id")?,
        number: required(text(data.at("number"))?, "number")?,
        shop,
        store: text(data.at("store"))?,
        placed_at,
        utc_offset: text(data.at("utc_offset"))?.unwrap_or(utc_offset.into()),
        updated_at: updated_at.map(|(time, _)| time),
        currency,
        total: required(amount(data.at("total"), digits)?, "total")?,
        subtotal: amount(data.at("subtotal"), digits)?,
        tax: amount(data.at("tax"), digits)?,
        discount: unsigned(data.at("discount"), digits)?,
        shipping: amount(data.at("shipping"), digits)?,
        payment: payment(&data.payment)?,
        canceled: boolean(data.at("canceled")).unwrap_or_else(is_canceled),
        state,
        customer: Customer {
            id: text(data.customer.id)?,
            email: text(data.customer.email)?,
            name: text(data.customer.name)?,
            phone: text(data.customer.phone)?,
        },
        billing: address(&data.billing)?,
        delivery: address(&data.delivery)?,
        items: data.items.iter().map(|line| item(line, digits)).collect::<Result<_, _>>()?,
        note: text(data.at("note"))?,
        extra: data.fields.into_iter().filter(|(name, _)| !NAMED.contains(&&**name)).collect(),
    })
}

fn is_word(text: &str, words: &[&str]) -> bool {
    words.iter().any(|word| text.eq_ignore_ascii_case(word))
}

fn payment<'a>(source: &PaymentSource<'a>) -> Result<Payment<'a>, Error> {
    let state = text(source.state)?;
    let is_paid = || state.as_deref().is_some_and(|state| is_word(state, &["paid"]));
    Ok(Payment { method: text(source.method)?, paid: boolean(source.paid).unwrap_or_else(is_paid), state })
}

fn address<'a>(source: &AddressSource<'a>) -> Result<Address<'a>, Error> {
    let country = text(source.country)?;
    Ok(Address {
        name: text(source.name)?,
        company: text(source.company)?,
        street: text(source.street)?,
        city: text(source.city)?,
        postcode: text(source.postcode)?,
        region: text(source.region)?,
        country: match country {
            Some(code) if code.len() == 2 => Some(code.to_ascii_uppercase().into()),
            other => other,
        },
        phone: text(source.phone)?,
    })
}

fn item<'a>(source: &ItemSource<'a>, digits: usize) -> Result<Item<'a>, Error> {
    let sku = text(source.sku)?;
    Ok(Item {
        name: text(source.name)?.or_else(|| sku.clone()).unwrap_or_default(),
        sku,
        quantity: quantity(&plain(required(text(source.quantity)?, "quantity")?, 0)?)?,
        unit_price: required(amount(source.unit_price, digits)?, "unit_price")?,
        discount: unsigned(source.discount, digits)?,
        tax: amount(source.tax, digits)?,
        // The others would calculate it, the bench's orders state it.
        total: required(amount(source.total, digits)?, "total")?,
    })
}

fn quantity(text: &str) -> Result<Quantity, Error> {
    let whole = text.parse().map(Quantity::Whole);
    whole.or_else(|_| text.parse().map(Quantity::Broken)).map_err(Error::of("quantity"))
}
