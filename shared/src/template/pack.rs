//! Templates of the keys of objects that hold many orders.

use jiff::Timestamp;
use minijinja::Value;

use super::values::{Fields, OrderValues};
use super::{Escape, Template, TemplateError, model};
use crate::order::Order;

/// What a key's template calls `pack`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PackName {
    /// `pack.id`, which no other pack has.
    pub(crate) id: String,
    /// `pack.time`: when it was begun; `pack.date` is the day of that in UTC.
    pub(crate) time: Timestamp,
}

/// What stands behind `pack.`.
const NAMES: [&str; 3] = ["pack.date", "pack.id", "pack.time"];

impl PackName {
    fn value(&self) -> Value {
        Fields::value([
            ("id", Value::from(self.id.as_str())),
            ("time", Value::from(self.time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string())),
            ("date", Value::from(self.time.strftime("%Y-%m-%d").to_string())),
        ])
    }
}

impl Template {
    /// Compiles the template of a key over `pack` as well, with `pack.id` in it: two packs must not have one key.
    pub(crate) fn compile_for_pack(name: &str, source: &str) -> Result<Self, TemplateError> {
        let template = Self::compile_knowing(name, source, Escape::ObjectKey, &["order", "pipeline", "pack"])?;
        let mut used: Vec<String> = template.get()?.undeclared_variables(true).into_iter().collect();
        used.retain(|name| name == "pack" || name.starts_with("pack."));
        used.sort();
        match used.iter().find(|name| !NAMES.contains(&name.as_str())) {
            Some(name) => Err(template.error(format!("`{name}`: there are {}", NAMES.join(", ")))),
            None if used.iter().any(|name| name == "pack.id") => Ok(template),
            None => Err(template.error("expected `pack.id` in it: packs with one key would replace each other")),
        }
    }

    /// Renders a key for a pack that an order goes into.
    pub(crate) fn render_for_pack(
        &self,
        order: &Order,
        pipeline: &str,
        pack: &PackName,
    ) -> Result<String, TemplateError> {
        let root = |values: &OrderValues| values.root_with(pipeline, [("pack", pack.value())]);
        OrderValues::spare(order, self.reads_all, |values| self.render_over(root(values)))
    }

    /// Renders a key that says nothing of an order, see [`Template::says_of_order`].
    pub(crate) fn render_for_any_order(&self, pipeline: &str, pack: &PackName) -> Result<String, TemplateError> {
        self.render_for_pack(&model::blank(), pipeline, pack)
    }

    /// Whether the result depends on the order.
    pub(crate) fn says_of_order(&self) -> bool {
        self.get().is_ok_and(|template| template.undeclared_variables(false).contains("order"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::template::sample::order;

    fn name() -> PackName {
        PackName { id: "20260301T120000Z-00ff-1".into(), time: "2026-03-01T12:00:00.5Z".parse().unwrap() }
    }

    #[test]
    fn a_key_names_its_pack_and_what_its_orders_share() {
        for (source, says_of_order, expected) in [
            ("packs/{{ pack.date }}/{{ pack.id }}.jsonl", false, "packs/2026-03-01/20260301T120000Z-00ff-1.jsonl"),
            (
                "packs/{{ order.shop }}/{{ pack.time | date('%Y/%m/%d/%H') }}/{{ pack.id }}",
                true,
                "packs/acme-eu/2026/03/01/12/20260301T120000Z-00ff-1",
            ),
            ("packs/{{ pipeline }}-{{ pack.id }}", false, "packs/erp-20260301T120000Z-00ff-1"),
        ] {
            let template = Template::compile_for_pack("key", source).unwrap();
            assert_eq!(template.says_of_order(), says_of_order, "{source}");
            assert_eq!(template.render_for_pack(&order(), "erp", &name()).unwrap(), expected);
            let any = template.render_for_any_order("erp", &name()).unwrap();
            assert_eq!(any == expected, !says_of_order, "{source}");
        }
    }

    #[test]
    fn a_key_that_packs_would_share_is_refused() {
        for (source, expected) in [
            (
                "packs/{{ pack.date }}.jsonl",
                "key:1: expected `pack.id` in it: packs with one key would replace each other",
            ),
            ("packs/{{ pack.number }}/{{ pack.id }}", "key:1: `pack.number`: there are pack.date, pack.id, pack.time"),
            ("packs/{{ pack }}", "key:1: `pack`: there are pack.date, pack.id, pack.time"),
            ("packs/{{ order.numbr }}/{{ pack.id }}", "`order.numbr` does not exist"),
            ("packs/{{ batch.id }}/{{ pack.id }}", "`batch`"),
        ] {
            let error = Template::compile_for_pack("key", source).unwrap_err().to_string();
            assert!(error.contains(expected), "{source}: {error}");
        }
        let error = Template::compile("key", "{{ pack.id }}", Escape::ObjectKey).unwrap_err().to_string();
        assert!(error.contains("`pack`"), "only where orders are packed: {error}");
    }
}
