//! Pipelines on a table and a queue in memory: whole sequences of messages, for tests.

mod destination;

use std::sync::Arc;
use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use futures_util::future::join_all;
use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::message::{Message, MessageError};
use super::run::Runner;
use super::tally::Tally;
use super::transport::Clients;
use super::transport::egress::Egress;
use super::transport::s3::pack::{Packs, Record};
use super::verdict::Verdict;
use super::wait::PauseBoard;
use crate::clock;
use crate::config::{self, Config, Files};
use crate::fake::{FakeBucket, FakeQueue, FakeTable, Log, attribute};
use crate::ledger::{ExportKey, Ledger, PayloadStore, Recorded, Row, Waiting};
use crate::queue::export_fields;
use crate::secrets::Secrets;

pub(crate) use destination::Answer;
use destination::Destination;

/// A time as the table keeps it.
fn to_millisecond(time: Timestamp) -> Timestamp {
    Timestamp::from_millisecond(time.as_millisecond()).unwrap()
}

/// A webhook, which may be delivered more than once.
#[derive(Debug, Clone)]
pub(crate) struct Hook {
    topic: &'static str,
    order: Value,
    pub(crate) received_at: Timestamp,
}

impl Hook {
    /// What the topic says of the order `1`, with these values in place of the usual ones.
    pub(crate) fn new(topic: &'static str, changes: Value) -> Self {
        let mut order = json!({
            "id": "1", "number": "N-1", "placed_at": "2026-03-01T08:00:00Z", "currency": "EUR", "total": "10.00",
            "state": "open", "payment": { "method": "invoice", "state": "open" }, "items": []
        });
        let Value::Object(changes) = changes else { panic!("an object") };
        order.as_object_mut().unwrap().extend(changes);
        Self { topic, order, received_at: to_millisecond(clock::now()) }
    }

    /// What names the order `1` and says no more of it.
    pub(crate) fn named(topic: &'static str) -> Self {
        Self { topic, order: json!({ "id": "1" }), received_at: to_millisecond(clock::now()) }
    }

    fn message(&self, id: &str, receive_count: u32) -> Message {
        let fields = [
            ("shop", "acme".to_owned()),
            ("topic", self.topic.to_owned()),
            ("received_at", self.received_at.to_string()),
        ];
        let fields = fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        Message { id: id.into(), fields, body: self.order.to_string(), receive_count }
    }

    /// The same, received at another time.
    pub(crate) fn received_at(self, received_at: Timestamp) -> Self {
        Self { received_at: to_millisecond(received_at), ..self }
    }
}

/// The export of the order `1` by a pipeline.
pub(crate) fn key(pipeline: &str) -> ExportKey {
    ExportKey::new("acme", "1", pipeline)
}

/// The processor on a table and a queue in memory.
#[derive(Clone)]
pub(crate) struct Bench {
    pub(crate) table: FakeTable,
    pub(crate) queue: FakeQueue,
    pub(crate) bucket: FakeBucket,
    pub(crate) ledger: Ledger,
    pub(crate) config: Arc<Config>,
    log: Log,
    destination: Destination,
    pauses: PauseBoard,
}

impl Bench {
    /// With a shop `acme` of the generic platform, and these pipelines: `code` and whatever else they have, without
    /// format and transport.
    pub(crate) fn new(pipelines: &str) -> Self {
        let mut text = String::new();
        for pipeline in pipelines.split(';') {
            text += "\n[[pipelines]]\nformat = { type = \"json\" }\n";
            text += "transport = { type = \"http\", url = \"https://erp.example.com/\" }\n";
            text += &pipeline.trim().replace(" | ", "\n");
        }
        let mut bench = Self::with(&text);
        let config = Arc::get_mut(&mut bench.config).expect("nobody else has it yet");
        for pipeline in &mut config.pipelines {
            pipeline.transport = Box::new(bench.destination.clone());
        }
        bench
    }

    /// With the same shop, and these pipelines as they are.
    pub(crate) fn with(pipelines: &str) -> Self {
        let shop =
            "[[shops]]\ncode = \"acme\"\nplatform = \"generic\"\nsecrets = [\"s\"]\nsignature = { header = \"x\" }\n";
        let text = format!("{shop}{pipelines}");
        let config = config::parse("ordersync.toml", &text, &Files::default(), 3).expect("a configuration");
        let log = Log::default();
        let (table, destination) = (FakeTable::new(log.clone()), Destination::new(log.clone()));
        Self {
            ledger: table.ledger(),
            queue: FakeQueue::new(log.clone()),
            bucket: FakeBucket::new(log.clone()),
            config: Arc::new(config),
            pauses: PauseBoard::default(),
            table,
            log,
            destination,
        }
    }

