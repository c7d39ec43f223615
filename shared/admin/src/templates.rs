//! Templates: what there is, and what one makes of an order.

mod change;

use std::collections::BTreeMap;

use ordersync::config::Config;
use ordersync::order::Order;
use ordersync::pipeline::{Export, idempotency_key};
use ordersync::webhook::Headers;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use toml::de::{DeTable, DeValue};

pub use change::{Saved, VersionView};

use crate::payload::read;
use crate::{Actor, Admin, AdminError, Key, Text};

/// A template.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TemplateView {
    /// Its name in the configuration.
    pub name: String,
    /// Codes of the pipelines that it is of.
    pub pipelines: Vec<String>,
    /// Whether it is there.
    pub exists: bool,
}

/// A template's text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TemplateText {
    /// Its name in the configuration.
    pub name: String,
    /// What it says.
    pub text: String,
    /// What tells this text from a later one, where it can be changed: whoever saves says which one it was made from.
    pub tag: Option<String>,
}

/// What a template is tried with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Sample {
    /// The order of an export, as it is kept.
    Export(Key),
    /// A webhook of a shop.
    Webhook {
        /// Code of the shop.
        shop: String,
        /// The webhook's body.
        body: String,
    },
}

/// What a template makes of a sample.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TemplateCheck {
    /// What is wrong: with the template, the sample, or what came out. None where it may be saved.
    pub problems: Vec<TemplateProblem>,
    /// What came out.
    pub document: Option<Text>,
    /// Its media type.
    pub media_type: Option<String>,
}

/// Something that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TemplateProblem {
    /// Line of the template, from 1, where it is in one.
    pub line: Option<usize>,
    /// What was expected.
    pub message: String,
}

impl TemplateProblem {
    /// From a message, which names the template and the line where it is about one.
    fn of(template: &str, message: &str) -> Self {
        let rest = message.strip_prefix(template).and_then(|rest| rest.strip_prefix(':'));
        let located = rest.and_then(|rest| rest.split_once(": "));
        match located.and_then(|(line, message)| Some((line.parse().ok()?, message))) {
            Some((line, message)) => Self { line: Some(line), message: message.to_owned() },
            None => Self { line: None, message: message.to_owned() },
        }
    }
}

impl Admin {
    /// Every template that the configuration names.
    ///
    /// # Errors
    /// The configuration is not at hand here, or cannot be read.
    pub async fn templates(&self) -> Result<Vec<TemplateView>, AdminError> {
        let sources = self.sources().await?;
        let view = |(name, pipelines): (String, Vec<String>)| TemplateView {
            exists: sources.files.contains_key(&name),
            name,
            pipelines,
        };
        Ok(named(&sources.document.text).into_iter().map(view).collect())
    }

    /// The text of a template as it is live.
    ///
    /// # Errors
    /// There is no such template; the configuration is not at hand here, or cannot be read.
    pub async fn template(&self, name: &str) -> Result<TemplateText, AdminError> {
        let mut sources = self.sources().await?;
        let is_template = named(&sources.document.text).contains_key(name);
        let file = sources.files.remove(name).filter(|_| is_template);
        let file = file.ok_or_else(|| AdminError::not_found(format!("the configuration has no template {name:?}")))?;
        Ok(TemplateText { name: name.to_owned(), text: file.text, tag: file.tag })
    }

    /// What a text in the place of a template makes of a sample, and everything that is wrong with it. Personal data is
    /// hidden in the document unless it is revealed to somebody, which is noted first.
    ///
    /// # Errors
    /// There is no such template or sample; the configuration is not at hand here, or cannot be read.
    pub async fn check_template(
        &self,
        name: &str,
        text: &str,
        sample: &Sample,
        reveal_to: Option<&Actor>,
    ) -> Result<TemplateCheck, AdminError> {
        let sources = self.sources().await?;
        let pipelines = named(&sources.document.text).remove(name);
        let pipelines =
            pipelines.ok_or_else(|| AdminError::not_found(format!("the configuration names no template {name:?}")))?;
        let config = match sources.parse_with(name, text, self.max_receive_count) {
            Ok(config) => config,
            Err(invalid) => {
                let problems = invalid.0.iter().map(|problem| TemplateProblem::of(name, &problem.message));
                return Ok(TemplateCheck { problems: problems.collect(), ..TemplateCheck::default() });
            }
        };
        let (shop, body, headers) = self.sample(sample).await?;
        if let (Sample::Export(key), Some(_)) = (sample, reveal_to) {
            self.revealed(reveal_to, "reveal-preview", key).await?;
        }
        let order = match read(&config, &shop, &body) {
            Ok(order) => order,
            Err(reason) => {
                let problems = vec![TemplateProblem { line: None, message: format!("the sample: {reason}") }];
                return Ok(TemplateCheck { problems, ..TemplateCheck::default() });
            }
        };
        Ok(rendered(&config, name, &pipelines, &order, &body, &headers, reveal_to.is_some()))
    }

