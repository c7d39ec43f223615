//! Webhooks as API Gateway hands them over, signed by the shop.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytes::Bytes;
use ring::hmac;
use serde_json::{Value, json};

use super::Size;
use super::orders::{self, OrderError};

const SAMPLE: &str = include_str!("../../../../events/intake-shopify.json");
/// Code of the shop, the last segment of the webhook's URL.
pub const SHOP: &str = "bench";
/// What Shopify signs with.
pub const SECRET: &str = "example-shopify-client-secret";

/// An event, and what its answer and its message must say.
#[derive(Debug, Clone)]
pub struct Event {
    /// The event as JSON.
    pub event: Bytes,
    /// The order's identifier.
    pub order_id: String,
    /// The raw webhook.
    pub body: String,
    /// API Gateway's identifier of the request.
    pub request_id: String,
}

/// The event with the order of a number.
///
/// # Errors
/// The sample is not as expected.
pub fn event(size: Size, number: u64) -> Result<Event, OrderError> {
    let body = orders::shopify(size, number)?;
    let mut event: Value = serde_json::from_str(SAMPLE)
        .map_err(|error| OrderError::Sample { sender: "API Gateway", reason: error.to_string() })?;
    let signature = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, SECRET.as_bytes()), body.as_bytes());
    let request_id = format!("HnT1kFictional{number:08}=");
    event["rawPath"] = json!(format!("/webhooks/{SHOP}"));
    event["pathParameters"]["shop"] = json!(SHOP);
    event["requestContext"]["http"]["path"] = json!(format!("/webhooks/{SHOP}"));
    event["requestContext"]["requestId"] = json!(request_id);
    event["headers"]["content-length"] = json!(body.len().to_string());
    event["headers"]["x-shopify-hmac-sha256"] = json!(BASE64.encode(signature.as_ref()));
    event["headers"]["x-shopify-event-id"] = json!(format!("0197f1c7-ab1e-7000-8000-{number:012x}"));
    event["body"] = json!(body);
    let order_id = (9_131_072_000_000_000_000 + number).to_string();
    Ok(Event { event: Bytes::from(event.to_string()), order_id, body, request_id })
}
