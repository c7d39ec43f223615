//! Making a webhook durable: one SQS message; the body in S3 first where SQS does not take it.

use aws_sdk_sqs::types::MessageAttributeValue;
use ring::digest;

use super::envelope::{Envelope, Fields};
use crate::aws::{self, Bucket};

/// Prefix of the bucket where bodies lie that no message can carry. The bucket's lifecycle removes them.
pub const INBOUND_PREFIX: &str = "payloads/inbound/";

/// The queue as intake and backfill write to it.
#[derive(Debug, Clone)]
pub struct Inbound {
    /// SQS.
    pub sqs: aws_sdk_sqs::Client,
    /// URL of the queue.
    pub queue_url: String,
    /// The stack's bucket.
    pub bucket: Bucket,
}

/// A webhook that could not be made durable.
#[derive(Debug, Clone, thiserror::Error)]
pub enum SendError {
    /// SQS did not take the message.
    #[error("the queue does not take the message: {0}")]
    Queue(String),
    /// S3 did not take the body.
    #[error("the bucket does not take the payload: {0}")]
    Bucket(String),
}

impl Inbound {
    /// Sends a webhook. When this returns, it is durable.
    pub async fn send(&self, mut envelope: Envelope, body: Vec<u8>) -> Result<(), SendError> {
        let fields = envelope.fields();
        let (text, fields) = match as_message(body, &fields) {
            Ok(text) => (text, fields),
            // Boxed, so that the ordinary way does not carry the room for this one.
            Err(body) => (Box::pin(self.store(&mut envelope, body)).await?, envelope.fields()),
        };
        let message = self.sqs.send_message().queue_url(&self.queue_url).message_body(text);
        let message = message
            .set_message_attributes(Some(attributes(fields)))
            // On a standard queue the group makes it fair: one flooding shop does not hold up the others.
            .message_group_id(&envelope.shop);
        message.send().await.map(drop).map_err(|failure| SendError::Queue(aws::reason(&failure)))
    }

    /// Puts the body in S3 and returns the text that takes its place in the message.
    async fn store(&self, envelope: &mut Envelope, body: Vec<u8>) -> Result<String, SendError> {
        let key = stored_key(&envelope.shop, &body);
        let put = self.bucket.put(&key, "application/octet-stream", body).await;
        put.map_err(|error| SendError::Bucket(error.to_string()))?;
        let text = serde_json::json!({ "payload_key": key }).to_string();
        envelope.payload_key = Some(key);
        Ok(text)
    }
}

/// The body as the text of a message, or as it is when it cannot be one.
fn as_message(body: Vec<u8>, fields: &Fields) -> Result<String, Vec<u8>> {
    let text = String::from_utf8(body).map_err(std::string::FromUtf8Error::into_bytes)?;
    if Envelope::fits_in_message(&text, fields) { Ok(text) } else { Err(text.into_bytes()) }
}

/// The same for the same body: where the message was not sent, or its answer was lost, the shop sends the webhook again, and
/// no object is left that no row names, and that an erasure would not find.
fn stored_key(shop: &str, body: &[u8]) -> String {
    let digest = digest::digest(&digest::SHA256, body);
    format!("{INBOUND_PREFIX}{shop}/{}", hex::encode(&digest.as_ref()[..16]))
}

/// Message attributes of SQS.
pub(super) fn attributes(fields: Fields) -> std::collections::HashMap<String, MessageAttributeValue> {
    let value = |(name, value)| {
        let attribute = MessageAttributeValue::builder().data_type("String").string_value(value).build().ok()?;
        Some((name, attribute))
    };
    fields.into_iter().filter_map(value).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_that_comes_again_lies_where_it_lay() {
        let key = stored_key("acme", b"{}");
        assert_eq!(key, "payloads/inbound/acme/44136fa355b3678a1146ad16f7e8649e");
        assert_eq!(stored_key("acme", b"{}"), key);
        assert!(
            ["other", "acme"].into_iter().zip([&b"{}"[..], b"[]"]).all(|(shop, body)| stored_key(shop, body) != key)
        );
    }
}
