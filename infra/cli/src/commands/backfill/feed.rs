//! From the lines to the queue, in their order of being done with.

use std::time::{Duration, Instant};

use futures_util::{StreamExt as _, stream};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use ordersync::clock;
use ordersync::queue::Inbound;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{mpsc, watch};

use super::judge::{Judge, Judgement};
use super::source::{Line, Lines};
use super::state::Progress;
use crate::exit::Failure;
use crate::pace::Pace;

/// How often it is written down how far it came.
const SAVED_EVERY: Duration = Duration::from_secs(1);

/// What feeds the lines in.
#[derive(Debug)]
pub(super) struct Feed<'a> {
    pub(super) judge: Judge<'a>,
    /// Nothing for a dry run.
    pub(super) inbound: Option<Inbound>,
    pub(super) pace: Pace,
    pub(super) concurrency: usize,
    /// Whether no progress is shown.
    pub(super) is_quiet: bool,
}

/// How it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    Finished,
    Interrupted,
}

impl Feed<'_> {
    /// Does all lines that are left. Where it is interrupted, what is on its way is waited for; where the queue fails, it is
    /// not. Either way the progress ends before the first line that may not have been sent.
    pub(super) async fn run(&self, lines: Lines, progress: &mut Progress) -> Result<End, Failure> {
        let bar = self.bar(&lines, progress.after());
        let stopped = interrupted();
        let read = lines.read(progress.after())?;
        let lines = stream::unfold((read, stopped.clone()), async |(mut read, mut stopped)| {
            let line = next(&mut read, &mut stopped).await?;
            Some((line, (read, stopped)))
        });
        let done = lines.map(async |line| {
            let line = line?;
            let judgement = self.deal_with(line.text).await?;
            Ok::<_, Failure>((line.number, judgement))
        });
        let mut done = std::pin::pin!(done.buffered(self.concurrency));
        let mut saved_at = Instant::now();
        while let Some(result) = done.next().await {
            let (line, judgement) = result?;
            progress.add(line, &judgement)?;
            bar.set_position(line);
            bar.set_message(message(progress));
            if saved_at.elapsed() >= SAVED_EVERY {
                progress.save(false)?;
                saved_at = Instant::now();
            }
        }
        bar.finish_and_clear();
        Ok(if *stopped.borrow() { End::Interrupted } else { End::Finished })
    }

    async fn deal_with(&self, text: Option<Vec<u8>>) -> Result<Judgement, Failure> {
        let judgement = self.judge.judge(text.as_deref());
        if let (Judgement::Send(_), Some(inbound), Some(body)) = (&judgement, &self.inbound, text) {
            self.pace.turn().await;
            inbound.send(self.judge.envelope(clock::now()), body).await?;
        }
        Ok(judgement)
    }

    fn bar(&self, lines: &Lines, after: u64) -> ProgressBar {
        // It hides itself where there is no terminal.
        let target = if self.is_quiet { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr() };
        let bar = ProgressBar::with_draw_target(lines.count(), target);
        let template = match lines.count() {
            Some(_) => "{bar:30} {pos}/{len} lines  {per_sec}  {eta} left  {msg}",
            None => "{spinner} {pos} lines  {per_sec}  {msg}",
        };
        let bar = bar.with_position(after);
        bar.reset_eta();
        ProgressStyle::with_template(template).map_or(bar.clone(), |style| bar.with_style(style))
    }
}

fn message(progress: &Progress) -> String {
    let tally = &progress.tally;
    format!("{} sent, {} skipped, {} rejected", tally.sent, tally.skipped, tally.rejected)
}

/// The next line, unless it was interrupted.
async fn next(
    read: &mut mpsc::Receiver<Result<Line, Failure>>,
    stopped: &mut watch::Receiver<bool>,
) -> Option<Result<Line, Failure>> {
    if *stopped.borrow() {
        return None;
    }
    tokio::select! {
        biased;
        _ = stopped.wait_for(|stopped| *stopped) => None,
        line = read.recv() => line,
    }
}

/// Becomes true with Ctrl-C, or when the system asks the program to end.
fn interrupted() -> watch::Receiver<bool> {
    let (sender, receiver) = watch::channel(false);
    tokio::spawn(async move {
        let ended = async {
            match signal(SignalKind::terminate()) {
                Ok(mut ended) => drop(ended.recv().await),
                Err(_) => std::future::pending().await,
            }
        };
        tokio::select! {
            Ok(()) = tokio::signal::ctrl_c() => {}
            () = ended => {}
        }
        sender.send_replace(true);
        // Held on to: without a sender, whoever waits would be told at once.
        sender.closed().await;
    });
    receiver
}
