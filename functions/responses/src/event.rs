//! Which of its two triggers ran the function. Pure.

use aws_lambda_events::apigw::ApiGatewayV2httpRequest;
use aws_lambda_events::s3::S3Event;
use serde_json::Value;

/// What the function is run by.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Event {
    /// Objects that came to be in the bucket.
    Objects(S3Event),
    /// A request to the endpoint.
    Request(Box<ApiGatewayV2httpRequest>),
}

/// An event of neither kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("event: expected an S3 notification or a request of an HTTP API (payload 2.0)")]
pub(crate) struct UnknownEvent;

impl Event {
    /// Told by what only one of the kinds has.
    pub(crate) fn of(event: Value) -> Result<Self, UnknownEvent> {
        if event.get("Records").is_some() {
            return serde_json::from_value(event).map(Self::Objects).map_err(|_| UnknownEvent);
        }
        if event.pointer("/requestContext/http").is_some() {
            return serde_json::from_value(event).map(Self::Request).map_err(|_| UnknownEvent);
        }
        Err(UnknownEvent)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(name: &str) -> Value {
        let path = format!("{}/../../events/{name}", env!("CARGO_MANIFEST_DIR"));
        serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
    }

    #[test]
    fn a_notification_names_its_object() {
        let Ok(Event::Objects(event)) = Event::of(sample("responses-s3.json")) else { panic!("no notification") };
        let object = &event.records[0].s3;
        assert!(object.bucket.name.is_some());
        assert_eq!(object.object.key.as_deref(), Some("responses/erp/10042.json"));
    }

    #[test]
    fn a_request_names_its_pipeline() {
        let Ok(Event::Request(request)) = Event::of(sample("responses-http.json")) else { panic!("no request") };
        assert_eq!(request.path_parameters.get("pipeline").map(String::as_str), Some("erp"));
        assert_eq!(request.request_context.http.method, "POST");
    }

    #[test]
    fn anything_else_is_refused() {
        for event in ["null", "{}", "[]", r#"{"Records":1}"#, r#"{"requestContext":{"http":1}}"#] {
            assert_eq!(Event::of(serde_json::from_str(event).unwrap()), Err(UnknownEvent), "{event}");
        }
    }
}
