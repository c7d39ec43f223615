//! `ordersync backfill`: orders that were placed before, through the queue as if their webhooks came now.

mod feed;
mod judge;
mod source;
mod state;

use std::path::PathBuf;

use clap::Args;
use ordersync::clock;
use ordersync::config::Config;
use serde::Serialize;

use self::feed::{End, Feed};
use self::judge::Judge;
use self::source::{Lines, Source};
use self::state::{Progress, Tally};
use crate::args::Global;
use crate::configured;
use crate::exit::{Exit, Failure};
use crate::output::{Out, count, table};
use crate::pace::Pace;
use crate::stack::Stack;

const EXAMPLES: &str = "\
Examples:
  ordersync backfill orders.jsonl --shop acme-eu --config config --dry-run
  ordersync backfill orders.jsonl --shop acme-eu --config config --rate 50
  ordersync backfill s3://acme-dumps/orders-2025.jsonl.zst --shop acme-eu --config config
  zcat orders.jsonl.gz | ordersync backfill - --shop acme-eu --local

Each line is one order, as the body of its webhook. Lines go to the stack's queue as intake sends them; the processor
recognises what it has exported. Orders that no pipeline takes, for placed_after or another filter, are counted and not
sent. Ctrl-C stops it where it can be taken up: the same call goes on.";

/// Feed in orders that were placed before, one webhook body a line
///
/// Ends with 1 where lines were rejected, with 130 where it was interrupted.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Backfill {
    #[arg(
        help = "JSON lines, also .gz and .zst: a file, s3://bucket/key, or - for the input, which cannot be resumed",
        value_name = "SOURCE"
    )]
    source: Source,
    /// Code of the shop whose orders they are.
    #[arg(long, value_name = "CODE")]
    shop: String,
    /// The platform's word for what happened, where the body does not say; without it, the orders were placed.
    #[arg(long, value_name = "TOPIC")]
    topic: Option<String>,
    /// Only count what would happen.
    #[arg(long)]
    dry_run: bool,
    /// Most orders a second.
    #[arg(long, value_name = "PER_SECOND")]
    rate: Option<f64>,
    /// Orders on their way to the queue at the same time.
    #[arg(long, value_name = "N", default_value_t = 16, value_parser = clap::value_parser!(u16).range(1..=256))]
    concurrency: u16,
    /// Where to keep how far it came; beside the source where not given, in the working directory for S3.
    #[arg(long, value_name = "FILE")]
    state: Option<PathBuf>,
    /// Where to list the lines that were rejected; beside the state where not given.
    #[arg(long, value_name = "FILE")]
    rejects: Option<PathBuf>,
    /// Begin anew, whatever the state says.
    #[arg(long)]
    restart: bool,
}

/// What became of it, as JSON.
#[derive(Debug, Serialize)]
struct Report<'a> {
    dry_run: bool,
    finished: bool,
    resumed_after_line: u64,
    #[serde(flatten)]
    tally: &'a Tally,
    #[serde(skip_serializing_if = "Option::is_none")]
    state: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rejects: Option<String>,
}

impl Backfill {
    pub(crate) async fn run(&self, global: &Global, out: Out) -> Result<Exit, Failure> {
        let pace = Pace::new(self.rate)?;
        let stack = Stack::find(global).await?;
        let config = configured::of_stack::<Config>(global, &stack).await?;
        let shop = configured::shop(&config, &self.shop)?;
        let judge = Judge { config: &config, shop, topic: self.topic.as_deref(), now: clock::now() };
        let lines = Lines::open(&self.source, &stack.sdk).await?;
        let mut progress = self.progress(&stack, &lines)?;
        let begins_after = progress.after();
        if begins_after > 0 {
            out.note(&format!("going on after line {begins_after}"));
        }
        let feed = Feed {
            judge,
            inbound: (!self.dry_run).then(|| stack.inbound()),
            pace,
            concurrency: self.concurrency.into(),
            is_quiet: out.json,
        };
        let end = feed.run(lines, &mut progress).await;
        progress.save(matches!(end, Ok(End::Finished)))?;
        self.report(&progress, begins_after, &end, out);
        match end? {
            End::Interrupted => Ok(Exit::Interrupted),
            End::Finished if progress.tally.rejected > 0 => Ok(Exit::Wrong),
            End::Finished => Ok(Exit::Done),
        }
    }

    /// How far an earlier run came. A dry run, and one of the input, begin and end with themselves.
    fn progress(&self, stack: &Stack, lines: &Lines) -> Result<Progress, Failure> {
        let Some(digest) = lines.digest().filter(|_| !self.dry_run) else {
            let rejects = self.rejects.clone().filter(|_| !self.dry_run);
            return Progress::of_one_run(rejects);
        };
        let beside = self.source.beside();
        let state = self.state.clone().unwrap_or_else(|| state::with_suffix(&beside, ".state.json"));
        let rejects = self.rejects.clone().unwrap_or_else(|| state::with_suffix(&beside, ".rejects.jsonl"));
        let of = state::Of { sha256: digest.to_owned(), shop: self.shop.clone(), queue: stack.parts.queue_url.clone() };
        Progress::take_up(state, rejects, of, self.restart)
    }

    fn report(&self, progress: &Progress, begins_after: u64, end: &Result<End, Failure>, out: Out) {
        let tally = &progress.tally;
        let finished = matches!(end, Ok(End::Finished));
        let path = |path: Option<&PathBuf>| path.map(|path| path.display().to_string());
        let report = Report {
            dry_run: self.dry_run,
            finished,
            resumed_after_line: begins_after,
            tally,
            state: path(progress.state_file()),
            rejects: path(progress.rejects_file()).filter(|_| tally.rejected > 0),
        };
        out.result(&report, || text(&report));
        if !finished {
            out.note("not finished: the same call goes on where this one stopped");
        }
    }
}

fn text(report: &Report<'_>) -> String {
    let tally = report.tally;
    let would = if report.dry_run { "would be " } else { "" };
    let mut text = format!(
        "{} read: {} {would}sent, {} no pipeline takes, {} rejected",
        count(tally.lines, "order"),
        tally.sent,
        tally.skipped,
        tally.rejected
    );
    if !tally.declined.is_empty() {
        let rows = tally.declined.iter().flat_map(|(pipeline, reasons)| {
            reasons.iter().map(move |(reason, orders)| [pipeline.clone(), orders.to_string(), reason.clone()])
        });
        text = format!("{text}\n\n{}", table(["PIPELINE", "DECLINES", "BECAUSE"], rows));
    }
    if !tally.first_rejects.is_empty() {
        let rows = tally.first_rejects.iter().map(|one| [one.line.to_string(), one.error.clone()]);
        text = format!("{text}\n\n{}", table(["LINE", "REJECTED BECAUSE"], rows));
    }
    if let Some(rejects) = &report.rejects {
        text = format!("{text}\n\nall rejected lines: {rejects}");
    }
    text
}
