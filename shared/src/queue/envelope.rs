//! What travels with a webhook through the queue.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::inbound::INBOUND_PREFIX;
use crate::webhook::{Event, Headers};

/// Most bytes of body and attributes in one SQS message, less what [`REDRIVEN`] takes if it is added later.
/// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html>
const MAX_MESSAGE_BYTES: usize = 1024 * 1024 - 64;

/// Attribute of a message that was put back from the dead-letter queue. It says how the message came, nothing of the
/// webhook, and is no part of what is kept with the order.
pub const REDRIVEN: &str = "redriven";

pub(super) const SHOP: &str = "shop";
const TOPIC: &str = "topic";
const DELIVERY_ID: &str = "delivery_id";
const RECEIVED_AT: &str = "received_at";
const HEADERS: &str = "headers";
const PAYLOAD_KEY: &str = "payload_key";
const EVENT: &str = "event";

/// A webhook on its way, without its body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Envelope {
    /// Code of the shop.
    pub shop: String,
    /// `topic` of the webhook's URL, for platforms that send none.
    pub topic: Option<String>,
    /// The platform's identifier of the delivery.
    pub delivery_id: Option<String>,
    /// When intake received it.
    pub received_at: Timestamp,
    /// The platform's own headers, signature included.
    pub headers: Headers,
    /// Key of the S3 object with the body, where that does not fit in a message.
    pub payload_key: Option<String>,
    /// What happened to the order since the webhook, where ordersync itself made it happen.
    pub event: Option<Event>,
}

/// Message attributes as plain strings, by name.
pub type Fields = BTreeMap<String, String>;

/// A message that is none of ours.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("message attribute {attribute:?}: expected {expected}")]
pub struct BadEnvelope {
    /// The attribute.
    pub attribute: &'static str,
    /// What was expected.
    pub expected: &'static str,
}

impl Envelope {
    /// As message attributes.
    pub fn fields(&self) -> Fields {
        let headers: serde_json::Map<String, serde_json::Value> =
            self.headers.iter().map(|(name, value)| (name.to_owned(), value.into())).collect();
        let fields = [
            (SHOP, Some(self.shop.clone())),
            (TOPIC, self.topic.clone()),
            (DELIVERY_ID, self.delivery_id.clone()),
            (RECEIVED_AT, Some(self.received_at.to_string())),
            (HEADERS, Some(serde_json::Value::Object(headers).to_string())),
            (PAYLOAD_KEY, self.payload_key.clone()),
            (EVENT, self.event.map(|event| event.name().to_owned())),
        ];
        // SQS refuses empty attributes.
        let present = |(name, value): (&str, Option<String>)| Some((name.to_owned(), value.filter(|v| !v.is_empty())?));
        fields.into_iter().filter_map(present).collect()
    }

    /// From message attributes.
    pub fn from_fields(fields: &Fields) -> Result<Self, BadEnvelope> {
        let missing = |attribute, expected| BadEnvelope { attribute, expected };
        let shop = fields.get(SHOP).filter(|shop| !shop.is_empty());
        let shop = shop.ok_or(missing(SHOP, "the code of a shop"))?.clone();
        let received_at = fields.get(RECEIVED_AT).and_then(|text| text.parse().ok());
        Ok(Self {
            shop,
            topic: fields.get(TOPIC).cloned(),
            delivery_id: fields.get(DELIVERY_ID).cloned(),
            received_at: received_at.ok_or(missing(RECEIVED_AT, "an RFC 3339 time"))?,
            headers: headers(fields.get(HEADERS)).ok_or(missing(HEADERS, "a JSON object of strings"))?,
            payload_key: payload_key(fields)?,
            event: fields.get(EVENT).and_then(|name| Event::from_name(name)),
        })
    }

    /// Whether SQS takes a message of this body and these attributes: by size, and by the characters that it allows
    /// (those of XML 1.0), which JSON is wider than.
    pub fn fits_in_message(body: &str, fields: &Fields) -> bool {
        let type_name = "String".len();
        let attributes: usize = fields.iter().map(|(name, value)| name.len() + type_name + value.len()).sum();
        body.len() + attributes <= MAX_MESSAGE_BYTES && !body.is_empty() && is_allowed_in_message(body)
    }
}

/// Where the body lies. Nobody but intake puts it there: whoever else writes to the queue gets nothing else read.
fn payload_key(fields: &Fields) -> Result<Option<String>, BadEnvelope> {
    let Some(key) = fields.get(PAYLOAD_KEY) else { return Ok(None) };
    let expected = BadEnvelope { attribute: PAYLOAD_KEY, expected: "a key below payloads/inbound/" };
    if key.starts_with(INBOUND_PREFIX) { Ok(Some(key.clone())) } else { Err(expected) }
}

