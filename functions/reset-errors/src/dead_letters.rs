//! Messages that the processor gave up: those with nothing left to do are removed, those that an export needs are put
//! back once, and the others stay for people to look at.

mod judge;
mod mailbox;
mod subject;

use futures_util::{StreamExt, stream};
use ordersync::clock;
use ordersync::config::Config;
use ordersync::ledger::{Fault, Kept, LedgerError, Recorded, Row};
use ordersync::queue::Requeue;
use ordersync::schedule::{Report, Run};

use crate::handler::ResetErrors;
use crate::round::{count, pipeline};
use judge::{Errand, REDRIVEN_BEFORE, Verdict, is_orphan, judge};
use mailbox::{Mail, Mailbox};
use subject::{Order, Subject, subject};

/// Messages that are judged at the same time: those of one request.
const AT_ONCE: usize = 10;

/// The dead-letter queue in one run.
#[derive(Debug)]
pub(crate) struct DeadLetters<'a> {
    function: &'a ResetErrors,
    config: &'a Config,
    run: &'a Run,
    mailbox: Mailbox<'a>,
}

/// Why a message could not be judged or dealt with.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Trouble {
    /// What it is judged by.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The queue that it is in or goes to.
    #[error("the queue cannot be reached: {0}")]
    Queue(String),
}

impl<'a> DeadLetters<'a> {
    pub(crate) fn new(function: &'a ResetErrors, config: &'a Config, run: &'a Run) -> Self {
        let Requeue { sqs, queue_url } = &function.requeue;
        let mailbox = Mailbox { sqs, queue_url, dead_letter_queue_url: &function.dead_letter_queue_url };
        Self { function, config, run, mailbox }
    }

    /// Judges every message. What stays is hidden until the end, or it would come again; then people see it at once.
    pub(crate) async fn work_through(&self) -> Report {
        let mut report = self.run.report();
        let mut staying = Vec::new();
        let is_read = loop {
            if !self.run.has_time() {
                break false;
            }
            let mails = match self.mailbox.receive(self.run.deadline()).await {
                Ok(mails) => mails,
                Err(trouble) => {
                    tracing::error!(error = %trouble, "dead letters cannot be read: {trouble}");
                    report.failed(1);
                    break true;
                }
            };
            if mails.is_empty() {
                break true;
            }
            report.saw(count(mails.len()));
            let work = stream::iter(mails).map(|mail| self.deal_with(mail)).buffer_unordered(AT_ONCE);
            for (one, stays) in work.collect::<Vec<_>>().await {
                report.merge(one);
                staying.extend(stays);
            }
        };
        if !is_read {
            report.left(self.mailbox.waiting().await);
        }
        self.mailbox.show(&staying).await;
        report
    }

    /// One message; if it stays, the handle to show it by.
    async fn deal_with(&self, mail: Mail) -> (Report, Option<String>) {
        let mut report = self.run.report();
        let verdict = match self.try_to(&mail, &mut report).await {
            Ok(verdict) => verdict,
            Err(trouble) => {
                tracing::error!(message_id = mail.id, error = %trouble, "dead letter {} stays: {trouble}", mail.id);
                report.failed(1);
                return (report, Some(mail.handle));
            }
        };
        let (what, stays) = match verdict {
            Verdict::Remove => ("dead_letters_removed", false),
            Verdict::PutBack => ("dead_letters_put_back", false),
            Verdict::Stays(reason) => (reason, true),
        };
        tracing::info!(message_id = mail.id, what, dry_run = self.run.dry_run, "dead letter {}: {what}", mail.id);
        if stays {
            report.skipped(what, 1);
        } else {
            report.changed(what, 1);
        }
        (report, (stays || self.run.dry_run).then_some(mail.handle))
    }

    async fn try_to(&self, mail: &Mail, report: &mut Report) -> Result<Verdict, Trouble> {
        let about = match subject(self.config, &self.function.payloads, mail).await? {
            Subject::NotOurs => return Ok(Verdict::Stays("not_ours")),
            Subject::Nothing => None,
            Subject::Order(about) => Some(about),
        };
        let mut verdict = Verdict::Remove;
        if let Some(about) = &about {
            let (now, ledger) = (clock::now(), &self.function.ledger);
            let rows = match &about.errand {
                Errand::Export(pipeline) => ledger.export(&about.key(pipeline)).await?.into_iter().collect(),
                Errand::Webhook { .. } => ledger.order(&about.shop, &about.id).await?,
            };
            verdict = judge(&about.letter, &about.errand, &rows, now);
            match verdict {
                Verdict::Stays(REDRIVEN_BEFORE) => self.keep(about, &rows).await?,
                Verdict::Stays(_) => {}
                Verdict::Remove | Verdict::PutBack => self.end_orphans(about, &rows, report).await?,
            }
        }
        match verdict {
            _ if self.run.dry_run => {}
            Verdict::Remove => self.mailbox.remove(mail).await?,
            Verdict::PutBack => self.mailbox.put_back(mail).await?,
            Verdict::Stays(_) => {}
        }
        Ok(verdict)
    }

    async fn give_up(&self, about: &Order, row: &Row, reason: &str) -> Result<Recorded, LedgerError> {
        let kept = self.kept(about).await?;
        self.function.ledger.abandon(row, reason, Fault::Orphaned, kept.as_ref(), clock::now()).await
    }

    /// A message that nobody takes up any more lasts some days. The exports that it began are taken up from the ledger,
    /// which is given the order for them.
    async fn keep(&self, about: &Order, rows: &[Row]) -> Result<(), LedgerError> {
        let waiting: Vec<&Row> = rows.iter().filter(|row| row.wants_order()).collect();
        if waiting.is_empty() || self.run.dry_run {
            return Ok(());
        }
        let Some(kept) = self.kept(about).await? else { return Ok(()) };
        for row in waiting {
            self.function.ledger.keep(&row.key, &kept).await?;
        }
        Ok(())
    }

    /// The order that a message has, as the ledger keeps it.
    async fn kept(&self, about: &Order) -> Result<Option<Kept>, LedgerError> {
        let Some(raw) = &about.raw else { return Ok(None) };
        let ResetErrors { ledger, payloads, .. } = self.function;
        let payload = payloads.keep_unless_erased(ledger, &about.shop, &about.id, raw).await?;
        Ok(payload.map(|payload| Kept { payload, envelope: about.letter.fields.clone() }))
    }

    /// Exports of the order that wait for this message, and whose pipeline is gone, have nobody else to end them.
    async fn end_orphans(&self, about: &Order, rows: &[Row], report: &mut Report) -> Result<(), LedgerError> {
        let now = clock::now();
        let is_configured = |row: &Row| pipeline(self.config, &row.key).is_some();
        let is_orphan = |row: &&Row| is_orphan(row, &about.letter, &about.errand, is_configured(row), now);
        for row in rows.iter().filter(is_orphan) {
            let reason = "the pipeline is no longer configured for this shop and event";
            if self.run.dry_run || self.give_up(about, row, reason).await? == Recorded::Written {
                tracing::error!(export = row.key.idempotency_key(), "gave up on {}: {reason}", row.key.name());
                report.changed("orphaned", 1);
            }
        }
        Ok(())
    }
}
