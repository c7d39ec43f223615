//! What intake reads of a request as API Gateway and function URLs send it (payload format 2.0).
//!
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html>

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use ordersync::config::value::is_code;
use ordersync::webhook::{Headers, Rejection};
use serde::Deserialize;

use super::answer::{Answer, MAX_BODY_BYTES};

/// A request. Members that are missing and those that are null are the same.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Request {
    pub(crate) headers: Option<BTreeMap<String, String>>,
    pub(crate) body: Option<String>,
    pub(crate) is_base64_encoded: Option<bool>,
    raw_path: Option<String>,
    path_parameters: Option<BTreeMap<String, String>>,
    query_string_parameters: Option<BTreeMap<String, String>>,
    #[serde(rename = "requestContext")]
    context: Context,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Context {
    request_id: Option<String>,
    http: Http,
}

#[derive(Debug, Clone, Deserialize)]
struct Http {
    method: String,
}

impl Request {
    /// By which the request is found in the logs of API Gateway.
    pub(crate) fn id(&self) -> String {
        self.context.request_id.clone().unwrap_or_default()
    }

    pub(crate) fn method(&self) -> &str {
        &self.context.http.method
    }

    /// The shop's code: the path parameter, or the path's last segment where an event has none. Empty for whatever else
    /// stands there, which no shop is called and no line of the log repeats.
    pub(crate) fn shop_code(&self) -> &str {
        let parameter = self.path_parameters.as_ref().and_then(|parameters| parameters.get("shop"));
        let segment = || self.raw_path.as_deref().and_then(|path| path.rsplit('/').next());
        parameter.map(String::as_str).or_else(segment).filter(|code| is_code(code)).unwrap_or_default()
    }

    /// A parameter of the query.
    pub(crate) fn query(&self, name: &str) -> Option<&str> {
        self.query_string_parameters.as_ref()?.get(name).map(String::as_str)
    }

    /// The headers, without those that HTTP has no text for.
    pub(crate) fn take_headers(&mut self) -> Headers {
        let is_text = |value: &str| value.bytes().all(|byte| matches!(byte, b'\t' | b' '..=b'~'));
        self.headers.take().unwrap_or_default().into_iter().filter(|(_, value)| is_text(value)).collect()
    }

    /// The raw bytes. API Gateway encodes what it does not take for text.
    pub(crate) fn take_body(&mut self) -> Result<Vec<u8>, Answer> {
        let text = self.body.take().unwrap_or_default();
        let body = if self.is_base64_encoded.unwrap_or_default() {
            BASE64.decode(text).map_err(|_| Answer::Rejected(Rejection::Malformed("the body is not base64".into())))?
        } else {
            text.into_bytes()
        };
        if body.len() > MAX_BODY_BYTES { Err(Answer::TooLarge) } else { Ok(body) }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn request(event: serde_json::Value) -> Request {
        serde_json::from_value(event).unwrap()
    }

    #[test]
    fn a_request_may_lack_nearly_everything() {
        let context = json!({ "http": { "method": "GET" }, "requestId": null });
        for event in [
            json!({ "requestContext": context, "rawPath": "/webhooks/acme" }),
            json!({ "requestContext": context, "rawPath": "/webhooks/acme", "pathParameters": null, "headers": null,
                "queryStringParameters": null, "body": null, "isBase64Encoded": null, "cookies": ["a=b"] }),
        ] {
            let mut request = request(event);
            assert_eq!((request.method(), request.shop_code(), request.id()), ("GET", "acme", String::new()));
            assert_eq!(request.query("topic"), None);
            assert_eq!(request.take_headers(), Headers::default());
            assert_eq!(request.take_body(), Ok(Vec::new()));
        }
    }

    #[test]
    fn what_can_be_no_code_is_none() {
        let (longest, too_long) = ("a".repeat(64), "a".repeat(65));
        for (shop, expected) in [
            ("acme-eu", "acme-eu"),
            (&longest, &longest),
            (&too_long, ""),
            ("", ""),
            ("Acme", ""),
            ("acme\nERROR", ""),
            ("\u{1b}[31macme", ""),
            ("acme%0a", ""),
            ("../acme", ""),
            ("<script>", ""),
        ] {
            let context = json!({ "http": { "method": "POST" } });
            let request = request(json!({ "requestContext": context, "pathParameters": { "shop": shop } }));
            assert_eq!(request.shop_code(), expected, "{shop:?}");
        }
    }

    #[test]
    fn headers_are_found_whatever_their_case_if_they_are_text() {
        let headers = json!({ "Content-Type": "text/xml", "x-a": "ü", "x-b": "a\nb", "x-c": "a\tb" });
        let mut request = request(json!({ "requestContext": { "http": { "method": "POST" } }, "headers": headers }));
        let headers = request.take_headers();
        assert_eq!(headers.iter().collect::<Vec<_>>(), [("content-type", "text/xml"), ("x-c", "a\tb")]);
    }

    #[test]
    fn a_body_may_be_encoded_and_has_a_limit() {
        let body = |body: &str, is_base64: bool| {
            let context = json!({ "http": { "method": "POST" } });
            request(json!({ "requestContext": context, "body": body, "isBase64Encoded": is_base64 })).take_body()
        };
        assert_eq!(body("e30=", true), Ok(b"{}".to_vec()));
        assert_eq!(body("e30=", false), Ok(b"e30=".to_vec()));
        assert!(matches!(body("{}", true), Err(Answer::Rejected(_))));
        assert_eq!(body(&"x".repeat(MAX_BODY_BYTES), false).map(|body| body.len()), Ok(MAX_BODY_BYTES));
        assert_eq!(body(&"x".repeat(MAX_BODY_BYTES + 1), false), Err(Answer::TooLarge));
        let encoded = |bytes: usize| BASE64.encode(vec![b'x'; bytes]);
        assert_eq!(body(&encoded(MAX_BODY_BYTES), true).map(|body| body.len()), Ok(MAX_BODY_BYTES));
        assert_eq!(body(&encoded(MAX_BODY_BYTES + 1), true), Err(Answer::TooLarge));
    }
}
