//! What the queue is told about a batch. Pure.

use aws_lambda_events::sqs::{BatchItemFailure, SqsBatchResponse, SqsMessage};
use ordersync::pipeline::message::Message;

/// The message of a record. Attributes that are no strings are none of ours and left out.
pub(crate) fn message(record: &SqsMessage) -> Message {
    let text = |(name, attribute): (&String, &aws_lambda_events::sqs::SqsMessageAttribute)| {
        Some((name.clone(), attribute.string_value.clone()?))
    };
    Message {
        id: record.message_id.clone().unwrap_or_default(),
        fields: record.message_attributes.iter().filter_map(text).collect(),
        body: record.body.clone().unwrap_or_default(),
        receive_count: receive_count(record),
    }
}

/// How often the record has been delivered; 1 where the event does not say.
fn receive_count(record: &SqsMessage) -> u32 {
    let count = record.attributes.get("ApproximateReceiveCount").and_then(|count| count.parse().ok());
    count.unwrap_or(1)
}

/// The answer that has these records delivered again; well formed for an empty batch too.
pub(crate) fn response(failed: impl IntoIterator<Item = String>) -> SqsBatchResponse {
    let item = |identifier| {
        let mut failure = BatchItemFailure::default();
        failure.item_identifier = identifier;
        failure
    };
    let mut response = SqsBatchResponse::default();
    response.batch_item_failures = failed.into_iter().map(item).collect();
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_answer_names_failures_and_is_a_list_when_there_are_none() -> serde_json::Result<()> {
        assert_eq!(serde_json::to_string(&response([]))?, r#"{"batchItemFailures":[]}"#);
        let one = serde_json::to_string(&response(["a".to_owned()]))?;
        assert_eq!(one, r#"{"batchItemFailures":[{"itemIdentifier":"a"}]}"#);
        Ok(())
    }
}
