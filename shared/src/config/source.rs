//! The configuration as text, for those who show it or change it; right or not.

use std::collections::BTreeMap;

use super::load::{fetch, is_plain_name, unreadable};
use super::parse::{file_names, parse};
use super::{Config, Files, Invalid, LoadError, Source};
use crate::aws::BucketError;

/// Name of the document in its directory or under its prefix.
pub const DOCUMENT: &str = "ordersync.toml";

/// A file as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text {
    /// What is in it.
    pub text: String,
    /// Its `ETag`, where it lies in a bucket.
    pub tag: Option<String>,
}

/// The document and the files that it names, as far as they are there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sources {
    /// The document.
    pub document: Text,
    /// The files by name.
    pub files: BTreeMap<String, Text>,
}

impl Sources {
    /// The configuration that it is, or every problem that it has.
    ///
    /// # Errors
    /// The problems.
    pub fn parse(&self, max_receive_count: u32) -> Result<Config, Invalid> {
        parse(DOCUMENT, &self.document.text, &self.texts(), max_receive_count)
    }

    /// The same with another text in the place of a file's.
    ///
    /// # Errors
    /// The problems.
    pub fn parse_with(&self, name: &str, text: &str, max_receive_count: u32) -> Result<Config, Invalid> {
        let mut files = self.files.clone();
        files.insert(name.to_owned(), Text { text: text.to_owned(), tag: None });
        Self { document: self.document.clone(), files }.parse(max_receive_count)
    }

    fn texts(&self) -> Files {
        self.files.iter().map(|(name, file)| (name.clone(), file.text.clone())).collect()
    }
}

impl Source {
    /// Reads all of it as text. Files that are not there are left out, as they are problems of the lines that name them.
    ///
    /// # Errors
    /// What cannot be read.
    pub async fn read(&self) -> Result<Sources, LoadError> {
        let document = self.file(DOCUMENT).await?;
        let document = document.ok_or_else(|| self.missing(DOCUMENT))?;
        let mut files = BTreeMap::new();
        for name in file_names::<Config>(&document.text).into_iter().filter(|name| is_plain_name(name)) {
            if let Some(file) = self.file(&name).await? {
                files.insert(name, file);
            }
        }
        Ok(Sources { document, files })
    }

    async fn file(&self, name: &str) -> Result<Option<Text>, LoadError> {
        match self {
            Self::Directory(directory) => {
                let path = directory.join(name);
                match std::fs::read_to_string(&path) {
                    Ok(text) => Ok(Some(Text { text, tag: None })),
                    Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
                    Err(error) => {
                        let (file, reason) = (path.display().to_string(), error.to_string());
                        Err(LoadError::Unreadable { file, reason })
                    }
                }
            }
            Self::Bucket { bucket, prefix } => {
                let mut tags = Vec::new();
                let text = fetch(bucket, format!("{prefix}{name}"), &mut tags).await?;
                Ok(text.map(|text| Text { text, tag: tags.pop().map(|(_, tag)| tag) }))
            }
        }
    }

    fn missing(&self, name: &str) -> LoadError {
        match self {
            Self::Directory(directory) => LoadError::Unreadable {
                file: directory.join(name).display().to_string(),
                reason: BucketError::Missing.to_string(),
            },
            Self::Bucket { bucket, prefix } => unreadable(bucket, &format!("{prefix}{name}"), &BucketError::Missing),
        }
    }

    /// Where it is, as people write it.
    pub fn place(&self) -> String {
        match self {
            Self::Directory(directory) => directory.display().to_string(),
            Self::Bucket { bucket, prefix } => format!("s3://{}/{prefix}", bucket.name()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = r#"
        [[pipelines]]
        code = "erp"
        format = { type = "template", template = "a.json.j2" }
        transport = { type = "s3", key = "{{ order.id }}" }

        [[shops]]
        code = "acme"
        platform = "shopify"
        secrets = ["s"]
    "#;

    fn sources(template: &str) -> Sources {
        let text = |text: &str| Text { text: text.to_owned(), tag: None };
        Sources { document: text(TEXT), files: BTreeMap::from([("a.json.j2".to_owned(), text(template))]) }
    }

    #[test]
    fn another_text_of_a_file_is_checked_with_the_whole() {
        let sources = sources("{{ order.nothing }}");
        let problem = sources.parse(10).unwrap_err().0.remove(0);
        assert!(problem.message.starts_with("a.json.j2:1: "), "{problem}");
        assert!(sources.parse_with("a.json.j2", "{{ order.id }}", 10).is_ok());
        assert!(sources.parse_with("b.json.j2", "{{ order.id }}", 10).is_err(), "another file is none of its business");
    }

    #[tokio::test]
    async fn a_directory_is_read_as_it_is_and_a_missing_document_is_named() {
        let source = Source::Directory("../examples/quickstart".into());
        let sources = source.read().await.unwrap();
        assert!(sources.document.text.contains("[[shops]]"));
        assert!(sources.parse(10).is_ok());
        let error = Source::Directory("/nowhere".into()).read().await.unwrap_err().to_string();
        assert_eq!(error, "/nowhere/ordersync.toml cannot be read: it is not there");
    }
}
