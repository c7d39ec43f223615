//! Where the fields of an order stand in the documents of senders that have no shape of their own: JSON pointers from
//! the configuration. Without any, it is the shape of our own order.

use std::collections::BTreeSet;

use toml::de::DeValue;

use super::address::upper_case_code;
use super::amounts::Amounts;
use super::identity::{self, Pointer};
use super::json::{self, Node};
use super::scan::Document;
use super::tree::Tree;
use super::{BadOrder, Event, Rejection, Webhook, time};
use crate::config::document::Table;
use crate::config::value;
use crate::order::{Address, Customer, Extra, Item, Order, Payment};

/// The fields whose texts may be spread over several places. Of the others, a second place would say something else.
const JOINED: [&str; 15] = [
    "number", "store", "state", "note", "method", "email", "name", "company", "street", "city", "postcode", "region",
    "country", "phone", "sku",
];

/// One JSON pointer, or several whose texts are joined.
#[derive(Debug)]
struct Pointers(Vec<Pointer>);

impl Pointers {
    /// Reads the key of a table; `known` is told which fields of the document the pointers lead to.
    fn read(table: Option<&Table<'_>>, key: &'static str, base: &str, known: &mut BTreeSet<String>) -> Self {
        let configured = table.map(|table| table.list(key, value::json_pointer)).unwrap_or_default();
        if configured.len() > 1 && !JOINED.contains(&key) {
            table
                .and_then(|table| table.get(key))
                .inspect(|node| node.problem("expected one JSON pointer, not a list"));
        }
        let pointers = if configured.is_empty() { vec![format!("{base}/{key}")] } else { configured };
        let pointers: Vec<Pointer> = pointers.iter().map(|pointer| Pointer::new(pointer)).collect();
        known.extend(pointers.iter().filter_map(|pointer| pointer.first().cloned()));
        Self(pointers)
    }

    /// The place that the first pointer points at.
    fn at<'p, 'v: 'p>(&'p self, from: &Node<'v>) -> Node<'p> {
        self.0.first().map_or_else(|| from.clone(), |pointer| from.pointer(pointer))
    }

    fn text(&self, from: &Node<'_>, separator: &str) -> Result<Option<String>, BadOrder> {
        let first = self.at(from);
        match self.0.as_slice() {
            [_] if !first.is_list() => first.text(),
            all => json::join(all.iter().map(|pointer| from.pointer(pointer)), separator),
        }
    }
}

/// A table of pointers under one of the model's names, with the names of its fields as keys.
macro_rules! pointers {
    ($($group:ident { $($field:ident),+ $(,)? })+) => { $(
        #[derive(Debug)]
        struct $group { $($field: Pointers),+ }

        impl $group {
            /// Where `table` is silent, the fields stand under their own names below `base`.
            fn read(table: Option<&Table<'_>>, base: &str, known: &mut BTreeSet<String>) -> Self {
                Self { $($field: Pointers::read(table, stringify!($field), base, known)),+ }
            }
        }
    )+ };
}

pointers! {
    OrderFields {
        id, number, store, placed_at, utc_offset, updated_at, currency, total, subtotal, tax, discount, shipping, state,
        canceled, note,
    }
    PaymentFields { method, state, paid }
    CustomerFields { id, email, name, phone }
    AddressFields { name, company, street, city, postcode, region, country, phone }
    ItemFields { sku, name, quantity, unit_price, discount, tax, total }
}

/// What a platform assumes where the configuration is silent.
#[derive(Debug, Clone, Copy)]
pub(super) struct Defaults {
    /// Where the order stands, if something stands there.
    pub(super) order: Option<&'static str>,
    /// Where the topic stands.
    pub(super) topic: Option<&'static str>,
}

/// Where everything stands.
#[derive(Debug)]
pub(super) struct Fields {
    /// Where the order stands in the document.
    root: Root,
    /// Where the topic stands in the document, or in which header.
    topic: Option<Pointer>,
    topic_header: Option<String>,
    /// Where the delivery's identifier stands in the document, or in which header.
    delivery_id: Option<Pointer>,
    delivery_id_header: Option<String>,
    order: OrderFields,
    payment: PaymentFields,
    customer: CustomerFields,
    billing: AddressFields,
    delivery: AddressFields,
    /// The list of items, from the order; the fields of each, from the item.
    list: Pointer,
    item: ItemFields,
    /// The fields of the order that pointers lead to or into.
    known: BTreeSet<String>,
}

#[derive(Debug)]
enum Root {
    /// There, as configured.
    At(Pointer),
    /// There if an object stands there, else the document is the order.
    Perhaps(Pointer),
    /// The document is the order.
    Document,
}

