//! Templates and expressions over the order (minijinja).

use crate::order::Order;

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
#[derive(Debug)]
pub struct Template {
    escape: Escape,
}

impl Template {
    /// Compiles `source`; `name` is what errors call it.
    pub fn compile(name: &str, source: &str, escape: Escape) -> Result<Self, TemplateError> {
        let _ = (name, source);
        Ok(Self { escape })
    }

    /// Renders it for an order and the pipeline's code.
    pub fn render(&self, order: &Order, pipeline: &str) -> Result<String, TemplateError> {
        let _ = (self.escape, order, pipeline);
        Ok(String::new())
    }
}

/// A compiled condition.
#[derive(Debug)]
pub struct Condition {}

impl Condition {
    /// Compiles `source`; `name` is what errors call it.
    pub fn compile(name: &str, source: &str) -> Result<Self, TemplateError> {
        let _ = (name, source);
        Ok(Self {})
    }

    /// Whether it holds for an order (`order` in the expression).
    pub fn holds_for(&self, order: &Order) -> Result<bool, TemplateError> {
        let _ = order;
        Ok(true)
    }

    /// Whether it holds over named JSON values, such as `response` and `status`.
    pub fn holds_over(&self, values: &serde_json::Value) -> Result<bool, TemplateError> {
        let _ = values;
        Ok(true)
    }
}
