//! Export now: tried at once by the processor, queued where that fails.

use std::collections::BTreeMap;
use std::time::Duration;

use aws_sdk_lambda::primitives::Blob;
use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;
use aws_types::SdkConfig;
use jiff::Timestamp;
use ordersync::aws;
use ordersync::ledger::{ExportKey, Row, Status};
use ordersync::queue::export_fields;
use serde_json::{Value, json};

use crate::mask::words;
use crate::{Action, Admin, AdminError, Done, ExportRow, Key};

/// The export's message is in the queue before it is tried, as a net under it: it comes then, and finds nothing to do
/// where the attempt succeeded.
const NET: Duration = Duration::from_mins(1);

/// The function that makes exports.
#[derive(Debug, Clone)]
pub struct Processor {
    lambda: aws_sdk_lambda::Client,
    /// Name or ARN of the function.
    function: String,
}

impl Processor {
    /// The function of this name or ARN; it is waited for no longer than `timeout`, which is to be longer than its own.
    pub fn new(config: &SdkConfig, function: impl Into<String>, timeout: Duration) -> Self {
        let timeouts = TimeoutConfig::builder().operation_attempt_timeout(timeout).operation_timeout(timeout).build();
        // The message in the queue is the second try.
        let config = aws_sdk_lambda::config::Builder::from(config)
            .timeout_config(timeouts)
            .retry_config(RetryConfig::disabled());
        Self { lambda: aws_sdk_lambda::Client::from_conf(config.build()), function: function.into() }
    }

    /// Has the processor work on an export, as it does for its message. What came of it stands in the ledger.
    async fn run(&self, key: &ExportKey) -> Result<(), String> {
        let invoke = self.lambda.invoke().function_name(&self.function);
        let invoke = invoke.payload(Blob::new(event(key).to_string()));
        let answer = invoke.send().await.map_err(|failure| aws::reason(&failure))?;
        match answer.function_error() {
            None => Ok(()),
            Some(kind) => Err(format!("the processor failed ({kind}), its log says why")),
        }
    }
}

/// What the processor gets for a message of an export's own.
fn event(key: &ExportKey) -> Value {
    let attributes: BTreeMap<String, Value> = export_fields(key)
        .into_iter()
        .map(|(name, value)| (name, json!({ "stringValue": value, "dataType": "String" })))
        .collect();
    json!({ "Records": [{
        "messageId": "export-now",
        "receiptHandle": "none",
        "body": json!({ "export": key.idempotency_key() }).to_string(),
        "eventSource": "aws:sqs",
        "attributes": { "ApproximateReceiveCount": "1" },
        "messageAttributes": attributes,
    }] })
}

impl Admin {
    /// Tries an export at once. Its row waits and is due, then its message is in the queue for a minute's time, then the
    /// processor is called: whatever falls in between, it is tried.
    pub(crate) async fn export_now(&self, row: &Row, now: Timestamp) -> Result<Done, AdminError> {
        let key = &row.key;
        self.set_back(row, now).await?;
        let Some(processor) = &self.processor else {
            let is_queued = self.queue(key, Duration::ZERO, now).await;
            return self.told(key, is_queued, Some("it cannot be tried from here, and is queued".into())).await;
        };
        let is_queued = self.queue(key, NET, now).await;
        let tried = processor.run(key).await;
        let Err(reason) = tried else { return self.told(key, is_queued, None).await };
        tracing::error!(export = key.idempotency_key(), reason, "not tried at once: {}", key.name());
        // Not only in a minute.
        let is_queued = self.queue(key, Duration::ZERO, now).await || is_queued;
        self.told(key, is_queued, Some(format!("it was not tried at once, and is queued: {reason}"))).await
    }

    async fn told(&self, key: &ExportKey, is_queued: bool, note: Option<String>) -> Result<Done, AdminError> {
        let row = self.ledger.export(key).await?;
        let status = row.as_ref().map(|row| row.status);
        let is_waiting = matches!(status, Some(Status::Pending | Status::Processing));
        let why = row.as_ref().and_then(why_waiting);
        let note = note.or(why).filter(|_| is_waiting);
        let export = row.as_ref().map(ExportRow::from);
        Ok(Done { key: Key::from(key), action: Action::ExportNow, export, is_queued: is_queued && is_waiting, note })
    }
}

/// Why an export that was tried waits still.
fn why_waiting(row: &Row) -> Option<String> {
    match row.waits_for {
        Some(why) => Some(format!("it waits: {}", why.name())),
        None => row.last_error.as_deref().filter(|_| row.attempts > 0).map(words),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_processor_gets_what_the_queue_would_carry() {
        let event = event(&ExportKey::new("acme", "9007", "erp"));
        let record = &event["Records"][0];
        let text = |name: &str| record["messageAttributes"][name]["stringValue"].as_str().unwrap().to_owned();
        assert_eq!([text("shop"), text("order_id"), text("pipeline")], ["acme", "9007", "erp"]);
        assert_eq!(record["body"], r#"{"export":"acme:9007:erp"}"#);
        assert_eq!(record["attributes"]["ApproximateReceiveCount"], "1");
    }
}
