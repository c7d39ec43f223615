//! Templates and expressions over the order (minijinja).

mod amounts;
mod check;
mod error;
mod escape;
mod filters;
mod model;
mod pack;
mod render;
#[cfg(test)]
pub(crate) mod sample;
#[cfg(test)]
mod tests;
mod tokens;
mod values;

use std::collections::HashSet;
use std::fmt;
use std::sync::LazyLock;

use minijinja::value::ValueKind;
use minijinja::{Environment, Value};

use crate::order::Order;

pub(crate) use check::Known;
pub(crate) use escape::{is_allowed_in_xml, xml};
pub use filters::guard_formula;
pub(crate) use pack::PackName;
pub(crate) use values::OrderValues;

/// Why a template or expression does not compile or render: where, and what was expected.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{name}:{line}: {message}")]
pub struct TemplateError {
    /// Name of the template.
    pub name: String,
    /// Line in it, from 1.
    pub line: usize,
    /// What is wrong; never the order's data.
    pub message: String,
}

/// How values are written into the text around them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Escape {
    /// As JSON literals, quotes included.
    Json,
    /// Escaped for XML and HTML.
    Xml,
    /// As they are.
    None,
    /// As one segment of an object key: nothing in a value can leave its prefix.
    ObjectKey,
}

/// A compiled template.
pub struct Template {
    /// Holds this one template; filters and settings are shared with every other environment.
    environment: Environment<'static>,
    name: String,
    escape: Escape,
    /// Whether it may read more of the order than single fields; object keys hardly do.
    reads_all: bool,
}

impl fmt::Debug for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Template").field("name", &self.name).field("escape", &self.escape).finish_non_exhaustive()
    }
}

impl Template {
    /// Compiles `source`; `name` is what errors call it.
    pub fn compile(name: &str, source: &str, escape: Escape) -> Result<Self, TemplateError> {
        Self::compile_knowing(name, source, escape, &["order", "pipeline"])
    }

    fn compile_knowing(name: &str, source: &str, escape: Escape, known: &[&str]) -> Result<Self, TemplateError> {
        let mut environment = render::environment(escape);
        let compiled = environment.add_template_owned(name.to_owned(), source.to_owned());
        compiled.map_err(|error| error::describe(name, source, &error))?;
        let mut template = Self { environment, name: name.to_owned(), escape, reads_all: true };
        let unknown = template.get()?.undeclared_variables(false);
        check::template(name, source, escape, Known::Names(known), unknown)?;
        // A statement could give the order another name, or its name to something else.
        template.reads_all = source.contains("{%") || reads_all(&template.get()?.undeclared_variables(true));
        Ok(template)
    }

    /// Renders it for an order and the pipeline's code.
    pub fn render(&self, order: &Order, pipeline: &str) -> Result<String, TemplateError> {
        OrderValues::spare(order, self.reads_all, |values| self.render_over(values.root(pipeline)))
    }

    fn render_over(&self, root: Value) -> Result<String, TemplateError> {
        let rendered = render::capped(&self.get()?, root)?;
        if self.escape == Escape::ObjectKey {
            escape::check_key(&rendered).map_err(|message| self.error(message))?;
        }
        Ok(rendered)
    }

    /// Compiles a template over no more than `order.id` and `order.number`: for a call about an order that is not there.
    pub(crate) fn compile_for_call(name: &str, source: &str, escape: Escape) -> Result<Self, TemplateError> {
        let template = Self::compile(name, source, escape)?;
        let mut names: Vec<String> = template.get()?.undeclared_variables(true).into_iter().collect();
        names.sort();
        match names.iter().find(|name| !["order.id", "order.number"].contains(&name.as_str())) {
            Some(name) => Err(template.error(format!("`{name}`: here there are order.id and order.number only"))),
            None => Ok(template),
        }
    }

    /// Renders a template that was compiled for a call.
    pub(crate) fn render_for_call(&self, id: &str, number: &str) -> Result<String, TemplateError> {
        self.render(&Order { id: id.to_owned(), number: number.to_owned(), ..model::blank() }, "")
    }

    fn get(&self) -> Result<minijinja::Template<'_, '_>, TemplateError> {
        self.environment.get_template(&self.name).map_err(|error| error::describe(&self.name, "", &error))
    }

    /// An error of the document as a whole.
    fn error(&self, message: impl Into<String>) -> TemplateError {
        TemplateError { name: self.name.clone(), line: 1, message: message.into() }
    }
}

/// Shared by all expressions, which borrow it.
static EXPRESSIONS: LazyLock<Environment<'static>> = LazyLock::new(|| render::environment(Escape::None));

