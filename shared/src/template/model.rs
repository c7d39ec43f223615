//! The names that an order has, taken from an order itself.

use std::sync::LazyLock;

use minijinja::Value;
use minijinja::value::ValueKind;
use rust_decimal::Decimal;

use super::OrderValues;
use crate::order::{Item, Money, Order};

static BLANK: LazyLock<(Value, Value)> = LazyLock::new(|| {
    let values = OrderValues::of(&blank());
    let order = values.root("").get_attr("order").unwrap_or_default();
    (order, values.items.into_iter().next().unwrap_or_default())
});

/// An order with every name.
pub(super) fn order() -> Value {
    BLANK.0.clone()
}

/// An item with every name.
pub(super) fn item() -> Value {
    BLANK.1.clone()
}

/// The field of a value, if it has one of that name.
pub(super) fn field(value: &Value, name: &str) -> Option<Value> {
    value.as_object()?.get_value_by_str(name)
}

/// What there is instead of a field that is not there.
pub(super) fn offer(path: &str, value: &Value) -> String {
    match value.kind() {
        ValueKind::Map => {
            let names: Vec<String> = value.try_iter().into_iter().flatten().map(|name| name.to_string()).collect();
            format!("{path} has: {}", names.join(", "))
        }
        ValueKind::Seq => format!("{path} is a list"),
        _ => format!("{path} has no fields"),
    }
}

/// An order in which nothing stands.
pub(super) fn blank() -> Order {
    let item = Item {
        sku: None,
        name: String::new(),
        quantity: Decimal::ZERO,
        unit_price: Money::default(),
        discount: None,
        tax: None,
        total: Money::default(),
    };
    Order {
        id: String::new(),
        number: String::new(),
        shop: String::new(),
        store: None,
        placed_at: jiff::Timestamp::UNIX_EPOCH,
        utc_offset: String::new(),
        updated_at: None,
        currency: String::new(),
        total: Money::default(),
        subtotal: None,
        tax: None,
        discount: None,
        shipping: None,
        payment: crate::order::Payment::default(),
        state: None,
        canceled: false,
        customer: crate::order::Customer::default(),
        billing: crate::order::Address::default(),
        delivery: crate::order::Address::default(),
        items: vec![item],
        note: None,
        extra: crate::order::Extra::default(),
    }
}
