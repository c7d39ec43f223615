//! The order as filters, formats and templates see it, whatever platform it came from.
//!
//! The field names are a contract that merchants' templates rely on. `docs/order.schema.json` is generated from
//! these types.

mod money;

use jiff::Timestamp;
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use money::{Money, MoneyError};

/// Fields of the platform's order that the model has no name for, as the platform wrote them.
pub type Extra = serde_json::Map<String, serde_json::Value>;

/// One order, normalised.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Order {
    /// The platform's own identifier, unique in the shop. A string: some exceed 2^53.
    pub id: String,
    /// The number that the customer and the merchant see.
    pub number: String,
    /// Code of the shop in the configuration.
    pub shop: String,
    /// Website, store view or sales channel within the shop, where the platform names one.
    pub store: Option<String>,
    /// When the customer placed the order, in UTC.
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub placed_at: Timestamp,
    /// The offset from UTC that the shop gave with `placed_at`, such as `+02:00`; `+00:00` where it gave none.
    pub utc_offset: String,
    /// When the shop last changed the order, in UTC, by the shop's own clock; null where it does not say.
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    pub updated_at: Option<Timestamp>,
    /// ISO 4217 code of every amount in the order.
    pub currency: String,
    /// What the customer pays, tax included.
    pub total: Money,
    /// Sum of the items, before shipping, as the platform states it: whether discounts and tax are in it is the
    /// platform's rule, see the guide to platforms.
    pub subtotal: Option<Money>,
    /// Tax of the whole order.
    pub tax: Option<Money>,
    /// Discount on the whole order, as a positive amount.
    pub discount: Option<Money>,
    /// Shipping cost.
    pub shipping: Option<Money>,
    /// How the order is paid, and how far.
    pub payment: Payment,
    /// The platform's own word for the state of the order.
    pub state: Option<String>,
    /// Whether the platform says that the order is cancelled.
    #[serde(default)]
    pub canceled: bool,
    /// Who ordered.
    pub customer: Customer,
    /// Billing address; its fields are null where the shop sent none.
    pub billing: Address,
    /// Delivery address; its fields are null where the shop sent none.
    pub delivery: Address,
    /// What was ordered. A configurable product counts once, not again for its variants.
    pub items: Vec<Item>,
    /// The customer's remark.
    pub note: Option<String>,
    /// Every top-level field of the platform's order that has no name above, as the platform wrote it.
    #[schemars(with = "serde_json::Map<String, serde_json::Value>")]
    pub extra: Extra,
}

/// How an order is paid, and how far.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Payment {
    /// The platform's code of the payment method.
    pub method: Option<String>,
    /// The platform's own word for the state of the payment; `paid` or `pending` where it has none.
    pub state: Option<String>,
    /// Whether the platform says that nothing is left to pay.
    pub paid: bool,
}

/// Who ordered.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Customer {
    /// The platform's identifier; null for a guest.
    pub id: Option<String>,
    /// E-mail address.
    pub email: Option<String>,
    /// First and last name.
    pub name: Option<String>,
    /// Telephone number.
    pub phone: Option<String>,
}

/// A postal address.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Address {
    /// First and last name.
    pub name: Option<String>,
    /// Company.
    pub company: Option<String>,
    /// Street and house number; several lines are joined by `, `.
    pub street: Option<String>,
    /// City.
    pub city: Option<String>,
    /// Postal code.
    pub postcode: Option<String>,
    /// Region, province or state.
    pub region: Option<String>,
    /// Country as ISO 3166-1 alpha-2, where the platform gives it so.
    pub country: Option<String>,
    /// Telephone number.
    pub phone: Option<String>,
}

/// One line of an order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Item {
    /// Stock keeping unit.
    pub sku: Option<String>,
    /// Name of the product as the customer saw it.
    pub name: String,
    /// How many; may have decimals.
    #[serde(with = "money::plain_number")]
    #[schemars(with = "f64")]
    pub quantity: Decimal,
    /// Price of one, as the platform states it.
    pub unit_price: Money,
    /// Discount on the line, as a positive amount.
    pub discount: Option<Money>,
    /// Tax of the line.
    pub tax: Option<Money>,
    /// The line's total as the platform states it; otherwise quantity × unit price − discount.
    pub total: Money,
}