    /// Shop, body and headers of a sample.
    async fn sample(&self, sample: &Sample) -> Result<(String, Vec<u8>, Headers), AdminError> {
        match sample {
            Sample::Webhook { shop, body } => Ok((shop.clone(), body.clone().into_bytes(), Headers::default())),
            Sample::Export(key) => {
                let raw = self.raw(&self.row(key).await?).await?;
                Ok((key.shop.clone(), raw.body, raw.envelope.headers))
            }
        }
    }
}

/// What every pipeline of the template makes of the order: the document of the first that can, and what is wrong with any.
fn rendered(
    config: &Config,
    name: &str,
    pipelines: &[String],
    order: &Order,
    raw: &[u8],
    headers: &Headers,
    reveal: bool,
) -> TemplateCheck {
    let mut check = TemplateCheck::default();
    for pipeline in config.pipelines.iter().filter(|pipeline| pipelines.contains(&pipeline.code)) {
        let idempotency_key = &idempotency_key(&order.shop, &order.id, &pipeline.code);
        match pipeline.format.render(Export { pipeline: &pipeline.code, order, raw, headers, idempotency_key }) {
            Ok(document) if check.document.is_none() => {
                check.document = Some(Text::of(&String::from_utf8_lossy(&document.body), reveal));
                check.media_type = Some(document.media_type);
            }
            Ok(_) => {}
            Err(failure) => check.problems.push(TemplateProblem::of(name, &failure.message)),
        }
    }
    check
}

/// The templates that a document names, each with the pipelines that it is of.
fn named(document: &str) -> BTreeMap<String, Vec<String>> {
    let (document, _) = DeTable::parse_recoverable(document);
    let pipelines = document.get_ref().get("pipelines").and_then(|node| node.get_ref().as_array());
    let mut named = BTreeMap::<String, Vec<String>>::new();
    for pipeline in pipelines.into_iter().flatten().map(toml::Spanned::get_ref) {
        let text = |node: &DeValue<'_>, key: &str| Some(node.get(key)?.get_ref().as_str()?.to_owned());
        let template = pipeline.get("format").and_then(|format| text(format.get_ref(), "template"));
        if let (Some(template), Some(code)) = (template, text(pipeline, "code")) {
            named.entry(template).or_default().push(code);
        }
    }
    named
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_is_at_its_line_where_it_names_one() {
        for (message, line, text) in [
            ("a.j2:3: unknown filter", Some(3), "unknown filter"),
            ("a.j2:3: order.x: expected a field", Some(3), "order.x: expected a field"),
            ("a.j2: the result is no JSON", None, "a.j2: the result is no JSON"),
            ("b.j2:3: unknown", None, "b.j2:3: unknown"),
        ] {
            let problem = TemplateProblem::of("a.j2", message);
            assert_eq!((problem.line, problem.message.as_str()), (line, text));
        }
    }

    #[test]
    fn templates_are_what_pipelines_name() {
        let text = "[[pipelines]]\ncode = \"erp\"\nformat = { type = \"template\", template = \"a.j2\" }\n\
            [[pipelines]]\ncode = \"wms\"\nformat = { template = \"a.j2\" }\n[[pipelines]]\ncode = \"x\"\nformat = { type = \"json\" }";
        assert_eq!(named(text), BTreeMap::from([("a.j2".to_owned(), vec!["erp".to_owned(), "wms".to_owned()])]));
        assert!(named("no toml [").is_empty());
    }
}
