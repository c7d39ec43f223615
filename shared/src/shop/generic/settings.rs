//! The settings of the calls to any other shop: `url`, `auth`, `timeout`, `state` and `cancel`.

use std::sync::Arc;

use http::Method;
use url::Url;

use super::Generic;
use crate::config::document::{Node, Table};
use crate::config::value;
use crate::pipeline::transport::egress::Egress;
use crate::pipeline::transport::http::auth::Auth;
use crate::shop::remote::Remote;
use crate::shop::{OrderRef, ShopApi, ShopFailure};
use crate::template::{Condition, Escape, Template, TemplateError};

const METHODS: [(&str, &Method); 4] =
    [("POST", &Method::POST), ("PUT", &Method::PUT), ("PATCH", &Method::PATCH), ("DELETE", &Method::DELETE)];

/// An order to try templates on.
const SAMPLE: OrderRef<'_> = OrderRef { id: "1", number: "1" };

/// Where an order is, and where in the answer its state stands.
#[derive(Debug)]
pub(super) struct Lookup {
    pub(super) path: Path,
    /// JSON pointers.
    pub(super) order_state: String,
    pub(super) payment_state: String,
    pub(super) payment_method: String,
    pub(super) updated_at: String,
    /// Has to be said: where a mistyped pointer finds nothing, every order would seem unpaid.
    pub(super) paid: Condition,
    pub(super) canceled: Option<Condition>,
}

/// How an order is cancelled.
#[derive(Debug)]
pub(super) struct Cancel {
    pub(super) method: Method,
    pub(super) path: Path,
    body: Option<Template>,
    /// What an accepted cancellation looks like, beyond its status.
    pub(super) success: Option<Condition>,
    /// A JSON pointer to the reason of a refusal.
    pub(super) error: Option<String>,
}

/// Reads the settings.
pub(crate) fn read(table: &Table<'_>, egress: &Egress) -> Option<Arc<dyn ShopApi>> {
    let remote = Remote::read(table, egress, |_, secret| Auth::BearerOrBasic { secret });
    let state = table.required("state").and_then(|node| Lookup::read(&node.table()?));
    let cancel_node = table.get("cancel");
    let cancel = cancel_node.as_ref().and_then(|node| Cancel::read(&node.table()?));
    if cancel_node.is_some() && cancel.is_none() {
        return None;
    }
    Some(Arc::new(Generic { remote: remote?, state: state?, cancel }))
}

impl Lookup {
    fn read(table: &Table<'_>) -> Option<Self> {
        let pointer = |key, usual: &str| table.read(key, value::json_pointer).unwrap_or_else(|| usual.to_owned());
        let path = Path::read(table);
        let paid = table.required("paid").and_then(|node| condition(&node));
        let canceled = table.get("canceled").map(|node| condition(&node));
        let (order_state, updated_at) = (pointer("order_state", "/state"), pointer("updated_at", "/updated_at"));
        let payment_state = pointer("payment_state", "/payment/state");
        let payment_method = pointer("payment_method", "/payment/method");
        table.check();
        let canceled = if let Some(canceled) = canceled { Some(canceled?) } else { None };
        Some(Self { path: path?, order_state, payment_state, payment_method, updated_at, paid: paid?, canceled })
    }
}

impl Cancel {
    fn read(table: &Table<'_>) -> Option<Self> {
        let method = table.read("method", value::one_of(&METHODS)).unwrap_or(&Method::POST).clone();
        let path = Path::read(table);
        let body = table.get("body").map(|node| body(&node));
        let success = table.get("success").map(|node| condition(&node));
        let error = table.read("error", value::json_pointer);
        table.check();
        let body = if let Some(body) = body { Some(body?) } else { None };
        let success = if let Some(success) = success { Some(success?) } else { None };
        Some(Self { method, path: path?, body, success, error })
    }

    /// The body for an order.
    pub(super) fn body(&self, order: OrderRef<'_>) -> Result<Option<Vec<u8>>, ShopFailure> {
        let Some(template) = &self.body else { return Ok(None) };
        let rendered = template.render_for_call(order.id, order.number);
        rendered.map(|text| Some(text.into_bytes())).map_err(|error| ShopFailure::Refused(error.to_string()))
    }
}

fn condition(node: &Node<'_>) -> Option<Condition> {
    let source = node.parse(value::text)?;
    Condition::compile("condition", &source).map_err(|error| node.problem(error.message)).ok()
}

/// A template of JSON.
fn body(node: &Node<'_>) -> Option<Template> {
    let template = template("body", node, &node.parse(value::text)?, Escape::Json)?;
    let rendered = template.render_for_call(SAMPLE.id, SAMPLE.number);
    let is_json = |text: &String| serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok();
    if !rendered.as_ref().is_ok_and(is_json) {
        let why = rendered.err().map_or_else(|| "it does not make JSON".to_owned(), |error| error.message);
        node.problem(format!("{why}; values are written with their quotes: {{\"id\": {{{{ order.id }}}}}}"));
        return None;
    }
    Some(template)
}

fn template(name: &str, node: &Node<'_>, source: &str, escape: Escape) -> Option<Template> {
    let problem = |error: TemplateError| node.problem(error.message);
    Template::compile_for_call(name, source, escape).map_err(problem).ok()
}

