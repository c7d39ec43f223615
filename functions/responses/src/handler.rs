//! From a later answer to the export that it is for.

use lambda_runtime::Error;
use ordersync::config::Live;
use ordersync::ledger::Ledger;
use ordersync::secrets::Secrets;
use serde_json::{Value, json};

use crate::event::Event;

/// The responses function: what it works with, built once.
#[derive(Debug)]
#[expect(dead_code, reason = "its steps come with the pipelines' receipts")]
pub(crate) struct Responses {
    pub(crate) config: Live,
    pub(crate) ledger: Ledger,
    pub(crate) secrets: Secrets,
    pub(crate) s3: aws_sdk_s3::Client,
}

impl Responses {
    /// Answers one event. The bucket is the one that a notification names.
    #[expect(clippy::unused_async, reason = "its steps come with the pipelines' receipts")]
    pub(crate) async fn handle(&self, event: Value) -> Result<Value, Error> {
        match Event::of(event) {
            Ok(Event::Objects(event)) => {
                tracing::warn!(objects = event.records.len(), "no pipeline takes later answers yet: files are left");
                Ok(Value::Null)
            }
            Ok(Event::Request(_)) => Ok(json!({
                "statusCode": 501,
                "headers": { "content-type": "application/json" },
                "body": r#"{"error":"not_implemented","message":"no pipeline takes later answers yet"}"#,
            })),
            Err(error) => {
                tracing::error!(error = %error, "{error}");
                Err(error.into())
            }
        }
    }
}
