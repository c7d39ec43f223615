//! `ordersync list`.

use clap::Args;
use ordersync::ledger::Status;
use ordersync_admin::Page;

use super::exports::{Which, filter_now, listed, status};
use crate::args::Global;
use crate::exit::{Exit, Failure};
use crate::output::Out;
use crate::stack::Stack;

const EXAMPLES: &str = "\
Examples:
  ordersync list
  ordersync list --status error --since 2h
  ordersync list --status pending --status error --pipeline erp --error 'HTTP 503'
  ordersync list --status error --json | jq -r '.exports[].key | \"\\(.shop):\\(.order)\"'";

/// List exports, newest change first
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct List {
    /// In this state; may be given several times.
    #[arg(long, value_name = "STATUS", value_parser = status)]
    status: Vec<Status>,
    #[command(flatten)]
    which: Which,
    /// How many at most.
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=500))]
    limit: u32,
    /// Where an earlier list ended.
    #[arg(long, value_name = "CURSOR")]
    cursor: Option<String>,
}

impl List {
    pub(crate) async fn run(&self, global: &Global, out: Out) -> Result<Exit, Failure> {
        let admin = Stack::find(global).await?.admin();
        let page = Page { limit: Some(self.limit), cursor: self.cursor.clone() };
        let listing = admin.list(&filter_now(&self.which, &self.status), &page).await?;
        out.result(&listing, || match listing.exports.as_slice() {
            [] => "no exports".to_owned(),
            exports => listed(exports),
        });
        if let Some(cursor) = &listing.cursor {
            out.note(&format!("there may be more: --cursor {cursor}"));
        }
        Ok(Exit::Done)
    }
}
