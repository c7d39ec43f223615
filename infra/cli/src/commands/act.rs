//! `ordersync reset`, `export-now`, `cancel`, `skip`, `delete`: one action on exports by their names.

use clap::Args;
use ordersync_admin::{Action, Bulk, BulkReport, Key, Outcome, Selection};

use super::exports::{found, meant};
use crate::args::Global;
use crate::confirm::confirmed;
use crate::exit::{Exit, Failure};
use crate::output::{Out, count, table};
use crate::stack::Stack;

const EXAMPLES: &str = "\
Examples:
  ordersync reset 100001234 --pipeline erp
  ordersync export-now acme-eu:9007199254740993:erp
  ordersync skip 100001234 100001235 --pipeline erp --dry-run
  ordersync delete acme-eu:9007199254740993:erp --yes

What the state of an export does not allow is refused, with the reason: exit code 4. Every action is in the audit log.";

/// Which exports, and whether it is meant.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Act {
    /// What is known of the order, or `shop:order:pipeline`; may be given several times.
    #[arg(value_name = "ORDER", required = true)]
    orders: Vec<String>,
    /// Code of the pipeline, where the order has several exports.
    #[arg(long, value_name = "CODE")]
    pipeline: Option<String>,
    /// Code of the order's shop.
    #[arg(long, value_name = "CODE")]
    shop: Option<String>,
    /// Only say what would be done.
    #[arg(long)]
    dry_run: bool,
    /// Do not ask. Without a terminal, what cannot be taken back needs it.
    #[arg(long, short)]
    yes: bool,
}

impl Act {
    pub(crate) async fn run(&self, action: Action, global: &Global, out: Out) -> Result<Exit, Failure> {
        let stack = Stack::find(global).await?;
        let admin = stack.admin();
        let mut keys: Vec<Key> = Vec::new();
        for order in &self.orders {
            let found = found(&admin, global, &stack, order, self.shop.as_deref()).await?;
            keys.push(meant(order, &found, self.pipeline.as_deref())?);
        }
        keys.sort();
        keys.dedup();
        // Whatever else is done can be undone by another action.
        let is_final = action == Action::Delete && !self.dry_run;
        if is_final && !confirmed(self.yes, &format!("delete {}", count(keys.len() as u64, "export")))? {
            return Err(Failure::Refused("nothing was done".into()));
        }
        let actor = stack.actor().await?;
        let selection = Selection::Keys(keys);
        let bulk = Bulk { action, selection, dry_run: self.dry_run, limit: None, cursor: None };
        let report = admin.bulk(&actor, &bulk).await?;
        out.result(&report, || text(action, &report));
        Ok(exit(&report))
    }
}

/// The worst of what became of them.
pub(crate) fn exit(report: &BulkReport) -> Exit {
    match (report.failed, report.refused) {
        (1.., _) => Exit::Unreachable,
        (_, 1..) => Exit::Refused,
        _ => Exit::Done,
    }
}

/// What became of each that is worth a word, and of how many.
pub(crate) fn text(action: Action, report: &BulkReport) -> String {
    let would = if report.dry_run { "would be done" } else { "done" };
    let summary = format!("{action}: {} {would}, {} refused, {} failed", report.done, report.refused, report.failed);
    let noted = report.exports.iter().filter(|single| single.note.is_some() || single.outcome != Outcome::Done);
    let rows: Vec<_> = noted
        .map(|single| {
            let outcome = match single.outcome {
                Outcome::Done => would,
                Outcome::Refused => "refused",
                Outcome::Failed => "failed",
            };
            [single.key.export().idempotency_key(), outcome.to_owned(), single.note.clone().unwrap_or_default()]
        })
        .collect();
    if rows.is_empty() { summary } else { format!("{summary}\n\n{}", table(["EXPORT", "OUTCOME", "WHY"], rows)) }
}

#[cfg(test)]
mod tests {
    use ordersync_admin::Single;

    use super::*;

    fn report(outcomes: &[Outcome]) -> BulkReport {
        let many = |wanted| u32::try_from(outcomes.iter().filter(|outcome| **outcome == wanted).count()).unwrap();
        let key = Key { shop: "acme".into(), order: "7".into(), pipeline: "erp".into() };
        let note = |outcome| (outcome != Outcome::Done).then(|| "an attempt runs".to_owned());
        let single = |outcome: &Outcome| Single { key: key.clone(), outcome: *outcome, note: note(*outcome) };
        BulkReport {
            dry_run: false,
            done: many(Outcome::Done),
            refused: many(Outcome::Refused),
            failed: many(Outcome::Failed),
            exports: outcomes.iter().map(single).collect(),
            cursor: None,
        }
    }

    #[test]
    fn the_exit_code_is_that_of_the_worst() {
        for (outcomes, expected) in [
            (&[][..], Exit::Done),
            (&[Outcome::Done], Exit::Done),
            (&[Outcome::Done, Outcome::Refused], Exit::Refused),
            (&[Outcome::Failed, Outcome::Refused], Exit::Unreachable),
        ] {
            assert_eq!(exit(&report(outcomes)), expected, "{outcomes:?}");
        }
    }

    #[test]
    fn what_was_refused_is_said_with_the_reason() {
        insta::assert_snapshot!(text(Action::Reset, &report(&[Outcome::Done, Outcome::Refused])));
        assert_eq!(text(Action::Skip, &report(&[Outcome::Done])), "skip: 1 done, 0 refused, 0 failed");
    }
}
