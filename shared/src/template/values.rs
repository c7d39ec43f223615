//! The order as values of the template engine.

use std::borrow::Cow;
use std::sync::{Arc, LazyLock};

use minijinja::value::{Enumerator, Object};
use minijinja::{Environment, Value};
use rust_decimal::Decimal;

use super::amounts::{self, Amounts};
use crate::order::{Address, Customer, Extra, Item, Money, Order, Payment};

/// What a null is in a template: a value that is absent, yet no error. It is written as nothing (in JSON as `null`),
/// is false, compares below every number, and `~` adds nothing for it, where minijinja's own `none` writes `None`.
/// This is the value of an `if` expression whose `else` is missing; there is no other way to make it.
static NULL: LazyLock<Value> = LazyLock::new(|| {
    let environment = Environment::empty();
    let null = environment.compile_expression("0 if false").and_then(|expression| expression.eval(()));
    null.unwrap_or_default()
});

/// An order converted once, for any number of expressions over it.
#[derive(Debug)]
pub(crate) struct OrderValues {
    order: Value,
    /// `order.items`, one by one.
    pub(crate) items: Vec<Value>,
    amounts: Value,
}

impl OrderValues {
    /// Converts the order.
    pub(crate) fn of(order: &Order) -> Self {
        Self::with(Amounts::default(), order, &order.items, &order.extra)
    }

    /// Converts the order for what reads neither its items nor its extra fields, which are most of it. Where that writes
    /// an amount it fails, and needs the whole order after all.
    fn head(order: &Order) -> Self {
        Self::with(Amounts::partial(), order, &[], &Extra::new())
    }

    /// What `evaluate` makes of the order, converted as far as that takes.
    pub(super) fn spare<T, E>(
        order: &Order,
        reads_all: bool,
        evaluate: impl Fn(&Self) -> Result<T, E>,
    ) -> Result<T, E> {
        if !reads_all && let Ok(done) = evaluate(&Self::head(order)) {
            return Ok(done);
        }
        evaluate(&Self::of(order))
    }

    fn with(amounts: Amounts, order: &Order, items: &[Item], extra: &Extra) -> Self {
        let mut reader = Reader(amounts);
        let (order, items) = reader.order(order, items, extra);
        Self { order, items, amounts: Value::from_object(reader.0) }
    }

    /// The root names of a template.
    pub(crate) fn root(&self, pipeline: &str) -> Value {
        self.root_with(pipeline, [])
    }