    /// Answers that a pipeline's destination gives first.
    pub(crate) fn answers(&self, pipeline: &str, answers: &[Answer]) {
        self.destination.answers(pipeline, answers);
    }

    /// While the next delivery is made, a webhook comes to another processor.
    pub(crate) fn comes_meanwhile(&self, hook: Hook) {
        let other = self.another_instance();
        self.destination.during(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            assert_eq!(runtime.block_on(other.deliver(&hook, 1)).unwrap(), Verdict::Done);
        });
    }

    /// The same with a table of its own, as it is now.
    pub(crate) fn fork(&self) -> Self {
        let table = self.table.fork();
        Self { ledger: table.ledger(), table, ..self.another_instance() }
    }

    /// A processor that has these pipelines instead.
    pub(crate) fn reconfigured(&self, pipelines: &str) -> Self {
        Self { config: Self::new(pipelines).config, ..self.another_instance() }
    }

    /// A processor that learns anew what is paused.
    pub(crate) fn another_instance(&self) -> Self {
        Self { pauses: PauseBoard::default(), ..self.clone() }
    }

    /// One delivery of a webhook, of three in all.
    pub(crate) async fn deliver(&self, hook: &Hook, receive_count: u32) -> Result<Verdict, MessageError> {
        self.process(hook.message("m", receive_count)).await
    }

    /// One delivery of webhooks in one batch, of which so many are worked on at the same time.
    pub(crate) async fn deliver_batch(
        &self,
        hooks: &[Hook],
        receive_count: u32,
        at_once: usize,
    ) -> Vec<Result<Verdict, MessageError>> {
        let packs = Self::packs(hooks.len(), at_once);
        join_all(hooks.iter().enumerate().map(|(index, hook)| self.deliver_in(&packs, index, hook, receive_count)))
            .await
    }

    /// What the records of a batch are worked on with.
    pub(crate) fn packs(records: usize, at_once: usize) -> Packs {
        Packs::of("an invocation", records, at_once, Instant::now() + Duration::from_secs(29))
    }

    /// One record of a batch.
    pub(crate) async fn deliver_in(
        &self,
        packs: &Packs,
        index: usize,
        hook: &Hook,
        receive_count: u32,
    ) -> Result<Verdict, MessageError> {
        let runner = self.runner(packs.record(index));
        runner.record.turn().await;
        let message = hook.message(&format!("m{index}"), receive_count);
        runner.process(&self.config, &self.payloads(), message).await
    }

    /// One delivery of the message of an export.
    pub(crate) async fn deliver_export(&self, pipeline: &str, receive_count: u32) -> Result<Verdict, MessageError> {
        let fields = export_fields(&key(pipeline));
        self.process(Message { id: "e".into(), fields, body: "{}".into(), receive_count }).await
    }

    async fn process(&self, message: Message) -> Result<Verdict, MessageError> {
        let runner = self.runner(Record::alone(Instant::now() + Duration::from_secs(29)));
        runner.process(&self.config, &self.payloads(), message).await
    }

    fn payloads(&self) -> PayloadStore {
        PayloadStore { s3: self.bucket.client(), bucket: "bucket".into() }
    }

    fn runner(&self, record: Record) -> Runner {
        let clients = Clients::new(self.bucket.client(), "bucket", Secrets::fixed::<String>([]), Egress::default());
        Runner {
            ledger: self.ledger.clone(),
            pauses: self.pauses.clone(),
            requeue: self.queue.requeue(),
            clients,
            tally: Tally::default(),
            record,
            invocation: fastrand::u64(..).to_string(),
            deadline: Instant::now() + Duration::from_secs(30),
            max_receive_count: 3,
        }
    }

    /// Every row of the order.
    pub(crate) async fn rows(&self) -> Vec<Row> {
        self.ledger.order("acme", "1").await.unwrap()
    }

    /// Its row.
    pub(crate) fn row(&self, pipeline: &str) -> Option<Row> {
        self.table.row(&key(pipeline))
    }

    /// What was done since the last time that this was asked, but for looking what is paused.
    pub(crate) fn done(&self) -> Vec<String> {
        let mut lines = self.log.take();
        lines.retain(|line| line != "query pauses");
        lines
    }

    /// Sets the times of a row back, as if they lay behind.
    pub(crate) fn time_passes(&self, pipeline: &str, names: &[&str]) {
        let past = attribute("2026-01-01T00:00:00.000Z");
        self.table.edit(&key(pipeline), |item| {
            for name in names {
                item.insert((*name).to_owned(), past.clone()).expect("an attribute that is there");
            }
        });
    }

    /// Sets an export's webhook, and with it the time that it waits for, so much back.
    pub(crate) fn received(&self, pipeline: &str, ago: Duration) {
        let row = self.row(pipeline).expect("a row");
        let earlier = |time: Timestamp| (time - ago).strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string();
        let received_at: Timestamp = row.envelope["received_at"].parse().unwrap();
        self.table.edit(&row.key, |item| {
            if let Some(not_before) = row.not_before {
                item.insert("not_before".into(), attribute(earlier(not_before)));
            }
            let mut envelope = item["envelope"].as_m().unwrap().clone();
            envelope.insert("received_at".into(), attribute((received_at - ago).to_string()));
            item.insert("envelope".into(), AttributeValue::M(envelope));
        });
    }

    /// The times that an export waits for lie behind.
    pub(crate) fn time_is_over(&self, pipeline: &str) {
        let Some(item) = self.table.item("acme#1", pipeline) else { return };
        for name in ["not_before", "lease_until"].into_iter().filter(|name| item.contains_key(*name)) {
            self.time_passes(pipeline, &[name]);
        }
    }

    /// The webhook that an export was begun by lies behind, if its row knows of it.
    pub(crate) fn received_long_ago(&self, pipeline: &str) {
        if self.row(pipeline).is_some_and(|row| !row.envelope.is_empty()) {
            self.received(pipeline, Duration::from_mins(10));
        }
    }

    /// Sets the slot that an export waits for.
    pub(crate) fn slot(&self, pipeline: &str, slot: Timestamp) {
        let slot = slot.strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string();
        self.table.edit(&key(pipeline), |item| {
            item.insert("not_before".into(), attribute(slot)).expect("a slot");
        });
    }

    /// The lease on an export ends now, if there is one.
    pub(crate) fn lease_ends(&self, pipeline: &str) {
        if self.row(pipeline).is_some_and(|row| row.lease_until.is_some()) {
            self.time_passes(pipeline, &["lease_until"]);
        }
    }

    /// An export that was made is as if whoever made it had fallen before it was recorded.
    pub(crate) fn falls_while_it_delivers(&self, pipeline: &str) {
        let until = (clock::now() + Duration::from_secs(20)).strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string();
        self.table.edit(&key(pipeline), |item| {
            item.insert("status".into(), attribute("processing"));
            item.insert("lease_owner".into(), attribute("somebody"));
            item.insert("lease_until".into(), attribute(until));
            for name in ["history", "exported_at", "took_ms"] {
                item.remove(name);
            }
        });
    }

    /// Where an export waits in the index.
    pub(crate) async fn waiting(&self, pipeline: &str) -> Option<Waiting> {
        for shard in 0..Ledger::SHARDS {
            let page = self.ledger.paused(pipeline, shard).waiting().await.unwrap().unwrap_or_default();
            if let Some(waiting) = page.into_iter().next() {
                return Some(waiting);
            }
        }
        None
    }

    /// Hands out what waits, as the release schedule does.
    pub(crate) async fn release(&self, pipeline: &str, until: Timestamp) -> usize {
        let (mut released, now) = (0, clock::now());
        for shard in 0..Ledger::SHARDS {
            let due = self.ledger.due(shard, until).waiting().await.unwrap().unwrap_or_default();
            let paused = self.ledger.paused(pipeline, shard).waiting().await.unwrap().unwrap_or_default();
            for waiting in due.into_iter().chain(paused) {
                if self.ledger.release(&waiting, now).await.unwrap() == Recorded::Written {
                    self.queue.requeue().send(&waiting.key, Duration::ZERO).await.unwrap();
                    self.ledger.settle(&waiting.key, now).await.unwrap();
                    released += 1;
                }
            }
        }
        released
    }
}
