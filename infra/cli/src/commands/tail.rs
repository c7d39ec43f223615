//! `ordersync tail`: exports as they change.

use std::collections::BTreeMap;
use std::time::Duration;

use clap::Args;
use jiff::Timestamp;
use ordersync::clock;
use ordersync::ledger::Status;
use ordersync_admin::{Admin, ExportRow, Filter, Key, Page};

use super::exports::{Which, line, status};
use crate::args::Global;
use crate::exit::{Exit, Failure};
use crate::output::Out;
use crate::stack::Stack;

const EXAMPLES: &str = "\
Examples:
  ordersync tail
  ordersync tail --pipeline erp --status error
  ordersync tail --since 10m --json | jq -r '\"\\(.status) \\(.number)\"'

What passes through too fast to be seen in between is not shown. Ctrl-C ends it.";

/// An index may tell of a change a moment later than of another one.
const LATE: Duration = Duration::from_secs(10);
/// Exports that are read at once.
const PAGE: u32 = 500;

/// Follow exports as they change
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Tail {
    /// In this state; may be given several times.
    #[arg(long, value_name = "STATUS", value_parser = status)]
    status: Vec<Status>,
    #[command(flatten)]
    which: Which,
    /// Seconds between two looks.
    #[arg(long, value_name = "SECONDS", default_value_t = 2, value_parser = clap::value_parser!(u64).range(1..=3600))]
    interval: u64,
    /// End after so many changes.
    #[arg(long, value_name = "N")]
    changes: Option<usize>,
}

impl Tail {
    pub(crate) async fn run(&self, global: &Global, out: Out) -> Result<Exit, Failure> {
        let admin = Stack::find(global).await?.admin();
        let began = clock::now();
        let mut filter = self.which.filter(self.status.iter().copied().collect(), began);
        let from = filter.since.unwrap_or(began);
        let (mut seen, mut left) = (Seen::new(from), self.changes.unwrap_or(usize::MAX));
        loop {
            filter.since = Some(seen.look_from());
            for change in seen.news(all(&admin, &filter).await?) {
                if left == 0 {
                    return Ok(Exit::Done);
                }
                left -= 1;
                out.line(&change, || line(&change).join("  "));
            }
            if left == 0 {
                return Ok(Exit::Done);
            }
            tokio::select! {
                _ = tokio::signal::ctrl_c() => return Ok(Exit::Done),
                () = tokio::time::sleep(Duration::from_secs(self.interval)) => {}
            }
        }
    }
}

async fn all(admin: &Admin, filter: &Filter) -> Result<Vec<ExportRow>, Failure> {
    let (mut all, mut cursor) = (Vec::new(), None);
    loop {
        let listing = admin.list(filter, &Page { limit: Some(PAGE), cursor }).await?;
        all.extend(listing.exports);
        match listing.cursor {
            Some(next) => cursor = Some(next),
            None => return Ok(all),
        }
    }
}

/// What has been shown.
#[derive(Debug)]
struct Seen {
    from: Timestamp,
    newest: Timestamp,
    changes: BTreeMap<Key, Timestamp>,
}

impl Seen {
    fn new(from: Timestamp) -> Self {
        Self { from, newest: from, changes: BTreeMap::new() }
    }

    /// Looks overlap, for changes that the index tells late.
    fn look_from(&self) -> Timestamp {
        clock::earlier(self.newest, LATE).max(self.from)
    }

    /// What is new, oldest first.
    fn news(&mut self, mut exports: Vec<ExportRow>) -> Vec<ExportRow> {
        exports.sort_by_key(|export| export.updated_at);
        exports.retain(|export| self.changes.get(&export.key).is_none_or(|known| *known < export.updated_at));
        for export in &exports {
            self.newest = self.newest.max(export.updated_at);
            self.changes.insert(export.key.clone(), export.updated_at);
        }
        // What no look reaches any more is forgotten.
        let reach = self.look_from();
        self.changes.retain(|_, at| *at >= reach);
        exports
    }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;
    use crate::commands::exports::tests::export;

    fn at(second: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + SignedDuration::from_secs(second)
    }

    fn changed(order: &str, second: i64) -> ExportRow {
        ExportRow { updated_at: at(second), ..export(order, "erp", Status::Pending) }
    }

    #[test]
    fn each_change_is_shown_once_and_late_ones_too() {
        let mut seen = Seen::new(at(100));
        let orders = |news: Vec<ExportRow>| news.into_iter().map(|one| one.key.order).collect::<Vec<_>>();
        assert_eq!(orders(seen.news(vec![changed("2", 120), changed("1", 110)])), ["1", "2"]);
        assert_eq!(seen.look_from(), at(110));
        assert_eq!(orders(seen.news(vec![changed("2", 120), changed("3", 115), changed("1", 110)])), ["3"]);
        assert_eq!(orders(seen.news(vec![changed("2", 130), changed("3", 115)])), ["2"]);
        assert_eq!(seen.look_from(), at(120));
        assert_eq!(seen.changes.len(), 1);
        assert_eq!(Seen::new(at(5)).look_from(), at(5), "nothing from before is shown");
    }
}
