//! Running targets at their work, and measuring them.

mod check;
mod configuration;
mod console;
mod ledger;
mod measure;
pub mod plan;
mod process;
mod quota;
mod session;
mod sizes;
mod strace;
pub mod target;
mod works;

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use self::check::Documents;
use self::plan::Plan;
use self::process::{Cores, Launch};
use self::quota::Quota;
use self::session::{Session, SessionError};
use self::target::{CONSOLE_SECRET, DESTINATION_SECRET, Peers, Places, TargetError, WEBHOOK_SECRET};
use crate::results::{Results, ResultsError, Target};
use crate::stand_in::destination::TOKEN;
use crate::stand_in::dynamodb::{Schema, SchemaError};
use crate::stand_in::{StandIns, StartError};
use crate::work::input::Input;
use crate::work::orders::OrderError;
use crate::work::{Work, intake};

/// A run that cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The stand-ins.
    #[error(transparent)]
    Start(#[from] StartError),
    /// The template.
    #[error(transparent)]
    Schema(#[from] SchemaError),
    /// A target's description, or that it is not built.
    #[error(transparent)]
    Target(#[from] TargetError),
    /// What a target did.
    #[error(transparent)]
    Session(#[from] SessionError),
    /// The samples.
    #[error(transparent)]
    Order(#[from] OrderError),
    /// The operating system.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// The file of results.
    #[error(transparent)]
    Results(#[from] ResultsError),
    /// A target did its work, and not what was asked.
    #[error("{target} {work}: {wrong}")]
    Wrong {
        /// Who.
        target: Target,
        /// At what.
        work: String,
        /// What is wrong.
        wrong: String,
    },
    /// The harness takes so much of the time that it is measured itself.
    #[error(
        "{target} {work}: the harness itself was busy for {percent:.0} % of the time; what it measured is its own speed"
    )]
    Bottleneck {
        /// Who was measured.
        target: Target,
        /// At what.
        work: String,
        /// Its share.
        percent: f64,
    },
}

/// What is asked of a run.
#[derive(Debug, Clone)]
pub struct Wish {
    /// Where things are.
    pub places: Places,
    /// How often.
    pub plan: Plan,
    /// What.
    pub works: Vec<Work>,
    /// Who.
    pub targets: Vec<Target>,
}

/// Everything that a run works with.
#[derive(Debug)]
pub(crate) struct Bench {
    places: Places,
    plan: Plan,
    peers: Peers,
    stand_ins: StandIns,
    cores: Cores,
    quota: Option<Quota>,
    directory: TempDir,
    references: BTreeMap<Work, Documents>,
    /// Number of the next order: no two of a run are the same.
    next: u64,
    said: BTreeSet<String>,
    results: Results,
}

/// Measures, and returns what was measured; `keep` is told after each work, so that a run that fails late has not been
/// for nothing.
///
/// # Errors
/// A target fails or answers wrongly; the harness is the bottleneck; something is missing on this machine; `keep` fails.
pub async fn run(wish: &Wish, keep: impl Fn(&Results) -> Result<(), ResultsError>) -> Result<Results, RunError> {
    let mut bench = Bench::new(wish).await?;
    for work in &wish.works {
        match work {
            Work::ResetErrors(rows) if wish.targets.contains(&Target::Ordersync) => bench.reset_errors(*rows).await?,
            Work::Console(page, rows) if wish.targets.contains(&Target::Ordersync) => {
                bench.console(*page, *rows).await?;
            }
            Work::ResetErrors(_) | Work::Console(..) => {}
            _ => bench.work(*work, &wish.targets).await?,
        }
        keep(&bench.results)?;
    }
    bench.sizes(&wish.targets)?;
    Ok(bench.results)
}

/// Instructions of a warm invocation by function, of each target at each work.
///
/// # Errors
/// As [`run`]; callgrind is missing.
pub(crate) async fn instructions(wish: &Wish) -> Result<BTreeMap<(Target, Work), BTreeMap<String, f64>>, RunError> {
    let mut bench = Bench::new(wish).await?;
    let mut counted = BTreeMap::new();
    for work in &wish.works {
        for target in &wish.targets {
            Bench::say(&format!("{work} {target} …"));
            counted.insert((*target, *work), bench.instructions(*target, *work).await?);
        }
    }
    Ok(counted)
}

impl Bench {
    pub(crate) async fn new(wish: &Wish) -> Result<Self, RunError> {
        let Wish { places, plan, .. } = wish.clone();
        let peers = Peers::read(&places.root.join("tests/bench/peers/targets.toml"))?;
        let directory = tempfile::Builder::new().prefix("ordersync-bench-").tempdir()?;
        let schema = Schema::read(&places.root.join("template.yaml"))?;
        let stand_ins = StandIns::start(schema, directory.path()).await?;
        stand_ins.aws.secrets.put(WEBHOOK_SECRET, intake::SECRET);
        stand_ins.aws.secrets.put(DESTINATION_SECRET, TOKEN);
        stand_ins.aws.secrets.put(CONSOLE_SECRET, &console_users());
        let cores = Cores::take()?;
        let quota = Quota::new();
        let (references, said, results) = (BTreeMap::new(), BTreeSet::new(), Results::default());
        let mut bench =
            Self { places, plan, peers, stand_ins, cores, quota: None, directory, references, next: 1, said, results };
        match quota {
            Ok(quota) => bench.quota = Some(quota),
            Err(error) => bench.say_once(&format!("first_quota_ms is left out: no control group can be made: {error}")),
        }
        Ok(bench)
    }

    /// What a target needs for a work lies there.
    fn directory(&self, target: Target, work: Work) -> PathBuf {
        self.directory.path().join(format!("{target}-{}", work.to_string().replace('/', "-")))
    }

    /// Starts a target for a work, with signatures checked anew.
    async fn start(&self, target: Target, work: Work) -> Result<Session, RunError> {
        self.start_as(target, work, |launch, _| launch).await
    }

    /// The same, started in another way.
    async fn start_as(
        &self,
        target: Target,
        work: Work,
        change: impl FnOnce(Launch, &Path) -> Launch,
    ) -> Result<Session, RunError> {
        let directory = self.directory(target, work);
        std::fs::create_dir_all(&directory)?;
        let launch = target::launch(target, work, &self.places, &self.peers, &self.stand_ins, &directory)?;
        let launch = change(launch, &directory);
        self.stand_ins.aws.check_signatures();
        let runtime = self.stand_ins.runtime().await?;
        Ok(Session::start(runtime, &launch, self.cores, &directory.join("log"))?)
    }

    /// The next input of a work.
    fn input(&mut self, work: Work) -> Result<Input, OrderError> {
        let first = self.next;
        self.next += u64::try_from(work.orders()).unwrap_or_default();
        Input::new(work, first)
    }

    #[expect(clippy::print_stderr, reason = "a command-line tool's progress")]
    fn say(line: &str) {
        eprintln!("{line}");
    }

    fn say_once(&mut self, line: &str) {
        if self.said.insert(line.to_owned()) {
            Self::say(line);
        }
    }
}

/// The console's secret: nobody signs in there, but what is signed needs a key.
fn console_users() -> String {
    serde_json::json!({ "signing_keys": ["k".repeat(64)], "users": [] }).to_string()
}
