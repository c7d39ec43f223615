//! Orders for tests: one with everything that breaks careless formats, and arbitrary ones.

use proptest::prelude::*;
use rust_decimal::Decimal;
use serde_json::json;

use crate::order::{Address, Customer, Extra, Item, Money, Order, Payment};

/// An amount.
pub(crate) fn money(text: &str) -> Money {
    text.parse().unwrap()
}

#[expect(clippy::unnecessary_wraps, reason = "most fields of an order may be null")]
fn text(text: &str) -> Option<String> {
    Some(text.to_owned())
}

fn item(sku: Option<&str>, name: &str, quantity: &str, unit_price: &str, total: &str) -> Item {
    Item {
        sku: sku.map(ToOwned::to_owned),
        name: name.to_owned(),
        quantity: quantity.parse().unwrap(),
        unit_price: money(unit_price),
        discount: None,
        tax: Some(money("0.00")),
        total: money(total),
    }
}

/// An order with non-ASCII text, quotes, markup, control characters, formulas and nulls.
pub(crate) fn order() -> Order {
    let extra = json!({
        "gift": true,
        "weight": null,
        "tags": ["new", "=cmd()", 7],
        "attributes": { "po number": "PO-4711/2", "<b>": "]]>" }
    });
    let serde_json::Value::Object(mut extra) = extra else { unreachable!() };
    extra.insert("rate".into(), serde_json::from_str("1.250").unwrap());
    Order {
        id: "9007199254740993".into(),
        number: "#1001/ÄB".into(),
        shop: "acme-eu".into(),
        store: text("de"),
        placed_at: "2026-01-31T22:30:05Z".parse().unwrap(),
        utc_offset: "+01:00".into(),
        updated_at: Some("2026-02-01T06:00:00.25Z".parse().unwrap()),
        currency: "EUR".into(),
        total: money("129.90"),
        subtotal: Some(money("120.00")),
        tax: Some(money("20.74")),
        discount: None,
        shipping: Some(money("9.9000")),
        payment: Payment { method: text("paypal"), state: text("authorized"), paid: true },
        state: text("processing"),
        canceled: false,
        customer: Customer {
            id: None,
            email: text("zoë@example.com"),
            name: text("Zoë \"Z\" O'Neill & Söhne"),
            phone: text("+49 30 123456"),
        },
        billing: Address {
            name: text("Zoë O'Neill"),
            company: None,
            street: text("Straße des 17. Juni 135, c/o <Büro>"),
            city: text("Berlin"),
            postcode: text("01099"),
            region: None,
            country: text("DE"),
            phone: None,
        },
        delivery: Address::default(),
        items: vec![
            item(text("ÄPFEL-1").as_deref(), "Äpfel </script> ]]> & \"Birnen\"", "2.0000", "50.00", "100.00"),
            item(None, "=HYPERLINK(\"http://x\");\u{0}\u{7}\tTab\u{FFFE}\r\nzweite Zeile", "1.5", "13.33", "20.00"),
        ],
        note: text("Bitte klingeln;\nnicht \"stürmen\" \\ {{ 7 * 7 }}\u{1F34E}"),
        extra,
    }
}

const NASTY: [&str; 15] =
    ["\u{0}", "]]>", "</script>", "\"", "'", "=1+1", "-5", "..", "/", "\r\n", "\u{FFFE}", "{{ x }}", "%2F", ";", ""];

/// Any text, with what formats stumble over more often than chance has it.
pub(crate) fn any_text() -> impl Strategy<Value = String> {
    prop_oneof![any::<String>(), proptest::sample::select(&NASTY[..]).prop_map(ToOwned::to_owned)]
}

fn any_money() -> impl Strategy<Value = Money> {
    (any::<i64>(), 0u32..6).prop_map(|(units, scale)| Decimal::new(units, scale).into())
}

prop_compose! {
    fn any_item()(
        sku in proptest::option::of(any_text()), name in any_text(),
        quantity in (any::<i32>(), 0u32..4), unit_price in any_money(),
        discount in proptest::option::of(any_money()), tax in proptest::option::of(any_money()), total in any_money(),
    ) -> Item {
        Item { sku, name, quantity: Decimal::new(quantity.0.into(), quantity.1), unit_price, discount, tax, total }
    }
}

prop_compose! {
    fn any_extra()(texts in proptest::collection::vec((any_text(), any_text(), any::<f64>()), 0..3)) -> Extra {
        let field = |(name, text, number): (String, String, f64)| (name, json!([text, number, { "nested": null }]));
        texts.into_iter().map(field).collect()
    }
}

prop_compose! {
    /// Any order.
    pub(crate) fn any_order()(
        id in any_text(), number in any_text(), note in proptest::option::of(any_text()), street in proptest::option::of(any_text()),
        seconds in 0i64..4_000_000_000, total in any_money(), discount in proptest::option::of(any_money()),
        items in proptest::collection::vec(any_item(), 0..4), extra in any_extra(),
    ) -> Order {
        let placed_at = jiff::Timestamp::from_second(seconds).unwrap();
        let billing = Address { street, ..Address::default() };
        Order { id, number, placed_at, total, discount, billing, items, note, extra, ..order() }
    }
}
