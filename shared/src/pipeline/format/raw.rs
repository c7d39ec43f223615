//! `raw`: the webhook's body, byte for byte, and its own headers, so that a receiver can verify the shop's signature.

use super::{Document, Export, Failure, Format, Packing};
use crate::config::document::Table;

#[derive(Debug)]
struct RawFormat;

/// No settings.
pub(super) fn read(table: Table<'_>) -> Box<dyn Format> {
    table.finish();
    Box::new(RawFormat)
}

impl Format for RawFormat {
    fn render(&self, export: Export<'_>) -> Result<Document, Failure> {
        let named_by_connection = export.headers.get("connection").unwrap_or_default();
        let is_hop_by_hop =
            |name: &str| named_by_connection.split(',').any(|hop| hop.trim().eq_ignore_ascii_case(name));
        let own = export.headers.iter().filter(|(name, _)| !belongs_to_the_way(name) && !is_hop_by_hop(name));
        Ok(Document {
            body: export.raw.to_vec(),
            media_type: export.headers.get("content-type").unwrap_or("application/json").to_owned(),
            headers: own.map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
        })
    }

    /// What was read as an order is JSON.
    fn packing(&self) -> Result<Packing, String> {
        Ok(Packing::Lines)
    }
}

/// Headers of the way to us, not of the webhook; those that would let a receiver act as the sender; and those that
/// the next request has of its own.
fn belongs_to_the_way(name: &str) -> bool {
    const NAMES: [&str; 16] = [
        "accept-encoding",
        "authorization",
        "connection",
        "content-length",
        "content-type",
        "cookie",
        "expect",
        "forwarded",
        "host",
        "keep-alive",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "via",
        "x-amzn-trace-id",
    ];
    NAMES.contains(&name) || name.starts_with("proxy-") || name.starts_with("x-forwarded-")
}
