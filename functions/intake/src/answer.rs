//! What intake answers: small JSON with a stable code and the request's identifier.

use std::collections::BTreeMap;

use ordersync::webhook::Rejection;
use serde::Serialize;
use serde_json::{Value, json};

/// Seconds after which a shop may try again when the queue did not take its webhook.
const RETRY_AFTER_SECONDS: u32 = 5;
/// Longest challenge that is sent back, in characters. Adobe's are UUIDs.
const LONGEST_CHALLENGE: usize = 100;
/// Largest body taken, in bytes. Lambda's own limit on an invocation is 6 MB as well.
pub(crate) const MAX_BODY_BYTES: usize = 6_000_000;

/// An answer to a webhook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Answer {
    /// 202: the order is durable.
    Accepted { order_id: String },
    /// 200: what the platform asked to have back.
    Challenge(Challenge),
    /// 200: nothing to do, and the reason.
    Acknowledged { status: &'static str },
    /// 400 or 401: not a webhook that we take.
    Rejected(Rejection),
    /// 404.
    UnknownShop,
    /// 405.
    MethodNotAllowed,
    /// 413.
    TooLarge,
    /// 415.
    NotJson,
    /// 503: try again; the code says what is not to be had.
    Unavailable { code: &'static str, message: &'static str },
}

/// An answer as API Gateway takes it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Response {
    pub(crate) status_code: u16,
    pub(crate) headers: BTreeMap<&'static str, String>,
    pub(crate) body: String,
    is_base64_encoded: bool,
}

/// A text that may be sent back to whoever asks: short, and nothing that means anything anywhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Challenge(String);

impl Challenge {
    /// The challenge, if it is one.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        ((1..=LONGEST_CHALLENGE).contains(&text.len()) && text.bytes().all(is_plain)).then(|| Self(text.to_owned()))
    }
}

impl Answer {
    /// The HTTP status.
    pub(crate) fn status(&self) -> u16 {
        match self {
            Self::Accepted { .. } => 202,
            Self::Challenge(_) | Self::Acknowledged { .. } => 200,
            Self::Rejected(rejection) if rejection.is_unauthenticated() => 401,
            Self::Rejected(_) => 400,
            Self::UnknownShop => 404,
            Self::MethodNotAllowed => 405,
            Self::TooLarge => 413,
            Self::NotJson => 415,
            Self::Unavailable { .. } => 503,
        }
    }

    fn error(&self) -> Option<(&'static str, String)> {
        match self {
            Self::Accepted { .. } | Self::Challenge(_) | Self::Acknowledged { .. } => None,
            Self::Rejected(rejection) => Some((rejection.code(), rejection.to_string())),
            Self::UnknownShop => Some(("shop_unknown", "no shop of this code is configured".into())),
            Self::MethodNotAllowed => Some(("method_not_allowed", "expected POST".into())),
            Self::TooLarge => Some(("body_too_large", format!("expected at most {MAX_BODY_BYTES} bytes"))),
            Self::NotJson => Some(("media_type_unsupported", "expected the Content-Type application/json".into())),
            Self::Unavailable { code, message } => Some((code, (*message).to_owned())),
        }
    }

    fn body(&self, request_id: &str) -> Value {
        match (self, self.error()) {
            (_, Some((code, message))) => json!({ "error": code, "message": message, "request_id": request_id }),
            (Self::Accepted { order_id }, None) => {
                json!({ "order": order_id, "status": "accepted", "request_id": request_id })
            }
            (Self::Challenge(Challenge(text)), None) => json!({ "challenge": text }),
            (Self::Acknowledged { status }, None) => json!({ "status": status, "request_id": request_id }),
            (_, None) => Value::Null,
        }
    }

    /// The stable code of an error; empty where there is none.
    pub(crate) fn code(&self) -> &'static str {
        self.error().map_or("", |(code, _)| code)
    }

    /// As API Gateway takes it.
    pub(crate) fn into_response(self, request_id: &str) -> Response {
        let mut headers = BTreeMap::from([
            ("content-type", "application/json".to_owned()),
            ("cache-control", "no-store".to_owned()),
            ("x-content-type-options", "nosniff".to_owned()),
        ]);
        match self {
            Self::Unavailable { .. } => drop(headers.insert("retry-after", RETRY_AFTER_SECONDS.to_string())),
            Self::MethodNotAllowed => drop(headers.insert("allow", "POST".to_owned())),
            _ => {}
        }
        let body = self.body(request_id).to_string();
        Response { status_code: self.status(), headers, body, is_base64_encoded: false }
    }
}
