//! Whether a target did what it was asked: its messages, and its documents beside those of the others.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde_json::Value;

use super::target::{BUCKET, QUEUE};
use crate::stand_in::destination::POST;
use crate::stand_in::tally::Kept;
use crate::work::input::Input;
use crate::work::intake::{Event, SHOP};
use crate::work::{Format, Transport, Variant, Work};

/// Documents by the number of their order.
pub(super) type Documents = BTreeMap<String, Bytes>;

/// The messages that intake sent for events.
pub(super) fn messages(inputs: &[Input], kept: &[Kept]) -> Result<(), String> {
    let sent: Vec<_> = kept.iter().filter(|kept| kept.operation == "SQS.SendMessage").collect();
    if sent.len() != inputs.len() {
        return Err(format!("expected {} messages, not {}", inputs.len(), sent.len()));
    }
    inputs.iter().zip(sent).try_for_each(|(input, kept)| match input {
        Input::Webhook(event) => message(event, &kept.body),
        Input::Batch(_) | Input::Schedule(_) | Input::Visit(_) => Ok(()),
    })
}

fn message(event: &Event, sent: &[u8]) -> Result<(), String> {
    let sent: Value = serde_json::from_slice(sent).map_err(|error| error.to_string())?;
    let attribute = |name: &str| sent["MessageAttributes"][name]["StringValue"].as_str().unwrap_or_default();
    let given: Value = serde_json::from_slice(&event.event).map_err(|error| error.to_string())?;
    let headers: Value = serde_json::from_str(attribute("headers")).unwrap_or_default();
    let own = given["headers"].as_object().into_iter().flatten();
    let own = own.filter(|(name, _)| name.starts_with("x-shopify-") || *name == "content-type");
    let has_headers = own.into_iter().all(|(name, value)| headers[name] == *value);
    for (what, holds) in [
        ("the raw webhook as its body", sent["MessageBody"] == event.body.as_str()),
        ("the queue", sent["QueueUrl"] == QUEUE),
        ("the shop as its group", sent["MessageGroupId"] == SHOP),
        ("the shop", attribute("shop") == SHOP),
        ("the delivery's identifier", given["headers"]["x-shopify-event-id"] == attribute("delivery_id")),
        ("the time", attribute("received_at").ends_with('Z')),
        ("the platform's headers", has_headers),
    ] {
        if !holds {
            return Err(format!("expected a message with {what}"));
        }
    }
    Ok(())
}

/// What a batch's orders became, by their numbers.
pub(super) fn documents(
    work: Work,
    numbers: &[String],
    kept: &[Kept],
    objects: &BTreeMap<String, Bytes>,
) -> Result<Documents, String> {
    let Work::Processor { transport, format, variant, .. } = work else { return Ok(Documents::new()) };
    if variant == Variant::Packed {
        return packed(numbers, objects);
    }
    let document = |number: &String| {
        let found = match transport {
            Transport::S3 => objects.get(&format!("{BUCKET}/orders/{SHOP}/{number}.{}", format.extension())).cloned(),
            Transport::Http => {
                let mut posts = kept.iter().filter(|kept| kept.operation == POST);
                let quoted = number.as_bytes();
                posts
                    .find(|post| post.body.windows(quoted.len()).any(|part| part == quoted))
                    .map(|post| post.body.clone())
            }
        };
        found.map(|body| (number.clone(), body)).ok_or_else(|| format!("there is no document of order {number}"))
    };
    numbers.iter().map(document).collect()
}

/// The lines of objects that orders share: each order is in one of them, once.
fn packed(numbers: &[String], objects: &BTreeMap<String, Bytes>) -> Result<Documents, String> {
    let packs = objects.iter().filter(|(place, _)| place.starts_with(&format!("{BUCKET}/packs/")));
    let text: String = packs.map(|(_, object)| String::from_utf8_lossy(object)).collect();
    let line = |number: &String| {
        let mut lines = text.lines().filter(|line| line.contains(number.as_str()));
        match (lines.next(), lines.next()) {
            (Some(line), None) => Ok((number.clone(), Bytes::from(line.to_owned()))),
            (None, _) => Err(format!("order {number} is in no pack")),
            (Some(_), Some(_)) => Err(format!("order {number} is in the packs twice")),
        }
    };
    numbers.iter().map(line).collect()
}

/// Whether two targets made the same of the same orders: JSON by its meaning, the rest byte for byte.
pub(super) fn same(work: Work, reference: &Documents, documents: &Documents) -> Result<(), String> {
    let is_json = matches!(work, Work::Processor { format: Format::Json, .. });
    for (number, expected) in reference {
        let actual = documents.get(number).ok_or_else(|| format!("there is no document of order {number}"))?;
        let is_same = if is_json {
            let parsed = |bytes: &Bytes| serde_json::from_slice::<Value>(bytes).ok();
            parsed(expected).is_some() && parsed(expected) == parsed(actual)
        } else {
            expected == actual
        };
        if !is_same {
            let (expected, actual) = (String::from_utf8_lossy(expected), String::from_utf8_lossy(actual));
            return Err(format!("order {number} became\n{actual}\nwhere the reference has\n{expected}"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::work::{Size, Variant};

    fn work(format: Format) -> Work {
        Work::Processor { transport: Transport::S3, format, batch: 1, size: Size::Two, variant: Variant::Usual }
    }

    #[test]
    fn a_pack_has_each_order_once() {
        let objects = |lines: &'static str| {
            BTreeMap::from([(format!("{BUCKET}/packs/bench/1.jsonl"), Bytes::from_static(lines.as_bytes()))])
        };
        let numbers = ["7", "8"].map(str::to_owned);
        assert_eq!(packed(&numbers, &objects("{\"n\":7}\n{\"n\":8}\n")).map(|found| found.len()), Ok(2));
        assert!(packed(&numbers, &objects("{\"n\":7}\n")).is_err());
        assert!(packed(&numbers, &objects("{\"n\":7}\n{\"n\":8}\n{\"n\":7}\n")).is_err());
    }

    #[test]
    fn json_is_compared_by_its_meaning_and_the_rest_by_its_bytes() {
        let documents = |text: &'static str| Documents::from([("1".to_owned(), Bytes::from_static(text.as_bytes()))]);
        let (one, spaced) = (documents(r#"{"a":1,"b":"2"}"#), documents(r#"{ "b": "2", "a": 1 }"#));
        assert_eq!(same(work(Format::Json), &one, &spaced), Ok(()));
        assert!(same(work(Format::Template), &one, &spaced).is_err());
        assert!(same(work(Format::Json), &one, &documents(r#"{"a":1,"b":2}"#)).is_err());
        assert!(same(work(Format::Csv), &one, &Documents::new()).is_err());
    }
}
