//! What those who call back are answered: small JSON with a stable code and the request's identifier.

use aws_lambda_events::apigw::ApiGatewayV2httpResponse;
use aws_lambda_events::encodings::Body;
use ordersync::webhook::Rejection;
use serde_json::{Map, Value, json};

use crate::tally::Tally;

/// Seconds after which a request may come again where AWS was not to be had.
const RETRY_AFTER_SECONDS: u32 = 5;
/// Seconds after which an export has most likely been recorded that was still being tried.
const EARLY_AFTER_SECONDS: u32 = 30;
/// Largest body taken, in bytes.
pub(crate) const MAX_BODY_BYTES: usize = 1_000_000;

/// An answer to a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Answer {
    /// 200, 409 or 422: what became of the results.
    Taken(Tally),
    /// 400: no results can be read.
    Malformed(String),
    /// 401.
    Rejected(Rejection),
    /// 404.
    UnknownPipeline,
    /// 405.
    MethodNotAllowed,
    /// 413.
    TooLarge,
    /// 415: the name of the format that is expected.
    OtherMediaType(&'static str),
    /// 503: try again; the code says what is not to be had.
    Unavailable { code: &'static str, message: &'static str },
}

impl Answer {
    /// The HTTP status.
    pub(crate) fn status(&self) -> i64 {
        match self {
            Self::Taken(tally) if tally.is_whole() => 200,
            Self::Taken(tally) if tally.has_early() => 409,
            Self::Taken(_) => 422,
            Self::Rejected(rejection) if rejection.is_unauthenticated() => 401,
            Self::Malformed(_) | Self::Rejected(_) => 400,
            Self::UnknownPipeline => 404,
            Self::MethodNotAllowed => 405,
            Self::TooLarge => 413,
            Self::OtherMediaType(_) => 415,
            Self::Unavailable { .. } => 503,
        }
    }

    fn error(&self) -> Option<(&'static str, String)> {
        match self {
            Self::Taken(tally) if tally.is_whole() => None,
            Self::Taken(tally) if tally.has_early() => {
                Some(("too_early", "some exports are still being tried: send these results again later".into()))
            }
            Self::Taken(_) => Some(("results_failed", "some results did not count, the others did".into())),
            Self::Malformed(message) => Some(("body_malformed", message.clone())),
            Self::Rejected(rejection) => Some((rejection.code(), rejection.to_string())),
            Self::UnknownPipeline => {
                Some(("pipeline_unknown", "no pipeline of this code takes responses by HTTP".into()))
            }
            Self::MethodNotAllowed => Some(("method_not_allowed", "expected POST".into())),
            Self::TooLarge => Some(("body_too_large", format!("expected at most {MAX_BODY_BYTES} bytes"))),
            Self::OtherMediaType(format) => {
                Some(("media_type_unsupported", format!("expected the Content-Type application/{format}")))
            }
            Self::Unavailable { code, message } => Some((code, (*message).to_owned())),
        }
    }

    fn body(&self, request_id: &str) -> Map<String, Value> {
        let mut body = match self {
            Self::Taken(tally) => tally.members(),
            _ => Map::new(),
        };
        if let Some((code, message)) = self.error() {
            body.insert("error".into(), code.into());
            body.insert("message".into(), message.into());
        }
        body.insert("request_id".into(), json!(request_id));
        body
    }

    /// The stable code of an error; empty where there is none.
    pub(crate) fn code(&self) -> &'static str {
        self.error().map_or("", |(code, _)| code)
    }

    fn retry_after(&self) -> Option<u32> {
        match self.status() {
            409 => Some(EARLY_AFTER_SECONDS),
            503 => Some(RETRY_AFTER_SECONDS),
            _ => None,
        }
    }

    /// As API Gateway takes it.
    pub(crate) fn into_response(self, request_id: &str) -> ApiGatewayV2httpResponse {
        let mut response = ApiGatewayV2httpResponse::default();
        response.status_code = self.status();
        response.body = Some(Body::Text(Value::Object(self.body(request_id)).to_string()));
        let mut headers =
            vec![("content-type", "application/json".to_owned()), ("cache-control", "no-store".to_owned())];
        headers.extend(self.retry_after().map(|seconds| ("retry-after", seconds.to_string())));
        if self == Self::MethodNotAllowed {
            headers.push(("allow", "POST".to_owned()));
        }
        for (name, value) in headers {
            if let (Ok(name), Ok(value)) = (name.parse::<http::HeaderName>(), value.parse()) {
                response.headers.insert(name, value);
            }
        }
        response
    }
}
