//! The settings of packs.

use std::time::Duration;

use super::super::key;
use super::super::settings::MOST_METADATA;
use super::members::{ENTRY, PACK};
use crate::config::document::Node;
use crate::config::value;
use crate::template::Template;

/// When a pack is written, whatever may still come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::pipeline::transport::s3) struct Limits {
    /// Most orders in one.
    pub(super) orders: usize,
    /// The bytes from which on none joins it.
    pub(super) bytes: usize,
    /// How long it waits for one more order.
    pub(super) wait: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self { orders: MOST_ORDERS, bytes: 5_000_000, wait: Duration::from_millis(200) }
    }
}

/// Most orders in a pack: their entries have to fit into the metadata, beside the merchant's own.
const MOST_ORDERS: usize = 100;
/// Longest time that a pack waits for one more order: the function is paid for while it waits.
const LONGEST_WAIT: Duration = Duration::from_secs(5);
/// S3's limit on names and values of an object's metadata together.
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingMetadata.html>
const METADATA: usize = 2048;

/// Reads `pack = { … }`, every key of which has a default.
pub(in crate::pipeline::transport::s3) fn read(node: &Node<'_>, metadata: &[(String, String)]) -> Option<Limits> {
    let table = node.table()?;
    let defaults = Limits::default();
    let most = i64::try_from(MOST_ORDERS).unwrap_or(i64::MAX);
    let max_orders = table.read("max_orders", value::integer(1..=most)).and_then(|orders| usize::try_from(orders).ok());
    let max_bytes = table.read("max_bytes", value::integer(1000..=100_000_000));
    let max_wait = table.read("max_wait", value::duration(LONGEST_WAIT));
    table.finish();
    let limits = Limits {
        orders: max_orders.unwrap_or(defaults.orders),
        bytes: max_bytes.and_then(|bytes| usize::try_from(bytes).ok()).unwrap_or(defaults.bytes),
        wait: max_wait.unwrap_or(defaults.wait),
    };
    let most = (METADATA - PACK.len() - limits.orders * ENTRY).min(MOST_METADATA);
    if metadata.iter().map(|(name, value)| name.len() + value.len()).sum::<usize>() > most {
        let orders = limits.orders;
        node.problem(format!("with {orders} orders in an object there is room for {most} bytes of metadata of yours"));
    }
    Some(limits)
}

/// Reads the template of a pack's key.
pub(in crate::pipeline::transport::s3) fn key_template(node: &Node<'_>, is_own_bucket: bool) -> Option<Template> {
    let source = node.parse(value::text)?;
    key::check_pack_template(&source, is_own_bucket).map_err(|problem| node.problem(problem)).ok()?;
    Template::compile_for_pack("key", &source).map_err(|error| node.problem(error.to_string())).ok()
}
