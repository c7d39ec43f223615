//! `ordersync import-status`: what a replaced system says that it has exported.

mod columns;
mod php;
mod presets;
mod rows;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::Args;
use futures_util::{StreamExt as _, stream};
use ordersync::clock;
use ordersync::config::Config;
use ordersync::ledger::{ExportKey, Import, Imported, Ledger};
use serde::Serialize;

use self::columns::{Columns, Mapping};
use self::presets::From;
use self::rows::{Export, Table};
use crate::args::Global;
use crate::commands::render::read_file;
use crate::configured;
use crate::exit::{Exit, Failure, file_failure};
use crate::output::{Out, count, table};
use crate::pace::Pace;
use crate::stack::Stack;

const EXAMPLES: &str = "\
Examples:
  ordersync import-status ordersyncquerunner_que.csv --from ordersyncquerunner --shop acme-eu --pipeline erp --dry-run
  ordersync import-status jobs.csv --from jobqueue --shop acme-eu --pipeline erp --map order_id=handler:orderId --pending left.csv
  ordersync import-status export.csv --from pacemaker --shop acme-eu --pipeline erp --map external_id=erp_number --done success
  ordersync import-status other.csv --shop acme-eu --pipeline erp --map order_id=id --map exported_at=sent_at

A table with a header, as a database client exports it: mysql --batch with --delimiter tab, or CSV. What the system has
exported reads `exported` in the ledger from then on, and neither a webhook nor a backfill exports it again. What it has
not is listed with --pending, for a backfill. Rows that ordersync knows already are left as they are, so that the same may
be imported again.

Fields of --map: order_id (the shop's own identifier of the order), number, placed_at, exported_at, external_id, status,
error, is_new. FIELD=COLUMN, or FIELD=COLUMN:NAME for what stands under a name in a serialized PHP object.";

/// Import what a replaced system has exported, from its table
///
/// Ends with 1 where rows cannot be read.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct ImportStatus {
    /// The table; - for the input.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The system whose columns they are.
    #[arg(long, value_enum)]
    from: Option<From>,
    /// A column for a field; may be given several times, and goes before the system's own.
    #[arg(long, value_name = "FIELD=COLUMN")]
    map: Vec<Mapping>,
    /// A status that means that the order was exported; may be given several times.
    #[arg(long, value_name = "STATUS")]
    done: Vec<String>,
    /// Code of the shop whose orders they are.
    #[arg(long, value_name = "CODE")]
    shop: String,
    /// Code of the pipeline that takes over; may be given several times.
    #[arg(long, value_name = "CODE", required = true)]
    pipeline: Vec<String>,
    /// What stands between columns: a character, or `tab`.
    #[arg(long, value_name = "CHAR", default_value = ",")]
    delimiter: String,
    /// Where to list the orders that were not exported.
    #[arg(long, value_name = "FILE")]
    pending: Option<PathBuf>,
    /// Only count what would happen.
    #[arg(long)]
    dry_run: bool,
    /// Most writes a second.
    #[arg(long, value_name = "PER_SECOND")]
    rate: Option<f64>,
}

/// Writes on their way at the same time.
const AT_ONCE: usize = 16;
/// Rows that cannot be read, as far as they are shown.
const SHOWN: usize = 10;

/// What became of it, as JSON.
#[derive(Debug, Default, Serialize)]
struct Report {
    dry_run: bool,
    rows: u64,
    /// Orders that the system has exported.
    done: u64,
    pending: u64,
    /// Rows about updates of orders, which are none of an export.
    updates: u64,
    rejected: u64,
    first_rejects: Vec<rows::Reject>,
    pipelines: BTreeMap<String, Outcome>,
}

/// What became of the exports of a pipeline.
#[derive(Debug, Default, Serialize)]
struct Outcome {
    imported: u64,
    /// Exports that the ledger knows already, by their status.
    left_as_they_are: BTreeMap<String, u64>,
}

impl ImportStatus {
    pub(crate) async fn run(&self, global: &Global, out: Out) -> Result<Exit, Failure> {
        let pace = Pace::new(self.rate)?;
        let orders = self.read()?;
        let stack = Stack::find(global).await?;
        let config = configured::of_stack::<Config>(global, &stack).await?;
        let shop = configured::shop(&config, &self.shop)?;
        for code in &self.pipeline {
            if !configured::pipeline(&config, code)?.serves(&shop.code) {
                return Err(Failure::Wrong(format!("pipeline {code:?} takes no orders of {}", shop.code)));
            }
        }
        let mut report = Report {
            dry_run: self.dry_run,
            rows: orders.rows,
            done: orders.done.len() as u64,
            pending: orders.pending.len() as u64,
            updates: orders.updates,
            rejected: orders.rejects.len() as u64,
            first_rejects: orders.rejects.iter().take(SHOWN).cloned().collect(),
            pipelines: BTreeMap::new(),
        };
        if let Some(file) = self.pending.as_deref().filter(|_| !self.dry_run) {
            list_pending(file, &orders.pending)?;
        }
        let ledger = stack.ledger();
        for pipeline in &self.pipeline {
            let outcome = self.import(&ledger, &config, pipeline, &orders.done, &pace).await?;
            report.pipelines.insert(pipeline.clone(), outcome);
        }
        out.result(&report, || text(&report));
        Ok(if report.rejected > 0 { Exit::Wrong } else { Exit::Done })
    }

