//! Templates and expressions, over the sample orders: they end, and write no more than they may.

use ordersync::template::{Condition, Escape, Template};

use crate::document::check_key;
use crate::input::Input;
use crate::samples::{ORDERS, text};

/// Longest document that a template may write.
const MOST_BYTES: usize = 10 * 1024 * 1024;

/// One template: what it writes, and its text.
pub fn run(input: &[u8]) {
    let Some(input) = Input::parse(input) else { return };
    let Ok(source) = str::from_utf8(input.body) else { return };
    let kinds = ["json", "xml", "none", "key", "condition"].map(|name| (name.to_owned(), ()));
    match input.choose(&kinds).0.as_str() {
        "condition" => condition(source),
        "json" => render(source, Escape::Json),
        "xml" => render(source, Escape::Xml),
        "none" => render(source, Escape::None),
        _ => render(source, Escape::ObjectKey),
    }
}

fn condition(source: &str) {
    let Ok(condition) = Condition::over_order("when", source) else { return };
    for order in [&ORDERS[0], &ORDERS[ORDERS.len() - 1]] {
        let first = condition.holds_for(order);
        assert_eq!(first, condition.holds_for(order), "the same order, another answer");
    }
}

fn render(source: &str, escape: Escape) {
    let Ok(template) = Template::compile("fuzz.j2", source, escape) else { return };
    for order in [&ORDERS[0], &ORDERS[ORDERS.len() - 1]] {
        match template.render(order, "erp") {
            Ok(text) => {
                assert!(text.len() <= MOST_BYTES);
                if escape == Escape::ObjectKey {
                    check_key(&text);
                }
            }
            Err(error) => assert!(error.line >= 1 && !error.message.is_empty(), "{error}"),
        }
    }
}

/// Templates of the examples and of the guide, and some that would like to go on for ever.
pub fn seeds() -> Vec<Vec<u8>> {
    let example = text("examples/shopify/erp-order.json.j2");
    [
        ("json", example.as_str()),
        ("xml", "<o n=\"{{ order.number }}\">{% for item in order.items %}<i>{{ item.name }}</i>{% endfor %}</o>"),
        ("none", "{{ order.number }};{{ order.total | money(',') }};{{ order.note | csv(';') }}\n"),
        ("none", "{% set n = namespace(x=0) %}{% for i in range(1000) %}{% set n.x = n.x + i %}{% endfor %}{{ n.x }}"),
        ("none", "{% macro m(a) %}{{ a }}{{ m(a) }}{% endmacro %}{{ m('x' * 99) }}"),
        ("json", "{{ order.extra | tojson }}{{ order.items | map(attribute='sku') | join(',') }}"),
        (
            "xml",
            "{{ order.placed_at | date('%Y-%m-%d', 'Europe/Berlin') }}{{ order.note | default('-') | upper | trim }}",
        ),
        ("key", "orders/{{ order.shop }}/{{ order.placed_at | date('%Y/%m/%d') }}/{{ order.number }}.json"),
        ("key", "{{ order.note }}/{% if order.canceled %}c/{% endif %}{{ order.id }}"),
        ("condition", "order.total > 0 and order.payment.method == 'paypal' or order.items | length > 3"),
        ("condition", "order.customer.email is not none and order.extra.gift is defined"),
        ("condition", "'a' * 1000000 == 'b' or range(100000) | list | length > 5"),
    ]
    .into_iter()
    .map(|(kind, source)| Input::write(kind, [], source.as_bytes()))
    .collect()
}
