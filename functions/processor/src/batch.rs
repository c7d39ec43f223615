//! What the queue is told about a batch. Pure.

use aws_lambda_events::sqs::{BatchItemFailure, SqsBatchResponse, SqsMessage, SqsMessageAttribute};
use ordersync::pipeline::message::Message;
use ordersync::queue::names_export;

/// The message of a record. Attributes that are no strings are none of ours and left out.
pub(crate) fn message(record: &SqsMessage) -> Message {
    let text =
        |(name, attribute): (&String, &SqsMessageAttribute)| Some((name.clone(), attribute.string_value.clone()?));
    Message {
        id: record.message_id.clone().unwrap_or_default(),
        fields: record.message_attributes.iter().filter_map(text).collect(),
        body: record.body.clone().unwrap_or_default(),
        receive_count: receive_count(record),
    }
}

/// Whether a record is about an export that was set back, by somebody perhaps who has mended what it failed by.
pub(crate) fn is_again(record: &SqsMessage) -> bool {
    let has = |name: &str| record.message_attributes.get(name).is_some_and(|field| field.string_value.is_some());
    names_export(has)
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
    fn an_export_that_was_set_back_is_told_from_a_webhook() {
        let with = |names: &[&str]| {
            let mut record = SqsMessage::default();
            for name in names {
                let mut attribute = SqsMessageAttribute::default();
                attribute.string_value = Some("x".to_owned());
                record.message_attributes.insert((*name).to_owned(), attribute);
            }
            is_again(&record)
        };
        assert!(with(&["shop", "order_id", "pipeline"]));
        assert!(!with(&["shop", "received_at"]) && !with(&["pipeline"]) && !with(&[]));
    }

    #[test]
    fn the_answer_names_failures_and_is_a_list_when_there_are_none() -> serde_json::Result<()> {
        assert_eq!(serde_json::to_string(&response([]))?, r#"{"batchItemFailures":[]}"#);
        let one = serde_json::to_string(&response(["a".to_owned()]))?;
        assert_eq!(one, r#"{"batchItemFailures":[{"itemIdentifier":"a"}]}"#);
        Ok(())
    }
}
