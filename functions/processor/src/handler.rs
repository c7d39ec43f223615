//! From the batch to its answer: records in parallel, each on its own.

use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, UNIX_EPOCH};

use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent, SqsMessage};
use futures_util::{FutureExt, StreamExt, stream};
use lambda_runtime::Context;
use ordersync::config::{Config, Live};
use ordersync::ledger::{Ledger, PayloadStore};
use ordersync::pipeline::message::MessageError;
use ordersync::pipeline::run::{Runner, TO_RECORD};
use ordersync::pipeline::tally::Tally;
use ordersync::pipeline::transport::Clients;
use ordersync::pipeline::transport::s3::pack::{Packs, Record};
use ordersync::pipeline::verdict::Verdict;
use ordersync::pipeline::wait::PauseBoard;
use ordersync::queue::{Requeue, visibility_timeout};
use ordersync::secrets::Secrets;
use ordersync::{aws, clock};
use tokio::time::Instant;

use crate::batch;

/// Records of a batch that are worked on at the same time.
const RECORDS_AT_ONCE: usize = 10;
/// Records that are worked on, or wait with others for the object that they are put into.
const RECORDS_WITH_PACKS: usize = 200;
/// Kept back from the invocation's time to answer.
const TO_ANSWER: Duration = Duration::from_secs(1);
/// How long the queue may take to note a back-off, within the time kept back.
const TO_SETTLE: Duration = Duration::from_millis(700);
/// A message that is none of ours comes back at once, so that it reaches the dead-letter queue soon.
const POISON_WAIT: Duration = Duration::from_secs(1);

/// The processor function: what it works with, built once.
#[derive(Debug)]
pub(crate) struct Processor {
    pub(crate) config: Live,
    pub(crate) ledger: Ledger,
    pub(crate) payloads: PayloadStore,
    pub(crate) requeue: Requeue,
    pub(crate) pauses: PauseBoard,
    pub(crate) connected: Connected,
    pub(crate) max_receive_count: u32,
}

/// The clients of transports, made anew only when the configuration changes: its egress rules are built into them.
#[derive(Debug)]
pub(crate) struct Connected {
    s3: aws_sdk_s3::Client,
    bucket: String,
    secrets: Secrets,
    made_for: Mutex<Option<(Arc<Config>, Clients)>>,
}

impl Connected {
    pub(crate) fn new(s3: aws_sdk_s3::Client, bucket: String, secrets: Secrets) -> Self {
        Self { s3, bucket, secrets, made_for: Mutex::new(None) }
    }

    fn clients(&self, config: &Arc<Config>) -> Clients {
        let mut made_for = self.made_for.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((known, clients)) = made_for.as_ref()
            && Arc::ptr_eq(known, config)
        {
            return clients.clone();
        }
        let (s3, secrets) = (self.s3.clone(), self.secrets.clone());
        let clients = Clients::new(s3, self.bucket.clone(), secrets, config.egress.clone());
        *made_for = Some((Arc::clone(config), clients.clone()));
        clients
    }
}

/// When the work on a batch must be over.
fn deadline(context: &Context) -> Instant {
    let ends = UNIX_EPOCH + Duration::from_millis(context.deadline);
    let left = ends.duration_since(clock::now().into()).unwrap_or_default();
    Instant::now() + left.saturating_sub(TO_ANSWER)
}

impl Processor {
    /// Answers one batch with the records that have to come back.
    pub(crate) async fn handle(&self, event: SqsEvent, context: &Context) -> SqsBatchResponse {
        let is_again = event.records.iter().any(batch::is_again);
        let config = if is_again { self.config.latest().await } else { self.config.current().await };
        let deadline = deadline(context);
        let records: Vec<_> =
            event.records.iter().filter_map(|record| Some((record.message_id.clone()?, record))).collect();
        let by = deadline.checked_sub(TO_RECORD).unwrap_or(deadline);
        let packs = Packs::of(&context.request_id, records.len(), RECORDS_AT_ONCE, by);
        let at_once = if config.packs() { RECORDS_WITH_PACKS } else { RECORDS_AT_ONCE };
        let tally = Tally::default();
        let work = stream::iter(records.into_iter().enumerate()).map(|(index, (id, record))| {
            let runner = self.runner(&config, context, deadline, &tally, packs.record(index));
            let config = &config;
            async move {
                let verdict = self.record(config, runner, &id, record).await;
                self.settle(&id, record, verdict).await.then_some(id)
            }
        });
        let failed = work.buffer_unordered(at_once).filter_map(async |id| id).collect::<Vec<_>>().await;
        tally.emit();
        batch::response(failed)
    }

    fn runner(
        &self,
        config: &Arc<Config>,
        context: &Context,
        deadline: Instant,
        tally: &Tally,
        record: Record,
    ) -> Runner {
        Runner {
            ledger: self.ledger.clone(),
            pauses: self.pauses.clone(),
            requeue: self.requeue.clone(),
            clients: self.connected.clients(config),
            tally: tally.clone(),
            record,
            invocation: context.request_id.clone(),
            deadline,
            max_receive_count: self.max_receive_count,
        }
    }

    /// One record. Whatever happens to it, a panic included, touches no other.
    async fn record(&self, config: &Config, runner: Runner, id: &str, record: &SqsMessage) -> Verdict {
        let message = batch::message(record);
        let receive_count = message.receive_count;
        let work = async {
            runner.record.turn().await;
            AssertUnwindSafe(runner.process(config, &self.payloads, message)).catch_unwind().await
        };
        let left = runner.deadline.saturating_duration_since(Instant::now());
        match tokio::time::timeout(left, work).await {
            Err(_) => {
                tracing::warn!(message_id = id, "time ran out for message {id}, it is handed back");
                Verdict::Retry(Duration::ZERO)
            }
            Ok(Err(_)) => {
                tracing::error!(message_id = id, "panic on message {id}, it is handed back");
                runner.put_off(receive_count)
            }
            Ok(Ok(Err(error))) => {
                tracing::error!(message_id = id, error = %error, receive_count, "message {id}: {error}");
                let is_poison = matches!(error, MessageError::Poison(_));
                if is_poison { Verdict::Retry(POISON_WAIT) } else { runner.put_off(receive_count) }
            }
            Ok(Ok(Ok(verdict))) => verdict,
        }
    }

    /// Whether the record has to come back; if so, it is told when.
    async fn settle(&self, id: &str, record: &SqsMessage, verdict: Verdict) -> bool {
        let Verdict::Retry(wait) = verdict else { return false };
        let change = self.requeue.sqs.change_message_visibility().queue_url(&self.requeue.queue_url);
        let change = change.set_receipt_handle(record.receipt_handle.clone());
        let change = change.visibility_timeout(visibility_timeout(wait)).send();
        let failure = match tokio::time::timeout(TO_SETTLE, change).await {
            Ok(Ok(_)) => return true,
            Ok(Err(failure)) => aws::reason(&failure),
            Err(_) => "no answer in time".to_owned(),
        };
        // It comes back all the same, when the queue's own visibility timeout is over.
        tracing::warn!(message_id = id, error = failure, "back-off of message {id} was not taken");
        true
    }
}
