//! `ordersync show`.

use clap::Args;
use ordersync::config::Config;
use ordersync_admin::{Admin, ExportView, OrderView};
use serde::Serialize;

use super::exports::{found, listed};
use crate::args::Global;
use crate::configured;
use crate::exit::{Exit, Failure};
use crate::output::{Out, printable, table};
use crate::stack::Stack;

const EXAMPLES: &str = "\
Examples:
  ordersync show 100001234
  ordersync show '#1042' --shop acme-eu
  ordersync show SO-2026-0001042             # the back office's identifier
  ordersync show acme-eu:9007199254740993:erp --payload";

/// Show an order: its exports, all attempts, and what may be done
///
/// Found by number, by the shop's identifier (with --shop or a configuration), by the back office's identifier, or by
/// `shop:order:pipeline` as it stands in the log.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Show {
    /// What is known of the order.
    #[arg(value_name = "ORDER")]
    order: String,
    /// Code of its shop.
    #[arg(long, value_name = "CODE")]
    shop: Option<String>,
    /// The webhook too, personal data hidden.
    #[arg(long)]
    payload: bool,
    /// With personal data, which is noted in the audit log.
    #[arg(long, requires = "payload")]
    reveal: bool,
}

/// What is shown of an order.
#[derive(Debug, Serialize)]
struct Shown {
    #[serde(flatten)]
    order: OrderView,
    #[serde(skip_serializing_if = "Option::is_none")]
    payload: Option<String>,
}

impl Show {
    pub(crate) async fn run(&self, global: &Global, out: Out) -> Result<Exit, Failure> {
        let stack = Stack::find(global).await?;
        let admin = stack.admin();
        let mut shown = Vec::new();
        for found in found(&admin, global, &stack, &self.order, self.shop.as_deref()).await? {
            let order = admin.order(&found.order).await?;
            let payload = if self.payload { Some(self.payload(&admin, global, &stack, &order).await?) } else { None };
            shown.push(Shown { order, payload });
        }
        out.result(&shown, || shown.iter().map(text).collect::<Vec<_>>().join("\n\n"));
        Ok(Exit::Done)
    }

    async fn payload(
        &self,
        admin: &Admin,
        global: &Global,
        stack: &Stack,
        order: &OrderView,
    ) -> Result<String, Failure> {
        let kept = order.exports.iter().find(|export| export.has_payload).or(order.exports.first());
        let not_kept = || Failure::NotFound("the raw order is not kept".into());
        let key = &kept.ok_or_else(not_kept)?.row.key;
        let is_at_hand = global.config.is_some() || stack.config.is_some();
        let config = if is_at_hand { Some(configured::of_stack::<Config>(global, stack).await?) } else { None };
        let actor = if self.reveal { Some(stack.actor().await?) } else { None };
        Ok(admin.payload(config.as_deref(), key, actor.as_ref()).await?.webhook.text)
    }
}

fn text(shown: &Shown) -> String {
    let (order, facts) = (&shown.order, &shown.order.facts);
    let title = format!("order {} of {}, number {}", order.order.order, order.order.shop, order.number);
    let known = [
        ("placed", facts.placed_at.map(|at| at.to_string())),
        ("state", facts.order_state.clone()),
        ("payment", facts.payment_state.clone()),
        ("method", facts.payment_method.clone()),
        ("cancelled", facts.canceled_at.map(|at| at.to_string())),
        ("erased", facts.erased_at.map(|at| at.to_string())),
    ];
    let known = known.into_iter().filter_map(|(name, value)| Some(format!("  {name:<10}{}", printable(&value?))));
    let head: Vec<String> = [title].into_iter().chain(known).collect();
    let rows: Vec<_> = order.exports.iter().map(|export| export.row.clone()).collect();
    let parts = [head.join("\n"), listed(&rows)].into_iter().chain(order.exports.iter().map(attempts));
    parts.chain(shown.payload.clone()).collect::<Vec<_>>().join("\n\n")
}

fn attempts(export: &ExportView) -> String {
    let may: Vec<_> =
        export.actions.iter().filter(|offer| offer.refused.is_none()).map(|offer| offer.action.to_string()).collect();
    let may = if may.is_empty() { "nothing".to_owned() } else { may.join(", ") };
    let to = export.destination.as_deref().map(|to| format!(", to {to}")).unwrap_or_default();
    let head = format!("{}{to}; may be done: {may}", export.row.key.pipeline);
    if export.history.is_empty() {
        return head;
    }
    let rows = export.history.iter().map(|attempt| {
        let said = [attempt.error.as_deref(), attempt.response.as_deref()].into_iter().flatten();
        let said: String = said.collect::<Vec<_>>().join(" | ").chars().take(300).collect();
        [attempt.at.to_string(), attempt.outcome.name().to_owned(), attempt.took_ms.to_string(), said]
    });
    format!("{head}\n{}", table(["ATTEMPT", "OUTCOME", "MS", "SAID"], rows))
}

#[cfg(test)]
mod tests {
    use ordersync::ledger::{Outcome, Status};
    use ordersync_admin::{AttemptView, OrderFacts, OrderKey};

    use super::*;
    use crate::commands::exports::tests::export;

    #[test]
    fn an_order_is_shown_with_its_attempts() {
        let attempt = AttemptView {
            at: "2026-03-10T11:59:00Z".parse().unwrap(),
            outcome: Outcome::Error,
            took_ms: 120,
            error: Some("erp.example.com answered 400 Bad Request".into()),
            response: Some("HTTP 400\nno such sku".into()),
        };
        let export = ExportView {
            row: export("7", "erp", Status::Error),
            created_at: "2026-03-10T11:00:00Z".parse().unwrap(),
            destination: None,
            idempotency_key: "acme:7:erp".into(),
            has_payload: true,
            due_at: None,
            requeued_at: None,
            history: vec![attempt],
            actions: Vec::new(),
        };
        let facts = OrderFacts { order_state: Some("open".into()), ..OrderFacts::default() };
        let order = OrderKey { shop: "acme".into(), order: "7".into() };
        let order = OrderView { order, number: "N-7".into(), facts, exports: vec![export] };
        insta::assert_snapshot!(text(&Shown { order, payload: None }));
    }
}
