//! Who or what is to be erased. Pure.

use ordersync::schedule::BadInput;
use ring::digest;
use serde_json::{Map, Value};

/// Longest identifier of an order.
const LONGEST_ORDER: usize = 200;
/// Longest number that the ledger takes, in characters.
const LONGEST_NUMBER: usize = 512;
/// Longest e-mail address there can be. <https://www.rfc-editor.org/rfc/rfc5321#section-4.5.3.1>
const LONGEST_EMAIL: usize = 320;
const KEYS: [&str; 5] = ["shop", "order", "number", "email", "scan"];

/// Who or what is to be erased. It has no `Debug`: it names a customer.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Request {
    /// One order, by the platform's identifier.
    Order { shop: String, order_id: String },
    /// One order, by the number that the customer sees. `scan` looks for it in the whole table: rows that were written
    /// before the configuration asked for an index are not in it.
    Number { shop: String, number: String, scan: bool },
    /// All orders of a customer, in every shop or in one.
    Customer { email: String, shop: Option<String>, scan: bool },
}

impl Request {
    /// Reads the value of `erase`. Errors say what was expected, never what was found.
    pub(crate) fn read(value: &Value) -> Result<Self, BadInput> {
        let members = value.as_object().ok_or_else(|| BadInput::new(".erase", "an object"))?;
        if !members.keys().all(|key| KEYS.contains(&key.as_str())) {
            return Err(BadInput::new(".erase", format!("no other keys than {}", KEYS.join(", "))));
        }
        let shop = text(members, "shop", ".erase.shop", 64, "the code of a shop", is_code)?;
        let order =
            text(members, "order", ".erase.order", LONGEST_ORDER, "the order's identifier, as a string", |_| true)?;
        let number =
            text(members, "number", ".erase.number", LONGEST_NUMBER, "the order's number, as a string", |_| true)?;
        let email = text(members, "email", ".erase.email", LONGEST_EMAIL, "an e-mail address", is_address)?;
        let scan = match members.get("scan") {
            None => false,
            Some(scan) => scan.as_bool().ok_or_else(|| BadInput::new(".erase.scan", "true or false"))?,
        };
        match (shop, order, number, email) {
            (Some(shop), Some(order_id), None, None) => Ok(Self::Order { shop, order_id }),
            (Some(shop), None, Some(number), None) => Ok(Self::Number { shop, number, scan }),
            (shop, None, None, Some(email)) => Ok(Self::Customer { email, shop, scan }),
            _ => Err(BadInput::new(
                ".erase",
                "either shop and order, or shop and number, or email, with or without shop",
            )),
        }
    }

    /// What kind it is.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Order { .. } => "order",
            Self::Number { .. } => "number",
            Self::Customer { .. } => "email",
        }
    }

    /// What tells whoever knows what was asked for that it was this: the SHA-256 of four lines. The first, the receipt's
    /// own identifier, keeps two receipts about the same person from being recognised as such.
    pub(crate) fn digest(&self, id: &str) -> String {
        let (shop, value) = match self {
            Self::Order { shop, order_id } => (shop.as_str(), order_id.clone()),
            Self::Number { shop, number, .. } => (shop.as_str(), number.clone()),
            Self::Customer { email, shop, .. } => (shop.as_deref().unwrap_or_default(), email.trim().to_lowercase()),
        };
        let text = format!("{id}\n{}\n{shop}\n{value}\n", self.kind());
        hex::encode(digest::digest(&digest::SHA256, text.as_bytes()))
    }
}

/// A text of the request, if it is there.
fn text(
    members: &Map<String, Value>,
    name: &str,
    place: &'static str,
    longest: usize,
    expected: &str,
    fits: impl Fn(&str) -> bool,
) -> Result<Option<String>, BadInput> {
    let Some(value) = members.get(name) else { return Ok(None) };
    let fits = |text: &&str| (1..=longest).contains(&text.chars().count()) && !text.trim().is_empty() && fits(text);
    let text = value.as_str().filter(fits).ok_or_else(|| BadInput::new(place, expected))?;
    Ok(Some(text.to_owned()))
}

/// As the configuration takes it. A `#` in it would reach another order.
fn is_code(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'_'))
}

