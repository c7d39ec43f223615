//! The configuration: one TOML document and the templates beside it, validated as a whole before anything runs.

pub mod document;
pub mod value;

use std::collections::BTreeMap;

/// The templates that the document names, by file name.
#[derive(Debug, Clone, Default)]
pub struct Templates(BTreeMap<String, String>);

impl Templates {
    /// The text of the template called `name`.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }
}

impl FromIterator<(String, String)> for Templates {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(files: I) -> Self {
        Self(files.into_iter().collect())
    }
}
