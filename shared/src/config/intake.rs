//! The part of the document that intake works with: who may send what.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use toml::de::DeTable;

use super::document::{Node, Table};
use super::parse::certificates;
use super::{Files, Part, value};
use crate::pipeline::transport::egress::{self, Egress};
use crate::webhook::{self, Keep, Needs, Sender};

/// What intake knows of the document. Whatever else is in there, and whether it is right, is not intake's matter: it
/// goes on taking orders.
#[derive(Debug)]
pub struct IntakeConfig {
    /// Shops by code.
    pub shops: BTreeMap<String, IntakeShop>,
    /// Whence public keys may be fetched.
    pub egress: Egress,
}

/// A shop that sends webhooks.
#[derive(Debug)]
pub struct IntakeShop {
    /// Its code, the last segment of its webhooks' URL.
    pub code: String,
    /// How its webhooks are verified.
    pub platform: Arc<dyn Sender>,
    /// Names of the live secrets; more than one during a rotation.
    pub secrets: Vec<String>,
    /// Topics that are acknowledged and dropped.
    pub ignore_topics: BTreeSet<String>,
}

impl Part for IntakeConfig {
    fn files(document: &DeTable<'_>) -> BTreeSet<String> {
        certificates(document).into_iter().collect()
    }

    fn read(root: &Table<'_>, files: &Files, _: u32) -> Self {
        let egress = egress::read(root.get("egress").as_ref(), files);
        let mut codes = BTreeSet::new();
        let shops = root.required("shops").map(|node| node.each(|node| read_shop(&node, &egress, &mut codes)));
        let shops = shops.unwrap_or_default().into_iter().map(|shop| (shop.code.clone(), shop)).collect();
        Self { shops, egress }
    }
}

fn read_shop(node: &Node<'_>, egress: &Egress, codes: &mut BTreeSet<String>) -> Option<IntakeShop> {
    let table = node.table()?;
    let (code, _) = read_code(node, &table, codes);
    let Keys { platform, secrets, ignore_topics, .. } = read_keys(&table, egress);
    Some(IntakeShop { code: code?, platform: platform?, secrets: secrets?, ignore_topics })
}

/// The code of a shop, and whether it is the first of this code.
pub(super) fn read_code(node: &Node<'_>, shop: &Table<'_>, codes: &mut BTreeSet<String>) -> (Option<String>, bool) {
    let code = shop.require("code", value::code);
    let is_new = code.clone().is_none_or(|code| codes.insert(code));
    if let Some(code) = code.as_ref().filter(|_| !is_new) {
        node.problem(format!("the code {code:?} is used by another shop already"));
    }
    (code, is_new)
}

/// The keys of a shop that say who may send what; nothing for those that have problems.
pub(super) struct Keys<K> {
    pub(super) platform: Option<K>,
    pub(super) needs: Needs,
    pub(super) secrets: Option<Vec<String>>,
    pub(super) ignore_topics: BTreeSet<String>,
}

/// Reads these keys. The caller finishes the table, if it knows the others.
pub(super) fn read_keys<K: Keep>(shop: &Table<'_>, egress: &Egress) -> Keys<K> {
    let webhook::Configured { platform, needs } = webhook::read(shop, egress);
    let secrets = if needs == Needs::Nothing { Some(Vec::new()) } else { read_secrets(shop) };
    let ignore_topics = shop.list("ignore_topics", value::text).into_iter().collect();
    Keys { platform, needs, secrets, ignore_topics }
}

fn read_secrets(shop: &Table<'_>) -> Option<Vec<String>> {
    let secrets = shop.required("secrets").map(|node| node.each(|secret| secret.parse(value::text)));
    if secrets.as_ref().is_some_and(Vec::is_empty) {
        shop.problem("expected at least one name in secrets");
    }
    secrets
}

#[cfg(test)]
mod tests {
    use super::super::parse::parse_part;
    use super::*;

    fn load(text: &str) -> Result<IntakeConfig, super::super::Invalid> {
        parse_part("ordersync.toml", text, &Files::default(), 10)
    }

    const SHOPS: &str = "[[shops]]\ncode = \"acme\"\nplatform = \"shopify\"\nsecrets = [\"a\", \"b\"]\n\
        ignore_topics = \"app/uninstalled\"\napi = { url = 1 }\n";

    #[test]
    fn what_others_work_with_may_be_wrong() {
        let pipelines = "colour = 1\n[[pipelines]]\nformat = { type = \"template\", template = \"gone.j2\" }\n[cleanup]\nafter = \"soon\"\n";
        for rest in ["", "[[pipelines]]\n", pipelines] {
            let config = load(&format!("{SHOPS}{rest}")).unwrap();
            let shop = &config.shops["acme"];
            assert_eq!(shop.secrets, ["a", "b"]);
            assert!(shop.ignore_topics.contains("app/uninstalled"));
        }
    }

    #[test]
    fn what_intake_works_with_must_be_right() {
        let adobe = "[[shops]]\ncode = \"acme\"\nplatform = \"adobe-io-events\"\n";
        for (text, expected) in [
            ("", "ordersync.toml:1: the key \"shops\" is missing".to_owned()),
            ("[[shops]]\n", "shops[0]: the key \"code\" is missing".to_owned()),
            (&SHOPS.replace("[\"a\", \"b\"]", "[]"), "expected at least one name in secrets".to_owned()),
            (&SHOPS.repeat(2), "shops[1]: the code \"acme\" is used by another shop already".to_owned()),
            (&format!("{SHOPS}[egress]\nallow = [1]\n"), "egress.allow[0]: expected a host and port".to_owned()),
            (&format!("{SHOPS}[egress]\nca = \"gone.pem\"\n"), "egress.ca: the file \"gone.pem\" is not".to_owned()),
            (adobe, "shops[0]: the key \"client_id\" is missing".to_owned()),
            ("[[shops]\n", "ordersync.toml:1: ".to_owned()),
        ] {
            let problems = load(text).unwrap_err().to_string();
            assert!(problems.contains(&expected), "expected {expected}, found {problems}");
        }
    }

    #[test]
    fn only_the_certificates_are_read_beside_the_document() {
        let text = "[egress]\nca = \"company.pem\"\n[[pipelines]]\nformat = { template = \"a.j2\" }\n";
        let document = DeTable::parse(text).unwrap();
        assert_eq!(IntakeConfig::files(document.get_ref()), BTreeSet::from(["company.pem".to_owned()]));
    }
}
