//! The configuration as it is loaded: every value, where it is from, and what is wrong with it.

mod settings;

use ordersync::config::document::Problem;
use ordersync::config::{DOCUMENT, LoadError, Sources};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Admin, AdminError};

/// The configuration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ConfigurationView {
    /// Where it is: a directory, or `s3://bucket/prefix/`.
    pub place: String,
    /// Whether it can be changed from here: it is in S3.
    pub is_changeable: bool,
    /// Whether it is right. One that is not is used by nobody: functions go on with the one that they have.
    pub is_valid: bool,
    /// What is wrong with it.
    pub problems: Vec<ProblemView>,
    /// Every value, in the order of the document, those that it leaves out behind them.
    pub settings: Vec<Setting>,
    /// The files that it names, as far as they are there.
    pub files: Vec<String>,
}

/// A value of the configuration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Setting {
    /// Its path, such as `pipelines[0].transport.url`.
    pub path: String,
    /// The value as the document writes it, or would.
    pub value: String,
    /// Where it is from.
    pub from: Origin,
}

/// Where a value is from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// A line of the document.
    Line {
        /// The file.
        file: String,
        /// The line, from 1.
        line: usize,
    },
    /// The document leaves it out.
    Default,
}

/// Something that is wrong in the configuration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ProblemView {
    /// The file.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// The path of the value; empty for the document as a whole.
    pub path: String,
    /// What was expected there, and what was found.
    pub message: String,
}

impl From<Problem> for ProblemView {
    fn from(problem: Problem) -> Self {
        Self { file: problem.file, line: problem.line, path: problem.path, message: problem.message }
    }
}

impl From<LoadError> for AdminError {
    fn from(error: LoadError) -> Self {
        match error {
            LoadError::Unreadable { .. } => Self::unavailable(error.to_string()),
            LoadError::Invalid(_) | LoadError::BadUri(_) => Self::invalid(error.to_string()),
        }
    }
}

impl Admin {
    /// The configuration as it is now.
    ///
    /// # Errors
    /// It is not at hand here, or cannot be read. One that can be read and is not right is shown with its problems.
    pub async fn configuration(&self) -> Result<ConfigurationView, AdminError> {
        let sources = self.sources().await?;
        let source = self.source()?;
        Ok(view(
            &sources,
            source.place(),
            matches!(source, ordersync::config::Source::Bucket { .. }),
            self.max_receive_count,
        ))
    }

    pub(crate) fn source(&self) -> Result<&ordersync::config::Source, AdminError> {
        let none = || AdminError::refused("the configuration is not at hand here");
        self.source.as_ref().ok_or_else(none)
    }

    pub(crate) async fn sources(&self) -> Result<Sources, AdminError> {
        Ok(self.source()?.read().await?)
    }
}

fn view(sources: &Sources, place: String, is_changeable: bool, max_receive_count: u32) -> ConfigurationView {
    let mut settings = settings::of_document(&sources.document.text);
    let (is_valid, problems) = match sources.parse(max_receive_count) {
        Ok(config) => {
            settings.extend(settings::left_out(&config, &settings));
            (true, Vec::new())
        }
        Err(invalid) => (false, invalid.0.into_iter().map(ProblemView::from).collect()),
    };
    let files = sources.files.keys().cloned().collect();
    ConfigurationView { place, is_changeable, is_valid, problems, settings, files }
}

/// A line of the document.
fn line(line: usize) -> Origin {
    Origin::Line { file: DOCUMENT.to_owned(), line }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use ordersync::config::Text;

    use super::*;

    fn shown(text: &str) -> ConfigurationView {
        let document = Text { text: text.to_owned(), tag: None };
        view(&Sources { document, files: BTreeMap::new() }, "config".into(), false, 10)
    }

    fn value<'v>(view: &'v ConfigurationView, path: &str) -> Option<(&'v str, &'v Origin)> {
        let setting = view.settings.iter().find(|setting| setting.path == path)?;
        Some((setting.value.as_str(), &setting.from))
    }

    #[test]
    fn every_value_says_where_it_is_from() {
        let view = shown(
            "[[pipelines]]\ncode = \"erp\"\nshops = []\nformat = { type = \"json\" }\n\
             transport = { type = \"s3\", key = \"{{ order.id }}\" }\nretries = { base = \"5s\" }\n\n[ledger]\nfind_by = [\"number\"]\n\
             [[shops]]\ncode = \"acme\"\nplatform = \"shopify\"\nsecrets = [\"s\"]\n",
        );
        assert!(view.is_valid, "{:?}", view.problems);
        for (path, expected) in [
            ("pipelines[0].code", ("\"erp\"", line(2))),
            ("pipelines[0].transport.key", ("\"{{ order.id }}\"", line(5))),
            ("pipelines[0].retries.base", ("\"5s\"", line(6))),
            ("pipelines[0].retries.max_attempts", ("10", Origin::Default)),
            ("pipelines[0].retries.cap", ("\"1h\"", Origin::Default)),
            ("pipelines[0].keep_payload", ("\"always\"", Origin::Default)),
            ("ledger.find_by", ("[\"number\"]", line(9))),
            ("reset_errors.max_resets", ("3", Origin::Default)),
        ] {
            assert_eq!(value(&view, path), Some((expected.0, &expected.1)), "{path}");
        }
        assert_eq!(view.settings.iter().filter(|setting| setting.path == "pipelines[0].retries.base").count(), 1);
    }

    #[test]
    fn what_is_wrong_is_said_with_its_line_and_the_rest_is_shown() {
        let view = shown("[[pipelines]]\ncode = \"ERP\"\n");
        assert!(
            !view.is_valid
                && view.problems.iter().any(|problem| problem.line == 2 && problem.path == "pipelines[0].code")
        );
        assert_eq!(value(&view, "pipelines[0].code").unwrap().0, "\"ERP\"");
        assert!(!shown("not toml [").is_valid);
    }
}
