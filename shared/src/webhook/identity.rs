//! What identifies an order.

use jiff::Timestamp;

use super::scan::Document;
use super::{Event, Identity, Rejection, Subject, Webhook, time, topic};

/// What an order's identifier must be.
pub(super) const ORDER_ID: &str =
    "the order's identifier, a whole number or a text of 1 to 200 characters without control characters";

/// Identifiers become part of keys and attributes, which have limits of their own.
const LONGEST: usize = 200;

/// Whether a JSON number is whole and written out.
pub(super) fn is_whole_number(raw: &str) -> bool {
    let digits = raw.strip_prefix('-').unwrap_or(raw);
    !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
}

/// Whether a text can identify an order.
pub(super) fn is_order_id(text: &str) -> bool {
    !text.trim().is_empty() && text.chars().count() <= LONGEST && !text.chars().any(char::is_control)
}

/// The identifier of a delivery, where it is short and printable: it goes into message attributes and logs.
pub(super) fn delivery_id(text: Option<&str>) -> Option<String> {
    let fits = |text: &&str| (1..=LONGEST).contains(&text.len()) && text.bytes().all(|b| (b' '..=b'~').contains(&b));
    text.map(str::trim).filter(fits).map(ToOwned::to_owned)
}

/// When something happened, where that can be read: no webhook is refused for it.
pub(super) fn moment(text: Option<&str>) -> Option<Timestamp> {
    time::moment(text?).map(|(at, _)| at)
}

/// A JSON pointer (RFC 6901), taken apart once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pointer(Vec<String>);

impl Pointer {
    /// The pointer that is written so; an empty one points at the document as a whole.
    pub(super) fn new(text: &str) -> Self {
        Self(text.split('/').skip(1).map(|token| token.replace("~1", "/").replace("~0", "~")).collect())
    }

    /// The keys on the way, none of them escaped.
    pub(super) fn tokens(&self) -> &[String] {
        &self.0
    }

    /// The first key on the way.
    pub(super) fn first(&self) -> Option<&String> {
        self.0.first()
    }
}

/// Which topic a webhook is about: what the platform says, else what the URL says, else that it was placed.
pub(super) fn event(said: Option<&str>, webhook: Webhook<'_>) -> Result<(String, Event), Rejection> {
    event_by(topic::event, said, webhook)
}

/// The same for a platform whose topics are read in a way of their own.
pub(super) fn event_by(
    read: impl FnOnce(&str) -> Option<Event>,
    said: Option<&str>,
    webhook: Webhook<'_>,
) -> Result<(String, Event), Rejection> {
    let said = said.map(str::trim).filter(|topic| !topic.is_empty());
    let Some(name) = said.or(webhook.topic.map(str::trim)).filter(|topic| !topic.is_empty()) else {
        return Ok((Event::Placed.name().to_owned(), Event::Placed));
    };
    if name.chars().count() > LONGEST || name.chars().any(char::is_control) {
        return Err(Rejection::Malformed("expected a topic of at most 200 characters".into()));
    }
    let event = read(name).ok_or_else(|| Rejection::UnknownTopic(name.to_owned()))?;
    Ok((name.to_owned(), event))
}

/// Puts together which order a webhook is about; `id` is what stands at the place called `path`.
pub(super) fn subject(
    id: Option<Document<'_>>,
    path: &str,
    (topic, event): (String, Event),
    delivery_id: Option<String>,
    occurred_at: Option<Timestamp>,
) -> Result<Subject, Rejection> {
    let Some(order_id) = id.and_then(Document::order_id) else {
        return Err(Rejection::NoOrder { topic, expected: format!("{path}: expected {ORDER_ID}") });
    };
    Ok(Subject::Order(Identity { order_id, topic, event, delivery_id, occurred_at }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::webhook::Body;
    use crate::webhook::scan::Scan;

    fn id(body: &[u8]) -> Result<Option<String>, Rejection> {
        let id = |document: Document<'_>| document.find(&["id"]).and_then(Document::order_id);
        let scanned = id(Scan::of(body)?.document());
        let read = Body::parse(body);
        assert_eq!(id(Scan::new(body, Some(&read))?.document()), scanned, "{read:?}");
        Ok(scanned)
    }

    #[test]
    fn identifiers_are_exact_whatever_they_look_like() {
        let long = format!(r#"{{"id":"{}"}}"#, "7".repeat(200));
        let many = format!(r#"{{"id":5,{}"id":6}}"#, r#""":0,"#.repeat(2_000));
        for (body, expected) in [
            (r#"{"id":1}"#, "1"),
            (r#"{"id":9007199254740993}"#, "9007199254740993"),
            (r#"{"id":123456789012345678901234567890}"#, "123456789012345678901234567890"),
            (r#"{"id":"gid:\/\/shop\u002fOrder/1"}"#, "gid://shop/Order/1"),
            (r#"{"id":"Nº 7"}"#, "Nº 7"),
            (r#" {"a":{"id":2},"id":3} "#, "3"),
            (r#"{"id":1,"id":2}"#, "2"),
            (r#"{"\u0069d":4}"#, "4"),
            ("\u{feff}{\"id\":5}", "5"),
            (long.as_str(), &"7".repeat(200)),
            (many.as_str(), "6"),
        ] {
            assert_eq!(id(body.as_bytes()), Ok(Some(expected.to_owned())), "{body}");
        }
    }

    #[test]
    fn what_cannot_be_an_identifier_is_none() {
        let long = format!(r#"{{"id":"{}"}}"#, "7".repeat(201));
        for body in [
            r"{}",
            r#"{"id":null}"#,
            r#"{"id":""}"#,
            r#"{"id":" "}"#,
            r#"{"id":1.5}"#,
            r#"{"id":1e9}"#,
            r#"{"id":true}"#,
            r#"{"id":{"value":1}}"#,
            r#"{"id":[1]}"#,
            r#"{"id":"a\u0000b"}"#,
            "[1]",
            "7",
            long.as_str(),
        ] {
            assert_eq!(id(body.as_bytes()), Ok(None), "{body}");
        }
    }

    #[test]
    fn the_whole_body_must_be_json() {
        for body in [&b""[..], b"{", b"id=1", br#"{"id":1}x"#, br#"{"id":1,"note":tru}"#, b"{\"id\":1,\"n\":\"\xff\"}"]
        {
            assert!(matches!(id(body), Err(Rejection::Malformed(_))), "{body:?}");
        }
    }

    #[test]
    fn a_delivery_id_is_short_and_printable_or_nothing() {
        let long = "x".repeat(201);
        for (text, expected) in [
            (Some(" 0197f1c7 "), Some("0197f1c7")),
            (Some(""), None),
            (Some("é"), None),
            (Some(&*long), None),
            (None, None),
        ] {
            assert_eq!(delivery_id(text).as_deref(), expected);
        }
    }
}
