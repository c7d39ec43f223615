//! What is refused, and how that is said.

use super::super::sample::order;
use super::super::*;

/// Line and message of the error that the template gives at once.
fn refused(source: &str) -> (usize, String) {
    let error = Template::compile("t.j2", source, Escape::None).unwrap_err();
    (error.line, error.message)
}

/// Line and message of the error that rendering gives.
fn failed(source: &str) -> (usize, String) {
    let template = Template::compile("t.j2", source, Escape::None).unwrap();
    let error = template.render(&order(), "erp").unwrap_err();
    (error.line, error.message)
}

#[test]
fn what_cannot_work_is_refused_when_it_is_loaded() {
    for (source, line, expected) in [
        ("a\n{{ order.total", 2, "syntax error"),
        ("\n\n{% for x in order.items %}", 3, "syntax error"),
        ("\n{{ order.totl }}", 2, "`order.totl` does not exist; order has: id, number, shop,"),
        ("{{ order.billing.zip }}", 1, "`order.billing.zip` does not exist; order.billing has: name, company,"),
        ("{{ order.number.x }}", 1, "order.number has no fields"),
        ("{{ order.items.x }}", 1, "order.items is a list"),
        (
            "{% for i in order.items %}\n{{ i.skuu }}{% endfor %}",
            2,
            "`i.skuu` does not exist; i has: sku, name, quantity",
        ),
        ("{{ oder.total }}", 1, "unknown name `oder`; there are: order, pipeline"),
        ("{{ order.total | mony }}", 1, "unknown filter `mony`"),
        ("{% filter shout %}x{% endfilter %}", 1, "unknown filter `shout`"),
        ("{{ order.total is numeric }}", 1, "unknown test `numeric`"),
        ("{{ order.total is not numeric }}", 1, "unknown test `numeric`"),
        ("{% include 'x' %}", 1, "a template cannot use others"),
        ("{{ 1 if order.note == none }}", 1, "compare with `is none`"),
        ("\n{{ order.total ~ 'EUR' }}", 2, "write `order.total | string` or `order.total | money`"),
        ("{% for i in order.items %}{{ '-' ~ i.unit_price }}{% endfor %}", 1, "write `i.unit_price | string`"),
        ("{{ debug() }}", 1, "unknown name `debug`"),
    ] {
        let (at, message) = refused(source);
        assert!(at == line && message.contains(expected), "{source}: {at}: {message}");
    }
}

#[test]
fn what_may_work_is_not_refused() {
    for source in [
        "{{ order.total | money ~ 'EUR' ~ order.total | money ~ order.items[1].quantity }}",
        "{% raw %}{{ oder | mony }}{% endraw %}{# {{ oder | mony }} #}",
        "{{ '{{ oder | mony }}' }}{{ \"a'|mony\" }}",
        "{% if true %}{% set x = 1 %}{% endif %}{{ x }}",
        "{% for i in order.items | selectattr('sku') %}{{ i.anything | default('') }}{% endfor %}",
        "{% set order = {'totl': 1} %}{{ order.totl }}",
        "{% macro m(a, b=1) %}{{ a }}{{ b }}{% endmacro %}{{ m(order.extra.gift) }}",
        "{% set ns = namespace(n=0) %}{% for i in order.items %}{% set ns.n = ns.n + i.total %}{% endfor %}{{ ns.n }}",
        "{% for key, value in order.extra | items %}{{ key }}{% endfor %}{{ loop_x | default(1) if false }}",
        "{{ order.items[0].sku }}{{ order.items | first | attr('sku') }}{{ 1 if order.note is not none }}",
    ] {
        let compiled = Template::compile("t.j2", source, Escape::None);
        let loop_x_is_unknown = source.contains("loop_x");
        assert_eq!(compiled.is_ok(), !loop_x_is_unknown, "{source}: {compiled:?}");
    }
}