impl Fields {
    /// Reads the table `fields` of a shop.
    pub(super) fn read(shop: &Table<'_>, defaults: Defaults) -> Option<Self> {
        let table = match shop.get("fields") {
            Some(node) => Some(node.table()?),
            None => None,
        };
        let fields = Self::of(table.as_ref(), defaults);
        if let Some(table) = table {
            table.finish();
        }
        Some(fields)
    }

    fn of(table: Option<&Table<'_>>, defaults: Defaults) -> Self {
        let given = |key| table.and_then(|table| table.read(key, pointer));
        let header = |key| table.and_then(|table| table.read(key, header_name));
        let mut known = BTreeSet::from(["shop".to_owned(), "extra".to_owned()]);
        let (list, item) = sub_table(table, "items", |items| {
            let list = items.and_then(|items| items.read("list", pointer));
            (list.unwrap_or_else(|| Pointer::new("/items")), ItemFields::read(items, "", &mut BTreeSet::new()))
        });
        known.extend(list.first().cloned());
        Self {
            root: given("order").map_or_else(|| root_of(defaults.order), Root::At),
            topic: given("topic").or_else(|| defaults.topic.map(Pointer::new)),
            topic_header: header("topic_header"),
            delivery_id: given("delivery_id"),
            delivery_id_header: header("delivery_id_header"),
            order: OrderFields::read(table, "", &mut known),
            payment: sub_table(table, "payment", |table| PaymentFields::read(table, "/payment", &mut known)),
            customer: sub_table(table, "customer", |table| CustomerFields::read(table, "/customer", &mut known)),
            billing: sub_table(table, "billing", |table| AddressFields::read(table, "/billing", &mut known)),
            delivery: sub_table(table, "delivery", |table| AddressFields::read(table, "/delivery", &mut known)),
            list,
            item,
            known,
        }
    }

    /// What a webhook says has happened.
    pub(super) fn event(&self, document: Document<'_>, webhook: Webhook<'_>) -> Result<(String, Event), Rejection> {
        let header = self.topic_header.as_deref().and_then(|name| webhook.headers.get(name));
        let said = header.map(ToOwned::to_owned).or_else(|| at(document, self.topic.as_ref()?)?.text());
        identity::event(said.as_deref(), webhook)
    }

    /// The sender's identifier of the delivery.
    pub(super) fn delivery_id(&self, document: Document<'_>, webhook: Webhook<'_>) -> Option<String> {
        let header = self.delivery_id_header.as_deref().and_then(|name| webhook.headers.get(name));
        let said = header.map(ToOwned::to_owned).or_else(|| at(document, self.delivery_id.as_ref()?)?.text());
        identity::delivery_id(said.as_deref())
    }

    /// Whether a header was named in the configuration.
    pub(super) fn names_header(&self, name: &str) -> bool {
        [&self.topic_header, &self.delivery_id_header].into_iter().flatten().any(|known| known == name)
    }

    /// What stands where the order's identifier is to stand, and its path.
    pub(super) fn order_id<'b>(&self, document: Document<'b>) -> (Option<Document<'b>>, String) {
        let root = match &self.root {
            Root::At(pointer) => pointer.tokens(),
            Root::Perhaps(pointer) if at(document, pointer).is_some_and(Document::is_object) => pointer.tokens(),
            Root::Perhaps(_) | Root::Document => &[],
        };
        let way = [root, self.order.id.0.first().map_or(&[], Pointer::tokens)].concat();
        (document.find(&way), way.join("."))
    }

    /// Reads the order.
    pub(super) fn order(&self, shop: &str, document: &Tree<'_>) -> Result<Order, BadOrder> {
        let document = Node::root(document);
        let order = match &self.root {
            Root::At(pointer) => document.pointer(pointer),
            Root::Perhaps(pointer) if document.pointer(pointer).is_object() => document.pointer(pointer),
            Root::Perhaps(_) | Root::Document => document,
        };
        self.read_order(shop, &order)
    }

    fn read_order(&self, shop: &str, order: &Node<'_>) -> Result<Order, BadOrder> {
        let fields = &self.order;
        let (currency, amounts) = Amounts::currency(&fields.currency.at(order))?;
        let (placed_at, utc_offset) = fields.placed_at.at(order).required_moment()?;
        let stated = fields.utc_offset.at(order).text()?.filter(|text| time::is_offset(text));
        let items = order.pointer(&self.list).items()?;
        let state = fields.state.text(order, " ")?;
        Ok(Order {
            id: fields.id.at(order).order_id()?,
            number: fields
                .number
                .text(order, " ")?
                .ok_or_else(|| fields.number.at(order).bad("a text that is not empty"))?,
            shop: shop.to_owned(),
            store: fields.store.text(order, " ")?,
            placed_at,
            utc_offset: stated.unwrap_or(utc_offset),
            updated_at: fields.updated_at.at(order).moment(),
            currency,
            total: amounts.require(&fields.total.at(order))?,
            subtotal: amounts.read(&fields.subtotal.at(order))?,
            tax: amounts.read(&fields.tax.at(order))?,
            discount: amounts.discount(&fields.discount.at(order))?,
            shipping: amounts.read(&fields.shipping.at(order))?,
            payment: self.payment.read_from(order)?,
            canceled: fields.canceled.at(order).boolean().unwrap_or_else(|| is_canceled(state.as_deref())),
            state,
            customer: self.customer.read_from(order)?,
            billing: self.billing.read_from(order)?,
            delivery: self.delivery.read_from(order)?,
            items: items.iter().map(|line| self.item.read_from(line, amounts)).collect::<Result<_, _>>()?,
            note: fields.note.text(order, "\n")?,
            extra: self.extra(order),
        })
    }

    /// All fields of the order that no pointer leads to or into. A field called `extra` holds such fields already.
    fn extra(&self, order: &Node<'_>) -> Extra {
        let known: Vec<&str> = self.known.iter().map(String::as_str).collect();
        let mut extra = order.at("extra").extra(&[]);
        extra.extend(order.extra(&known));
        extra
    }
}