/// A compiled expression, such as the value of a CSV column.
pub(crate) struct Expression {
    compiled: minijinja::Expression<'static, 'static>,
    name: String,
    source: String,
    /// The root names in it.
    names: HashSet<String>,
    /// Its names, where it is nothing but a field such as `order.number`: found without running the engine.
    field: Option<Vec<String>>,
    /// Whether it may read more of the order than single fields.
    reads_all: bool,
}

impl fmt::Debug for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Expression").field("name", &self.name).field("source", &self.source).finish_non_exhaustive()
    }
}

impl Expression {
    /// Compiles `source`, in which the names in `known` may be used; `name` is what errors call it.
    pub(crate) fn compile(name: &str, source: &str, known: Known<'_>) -> Result<Self, TemplateError> {
        let compiled = EXPRESSIONS
            .compile_expression_owned(source.to_owned())
            .map_err(|error| error::describe(name, source, &error))?;
        let names = compiled.undeclared_variables(false);
        check::expression(name, source, known, names.clone())?;
        let (field, reads_all) = (field_names(source), reads_all(&compiled.undeclared_variables(true)));
        Ok(Self { compiled, name: name.to_owned(), source: source.to_owned(), names, field, reads_all })
    }

    /// Whether its value depends on what stands under a root name.
    pub(crate) fn reads(&self, name: &str) -> bool {
        self.names.contains(name)
    }

    /// Its value, written as plain text.
    pub(crate) fn text(&self, root: &Value) -> Result<String, TemplateError> {
        let value = self.value(root)?;
        let amounts = amounts::Amounts::in_root(root);
        let text = escape::plain(&value, amounts.as_deref());
        text.map(std::borrow::Cow::into_owned).map_err(|error| error::describe(&self.name, &self.source, &error))
    }

    fn value(&self, root: &Value) -> Result<Value, TemplateError> {
        // What is not there is the engine's to complain about.
        let found = self
            .field
            .as_ref()
            .and_then(|names| names.iter().try_fold(root.clone(), |value, name| model::field(&value, name)));
        if let Some(value) = found {
            return Ok(value);
        }
        self.compiled.eval(root.clone()).map_err(|error| error::describe(&self.name, &self.source, &error))
    }

    fn holds(&self, root: &Value) -> Result<bool, TemplateError> {
        let value = self.value(root)?;
        let refuse = |message: String| TemplateError { name: self.name.clone(), line: 1, message };
        match value.kind() {
            ValueKind::Bool => Ok(value.is_true()),
            ValueKind::Undefined | ValueKind::None => {
                Err(refuse("expected true or false, found a value that is not there".into()))
            }
            kind => Err(refuse(format!("expected true or false, found a {kind}"))),
        }
    }
}

/// Whether one of these names, with what is read of them, may lead to the order's items or extra fields.
fn reads_all(names: &HashSet<String>) -> bool {
    names.iter().any(|name| {
        let mut steps = name.split('.');
        steps.next() == Some("order") && steps.next().is_none_or(|field| matches!(field, "items" | "extra"))
    })
}

/// The names of an expression that is a name and fields of it, and nothing else.
fn field_names(source: &str) -> Option<Vec<String>> {
    let is_name = |name: &&str| {
        name.starts_with(|first: char| first.is_ascii_alphabetic())
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    };
    let names: Vec<&str> = source.trim().split('.').collect();
    let is_field = names.len() > 1 && names.iter().all(is_name);
    is_field.then(|| names.into_iter().map(ToOwned::to_owned).collect())
}

/// A compiled condition.
#[derive(Debug)]
pub struct Condition(Expression);

impl Condition {
    /// Compiles `source`; `name` is what errors call it.
    pub fn compile(name: &str, source: &str) -> Result<Self, TemplateError> {
        Expression::compile(name, source, Known::Anything).map(Self)
    }

    /// Compiles a condition over the order alone: any other name in it is an error.
    pub fn over_order(name: &str, source: &str) -> Result<Self, TemplateError> {
        Expression::compile(name, source, Known::Names(&["order"])).map(Self)
    }

    /// Compiles a condition over these names alone.
    pub fn over(name: &str, source: &str, names: &[&str]) -> Result<Self, TemplateError> {
        Expression::compile(name, source, Known::Names(names)).map(Self)
    }

    /// The condition as it was written.
    pub fn source(&self) -> &str {
        &self.0.source
    }

    /// Whether it holds for an order (`order` in the expression).
    pub fn holds_for(&self, order: &Order) -> Result<bool, TemplateError> {
        OrderValues::spare(order, self.0.reads_all, |values| self.0.holds(&values.root("")))
    }

    /// Whether it holds over named JSON values, such as `response` and `status`.
    pub fn holds_over(&self, values: &serde_json::Value) -> Result<bool, TemplateError> {
        self.0.holds(&values::from_json(values))
    }
}
