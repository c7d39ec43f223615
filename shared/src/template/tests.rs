mod errors;
mod limits;

use proptest::prelude::*;
use serde_json::json;

use super::sample::{any_order, any_text, order};
use super::*;

fn render(source: &str, escape: Escape) -> Result<String, TemplateError> {
    Template::compile("t.j2", source, escape)?.render(&order(), "erp")
}

fn plain(source: &str) -> String {
    render(source, Escape::None).unwrap()
}

#[test]
fn amounts_are_written_as_the_shop_wrote_them_in_every_mode() {
    for (escape, expected) in [
        (Escape::None, "129.90 9.9000 1.250"),
        (Escape::Json, "129.90 9.9000 1.250"),
        (Escape::Xml, "129.90 9.9000 1.250"),
        (Escape::ObjectKey, "129.90 9.9000 1.250"),
    ] {
        let source = "{{ order.total }} {{ order.shipping }} {{ order.extra.rate }}";
        assert_eq!(render(source, escape).unwrap(), expected, "{escape:?}");
    }
}

#[test]
fn amounts_can_be_compared_and_calculated_with() {
    for (source, expected) in [
        ("{{ order.total > 0 }}", "true"),
        ("{{ order.total == 129.9 }}", "true"),
        ("{{ order.total * 2 }}", "259.8"),
        ("{{ order.total - order.tax }}", "109.16"),
        ("{{ 0.1 + 0.2 }}", "0.3"),
        ("{{ order.items | sum(attribute='total') | money }}", "120.00"),
        ("{{ order.items | map(attribute='quantity') | join('/') }}", "2/1.5"),
        ("{{ order.items | join('/', attribute='unit_price') }}", "50.00/13.33"),
        ("{{ order.total | replace('.', ',') }}", "129,90"),
        ("{{ order.total | string }}", "129.90"),
        ("{{ order.total | pad_left(8, '0') }}", "00129.90"),
        ("{{ order.total | money ~ ' ' ~ order.currency }}", "129.90 EUR"),
        ("{{ (order.total * 100) | int }}", "12990"),
    ] {
        assert_eq!(plain(source), expected, "{source}");
    }
}

#[test]
fn nulls_are_nothing() {
    for (source, expected) in [
        ("[{{ order.discount }}]", "[]"),
        ("{{ order.billing.city ~ order.billing.company ~ '!' }}", "Berlin!"),
        ("{{ order.discount > 0 }} {{ order.discount is none }} {{ order.total is none }}", "false true false"),
        (
            "{{ order.discount or 'x' }}{{ order.discount | default(0) }}{{ order.state | default('y') }}",
            "x0processing",
        ),
        ("{{ order.extra.weight | default('?') }}{{ order.extra.missing | default('!') }}", "?!"),
        ("{{ '' | default('empty', true) }}", "empty"),
        (
            "{{ order.billing.company | upper }}{{ order.discount | money }}{{ order.note | one_line | length > 0 }}",
            "true",
        ),
        ("[{{ order.discount | pad_left(3) }}]", "[   ]"),
        ("{{ [order.billing.company, order.billing.city] | select | join(', ') }}", "Berlin"),
        ("{% if order.billing.company %}x{% else %}y{% endif %}", "y"),
    ] {
        assert_eq!(plain(source), expected, "{source}");
    }
    assert_eq!(
        render("{{ order.discount }},{{ order.billing.company | default('-') }}", Escape::Json).unwrap(),
        "null,\"-\""
    );
    assert_eq!(render("{{ order.store }}/{{ order.discount }}", Escape::ObjectKey).unwrap(), "de/_");
}

