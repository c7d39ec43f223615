//! By what orders are found in the ledger, `[ledger]`.

use super::document::Node;
use super::{KeepPayload, Pipeline, StaleRule, value};
use crate::ledger::FindBy;
use crate::webhook::Event;

/// What there is an index for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Name {
    Number,
    Customer,
}

const NAMES: [(&str, Name); 2] = [("number", Name::Number), ("customer", Name::Customer)];

pub(super) fn read(node: Option<Node<'_>>) -> FindBy {
    let Some(table) = node.and_then(|node| node.table()) else { return FindBy::default() };
    let names = table.get("find_by").map(|node| node.each(|name| name.parse(value::one_of(&NAMES))));
    table.check();
    names.map_or_else(FindBy::default, |names| FindBy {
        number: names.contains(&Name::Number),
        customer: names.contains(&Name::Customer),
    })
}

/// Pipelines that tell of cancellations are given the order as a webhook brought it. Of one that ordersync has the shop
/// cancel, there is only what the ledger keeps.
pub(super) fn check_cancellations<'a>(
    node: Option<Node<'_>>,
    rules: &[StaleRule],
    shops: impl Iterator<Item = &'a String>,
    pipelines: &[Pipeline],
) {
    let Some(node) = node else { return };
    for shop in shops {
        let is_for = |rule: &StaleRule| !rule.report && (rule.shops.is_empty() || rule.shops.contains(shop));
        let own = || pipelines.iter().filter(|pipeline| pipeline.serves(shop));
        let told = own().find(|pipeline| pipeline.on.contains(&Event::Canceled));
        let is_kept = own().any(|pipeline| pipeline.keep_payload == KeepPayload::Always);
        if let Some(told) = told.filter(|_| rules.iter().any(is_for) && !is_kept) {
            let code = &told.code;
            node.problem(format!(
                "the pipeline {code:?} cannot tell of orders of {shop:?} that are cancelled by these rules: none of \
                 that shop's pipelines has keep_payload = \"always\""
            ));
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::config::{Files, parse};
    use crate::ledger::FindBy;

    fn document(more: &str) -> String {
        let shop = r#"
            [[shops]]
            code = "acme"
            platform = "shopify"
            secrets = ["s"]
            api = { url = "https://acme.myshopify.com", auth = "a" }
        "#;
        let pipeline = |code: &str, more: &str| {
            format!(
                "[[pipelines]]\ncode = '{code}'\nformat = {{ type = 'json' }}\n\
                 transport = {{ type = 's3', key = '{code}/{{{{ order.id }}}}' }}\n{more}\n"
            )
        };
        let erp = pipeline("erp", "keep_payload = 'until-exported'");
        let told = pipeline("told", "on = 'canceled'\nkeep_payload = 'until-exported'");
        format!("{shop}\n{erp}\n{told}\n{more}")
    }

    fn problems(text: &str) -> String {
        parse("ordersync.toml", text, &Files::default(), 10)
            .map_or_else(|invalid| invalid.to_string(), |_| String::new())
    }

    #[test]
    fn what_is_found_by_is_as_the_document_says() {
        for (settings, number, customer) in [
            ("", true, false),
            ("[ledger]", true, false),
            ("[ledger]\nfind_by = []", false, false),
            ("[ledger]\nfind_by = 'customer'", false, true),
            ("[ledger]\nfind_by = ['number', 'customer']", true, true),
        ] {
            let config = parse("ordersync.toml", &document(settings), &Files::default(), 10);
            assert_eq!(config.unwrap().find_by, FindBy { number, customer }, "{settings}");
        }
    }

    #[test]
    fn cancellations_are_told_with_an_order_that_is_kept() {
        let rule = |report| {
            format!(
                "[cancel_stale]\nrules = [{{ method = 'x', statuses = ['y'], older_than = '7 days', report = {report} }}]"
            )
        };
        let found = problems(&document(&rule(false)));
        assert!(found.contains("the pipeline \"told\" cannot tell of orders of \"acme\""), "{found}");
        assert_eq!(problems(&document(&rule(true))), "");
        assert_eq!(problems(&document("")), "");
        let kept = document(&rule(false)).replacen("until-exported", "always", 1);
        assert_eq!(problems(&kept), "");
    }
}