impl PaymentFields {
    fn read_from(&self, order: &Node<'_>) -> Result<Payment, BadOrder> {
        let state = self.state.text(order, " ")?;
        let stated = self.paid.at(order).boolean();
        let paid = stated.unwrap_or_else(|| state.as_deref().is_some_and(|state| state.eq_ignore_ascii_case("paid")));
        Ok(Payment { method: self.method.text(order, " ")?, state, paid })
    }
}

impl CustomerFields {
    fn read_from(&self, order: &Node<'_>) -> Result<Customer, BadOrder> {
        Ok(Customer {
            id: self.id.text(order, " ")?,
            email: self.email.text(order, " ")?,
            name: self.name.text(order, " ")?,
            phone: self.phone.text(order, " ")?,
        })
    }
}

impl AddressFields {
    fn read_from(&self, order: &Node<'_>) -> Result<Address, BadOrder> {
        Ok(Address {
            name: self.name.text(order, " ")?,
            company: self.company.text(order, " ")?,
            street: self.street.text(order, ", ")?,
            city: self.city.text(order, " ")?,
            postcode: self.postcode.text(order, " ")?,
            region: self.region.text(order, " ")?,
            country: self.country.text(order, " ")?.map(upper_case_code),
            phone: self.phone.text(order, " ")?,
        })
    }
}

impl ItemFields {
    fn read_from(&self, line: &Node<'_>, amounts: Amounts) -> Result<Item, BadOrder> {
        let quantity = self.quantity.at(line).quantity()?;
        let sku = self.sku.text(line, " ")?;
        let unit_price = amounts.require(&self.unit_price.at(line))?;
        let discount = amounts.discount(&self.discount.at(line))?;
        let total = amounts.read(&self.total.at(line))?;
        Ok(Item {
            name: self.name.text(line, " ")?.or_else(|| sku.clone()).unwrap_or_default(),
            sku,
            quantity,
            unit_price,
            discount,
            tax: amounts.read(&self.tax.at(line))?,
            total: total.map_or_else(|| amounts.line_total(line, quantity, unit_price, discount), Ok)?,
        })
    }
}

/// Whether a word for the state of an order says that it is cancelled, in either spelling.
fn is_canceled(state: Option<&str>) -> bool {
    state.is_some_and(|state| ["canceled", "cancelled"].iter().any(|word| state.eq_ignore_ascii_case(word)))
}

/// The name of a header, in lower case.
pub(super) fn header_name(value: &DeValue<'_>) -> Result<String, String> {
    let fits = |name: &String| {
        !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b))
    };
    let name = value::string(value).ok().filter(fits).map(|name| name.to_ascii_lowercase());
    name.ok_or_else(|| "the name of a header such as \"x-signature\"".into())
}

fn sub_table<T>(table: Option<&Table<'_>>, key: &'static str, read: impl FnOnce(Option<&Table<'_>>) -> T) -> T {
    let sub = table.and_then(|table| table.get(key)).and_then(|node| node.table());
    let fields = read(sub.as_ref());
    if let Some(sub) = sub {
        sub.finish();
    }
    fields
}

fn at<'b>(document: Document<'b>, pointer: &Pointer) -> Option<Document<'b>> {
    document.find(pointer.tokens())
}

/// A JSON pointer of the configuration.
fn pointer(value: &DeValue<'_>) -> Result<Pointer, String> {
    value::json_pointer(value).map(|text| Pointer::new(&text))
}

fn root_of(default: Option<&str>) -> Root {
    default.map_or(Root::Document, |pointer| Root::Perhaps(Pointer::new(pointer)))
}
