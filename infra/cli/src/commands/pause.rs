//! `ordersync pause` and `ordersync resume`.

use clap::Args;
use ordersync::config::Config;
use ordersync_admin::{Admin, PauseView};

use crate::args::Global;
use crate::configured;
use crate::exit::{Exit, Failure};
use crate::output::{Out, table};
use crate::stack::Stack;

const PAUSE_EXAMPLES: &str = "\
Examples:
  ordersync pause --pipeline erp --reason 'ERP down for maintenance until 06:00'
  ordersync pause --all --reason 'stocktaking'";

const RESUME_EXAMPLES: &str = "\
Examples:
  ordersync resume --pipeline erp
  ordersync resume --all";

/// What is paused or resumed.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct What {
    /// Code of a pipeline; may be given several times.
    #[arg(long, value_name = "CODE")]
    pipeline: Vec<String>,
    /// Everything.
    #[arg(long)]
    all: bool,
}

/// Pause pipelines: orders are taken and wait, no attempt is used up
#[derive(Debug, Args)]
#[command(after_help = PAUSE_EXAMPLES)]
pub(crate) struct Pause {
    #[command(flatten)]
    what: What,
    /// Why, for whoever looks at it later.
    #[arg(long, value_name = "TEXT", default_value = "")]
    reason: String,
}

/// Resume pipelines: what has waited is handed out within minutes, no faster than the rate limits allow
#[derive(Debug, Args)]
#[command(after_help = RESUME_EXAMPLES)]
pub(crate) struct Resume {
    #[command(flatten)]
    what: What,
}

impl Pause {
    pub(crate) async fn run(&self, global: &Global, out: Out) -> Result<Exit, Failure> {
        let stack = Stack::find(global).await?;
        check(&self.what, global, &stack, out).await?;
        let (admin, actor) = (stack.admin(), stack.actor().await?);
        for pipeline in self.what.pipelines() {
            admin.pause(&actor, pipeline, &self.reason).await?;
        }
        report(&admin, out).await
    }
}

impl Resume {
    pub(crate) async fn run(&self, global: &Global, out: Out) -> Result<Exit, Failure> {
        let stack = Stack::find(global).await?;
        let (admin, actor) = (stack.admin(), stack.actor().await?);
        let pauses = admin.pauses().await?;
        for pipeline in resumed(&self.what, &pauses) {
            admin.resume(&actor, pipeline.as_deref()).await?;
        }
        if self.what.pipeline.iter().any(|pipeline| !is_paused(&pauses, Some(pipeline))) {
            out.note("not all of these were paused");
        }
        report(&admin, out).await
    }
}

impl What {
    /// The pipelines; nothing stands for all of them.
    fn pipelines(&self) -> Vec<Option<&str>> {
        if self.all { vec![None] } else { self.pipeline.iter().map(|code| Some(code.as_str())).collect() }
    }
}

fn is_paused(pauses: &[PauseView], pipeline: Option<&str>) -> bool {
    pauses.iter().any(|pause| pause.is_on && pause.pipeline.as_deref() == pipeline)
}

/// The pauses that end: those asked for that there are, or every one.
fn resumed(what: &What, pauses: &[PauseView]) -> Vec<Option<String>> {
    let asked = what.pipelines();
    let is_asked = |pause: &&PauseView| what.all || asked.contains(&pause.pipeline.as_deref());
    pauses.iter().filter(|pause| pause.is_on).filter(is_asked).map(|pause| pause.pipeline.clone()).collect()
}

/// A pipeline that nobody configured would never be resumed by anyone who looks for why it stands still.
async fn check(what: &What, global: &Global, stack: &Stack, out: Out) -> Result<(), Failure> {
    if global.config.is_none() && stack.config.is_none() {
        if !what.all {
            out.note(
                "whether there are such pipelines was not checked: the configuration is bundled, name it with --config",
            );
        }
        return Ok(());
    }
    let config = configured::of_stack::<Config>(global, stack).await?;
    what.pipeline.iter().try_for_each(|code| configured::pipeline(&config, code).map(drop))
}

/// What is paused now.
async fn report(admin: &Admin, out: Out) -> Result<Exit, Failure> {
    let pauses = admin.pauses().await?;
    out.result(&pauses, || {
        if pauses.is_empty() {
            return "nothing is paused".into();
        }
        let state = |is_on: bool| if is_on { "paused" } else { "resumed" };
        let rows = pauses.iter().map(|pause| {
            let name = pause.pipeline.clone().unwrap_or_else(|| "(all)".into());
            [name, state(pause.is_on).into(), pause.since.to_string(), pause.reason.clone().unwrap_or_default()]
        });
        table(["PIPELINE", "STATE", "SINCE", "REASON"], rows)
    });
    Ok(Exit::Done)
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;

    fn pauses(pauses: &[(Option<&str>, bool)]) -> Vec<PauseView> {
        let pause = |(name, is_on): &(Option<&str>, bool)| PauseView {
            pipeline: name.map(ToOwned::to_owned),
            is_on: *is_on,
            since: Timestamp::UNIX_EPOCH,
            reason: None,
        };
        pauses.iter().map(pause).collect()
    }

    fn what(pipelines: &[&str]) -> What {
        What { pipeline: pipelines.iter().map(|code| (*code).to_owned()).collect(), all: pipelines.is_empty() }
    }

    #[test]
    fn what_ends_is_what_was_asked_for_and_goes_on() {
        let there = pauses(&[(None, true), (Some("erp"), true), (Some("archive"), false)]);
        let ended = |pipelines: &[&str]| resumed(&what(pipelines), &there);
        assert_eq!(ended(&[]), [None, Some("erp".to_owned())]);
        assert_eq!(ended(&["erp"]), [Some("erp".to_owned())]);
        assert_eq!(ended(&["archive", "other"]), []);
    }
}