#[test]
fn rendering_errors_say_where_and_show_no_data() {
    for (source, line, expected) in [
        ("\n{{ order.extra.missing }}", 2, "`order.extra.missing` is undefined"),
        ("{{ order.extra.missing.deeper }}", 1, "`order.extra.missing` is undefined"),
        ("{{ order.total - order.discount }}", 1, "a null counts as undefined"),
        ("{{ order.customer.name + 1 }}", 1, "tried to use + operator on unsupported types string and number"),
        ("{{ order.total // 0 * order.total }}", 1, ""),
        ("{{ order.items }}", 1, "a list has no text"),
        ("{{ order.billing }}", 1, "an object has no text"),
        ("{{ range }}", 1, "to be called"),
        ("{{ order.customer.name | date('%Y') }}", 1, "date: expected a time such as"),
        ("{{ order.placed_at | date('%!') }}", 1, "date: expected a format"),
        ("{{ order.placed_at | date('%Y', 'Mars/City') }}", 1, "date: expected a time zone"),
        ("{{ order.placed_at | date }}", 1, "missing argument"),
        ("{{ order.customer.name | money }}", 1, "money: expected a number"),
        ("{{ order.total | money(2, x=1) }}", 1, "too many arguments"),
        ("{{ order.number | pad_left(3, 'ab') }}", 1, "pad_left: expected a width"),
        ("{{ order.number | fixed(99999999) }}", 1, "fixed: expected a width"),
        ("{{ order.number | pad_left('x') }}", 1, "cannot convert string to usize"),
        ("{{ order.items | digits }}", 1, "digits: expected a text or a number, found a sequence"),
        ("{{ order.customer.name.upper() }}", 1, "values have no methods"),
        ("{{ 1e308 * 10 }}", 1, "not a finite number"),
        ("{{ order.customer.email | int }}", 1, ""),
        ("{% set ns = namespace() %}{% set ns.a = ns %}{{ ns | tojson }}", 1, "nested too deeply"),
        ("{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}", 1, "recursion limit exceeded"),
    ] {
        // What `order.customer.name.upper` is refused for at load, an unknown object reveals later.
        let source = source.replace("order.customer.name.upper()", "(order.customer.name | trim).upper()");
        let (at, message) = failed(&source);
        assert!(at == line && message.contains(expected), "{source}: {at}: {message}");
        for data in ["Zo", "example.com", "129", "1001"] {
            assert!(!message.contains(data), "{source}: {message}");
        }
    }
}

#[test]
fn an_endless_loop_runs_out_of_fuel_and_a_huge_document_is_stopped() {
    let (_, message) = failed("{% for a in range(100000) %}{% for b in range(100000) %}{% endfor %}{% endfor %}");
    assert!(message.starts_with("more steps than a template may take"), "{message}");
    let (_, message) = failed("{% set x = 'x' * 1000000 %}{% for a in range(100) %}{{ x }}{% endfor %}");
    assert!(message.starts_with("the document is longer than 10 MiB"), "{message}");
}

#[test]
fn an_order_of_a_thousand_items_leaves_plenty_of_fuel() {
    let mut big = order();
    big.items = std::iter::repeat_n(big.items[0].clone(), 1000).collect();
    let line = "{{ item.sku | fixed(20) }}{{ item.quantity | pad_left(8) }}{{ item.total | money | pad_left(12) }}\n\
                {% if item.tax > 0 and item.discount is none %}T{{ item.tax * item.quantity }}{% endif %}";
    let source = format!("{{% for item in order.items %}}{}{{% endfor %}}", line.repeat(20));
    let template = Template::compile("t.j2", &source, Escape::None).unwrap();
    assert!(template.render(&big, "erp").unwrap().len() > 800_000);
    let captured = template.get().unwrap().render_captured(OrderValues::of(&big).root("erp")).unwrap();
    let (consumed, left) = captured.state().fuel_levels().unwrap();
    assert!(consumed * 10 < left, "{consumed} steps for 40 lines an item");
}

#[test]
fn broken_conditions_are_refused_when_they_are_loaded() {
    for (source, expected) in [
        ("order.total >", "syntax error"),
        ("order.total > 0 }}", "syntax error"),
        ("order.totl > 0", "`order.totl` does not exist"),
        ("oder.total > 0", "unknown name `oder`; there are: order"),
        ("order.total is numeric", "unknown test"),
    ] {
        let error = Condition::over_order("when", source).unwrap_err();
        assert!(error.message.contains(expected), "{source}: {error}");
    }
    assert!(Condition::compile("fails_when", "oder.total > 0").is_ok(), "names are checked where they are known");
}
