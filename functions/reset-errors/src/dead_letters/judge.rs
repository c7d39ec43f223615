//! What becomes of a dead letter, judged by the rows of its order. Pure.

use std::time::Duration;

use jiff::Timestamp;
use ordersync::clock::earlier;
use ordersync::ledger::{Row, Status, Told, webhook_digest};
use ordersync::queue::Fields;

/// By how much the clocks of the queue and of the functions may differ. An export's own message is sent right after its
/// row says that it was requeued: within this time, the row may speak of this very message.
const CLOCKS_AGREE_WITHIN: Duration = Duration::from_mins(1);

/// How often a message is put back that an export needs whose row is there: the ledger goes on without it then.
const REDRIVES: u32 = 1;
/// The same where only the message knows of an export. Its deliveries were used up before anything was tried, by an outage
/// or beside messages that ended their processor each time.
const REDRIVES_OF_THE_ONLY: u32 = 3;
/// Why a message stays that an export needs, and that was put back as often as it may be.
pub(super) const REDRIVEN_BEFORE: &str = "redriven_before";

/// What is known of a message itself.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Letter {
    /// When it was sent to the queue.
    pub(super) sent_at: Timestamp,
    /// How often it was put back before.
    pub(super) redriven: u32,
    /// Its attributes without that: its envelope, as the ledger keeps it.
    pub(super) fields: Fields,
    /// What the ledger knows its webhook by.
    pub(super) webhook: String,
}

impl Letter {
    pub(super) fn new(sent_at: Timestamp, redriven: u32, fields: Fields) -> Self {
        Self { sent_at, redriven, webhook: webhook_digest(&fields), fields }
    }
}

/// What a message would have the processor do.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Errand {
    /// Run the export by this pipeline, from its row.
    Export(String),
    /// See to the order that it carries.
    Webhook {
        /// The pipelines that it leaves a row of.
        pipelines: Vec<String>,
        /// Whether it leaves a row of no other.
        is_whole: bool,
        /// When the shop said what is to be noted of the order's state.
        news: Option<Told>,
    },
}

/// What becomes of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Nothing is left to do for it.
    Remove,
    /// It is sent to the queue once more.
    PutBack,
    /// It stays, for this reason.
    Stays(&'static str),
}

/// What an export wants of the message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Want {
    /// Nothing: it is over, or has another message.
    Nothing,
    /// Nothing, but it is in error, and the message tells of it until it is reset.
    Reset,
    /// Nothing yet: somebody is at it.
    Outcome,
    /// To be tried.
    Attempt,
}

/// What becomes of a message whose order has these rows.
pub(super) fn judge(letter: &Letter, errand: &Errand, rows: &[Row], now: Timestamp) -> Verdict {
    // Nothing is kept of an order that was erased, and its messages are a part of it.
    if rows.iter().any(|row| row.erased_at.is_some()) {
        return Verdict::Remove;
    }
    let row = |pipeline: &str| rows.iter().find(|row| row.key.pipeline == pipeline);
    let mut redrives = REDRIVES;
    let most = match errand {
        // An export that has no row any more was removed.
        Errand::Export(pipeline) => row(pipeline).map_or(Want::Nothing, |row| want(row, letter, true, now)),
        Errand::Webhook { pipelines, is_whole, news } => {
            let of_news = if news.is_some_and(|news| is_unknown(news, rows)) { Want::Attempt } else { Want::Nothing };
            if of_news == Want::Attempt || pipelines.iter().any(|pipeline| row(pipeline).is_none()) {
                redrives = REDRIVES_OF_THE_ONLY;
            }
            let of_pipelines = pipelines
                .iter()
                .map(|pipeline| row(pipeline).map_or(Want::Attempt, |row| want(row, letter, false, now)));
            // An order that is open again is exported by the webhook that says so, whatever event that is.
            let is_reopened = |row: &&Row| news.is_some_and(|news| row.reopened_at == Some(news.at));
            let of_reopened = rows.iter().filter(is_reopened).map(|row| match row.status {
                Status::Skipped => Want::Attempt,
                _ => want(row, letter, false, now),
            });
            let begun = rows.iter().filter(|row| !is_whole && row.is_begun_by(&letter.webhook));
            let of_begun = begun.map(|row| want(row, letter, false, now));
            of_pipelines.chain(of_begun).chain(of_reopened).fold(of_news, Want::max)
        }
    };
    match most {
        Want::Nothing => Verdict::Remove,
        Want::Attempt if letter.redriven >= redrives => Verdict::Stays(REDRIVEN_BEFORE),
        Want::Attempt => Verdict::PutBack,
        Want::Outcome => Verdict::Stays("being_tried"),
        Want::Reset => Verdict::Stays("waits_for_reset"),
    }
}

fn want(row: &Row, letter: &Letter, is_named: bool, now: Timestamp) -> Want {
    let is_its_own = is_named || row.is_begun_by(&letter.webhook);
    let is_held = row.status == Status::Processing && row.lease_until.is_some_and(|until| until > now);
    match row.status {
        Status::Exported | Status::Acknowledged | Status::Canceled => Want::Nothing,
        // One that only names the export has nothing to give it.
        _ if row.wants_order() && is_named => Want::Nothing,
        // Whoever else comes for it needs what this message has.
        _ if row.wants_order() => {
            if is_held {
                Want::Outcome
            } else {
                Want::Attempt
            }
        }
        // Another message of its own was sent since: that one counts.
        _ if is_requeued_since(row, letter) => Want::Nothing,
        Status::Skipped if is_its_own => Want::Nothing,
        // The ledger hands it out.
        Status::Pending if row.due.is_some() => Want::Nothing,
        Status::Processing if is_held => Want::Outcome,
        // Where it was never tried, what decided so was another webhook of the order; this one may say more.
        Status::Error if row.attempts > 0 || is_its_own => Want::Reset,
        Status::Error | Status::Skipped | Status::Pending | Status::Processing => Want::Attempt,
    }
}

/// Whether an export was queued again after the message was sent.
fn is_requeued_since(row: &Row, letter: &Letter) -> bool {
    row.requeued_at.is_some_and(|at| earlier(at, CLOCKS_AGREE_WITHIN) > letter.sent_at)
}

/// Whether a row of the order lacks what the shop said. Rows keep milliseconds.
fn is_unknown(news: Told, rows: &[Row]) -> bool {
    let at = Timestamp::from_millisecond(news.at.as_millisecond()).unwrap_or(news.at);
    rows.is_empty() || rows.iter().any(|row| row.observed.is_none_or(|observed| observed < Told { at, ..news }))
}

/// Whether an export waits for a message and none would end it: its pipeline is gone, or the message began it for one
/// that does not run on its event any more.
pub(super) fn is_orphan(row: &Row, letter: &Letter, errand: &Errand, is_configured: bool, now: Timestamp) -> bool {
    let is_open = matches!(row.status, Status::Pending | Status::Processing);
    let is_dropped = match errand {
        Errand::Webhook { pipelines, is_whole: true, .. } => {
            row.is_begun_by(&letter.webhook) && row.reopened_at.is_none() && !pipelines.contains(&row.key.pipeline)
        }
        _ => false,
    };
    is_open && (is_dropped || !is_configured) && want(row, letter, false, now) == Want::Attempt
}

#[cfg(test)]
mod tests;