    fn read(&self) -> Result<Table, Failure> {
        let bytes = read_file(&self.file)?;
        let delimiter = delimiter(&self.delimiter)?;
        let mut reader = csv::ReaderBuilder::new().delimiter(delimiter).flexible(true).from_reader(bytes.as_slice());
        let unreadable = |error: csv::Error| Failure::Wrong(format!("{}: {error}", self.file.display()));
        let header: Vec<String> = reader.headers().map_err(unreadable)?.iter().map(ToOwned::to_owned).collect();
        let columns = Columns::find(&header, &self.map, self.from, &self.done).map_err(Failure::Usage)?;
        Ok(Table::read(reader.records(), &columns))
    }

    async fn import(
        &self,
        ledger: &Ledger,
        config: &Config,
        pipeline: &str,
        done: &[Export],
        pace: &Pace,
    ) -> Result<Outcome, Failure> {
        let origin = self.from.map_or_else(|| "another system".to_owned(), From::name);
        let imports = stream::iter(done).map(async |export| {
            pace.turn().await;
            let key = ExportKey::new(&self.shop, &export.order_id, pipeline);
            let imported = export.imported(&origin);
            if self.dry_run {
                let row = ledger.export(&key).await?;
                let known = row.filter(|row| !Imported::may_replace(row));
                return Ok(known.map_or(Import::Written, |row| Import::LeftAsIs(row.status)));
            }
            ledger.import(&key, &imported, config.find_by, clock::now()).await.map_err(Failure::from)
        });
        let mut imports = std::pin::pin!(imports.buffer_unordered(AT_ONCE));
        let mut outcome = Outcome::default();
        while let Some(import) = imports.next().await {
            match import? {
                Import::Written => outcome.imported += 1,
                Import::LeftAsIs(status) => *outcome.left_as_they_are.entry(status.to_string()).or_default() += 1,
            }
        }
        Ok(outcome)
    }
}

fn delimiter(text: &str) -> Result<u8, Failure> {
    match text.as_bytes() {
        b"tab" | b"\\t" => Ok(b'\t'),
        [byte] if byte.is_ascii() => Ok(*byte),
        _ => Err(Failure::Usage("--delimiter: expected one character, or tab".into())),
    }
}

/// As a table with the fields' own names.
fn list_pending(file: &Path, pending: &[Export]) -> Result<(), Failure> {
    let listed = || -> Result<(), csv::Error> {
        let mut writer = csv::Writer::from_path(file)?;
        writer.write_record(["order_id", "number", "placed_at", "error"])?;
        for export in pending {
            let placed_at = export.placed_at.map(|at| at.to_string()).unwrap_or_default();
            let number = export.number.as_deref().unwrap_or_default();
            writer.write_record([&export.order_id, number, &placed_at, export.error.as_deref().unwrap_or_default()])?;
        }
        writer.flush().map_err(csv::Error::from)
    };
    listed().map_err(|error| match error.into_kind() {
        csv::ErrorKind::Io(error) => file_failure(file, &error),
        other => Failure::Wrong(format!("{}: {other:?}", file.display())),
    })
}

fn text(report: &Report) -> String {
    let would = if report.dry_run { "would be " } else { "" };
    let mut text = format!(
        "{} read: {} exported there, {} not, {} about updates, {} cannot be read",
        count(report.rows, "row"),
        report.done,
        report.pending,
        report.updates,
        report.rejected
    );
    let rows = report.pipelines.iter().map(|(pipeline, outcome)| {
        let known = outcome.left_as_they_are.iter().map(|(status, exports)| format!("{exports} {status}"));
        [pipeline.clone(), outcome.imported.to_string(), known.collect::<Vec<_>>().join(", ")]
    });
    let imported = format!("{}IMPORTED", would.to_uppercase());
    text = format!("{text}\n\n{}", table(["PIPELINE", &imported, "LEFT AS THEY ARE"], rows));
    if !report.first_rejects.is_empty() {
        let rows = report.first_rejects.iter().map(|one| [one.line.to_string(), one.error.clone()]);
        text = format!("{text}\n\n{}", table(["LINE", "CANNOT BE READ BECAUSE"], rows));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_delimiter_is_one_character() {
        for (text, expected) in
            [(",", Some(b',')), ("tab", Some(b'\t')), (";", Some(b';')), ("", None), ("ab", None), ("é", None)]
        {
            assert_eq!(delimiter(text).ok(), expected, "{text}");
        }
    }
}