/// A template of the path below the base URL.
#[derive(Debug)]
pub(super) struct Path(Template);

impl Path {
    fn read(table: &Table<'_>) -> Option<Self> {
        let node = table.required("path")?;
        let source = node.parse(|value| {
            let text = value::text(value).ok();
            let below = text.as_deref().and_then(|text| text.strip_prefix('/')).map(ToOwned::to_owned);
            below.ok_or_else(|| "a path below the url that begins with /, such as \"/orders/{{ order.id }}\"".into())
        })?;
        // Each value stays within its segment, whatever characters it has.
        let path = Self(template("path", &node, &source, Escape::ObjectKey)?);
        let base = Url::parse("https://shop.example.com/base").ok()?;
        path.below(&base, SAMPLE).map_err(|complaint| node.problem(complaint)).ok()?;
        Some(path)
    }

    /// The URL for an order.
    pub(super) fn url(&self, remote: &Remote, order: OrderRef<'_>) -> Result<Url, ShopFailure> {
        self.below(remote.base(), order).map_err(ShopFailure::Refused)
    }

    fn below(&self, base: &Url, order: OrderRef<'_>) -> Result<Url, String> {
        // A path keeps to the rules of an object key, whose own errors name that.
        let complaint = |error: TemplateError| error.message.replace("the object key", "the path");
        let rendered = self.0.render_for_call(order.id, order.number).map_err(complaint)?;
        let expected = || "the path leads elsewhere than below the url of the shop's api".to_owned();
        below(base, &rendered).ok_or_else(expected)
    }
}

/// The URL that a rendered path leads to; nothing unless it lies below the base, segment by segment. The parser of URLs
/// resolves dots however they are written, reads `\` as `/`, and leaves out line breaks.
fn below(base: &Url, rendered: &str) -> Option<Url> {
    let path = rendered.split('?').next().unwrap_or_default();
    if path.split('/').any(is_dots) || rendered.contains(['\\', '#', '\t', '\n', '\r']) {
        return None;
    }
    let mut whole = base.clone();
    whole.set_path("");
    let base_path = base.path().trim_end_matches('/');
    let url = Url::parse(&format!("{}{base_path}/{rendered}", whole.as_str().trim_end_matches('/'))).ok()?;
    let rest = url.path().strip_prefix(base_path)?;
    (url.origin() == base.origin() && rest.starts_with('/')).then_some(url)
}

fn is_dots(segment: &str) -> bool {
    matches!(segment.to_ascii_lowercase().replace("%2e", ".").as_str(), "." | "..")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn path(template: &str) -> Path {
        Path(Template::compile_for_call("path", template, Escape::ObjectKey).unwrap())
    }

    fn url(base: &str, template: &str, id: &'static str) -> Option<String> {
        let order = OrderRef { id, number: "#10/01" };
        path(template).below(&base.parse().unwrap(), order).ok().map(|url| url.to_string())
    }

    #[test]
    fn values_stay_within_their_segment() {
        for (template, id, expected) in [
            ("orders/{{ order.id }}", "5501", "https://shop.example.com/api/orders/5501"),
            ("orders/{{ order.id }}/cancel", "a/../b", "https://shop.example.com/api/orders/a%2F..%2Fb/cancel"),
            ("orders/{{ order.id }}", "x?y#z", "https://shop.example.com/api/orders/x%3Fy%23z"),
            ("orders/{{ order.id }}", "%2e%2e", "https://shop.example.com/api/orders/%252e%252e"),
            ("orders?number={{ order.number }}", "1", "https://shop.example.com/api/orders?number=%2310%2F01"),
            ("orders/{{ order.id }}", "é", "https://shop.example.com/api/orders/%C3%A9"),
        ] {
            for base in ["https://shop.example.com/api", "https://shop.example.com/api/"] {
                assert_eq!(url(base, template, id).as_deref(), Some(expected), "{template} {id}");
            }
        }
        let plain = url("https://shop.example.com", "orders/{{ order.id }}", "5");
        assert_eq!(plain.as_deref(), Some("https://shop.example.com/orders/5"));
    }

    #[test]
    fn nothing_leads_elsewhere() {
        for (template, id) in [
            ("orders/{{ order.id }}/cancel", ".."),
            ("orders/{{ order.id }}", "."),
            ("../{{ order.id }}", "5"),
            ("%2e%2E/{{ order.id }}", "5"),
            ("..\\..\\{{ order.id }}", "5"),
            ("/evil.example.com/{{ order.id }}", "5"),
            ("orders/{{ order.id }}#fragment", "5"),
            ("", "5"),
        ] {
            assert_eq!(url("https://shop.example.com/api", template, id), None, "{template} {id}");
        }
    }

    proptest! {
        #[test]
        fn no_identifier_leaves_its_place(id: String) {
            let base: Url = "https://shop.example.com/api".parse().unwrap();
            let found = path("orders/{{ order.id }}/cancel").below(&base, OrderRef { id: &id, number: "1" });
            if let Ok(url) = found {
                let segments: Vec<&str> = url.path().split('/').collect();
                prop_assert_eq!((segments[..3].to_vec(), segments[4..].to_vec()), (vec!["", "api", "orders"], vec!["cancel"]));
                prop_assert_eq!(url.query(), None);
            }
        }
    }
}