fn headers(text: Option<&String>) -> Option<Headers> {
    let Some(text) = text else { return Some(Headers::default()) };
    let parsed: BTreeMap<String, String> = serde_json::from_str(text).ok()?;
    Some(parsed.into_iter().collect())
}

/// Eight bytes at a time, as orders are long and have next to nothing of what is looked for.
fn is_allowed_in_message(text: &str) -> bool {
    let (words, rest) = text.as_bytes().as_chunks();
    let suspects = words.iter().filter(|word| has_suspect(u64::from_ne_bytes(**word))).flatten().chain(rest);
    let (mut has_control, mut has_last) = (false, false);
    for byte in suspects {
        has_control |= matches!(byte, ..b' ') && !matches!(byte, b'\t' | b'\n' | b'\r');
        // Both of the characters that are refused begin with it, as little else does.
        has_last |= *byte == 0xEF;
    }
    !(has_control || has_last && text.contains(['\u{FFFE}', '\u{FFFF}']))
}

/// Whether one of eight bytes is below a space, or 0xEF.
/// <https://graphics.stanford.edu/~seander/bithacks.html#HasLessInWord>
fn has_suspect(word: u64) -> bool {
    const ONES: u64 = u64::MAX / 0xFF;
    let is_below = |word: u64, limit: u64| word.wrapping_sub(ONES * limit) & !word & (ONES << 7) != 0;
    is_below(word, 0x20) || is_below(word ^ (ONES * 0xEF), 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn bodies_that_sqs_refuses_take_the_other_way() {
        let fields = Fields::new();
        for (body, fits) in [
            ("{}".to_owned(), true),
            (String::new(), false),
            ("{\"a\":\"\u{FFFF}\"}".to_owned(), false),
            ("a\u{1}".to_owned(), false),
            ("x".repeat(MAX_MESSAGE_BYTES), true),
            ("x".repeat(MAX_MESSAGE_BYTES + 1), false),
        ] {
            assert_eq!(Envelope::fits_in_message(&body, &fields), fits, "{} bytes", body.len());
        }
        let fields = Fields::from([("shop".to_owned(), "a".to_owned())]);
        assert!(!Envelope::fits_in_message(&"x".repeat(MAX_MESSAGE_BYTES), &fields), "attributes count too");
    }

    #[test]
    fn a_message_of_another_origin_is_told_apart() {
        for fields in [Fields::new(), Fields::from([("shop".into(), String::new())])] {
            let error = Envelope::from_fields(&fields).map_err(|error| error.to_string());
            assert_eq!(error, Err("message attribute \"shop\": expected the code of a shop".to_owned()));
        }
    }

    #[test]
    fn a_body_is_read_from_where_intake_puts_it_and_nowhere_else() {
        let fields = |key: &str| {
            let fields = [("shop", "acme"), ("received_at", "2026-01-01T00:00:00Z"), ("payload_key", key)];
            fields.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect::<Fields>()
        };
        let key = |key: &str| Envelope::from_fields(&fields(key)).map(|envelope| envelope.payload_key);
        let inbound = "payloads/inbound/acme/2026/01/01/x-1";
        assert_eq!(key(inbound), Ok(Some(inbound.to_owned())));
        for other in ["", "config/ordersync.toml", "payloads/orders/acme/1/x.zst", "/payloads/inbound/x", "receipts/x"]
        {
            assert!(key(other).is_err_and(|bad| bad.attribute == "payload_key"), "{other}");
        }
    }

    proptest! {
        #[test]
        fn every_character_is_looked_at(text in "[ü\u{0}-\u{7f}\u{ff00}-\u{ffff}]{0,40}", last in 0..0x80u8) {
            let refused = |c: char| matches!(c, '\u{fffe}' | '\u{ffff}') || c < ' ' && !matches!(c, '\t' | '\n' | '\r');
            for text in [text.clone(), text.replace(refused, "\u{ff00}"), text.replace(refused, "") + str::from_utf8(&[last]).unwrap()] {
                prop_assert_eq!(is_allowed_in_message(&text), !text.contains(refused), "{:?}", text);
            }
        }

        #[test]
        fn an_envelope_survives_the_queue(
            shop in "[a-z]{1,9}", topic in proptest::option::of("[ -~]{1,20}"),
            delivery in proptest::option::of("[!-~]{1,40}"), value in "\\PC{0,40}",
        ) {
            let envelope = Envelope {
                shop, topic, delivery_id: delivery, received_at: Timestamp::UNIX_EPOCH,
                headers: [("x-a", value)].into_iter().collect(), payload_key: None, event: None,
            };
            prop_assert_eq!(Envelope::from_fields(&envelope.fields()), Ok(envelope));
        }
    }
}
