//! Personal data hidden, structure and lengths left as they are. Pure.
//!
//! What is hidden is decided by the names of fields: those of the order as ordersync reads it, and those that shops and
//! back offices use. Of what has no names (CSV, plain text) everything is hidden. It is to keep a customer's data from
//! those who look at something else, not from those who look for it.

mod names;
mod xml;

use serde_json::Value;

use names::Field;

/// Stands for a letter or digit that is hidden.
const HIDDEN: char = '•';

/// A document with personal data hidden. JSON comes out pretty-printed.
pub fn mask(text: &str) -> String {
    let begins = text.trim_start();
    if begins.starts_with(['{', '[']) {
        match serde_json::from_str::<Value>(text) {
            Ok(mut value) => {
                mask_value(&mut value);
                return serde_json::to_string_pretty(&value).unwrap_or_else(|_| hidden(text));
            }
            Err(_) => return lines(text),
        }
    }
    if begins.starts_with('<') {
        return xml::mask(text).unwrap_or_else(|| hidden(text));
    }
    hidden(text)
}

/// The same of what a destination answers: a `message` there is its own, and says what is wrong.
pub(crate) fn answer(text: &str) -> String {
    let Ok(answer) = serde_json::from_str::<Value>(text) else { return mask(text) };
    let mut masked = answer.clone();
    mask_value(&mut masked);
    say(&answer, &mut masked);
    serde_json::to_string_pretty(&masked).unwrap_or_else(|_| hidden(text))
}

/// Puts back what a destination says, but what it says of a person.
fn say(answer: &Value, masked: &mut Value) {
    match (answer, masked) {
        (Value::Object(members), Value::Object(masked)) => {
            for (name, member) in masked.iter_mut() {
                match (members.get(name), member) {
                    (Some(Value::String(text)), Value::String(said)) if name.eq_ignore_ascii_case("message") => {
                        *said = words(text);
                    }
                    (Some(member), said) if Field::called(name) == Field::Other => say(member, said),
                    _ => {}
                }
            }
        }
        (Value::Array(members), Value::Array(masked)) => {
            members.iter().zip(masked).for_each(|(member, said)| say(member, said));
        }
        _ => {}
    }
}

/// Several JSON documents, one a line, are one each.
fn lines(text: &str) -> String {
    let one = |line: &str| match serde_json::from_str::<Value>(line) {
        Ok(mut value) => {
            mask_value(&mut value);
            value.to_string()
        }
        Err(_) => hidden(line),
    };
    text.lines().map(one).collect::<Vec<_>>().join("\n")
}

/// Hides what is personal in a JSON value.
pub(crate) fn mask_value(value: &mut Value) {
    match value {
        Value::Object(members) => {
            for (name, member) in members.iter_mut() {
                match Field::called(name) {
                    Field::Personal => hide(member),
                    Field::Person if member.is_object() || member.is_array() => hide(member),
                    Field::Person | Field::Other => mask_value(member),
                }
            }
        }
        Value::Array(members) => members.iter_mut().for_each(mask_value),
        Value::String(text) if names::is_address(text) => *text = hidden(text),
        _ => {}
    }
}

/// Hides all of a value, but what says nothing of anybody: its structure, truth values, countries, currencies.
fn hide(value: &mut Value) {
    match value {
        Value::Object(members) => {
            for (_, member) in members.iter_mut().filter(|(name, _)| !names::is_harmless(name)) {
                hide(member);
            }
        }
        Value::Array(members) => members.iter_mut().for_each(hide),
        Value::String(text) => *text = hidden(text),
        Value::Number(number) => *value = Value::String(hidden(&number.to_string())),
        Value::Bool(_) | Value::Null => {}
    }
}

/// A text of words with the e-mail addresses in it hidden.
pub(crate) fn words(text: &str) -> String {
    let word = |word: &str| if names::is_address(word) { hidden(word) } else { word.to_owned() };
    text.split_inclusive(char::is_whitespace).map(word).collect()
}