    /// The root names of a template, and some more.
    pub(crate) fn root_with<const N: usize>(&self, pipeline: &str, more: [(&'static str, Value); N]) -> Value {
        let named = [("order", self.order.clone()), ("pipeline", Value::from(pipeline))];
        let hidden = (amounts::KEY, self.amounts.clone());
        Fields::value(named.into_iter().chain(more).chain([hidden]))
    }
}

/// Named JSON values as the root names of an expression.
pub(super) fn from_json(values: &serde_json::Value) -> Value {
    let mut reader = Reader(Amounts::default());
    reader.json(values)
}

/// Named values in the order in which they were given; minijinja's own maps sort them.
#[derive(Debug)]
pub(super) struct Fields(Vec<(Cow<'static, str>, Value)>);

impl Fields {
    /// The fields of the model, whose names are known.
    pub(super) fn value(fields: impl IntoIterator<Item = (&'static str, Value)>) -> Value {
        Value::from_object(Self(fields.into_iter().map(|(name, value)| (Cow::Borrowed(name), value)).collect()))
    }
}

impl Object for Fields {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.get_value_by_str(key.as_str()?)
    }

    fn get_value_by_str(self: &Arc<Self>, key: &str) -> Option<Value> {
        self.0.iter().find(|(name, _)| name == key).map(|(_, value)| value.clone())
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Values(self.0.iter().map(|(name, _)| Value::from(name.as_ref())).collect())
    }
}

/// Converts values and collects how their numbers were written.
struct Reader(Amounts);

impl Reader {
    fn order(&mut self, order: &Order, lines: &[Item], extra: &Extra) -> (Value, Vec<Value>) {
        // Amounts before quantities and extra fields: where numbers are equal, the first spelling is the one written.
        let head = [
            ("total", self.0.money(order.total)),
            ("subtotal", self.optional_money(order.subtotal)),
            ("tax", self.optional_money(order.tax)),
            ("discount", self.optional_money(order.discount)),
            ("shipping", self.optional_money(order.shipping)),
        ];
        let items: Vec<Value> = lines.iter().map(|item| self.item(item)).collect();
        for item in lines {
            self.quantity(item.quantity);
        }
        let identity = [
            ("id", Value::from(&order.id)),
            ("number", Value::from(&order.number)),
            ("shop", Value::from(&order.shop)),
            ("store", text(order.store.as_ref())),
            ("placed_at", Value::from(order.placed_at.to_string())),
            ("utc_offset", Value::from(&order.utc_offset)),
            ("updated_at", text(order.updated_at.map(|at| at.to_string()).as_ref())),
            ("currency", Value::from(&order.currency)),
        ];
        let rest = [
            ("payment", payment(&order.payment)),
            ("state", text(order.state.as_ref())),
            ("canceled", Value::from(order.canceled)),
            ("customer", customer(&order.customer)),
            ("billing", address(&order.billing)),
            ("delivery", address(&order.delivery)),
            ("items", Value::from(items.clone())),
            ("note", text(order.note.as_ref())),
            ("extra", self.map(extra)),
        ];
        (Fields::value(identity.into_iter().chain(head).chain(rest)), items)
    }

    fn item(&mut self, item: &Item) -> Value {
        Fields::value([
            ("sku", text(item.sku.as_ref())),
            ("name", Value::from(&item.name)),
            ("quantity", plain_number(item.quantity)),
            ("unit_price", self.0.money(item.unit_price)),
            ("discount", self.optional_money(item.discount)),
            ("tax", self.optional_money(item.tax)),
            ("total", self.0.money(item.total)),
        ])
    }

    fn optional_money(&mut self, amount: Option<Money>) -> Value {
        amount.map_or_else(|| NULL.clone(), |amount| self.0.money(amount))
    }

    /// Notes how a quantity is written, for the few that a float does not keep.
    fn quantity(&mut self, quantity: Decimal) {
        self.0.decimal(quantity.normalize());
    }

    fn json(&mut self, value: &serde_json::Value) -> Value {
        match value {
            serde_json::Value::Null => NULL.clone(),
            serde_json::Value::Bool(flag) => Value::from(*flag),
            serde_json::Value::Number(number) => self.0.number(&number.to_string()),
            serde_json::Value::String(text) => Value::from(text),
            serde_json::Value::Array(list) => {
                Value::from(list.iter().map(|element| self.json(element)).collect::<Vec<_>>())
            }
            serde_json::Value::Object(map) => self.map(map),
        }
    }

    fn map(&mut self, map: &serde_json::Map<String, serde_json::Value>) -> Value {
        let fields = map.iter().map(|(name, value)| (Cow::Owned(name.clone()), self.json(value)));
        Value::from_object(Fields(fields.collect()))
    }
}

/// Whole numbers as such: a platform may write two pieces as `2.0000`.
fn plain_number(quantity: Decimal) -> Value {
    Amounts::default().decimal(quantity.normalize())
}

fn text(value: Option<&String>) -> Value {
    value.map_or_else(|| NULL.clone(), Value::from)
}

fn payment(payment: &Payment) -> Value {
    Fields::value([
        ("method", text(payment.method.as_ref())),
        ("state", text(payment.state.as_ref())),
        ("paid", Value::from(payment.paid)),
    ])
}

fn customer(customer: &Customer) -> Value {
    Fields::value([
        ("id", text(customer.id.as_ref())),
        ("email", text(customer.email.as_ref())),
        ("name", text(customer.name.as_ref())),
        ("phone", text(customer.phone.as_ref())),
    ])
}

fn address(address: &Address) -> Value {
    Fields::value([
        ("name", text(address.name.as_ref())),
        ("company", text(address.company.as_ref())),
        ("street", text(address.street.as_ref())),
        ("city", text(address.city.as_ref())),
        ("postcode", text(address.postcode.as_ref())),
        ("region", text(address.region.as_ref())),
        ("country", text(address.country.as_ref())),
        ("phone", text(address.phone.as_ref())),
    ])
}
