//! The table `responses` of a pipeline.

use super::listed::Listed;
use super::mapping::{Field, Mapping};
use super::{By, ReadDocument, Responses};
use crate::config::document::{Node, Table};
use crate::config::value;
use crate::pipeline::response::json::Json;
use crate::pipeline::response::xml::Xml;
use crate::template::Condition;
use crate::webhook::Verifier;

/// Folders beside those of the pipelines: what was dealt with, and what could not be.
const RESERVED: [&str; 2] = ["done", "failed"];

/// Reads the part that depends on the kind of document.
type Read = fn(&Table<'_>) -> Option<Box<dyn ReadDocument>>;

const KINDS: [(&str, Read); 2] = [("json", mapping::<Json>), ("xml", mapping::<Xml>)];

const NAMED_BY: [(&str, By); 3] = [("number", By::Number), ("id", By::Id), ("idempotency_key", By::IdempotencyKey)];

/// The table `responses` of the pipeline `code`; nothing when there was a problem with it.
pub fn read(node: &Node<'_>, code: Option<&str>) -> Option<Responses> {
    let table = node.table()?;
    if let Some(code) = code.filter(|code| RESERVED.contains(code)) {
        table.problem(format!(
            "a pipeline called {code:?} cannot have responses: files are put under responses/{code}/"
        ));
    }
    let kind = table.require("type", value::one_of(&KINDS));
    let by = table.read("by", value::one_of(&NAMED_BY)).unwrap_or(By::Number);
    if let Some(shop) = table.get("shop").filter(|_| by == By::IdempotencyKey) {
        shop.problem("this has no effect: an idempotency key names the shop too");
    }
    let (secrets, verifier) = senders(&table);
    let reader = match kind {
        Some(read) => {
            let reader = read(&table);
            table.finish();
            reader
        }
        // What its other keys should be is not known.
        None => None,
    };
    Some(Responses { by, secrets, verifier: verifier?, reader: reader? })
}

/// Who may call back.
fn senders(table: &Table<'_>) -> (Vec<String>, Option<Verifier>) {
    let secrets = table.get("secrets").map(|node| node.each(|secret| secret.parse(value::text)));
    let signature = table.get("signature");
    match (&secrets, &signature) {
        (Some(names), _) if names.is_empty() => table.problem("expected at least one name in secrets"),
        (None, Some(signature)) => signature.problem("this has no effect without the key \"secrets\""),
        _ => {}
    }
    (secrets.unwrap_or_default(), Verifier::read(signature.as_ref()))
}

fn mapping<K: Listed>(table: &Table<'_>) -> Option<Box<dyn ReadDocument>> {
    let results = table.get("results").and_then(|node| field(&node, K::results));
    let order = table.required("order").and_then(|node| field(&node, K::field));
    let optional = |key| table.get(key).and_then(|node| field(&node, K::field));
    let (shop, external_id, message) = (optional("shop"), optional("external_id"), optional("message"));
    let success = table.get("success").and_then(|node| condition(&node));
    Some(Box::new(Mapping::<K> { results, order: order?, shop, external_id, success, message }))
}

fn field<P>(node: &Node<'_>, read: impl Fn(&toml::de::DeValue<'_>) -> Result<P, String>) -> Option<Field<P>> {
    node.parse(|value| Ok(Field { text: value.as_str().unwrap_or_default().to_owned(), path: read(value)? }))
}

fn condition(node: &Node<'_>) -> Option<Condition> {
    let source = node.parse(value::text)?;
    Condition::over("success", &source, &["result"]).map_err(|error| node.problem(error.to_string())).ok()
}
