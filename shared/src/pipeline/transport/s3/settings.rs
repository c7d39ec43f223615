//! The settings of the S3 transport.

use std::sync::Arc;

use toml::de::DeValue;

use super::pack::settings as packs;
use super::pack::{PACK, Packed};
use super::{EXPORT, key};
use crate::config::document::{Node, Table};
use crate::config::value;
use crate::pipeline::transport::Transport;
use crate::pipeline::transport::egress::Egress;
use crate::template::{Escape, Template};

/// S3's limit on all metadata of an object, less what we add ourselves.
pub(super) const MOST_METADATA: usize = 1536;

/// The S3 transport.
#[derive(Debug)]
pub(in crate::pipeline::transport) struct S3 {
    /// The stack's own where there is none.
    pub(super) bucket: Option<String>,
    pub(super) key: Template,
    pub(super) stored: Stored,
}

/// How objects are stored.
#[derive(Debug)]
pub(super) struct Stored {
    /// Instead of the document's own media type.
    pub(super) content_type: Option<String>,
    pub(super) metadata: Vec<(String, String)>,
    pub(super) gzip: bool,
}

/// Reads the settings; the transport is only there when its key was as expected.
pub(in crate::pipeline::transport) fn read(table: Table<'_>, _: &Egress) -> Option<Box<dyn Transport>> {
    let bucket = table.read("bucket", bucket);
    let pack = table.get("pack");
    let read_key = if pack.is_some() { packs::key_template } else { key_template };
    let key = table.required("key").and_then(|node| read_key(&node, bucket.is_none()));
    let content_type = table.read("content_type", media_type);
    let metadata = table.get("metadata").map(|node| metadata(&node)).unwrap_or_default();
    let gzip = table.read("gzip", value::boolean).unwrap_or(false);
    let limits = pack.map(|node| packs::read(&node, &metadata));
    table.finish();
    let stored = Stored { content_type, metadata, gzip };
    Some(match limits {
        None => Box::new(S3 { bucket, key: key?, stored }),
        Some(limits) => Box::new(Packed { bucket, key: key?, stored: Arc::new(stored), limits: limits? }),
    })
}

fn bucket(value: &DeValue<'_>) -> Result<String, String> {
    let fits = |name: &String| {
        (3..=63).contains(&name.len())
            && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'-' | b'.'))
            && name.starts_with(|c: char| c.is_ascii_alphanumeric())
            && name.ends_with(|c: char| c.is_ascii_alphanumeric())
    };
    let expected = "the name of a bucket: 3 to 63 lower-case letters, digits, - and .";
    value::string(value).ok().filter(fits).ok_or_else(|| expected.into())
}

fn key_template(node: &Node<'_>, is_own_bucket: bool) -> Option<Template> {
    let source = node.parse(value::text)?;
    key::check_template(&source, is_own_bucket).map_err(|problem| node.problem(problem)).ok()?;
    Template::compile("key", &source, Escape::ObjectKey).map_err(|error| node.problem(error.to_string())).ok()
}

fn media_type(value: &DeValue<'_>) -> Result<String, String> {
    let fits = |text: &String| text.contains('/') && text.bytes().all(is_printable);
    value::string(value).ok().filter(fits).ok_or_else(|| "a media type such as \"application/json\"".into())
}

/// Values are fixed: what differs from order to order belongs into the key or the document.
fn metadata(node: &Node<'_>) -> Vec<(String, String)> {
    let entries = node.table().map(|table| table.entries()).unwrap_or_default();
    let metadata: Vec<_> = entries.iter().filter_map(|(name, node)| entry(name, node)).collect();
    if metadata.iter().map(|(name, value)| name.len() + value.len()).sum::<usize>() > MOST_METADATA {
        node.problem(format!("expected at most {MOST_METADATA} bytes of names and values together"));
    }
    metadata
}

fn entry(name: &str, node: &Node<'_>) -> Option<(String, String)> {
    let is_name = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'-' | b'_');
    let is_ours = matches!(name, EXPORT | PACK);
    if name.is_empty() || is_ours || !name.bytes().all(is_name) {
        node.problem(format!("expected a name of lower-case letters, digits, - and _, and not {EXPORT:?} or {PACK:?}"));
        return None;
    }
    let fits = |text: &String| text.bytes().all(is_printable) && text.trim() == text;
    let expected = "a string of printable ASCII characters";
    let value = node.parse(|value| value::text(value).ok().filter(fits).ok_or_else(|| expected.into()))?;
    Some((name.to_owned(), value))
}

fn is_printable(byte: u8) -> bool {
    matches!(byte, b' '..=b'~')
}
