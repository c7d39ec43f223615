//! Messages that name an export and no webhook: its row in the ledger has the rest.

use std::collections::HashMap;
use std::time::Duration;

use aws_sdk_sqs::types::{MessageAttributeValue, SendMessageBatchRequestEntry};

use super::envelope::{BadEnvelope, Fields, SHOP};
use super::inbound::{SendError, attributes};
use crate::aws;
use crate::ledger::ExportKey;

/// Longest time that SQS holds a message back, `DelaySeconds`.
/// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-delay-queues.html>
pub const LONGEST_DELAY: Duration = Duration::from_mins(15);
/// Most messages of one batch request.
const BATCH: usize = 10;

const ORDER_ID: &str = "order_id";
const PIPELINE: &str = "pipeline";

/// The queue as those write to it who have an export tried again.
#[derive(Debug, Clone)]
pub struct Requeue {
    /// SQS.
    pub sqs: aws_sdk_sqs::Client,
    /// URL of the queue.
    pub queue_url: String,
}

impl Requeue {
    /// Queues an export, to be delivered after `delay`, which is at most [`LONGEST_DELAY`].
    pub async fn send(&self, key: &ExportKey, delay: Duration) -> Result<(), SendError> {
        let (body, attributes, delay) = (body(key), message_attributes(key), seconds(delay));
        let send = self.sqs.send_message().queue_url(&self.queue_url).message_body(body).delay_seconds(delay);
        let send = send.set_message_attributes(Some(attributes)).message_group_id(&key.shop);
        send.send().await.map(drop).map_err(|failure| SendError::Queue(aws::reason(&failure)))
    }

    /// Queues exports, ten with each request. What became of each, in their order.
    pub async fn send_all(&self, keys: &[ExportKey]) -> Vec<Result<(), SendError>> {
        let exports: Vec<_> = keys.iter().map(|key| (key, Duration::ZERO)).collect();
        self.send_all_after(&exports).await
    }

    /// The same, each to be delivered after a delay of its own, which is at most [`LONGEST_DELAY`].
    pub async fn send_all_after(&self, exports: &[(&ExportKey, Duration)]) -> Vec<Result<(), SendError>> {
        let mut outcomes = Vec::with_capacity(exports.len());
        for exports in exports.chunks(BATCH) {
            outcomes.extend(self.send_batch(exports).await);
        }
        outcomes
    }

    async fn send_batch(&self, exports: &[(&ExportKey, Duration)]) -> Vec<Result<(), SendError>> {
        let unsent = |reason: &str| Err(SendError::Queue(reason.to_owned()));
        let entries: Result<Vec<_>, _> =
            exports.iter().enumerate().map(|(index, (key, delay))| entry(index, key, *delay)).collect();
        let Ok(entries) = entries else { return exports.iter().map(|_| unsent("no such message")).collect() };
        let send = self.sqs.send_message_batch().queue_url(&self.queue_url).set_entries(Some(entries));
        match send.send().await {
            Err(failure) => exports.iter().map(|_| unsent(&aws::reason(&failure))).collect(),
            Ok(answer) => {
                let failed: HashMap<&str, &str> =
                    answer.failed().iter().map(|failed| (failed.id(), failed.code())).collect();
                let outcome = |index: usize| failed.get(index.to_string().as_str()).map_or(Ok(()), |code| unsent(code));
                (0..exports.len()).map(outcome).collect()
            }
        }
    }
}

fn entry(
    index: usize,
    key: &ExportKey,
    delay: Duration,
) -> Result<SendMessageBatchRequestEntry, aws_smithy_types::error::operation::BuildError> {
    SendMessageBatchRequestEntry::builder()
        .id(index.to_string())
        .message_body(body(key))
        .set_message_attributes(Some(message_attributes(key)))
        .message_group_id(&key.shop)
        .delay_seconds(seconds(delay))
        .build()
}

fn message_attributes(key: &ExportKey) -> HashMap<String, MessageAttributeValue> {
    attributes(export_fields(key))
}

/// For whoever looks at the queue; the attributes count.
fn body(key: &ExportKey) -> String {
    serde_json::json!({ "export": key.idempotency_key() }).to_string()
}

fn seconds(delay: Duration) -> i32 {
    i32::try_from(delay.min(LONGEST_DELAY).as_millis().div_ceil(1000)).unwrap_or(0)
}

/// An export as message attributes.
pub fn export_fields(key: &ExportKey) -> Fields {
    let fields = [(SHOP, &key.shop), (ORDER_ID, &key.order_id), (PIPELINE, &key.pipeline)];
    fields.into_iter().map(|(name, value)| (name.to_owned(), value.clone())).collect()
}

/// The export that a message names; nothing when it carries a webhook.
pub fn named_export(fields: &Fields) -> Result<Option<ExportKey>, BadEnvelope> {
    let Some(pipeline) = fields.get(PIPELINE) else { return Ok(None) };
    let required = |attribute, expected| fields.get(attribute).ok_or(BadEnvelope { attribute, expected });
    let shop = required(SHOP, "the code of a shop")?;
    let order_id = required(ORDER_ID, "the identifier of an order")?;
    Ok(Some(ExportKey::new(shop, order_id, pipeline)))
}

/// Whether a message that has these fields names an export, without a copy of them.
pub fn names_export(has: impl Fn(&str) -> bool) -> bool {
    [PIPELINE, SHOP, ORDER_ID].into_iter().all(has)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_export_survives_the_queue_and_a_webhook_names_none() {
        let key = ExportKey::new("acme-eu", "9007199254740993", "erp");
        assert_eq!(named_export(&export_fields(&key)), Ok(Some(key)));
        assert_eq!(named_export(&Fields::from([("shop".into(), "acme".into())])), Ok(None));
        let error = named_export(&Fields::from([("pipeline".into(), "erp".into())])).map_err(|e| e.to_string());
        assert_eq!(error, Err("message attribute \"shop\": expected the code of a shop".to_owned()));
    }

    #[test]
    fn a_delay_is_whole_seconds_within_the_queues_limit() {
        for (millis, expected) in [(0, 0), (1, 1), (1000, 1), (1001, 2), (901_000, 900)] {
            assert_eq!(seconds(Duration::from_millis(millis)), expected, "{millis}");
        }
    }
}