#[test]
fn json_values_are_literals() {
    for (source, expected) in [
        ("{{ order.number }}", r##""#1001/ÄB""##),
        ("{{ order.id }}", r#""9007199254740993""#),
        ("{{ order.items[0].quantity }} {{ order.items[1].quantity }} {{ order.payment.paid }}", "2 1.5 true"),
        ("{{ order.items[0].name }}", r#""Äpfel </script> ]]> & \"Birnen\"""#),
        ("{{ order.number ~ '-A' }}", r##""#1001/ÄB-A""##),
        (
            "{{ order.extra }}",
            r#"{"gift":true,"weight":null,"tags":["new","=cmd()",7],"attributes":{"po number":"PO-4711/2","<b>":"]]>"},"rate":1.250}"#,
        ),
        ("{{ {'total': order.total, 'lines': order.items | length} }}", r#"{"lines":2,"total":129.90}"#),
        ("{{ order.placed_at | date('%Y-%m-%d') }}", r#""2026-01-31""#),
        ("{{ order.total | money }} {{ order.total | money | safe }}", r#""129.90" 129.90"#),
        ("{% macro m(x) %}{{ x }}{% endmacro %}{{ m(order.currency) }}", r#""EUR""#),
        ("{{ order.payment | tojson }}", r#"{"method":"paypal","state":"authorized","paid":true}"#),
    ] {
        assert_eq!(render(source, Escape::Json).unwrap(), expected, "{source}");
    }
}

#[test]
fn xml_values_are_escaped_and_hold_nothing_forbidden() {
    for (source, expected) in [
        ("{{ order.items[0].name }}", "Äpfel &lt;/script&gt; ]]&gt; &amp; &quot;Birnen&quot;"),
        ("{{ order.items[1].name }}", "=HYPERLINK(&quot;http://x&quot;);\tTab&#13;\nzweite Zeile"),
        ("{{ order.customer.name | xml }}", "Zoë &quot;Z&quot; O&#39;Neill &amp; Söhne"),
        ("{{ order.customer.name | e }}", "Zoë &quot;Z&quot; O&#39;Neill &amp; Söhne"),
        ("{{ '<b>' | safe }}{{ order.discount }}", "<b>"),
    ] {
        assert_eq!(render(source, Escape::Xml).unwrap(), expected, "{source}");
    }
}

#[test]
fn object_keys_stay_in_their_prefix() {
    for (source, expected) in [
        (
            "orders/{{ order.shop }}/{{ order.placed_at | date('%Y/%m/%d') }}/{{ order.number }}.json",
            "orders/acme-eu/2026/01/31/%231001%2F%C3%84B.json",
        ),
        ("{{ '..' }}/{{ '.' }}/{{ '' }}/{{ 'a..b' }}", "%2E%2E/%2E/_/a..b"),
        ("{{ 'a/b' ~ '+=@ %' }}", "a%2Fb%2B%3D%40%20%25"),
        ("{% autoescape false %}{{ '../x' }}{% endautoescape %}", "..%2Fx"),
        ("{% set x %}{{ '../x' }}{% endset %}{{ x }}", "..%2Fx"),
        ("{{ order.items | length }}-{{ pipeline }}", "2-erp"),
    ] {
        assert_eq!(render(source, Escape::ObjectKey).unwrap(), expected, "{source}");
    }
    for (source, expected) in [
        ("", "empty"),
        ("/a", "begins with /"),
        ("a/../b", "begins with /"),
        ("a\nb", "control character"),
        ("{{ 'x' * 1025 }}", "longer than 1024 bytes"),
        ("{{ order.number | safe }}", "`safe` is not allowed"),
    ] {
        let error = render(source, Escape::ObjectKey).unwrap_err();
        assert!(error.message.contains(expected), "{source}: {error}");
    }
}

#[test]
fn filters_write_what_back_offices_read() {
    for (source, expected) in [
        ("{{ order.placed_at | date('%d.%m.%Y %H:%M') }}", "31.01.2026 22:30"),
        ("{{ order.placed_at | date('%d.%m.%Y %H:%M', 'Europe/Berlin') }}", "31.01.2026 23:30"),
        ("{{ order.placed_at | date('%FT%T%:z', order.utc_offset) }}", "2026-01-31T23:30:05+01:00"),
        ("{{ order.placed_at | date('%H', '-0330') }}", "19"),
        ("{{ '2026-02-01 10:00:00' | date('%j') }}{{ '2026-02-01' | date('%H') }}", "03200"),
        (
            "{{ 2.345 | money }} {{ -2.345 | money }} {{ '2.5' | money(0) }} {{ 7 | money(decimals=3, sep=',') }}",
            "2.35 -2.35 3 7,000",
        ),
        ("{{ '1.005' | money }} {{ 1.005 | money }}", "1.01 1.01"),
        (
            "[{{ 'ab' | pad_left(4) }}][{{ 'ab' | pad_right(4, '*') }}][{{ 'abcdef' | pad_left(4) }}]",
            "[  ab][ab**][abcdef]",
        ),
        ("[{{ 'äbcdef' | fixed(4) }}][{{ 'a\\nb' | fixed(4) }}]", "[äbcd][a b ]"),
        ("{{ order.note | one_line }}", "Bitte klingeln; nicht \"stürmen\" \\ {{ 7 * 7 }}\u{1F34E}"),
        ("{{ order.customer.phone | digits }}", "4930123456"),
        (
            "{{ order.items[1].name | fixed(9) | csv }} {{ 'a;b' | csv(';') }} {{ 'a\"b' | csv }} {{ -5.5 | csv }} {{ '-x' | csv }}",
            "'=HYPERLIN \"a;b\" \"a\"\"b\" -5.5 '-x",
        ),
        (
            "{{ '<&>' | xml }} {{ order.payment | tojson }}",
            "&lt;&amp;&gt; {\"method\":\"paypal\",\"state\":\"authorized\",\"paid\":true}",
        ),
        ("{{ order.shop | upper | replace('-', '_') }} {{ order.extra.tags | join(',') }}", "ACME_EU new,=cmd(),7"),
    ] {
        assert_eq!(plain(source), expected, "{source}");
    }
}

#[test]
fn conditions_are_true_or_false_and_nothing_else() {
    for (source, expected) in [
        ("order.total > 0", Ok(true)),
        ("order.payment.method == 'paypal' and order.billing.country in ['AT', 'CH']", Ok(false)),
        ("order.items | selectattr('sku') | list | length == 1", Ok(true)),
        ("order.total", Err("expected true or false, found a number")),
        ("order.note", Err("expected true or false, found a string")),
        ("order.discount", Err("expected true or false, found a value that is not there")),
        ("order.extra.missing", Err("expected true or false, found a value that is not there")),
        ("order.extra.missing.x == 1", Err("`order.extra.missing` is undefined")),
    ] {
        let holds = Condition::compile("when", source).unwrap().holds_for(&order());
        match (holds, expected) {
            (Ok(holds), Ok(expected)) => assert_eq!(holds, expected, "{source}"),
            (Err(error), Err(expected)) => assert!(error.message.contains(expected), "{source}: {error}"),
            (holds, _) => panic!("{source}: {holds:?}"),
        }
    }
}

#[test]
fn conditions_hold_over_json_values() {
    let values = json!({ "status": 200, "response": { "error": null, "ok": true, "price": 1.0 }, "body": "<ok/>" });
    for (source, expected) in [
        ("status == 200 and response.ok", true),
        ("response.error is none", true),
        ("response.price == 1 and 'ok' in body", true),
        ("response.missing is defined", false),
    ] {
        assert_eq!(Condition::compile("fails_when", source).unwrap().holds_over(&values), Ok(expected), "{source}");
    }
}

#[test]
fn what_reads_single_fields_says_the_same_as_what_reads_all() {
    for source in [
        "{{ order.number }}/{{ order.placed_at | date('%Y/%m') }}",
        "{{ order.total }} {{ order.total * 2 }} {{ order.total | money }}",
        "{{ order.payment.method }}{{ order.missing }}",
        "{{ 50 / 1 }} {{ 13.33 }} {{ [order.tax, 13.33] | tojson }}",
        "{{ order['items'] | length }} {{ order.extra.rate }} {{ [order] | length }}",
    ] {
        let everything = format!("{{% if order['items'] %}}{{% endif %}}{source}");
        assert_eq!(
            render(source, Escape::None).map_err(|error| error.message),
            render(&everything, Escape::None).map_err(|error| error.message),
            "{source}"
        );
    }
    assert_eq!(plain("{{ 50 / 1 }}"), "50.00", "as an item's price is written");
    let template = |source| Template::compile("t.j2", source, Escape::None).unwrap().reads_all;
    assert!(!template("{{ order.number }}-{{ order.payment.method | upper }}"));
    assert!(template("{{ order.items }}") && template("{{ order['id'] }}") && template("{% set x = 1 %}{{ x }}"));
}

/// Words of expressions, for the random ones that get past the compiler.
const WORDS: [&str; 36] = [
    "order",
    "order.total",
    "order.items",
    "order.extra",
    "order.note",
    "order.discount",
    "'%Y'",
    "0",
    "-1",
    "1e308",
    "170141183460469231731687303715884105727",
    "+",
    "-",
    "*",
    "/",
    "//",
    "%",
    "**",
    "~",
    "|",
    "| money",
    "| money(20)",
    "| date('%Y')",
    "| fixed(3)",
    "| pad_left(9)",
    "| join",
    "| tojson",
    "| csv",
    "| default(1)",
    "| int",
    "| sort",
    "| first",
    "is none",
    "if",
    "else",
    "not",
];

proptest! {
    #[test]
    fn a_value_never_leaves_its_segment(value in any_text()) {
        let order = crate::order::Order { number: value, ..order() };
        let template = Template::compile("key", "a/{{ order.number }}", Escape::ObjectKey).unwrap();
        if let Ok(key) = template.render(&order, "erp") {
            let segment = key.strip_prefix("a/").unwrap();
            prop_assert!(!segment.is_empty() && !segment.contains('/') && !matches!(segment, "." | ".."));
            prop_assert!(segment.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.%".contains(&b)));
        }
    }

    #[test]
    fn compiling_and_rendering_never_panic(
        text in any_text(),
        words in proptest::collection::vec(proptest::sample::select(&WORDS[..]), 1..8),
        order in any_order(),
    ) {
        let source = if text.len() % 2 == 0 { text } else { words.join(" ") };
        for escape in [Escape::Json, Escape::Xml, Escape::None, Escape::ObjectKey] {
            for source in [source.clone(), format!("{{{{ {source} }}}}"), format!("{{% {source} %}}")] {
                if let Ok(template) = Template::compile("t", &source, escape) {
                    let _rendered = template.render(&order, "erp");
                }
            }
        }
    }

    #[test]
    fn an_order_renders_as_json_in_json_and_as_xml_text_in_xml(order in any_order()) {
        let json = Template::compile("t", "[{{ order }},{{ order.items }},{{ order.total }}]", Escape::Json).unwrap();
        let json = json.render(&order, "erp").unwrap();
        let read: Vec<serde_json::Value> = serde_json::from_str(&json).unwrap();
        prop_assert_eq!(read[0]["note"].as_str(), order.note.as_deref());
        prop_assert_eq!(&read[0]["extra"], &serde_json::Value::Object(order.extra.clone()));
        prop_assert_eq!(read[2].to_string(), order.total.to_string());
    }
}
