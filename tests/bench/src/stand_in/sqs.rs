//! SQS: takes messages, and says so with the digests that clients compare.

use std::borrow::Cow;
use std::collections::BTreeMap;

use bytes::Bytes;
use http::StatusCode;
use md5::{Digest, Md5};
use serde::Deserialize;
use serde_json::json;

use super::aws::{Answered, Refusal, json};

/// A message, as `SendMessage` and an entry of `SendMessageBatch` have it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Message<'a> {
    #[serde(borrow, default)]
    id: Cow<'a, str>,
    #[serde(borrow)]
    #[serde(rename = "MessageBody")]
    body: Cow<'a, str>,
    #[serde(borrow, default, rename = "MessageAttributes")]
    attributes: BTreeMap<Cow<'a, str>, Attribute<'a>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Attribute<'a> {
    #[serde(borrow)]
    data_type: Cow<'a, str>,
    #[serde(borrow)]
    string_value: Cow<'a, str>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Batch<'a> {
    #[serde(borrow)]
    entries: Vec<Message<'a>>,
}

const MESSAGE_ID: &str = "219f8380-5770-4cc2-8c3e-5c715e145f5e";

pub(super) fn answer(operation: &str, body: &Bytes) -> Answered {
    let invalid = |error: serde_json::Error| Refusal::invalid(error.to_string());
    match operation {
        "SendMessage" => {
            let message: Message<'_> = serde_json::from_slice(body).map_err(invalid)?;
            let mut answer = accepted(&message)?;
            answer.as_object_mut().map(|fields| fields.remove("Id"));
            Ok(json(StatusCode::OK, &answer))
        }
        "SendMessageBatch" => {
            let batch: Batch<'_> = serde_json::from_slice(body).map_err(invalid)?;
            let accepted: Vec<_> = batch.entries.iter().map(accepted).collect::<Result<_, _>>()?;
            Ok(json(StatusCode::OK, &json!({ "Successful": accepted, "Failed": [] })))
        }
        "ReceiveMessage" | "ChangeMessageVisibility" | "DeleteMessage" => Ok(json(StatusCode::OK, &json!({}))),
        "GetQueueAttributes" => Ok(json(StatusCode::OK, &json!({ "Attributes": {} }))),
        other => Err(Refusal::invalid(format!("SQS has no {other} here"))),
    }
}

fn accepted(message: &Message<'_>) -> Result<serde_json::Value, Refusal> {
    if message.body.is_empty() {
        return Err(Refusal::invalid("MessageBody must not be empty"));
    }
    let mut answer = json!({
        "Id": message.id,
        "MessageId": MESSAGE_ID,
        "MD5OfMessageBody": hex::encode(Md5::digest(message.body.as_bytes())),
    });
    if let (false, Some(fields)) = (message.attributes.is_empty(), answer.as_object_mut()) {
        fields.insert("MD5OfMessageAttributes".into(), digest(&message.attributes).into());
    }
    Ok(answer)
}

/// Name, type and value of each attribute in the order of names, each after its length.
/// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-message-metadata.html>
fn digest(attributes: &BTreeMap<Cow<'_, str>, Attribute<'_>>) -> String {
    /// How a text is transported, as against bytes.
    const TEXT: [u8; 1] = [1];
    let mut md5 = Md5::new();
    for (name, attribute) in attributes {
        for (before, text) in [(&[][..], name), (&[], &attribute.data_type), (&TEXT, &attribute.string_value)] {
            md5.update(before);
            md5.update(u32::try_from(text.len()).unwrap_or(u32::MAX).to_be_bytes());
            md5.update(text.as_bytes());
        }
    }
    hex::encode(md5.finalize())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_digests_are_those_that_clients_compute() {
        let body = br#"{"QueueUrl":"q","MessageBody":"This is a test message","MessageAttributes":{
            "my_attribute_name_1":{"DataType":"String","StringValue":"my_attribute_value_1"},
            "my_attribute_name_2":{"DataType":"String","StringValue":"my_attribute_value_2"}}}"#;
        let message: Message<'_> = serde_json::from_slice(body).unwrap();
        let answer = accepted(&message).unwrap();
        // Of the example in the reference of SendMessage.
        assert_eq!(answer["MD5OfMessageBody"], "fafb00f5732ab283681e124bf8747ed1");
        assert_eq!(answer["MD5OfMessageAttributes"], "c48838208d2b4e14e3ca0093a8443f09");
    }
}