fn is_address(text: &str) -> bool {
    text.trim().split_once('@').is_some_and(|(name, host)| !name.is_empty() && !host.is_empty())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn customer(email: &str, shop: Option<&str>) -> Request {
        Request::Customer { email: email.into(), shop: shop.map(Into::into), scan: false }
    }

    #[test]
    fn one_order_or_one_customer_is_asked_for() {
        let order = Request::Order { shop: "acme".into(), order_id: "1001".into() };
        let number = Request::Number { shop: "acme".into(), number: "#1042".into(), scan: false };
        for (value, expected) in [
            (json!({ "shop": "acme", "order": "1001" }), order),
            (json!({ "shop": "acme", "number": "#1042" }), number),
            (json!({ "email": "erika@example.com" }), customer("erika@example.com", None)),
            (json!({ "email": "erika@example.com", "shop": "acme" }), customer("erika@example.com", Some("acme"))),
        ] {
            assert!(Request::read(&value).is_ok_and(|request| request == expected), "{value}");
        }
    }

    #[test]
    fn the_sample_events_are_understood() {
        let request = |event: &str| Request::read(&serde_json::from_str::<Value>(event).unwrap()["erase"]);
        let order = request(include_str!("../../../../events/cleanup-erase-order.json"));
        assert!(matches!(order, Ok(Request::Order { .. })));
        let customer = request(include_str!("../../../../events/cleanup-erase-customer.json"));
        assert!(matches!(customer, Ok(Request::Customer { shop: None, .. })));
    }

    #[test]
    fn anything_else_is_refused_without_a_word_of_it() {
        let either = "input.erase: expected either shop and order, or shop and number, or email, with or without shop";
        let order = "input.erase.order: expected the order's identifier, as a string";
        let email = "input.erase.email: expected an e-mail address";
        let shop = "input.erase.shop: expected the code of a shop";
        for (value, expected) in [
            (json!(null), "input.erase: expected an object"),
            (json!("erika@example.com"), "input.erase: expected an object"),
            (json!([{ "email": "erika@example.com" }]), "input.erase: expected an object"),
            (json!({}), either),
            (json!({ "shop": "acme" }), either),
            (json!({ "order": "1001" }), either),
            (json!({ "number": "1001" }), either),
            (json!({ "shop": "acme", "order": "1001", "number": "1001" }), either),
            (json!({ "shop": "acme", "order": "1001", "email": "erika@example.com" }), either),
            (json!({ "number": "1001", "email": "erika@example.com" }), either),
            (
                json!({ "mail": "erika@example.com" }),
                "input.erase: expected no other keys than shop, order, number, email, scan",
            ),
            (
                json!({ "shop": "acme", "order": "1001", "dry_run": true }),
                "input.erase: expected no other keys than shop, order, number, email, scan",
            ),
            (json!({ "shop": "acme", "order": 1001 }), order),
            (json!({ "shop": "acme", "order": "" }), order),
            (json!({ "shop": "acme", "order": " " }), order),
            (json!({ "shop": "acme", "order": null }), order),
            (json!({ "shop": "acme", "order": "1".repeat(201) }), order),
            (
                json!({ "shop": "acme", "number": "1".repeat(513) }),
                "input.erase.number: expected the order's number, as a string",
            ),
            (json!({ "shop": "acme#1", "order": "1001" }), shop),
            (json!({ "shop": "Acme", "order": "1001" }), shop),
            (json!({ "shop": ["acme"], "order": "1001" }), shop),
            (json!({ "email": "erika" }), email),
            (json!({ "email": "@example.com" }), email),
            (json!({ "email": "" }), email),
            (json!({ "email": ["erika@example.com"] }), email),
            (json!({ "email": "erika@example.com", "scan": "yes" }), "input.erase.scan: expected true or false"),
        ] {
            let refusal = Request::read(&value).err().map(|error| error.to_string());
            assert_eq!(refusal.as_deref(), Some(expected), "{value}");
        }
    }

    #[test]
    fn a_digest_can_be_made_again_by_whoever_knows_what_was_asked_for() {
        // printf '%s\n' 0123 email '' erika@example.com | sha256sum
        let digest = "2e8bc89beff466fe4d8f16d99fec28c06fdd71678826804d18f87d94256943ba";
        let asked = customer(" Erika@Example.com ", None).digest("0123");
        assert_eq!(asked, digest);
        assert!(asked != customer("erika@example.com", None).digest("0124"), "another receipt");
        assert!(asked != customer("erika@example.com", Some("acme")).digest("0123"), "one shop only");
    }
}
