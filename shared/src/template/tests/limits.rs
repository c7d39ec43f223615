//! The limits on templates: each is kept to, and none is smaller than it says.

use super::super::sample::order;
use super::super::*;
use crate::template::render::MAX_OUTPUT;

fn render(source: &str) -> Result<String, TemplateError> {
    Template::compile("t.j2", source, Escape::None).and_then(|template| template.render(&order(), "erp"))
}

#[test]
fn a_document_has_ten_mebibytes_at_most() {
    let all = |more: &str| {
        format!(
            "{{% set x = 'x' * 1024 %}}{{% for i in range({}) %}}{{{{ x }}}}{{% endfor %}}{more}",
            MAX_OUTPUT / 1024
        )
    };
    assert_eq!(render(&all("")).map(|text| text.len()), Ok(MAX_OUTPUT));
    let error = render(&all("x")).unwrap_err();
    assert!(error.message.starts_with("the document is longer than 10 MiB"), "{error}");
}

#[test]
fn what_would_go_on_for_ever_ends() {
    for source in [
        "{% for a in range(100000) %}{% for b in range(100000) %}{% endfor %}{% endfor %}",
        "{% macro m(n) %}{% for i in range(9) %}{{ m(n + 1) }}{% endfor %}{% endmacro %}{{ m(0) }}",
        "{% for a in range(100001) %}{% endfor %}",
        "{{ range(10000000000) | list | length }}",
        "{{ 9 ** 9 ** 9 ** 9 }}",
        "{{ order.number | pad_left(10001) }}",
        "{% for i in order.items recursive %}{{ loop(order.items) }}{% endfor %}",
    ] {
        assert!(render(source).is_err(), "{source}");
    }
}

#[test]
fn a_macro_that_calls_itself_ends() {
    let calls = |count: u32| {
        format!("{{% macro m(n) %}}{{% if n > 0 %}}{{{{ m(n - 1) }}}}{{% endif %}}{{% endmacro %}}{{{{ m({count}) }}}}")
    };
    assert!(render(&calls(10)).is_ok());
    assert!(render(&calls(100)).unwrap_err().message.contains("recursion limit"), "within a small stack");
}

#[test]
fn nothing_in_a_value_leaves_its_place() {
    let mut order = order();
    order.number = "../..\\\r\nX: y\u{0}/\u{202e}%2f?#".into();
    let text = |source: &str, escape| Template::compile("t", source, escape).unwrap().render(&order, "erp").unwrap();
    let key = text("a/{{ order.number }}/b", Escape::ObjectKey);
    assert_eq!(key.matches('/').count(), 2, "{key}");
    assert!(key.bytes().all(|byte| byte.is_ascii_graphic()), "{key}");
    let json = text("{\"n\": {{ order.number }}}", Escape::Json);
    assert_eq!(serde_json::from_str::<serde_json::Value>(&json).unwrap()["n"], order.number);
    let xml = text("<a b=\"{{ order.number }}\"/>", Escape::Xml);
    assert!(!xml.contains(['\r', '\u{0}']), "{xml}");
    for (segment, expected) in [("..", "a/%2E%2E"), (".", "a/%2E"), ("", "a/_"), ("/etc", "a/%2Fetc")] {
        order.number = segment.into();
        let key = Template::compile("t", "a/{{ order.number }}", Escape::ObjectKey).unwrap().render(&order, "erp");
        assert_eq!(key.as_deref(), Ok(expected));
    }
}
