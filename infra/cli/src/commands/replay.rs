//! `ordersync replay`: many exports again, by what they have in common.

use clap::Args;
use ordersync::ledger::Status;
use ordersync_admin::{Action, Actor, Admin, Bulk, BulkReport, Filter, Key, Outcome, Selection, Single};

use super::act::{exit, text};
use super::exports::{Which, filter_now, status};
use crate::args::Global;
use crate::confirm::confirmed;
use crate::exit::{Exit, Failure};
use crate::output::{Out, count};
use crate::pace::Pace;
use crate::stack::Stack;

const EXAMPLES: &str = "\
Examples:
  ordersync replay --status error --since 2h --dry-run
  ordersync replay --status error --pipeline erp --error 'HTTP 503' --yes
  ordersync replay --status error --since 2026-03-01 --rate 20 --yes

First it is counted what can be replayed; then it asks, unless --yes is said. What is replayed is reset: attempts are counted
anew, and the export is queued. An export that the destination has already is delivered again under the same key, so name
--status exported only where that is meant.";

/// Exports of one call to the ledger.
const AT_ONCE: u32 = 100;

/// Reset many exports, by what they have in common
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Replay {
    /// In this state; may be given several times.
    #[arg(long, value_name = "STATUS", required = true, value_parser = status)]
    status: Vec<Status>,
    #[command(flatten)]
    which: Which,
    /// At most so many.
    #[arg(long, value_name = "N", default_value_t = 10_000)]
    limit: u32,
    /// Most a second.
    #[arg(long, value_name = "PER_SECOND")]
    rate: Option<f64>,
    /// Only say what would be done.
    #[arg(long)]
    dry_run: bool,
    /// Do not ask.
    #[arg(long, short)]
    yes: bool,
}

impl Replay {
    pub(crate) async fn run(&self, global: &Global, out: Out) -> Result<Exit, Failure> {
        let pace = Pace::new(self.rate)?;
        let stack = Stack::find(global).await?;
        let (admin, filter) = (stack.admin(), filter_now(&self.which, &self.status));
        let would = self.would(&admin, &filter).await?;
        if self.dry_run {
            out.result(&would, || text(Action::Reset, &would));
            return Ok(Exit::Done);
        }
        let keys: Vec<Key> = possible(&would).cloned().collect();
        if keys.is_empty() {
            out.result(&would, || text(Action::Reset, &would));
            return Ok(if would.refused > 0 { Exit::Refused } else { Exit::Done });
        }
        if !confirmed(self.yes, &format!("replay {}", count(keys.len() as u64, "export")))? {
            return Err(Failure::Refused("nothing was done".into()));
        }
        let report = reset(&admin, &stack.actor().await?, &keys, &pace).await?;
        out.result(&report, || text(Action::Reset, &report));
        Ok(exit(&report))
    }

    /// What would become of all that the filter takes. Nothing changes, so the pages stay what they are.
    async fn would(&self, admin: &Admin, filter: &Filter) -> Result<BulkReport, Failure> {
        let mut all = BulkReport { dry_run: true, ..BulkReport::default() };
        let mut cursor: Option<String> = None;
        loop {
            let left = self.limit.saturating_sub(u32::try_from(all.exports.len()).unwrap_or(u32::MAX));
            if left == 0 {
                return Ok(all);
            }
            let selection = Selection::Filter(filter.clone());
            let limit = Some(left.min(AT_ONCE));
            let bulk = Bulk { action: Action::Reset, selection, dry_run: true, limit, cursor: cursor.take() };
            let page = admin.bulk(&Actor(String::new()), &bulk).await?;
            cursor.clone_from(&page.cursor);
            add(&mut all, page);
            if cursor.is_none() {
                return Ok(all);
            }
        }
    }
}

async fn reset(admin: &Admin, actor: &Actor, keys: &[Key], pace: &Pace) -> Result<BulkReport, Failure> {
    let mut all = BulkReport::default();
    // One by one where they are to be spread.
    let together = if pace.is_limited() { 1 } else { AT_ONCE as usize };
    for keys in keys.chunks(together) {
        pace.turn().await;
        let selection = Selection::Keys(keys.to_vec());
        let bulk = Bulk { action: Action::Reset, selection, dry_run: false, limit: None, cursor: None };
        add(&mut all, admin.bulk(actor, &bulk).await?);
    }
    Ok(all)
}

fn possible(would: &BulkReport) -> impl Iterator<Item = &Key> {
    would.exports.iter().filter(|single| single.outcome == Outcome::Done).map(|single: &Single| &single.key)
}

fn add(all: &mut BulkReport, page: BulkReport) {
    all.done += page.done;
    all.refused += page.refused;
    all.failed += page.failed;
    all.exports.extend(page.exports);
}