/// A text with its letters and digits hidden.
pub(crate) fn hidden(text: &str) -> String {
    text.chars().map(|char| if char.is_alphanumeric() { HIDDEN } else { char }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_names_somebody_is_hidden_and_the_rest_stays() {
        let document = json!({
            "id": 9007, "number": "#1001", "total": "129.90", "shipping": "9.90", "currency": "EUR",
            "customer": { "id": 7, "email": "ada@example.com", "name": "Ada L", "company": null, "country": "DE", "guest": true },
            "shipping_address": { "first_name": "Ada", "street": ["Main St 1"], "country_code": "DE", "zip": "10115" },
            "items": [{ "sku": "A-1", "name": "A shirt", "quantity": 2 }],
            "note": "ring twice", "browser_ip": "203.0.113.7", "tags": ["to ada@example.com"],
            "payment": { "method": "paypal", "card_number": "4242" }
        });
        let masked: Value = serde_json::from_str(&mask(&document.to_string())).unwrap();
        assert_eq!(
            masked,
            json!({
                "id": 9007, "number": "#1001", "total": "129.90", "shipping": "9.90", "currency": "EUR",
                "customer": { "id": "•", "email": "•••@•••••••.•••", "name": "••• •", "company": null, "country": "DE", "guest": true },
                "shipping_address": { "first_name": "•••", "street": ["•••• •• •"], "country_code": "DE", "zip": "•••••" },
                "items": [{ "sku": "A-1", "name": "A shirt", "quantity": 2 }],
                "note": "•••• •••••", "browser_ip": "•••.•.•••.•", "tags": ["•• •••@•••••••.•••"],
                "payment": { "method": "paypal", "card_number": "••••" }
            })
        );
    }

    #[test]
    fn names_are_known_however_they_are_written() {
        for (name, is_hidden) in [
            ("email", true),
            ("customerEmail", true),
            ("CUSTOMER_EMAIL", true),
            ("customer-email", true),
            ("firstname", true),
            ("phoneNumber", true),
            ("taxId", true),
            ("vat_id", true),
            ("name", false),
            ("sku", false),
            ("tax", false),
            ("total", false),
            ("payment_method", false),
            ("email_sent", true),
            ("telephone", true),
            ("cityscape", false),
            ("city", true),
        ] {
            let masked = mask(&json!({ name: "abc" }).to_string());
            assert_eq!(masked.contains("•••"), is_hidden, "{name}: {masked}");
        }
    }

    #[test]
    fn digits_of_amounts_stay_as_they_were_written() {
        assert!(mask(r#"{"total": 129.900, "id": 90071992547409931234}"#).contains("129.900"));
        assert!(mask(r#"{"total": 129.900, "id": 90071992547409931234}"#).contains("90071992547409931234"));
    }

    #[test]
    fn what_has_no_names_is_hidden_as_a_whole() {
        assert_eq!(mask("1001;Ada;9.90\n"), "••••;•••;•.••\n");
        assert_eq!(mask("{broken Ada"), "{•••••• •••");
        assert_eq!(mask("<broken>Ada</other>"), "<••••••>•••</•••••>");
        assert_eq!(mask("{\"id\":1}\n{\"email\":\"a@b.c\"}"), "{\"id\":1}\n{\"email\":\"•@•.•\"}");
    }

    #[test]
    fn elements_and_attributes_are_hidden_by_their_names() {
        let document = "<?xml version=\"1.0\"?><order id=\"7\"><total>9.90</total><buyer country=\"DE\" name=\"Ada\">\
            <EMAIL>a@b.de</EMAIL><country>DE</country><note><![CDATA[ring]]></note></buyer><item><name>A &amp; B</name></item>\
            <!-- for Ada --></order>";
        assert_eq!(
            mask(document),
            "<?xml version=\"1.0\"?><order id=\"7\"><total>9.90</total><buyer country=\"DE\" name=\"•••\">\
            <EMAIL>•@•.••</EMAIL><country>DE</country><note><![CDATA[••••]]></note></buyer><item><name>A &amp; B</name></item>\
            <!-- ••• ••• --></order>"
        );
    }
}
