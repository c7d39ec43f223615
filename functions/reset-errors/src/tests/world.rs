//! A table and queues that answer from what a test says is in them, and note what is asked of them.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_sdk_dynamodb::operation::delete_item::DeleteItemOutput;
use aws_sdk_dynamodb::operation::get_item::GetItemOutput;
use aws_sdk_dynamodb::operation::query::QueryOutput;
use aws_sdk_dynamodb::operation::update_item::{UpdateItemError, UpdateItemInput, UpdateItemOutput};
use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use aws_sdk_dynamodb::types::error::{ConditionalCheckFailedException, InternalServerError};
use aws_sdk_sqs::operation::change_message_visibility_batch::ChangeMessageVisibilityBatchOutput;
use aws_sdk_sqs::operation::delete_message::DeleteMessageOutput;
use aws_sdk_sqs::operation::get_queue_attributes::GetQueueAttributesOutput;
use aws_sdk_sqs::operation::receive_message::ReceiveMessageOutput;
use aws_sdk_sqs::operation::send_message::SendMessageOutput;
use aws_sdk_sqs::operation::send_message_batch::SendMessageBatchOutput;
use aws_sdk_sqs::types::{BatchResultErrorEntry, Message, QueueAttributeName};
use aws_smithy_mocks::{MockResponse, Rule, RuleMode, mock, mock_client};
use jiff::Timestamp;
use ordersync::clock;
use ordersync::config::{Config, Files, Live, Source, parse};
use ordersync::ledger::{ExportKey, Ledger, PayloadStore, Row};
use ordersync::queue::Requeue;
use ordersync::schedule::Run;
use serde_json::{Value, json};

use crate::handler::ResetErrors;

/// An item of the table.
pub(crate) type Item = HashMap<String, AttributeValue>;

/// What was asked for, in this order.
pub(crate) type Calls = Arc<Mutex<Vec<String>>>;

/// What there is, and what goes wrong.
#[derive(Debug, Clone, Default)]
pub(crate) struct World {
    /// The table's items.
    pub(crate) items: Vec<Item>,
    /// Messages of the dead-letter queue.
    pub(crate) dead_letters: Vec<Message>,
    /// Orders whose rows have changed: no write to them is made.
    pub(crate) changed: BTreeSet<&'static str>,
    /// Orders whose rows cannot be written now.
    pub(crate) unavailable: BTreeSet<&'static str>,
    /// Orders whose messages the queue does not take.
    pub(crate) unsent: BTreeSet<&'static str>,
}

/// A document with the shop `acme` and a pipeline for each way of being configured.
pub(crate) fn config() -> Config {
    const DOCUMENT: &str = r#"
        [[shops]]
        code = "acme"
        platform = "standard-webhooks"
        secrets = ["s"]

        [[pipelines]]
        code = "erp"
        shops = ["acme"]
        retries = { max_attempts = 5 }
        format = { type = "json" }
        transport = { type = "s3", key = "{{ order.number }}" }

        [[pipelines]]
        code = "wms"
        shops = ["acme"]
        acknowledge_within = "2 days"
        format = { type = "json" }
        transport = { type = "s3", key = "wms/{{ order.number }}" }
    "#;
    parse("ordersync.toml", DOCUMENT, &Files::default(), 10).unwrap()
}

pub(crate) fn text(value: &str) -> AttributeValue {
    AttributeValue::S(value.to_owned())
}

/// A time this many minutes from now, as the table keeps it.
pub(crate) fn minutes(from_now: i64) -> AttributeValue {
    let at = Timestamp::from_second(clock::now().as_second() + from_now * 60).unwrap();
    text(&at.strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string())
}

/// The row of an order's export to the ERP, with further attributes.
pub(crate) fn item<'a>(order: &str, attributes: impl IntoIterator<Item = (&'a str, AttributeValue)>) -> Item {
    let row = [
        ("pk", text(&format!("it-flaky#{order}"))),
        ("sk", text("flaky")),
        ("payload", AttributeValue::B(Blob::new(b"zstd"))),
        ("created_at", minutes(-600)),
        ("updated_at", minutes(-600)),
    ];
    row.into_iter().chain(attributes).map(|(name, value)| (name.to_owned(), value)).collect()
}

/// A row as the ledger reads it.
pub(crate) async fn row(item: Item) -> Row {
    let rule = mock!(aws_sdk_dynamodb::Client::get_item)
        .then_output(move || GetItemOutput::builder().set_item(Some(item.clone())).build());
    let table = mock_client!(aws_sdk_dynamodb, RuleMode::MatchAny, &[&rule]);
    let ledger = Ledger::new(table, "table".into(), Duration::from_hours(24));
    ledger.export(&ExportKey::new("any", "any", "any")).await.unwrap().unwrap()
}

/// The order in an item's partition key.
fn order_of(key: &Item) -> &str {
    key["pk"].as_s().unwrap().split_once('#').unwrap().1
}

fn noting(calls: &Calls) -> impl Fn(String) + Send + Sync + 'static + use<> {
    let calls = Arc::clone(calls);
    move |call| calls.lock().unwrap().push(call)
}

impl World {
    /// Runs the function, and returns what it reports and what it asked for.
    pub(crate) async fn run(&self, input: Value) -> (Value, Vec<String>) {
        let (function, calls) = self.function().await;
        let report = function.handle(&in_time(&input, 60_000)).await.unwrap();
        let calls = calls.lock().unwrap().clone();
        (serde_json::to_value(report).unwrap(), calls)
    }

    /// The function, and what it asks for.
    pub(crate) async fn function(&self) -> (ResetErrors, Calls) {
        let calls = Calls::default();
        let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/config");
        let s3 = mock_client!(aws_sdk_s3, RuleMode::MatchAny, &[] as &[&Rule]);
        let function = ResetErrors {
            config: Live::start(Source::Directory(directory), 10).await.unwrap(),
            ledger: Ledger::new(self.table(&calls), "table".into(), Duration::from_hours(24)),
            payloads: PayloadStore { s3, bucket: "bucket".into() },
            requeue: Requeue { sqs: self.queues(&calls), queue_url: "queue".into() },
            dead_letter_queue_url: "dead-letters".into(),
            visibility_timeout: Duration::from_mins(3),
        };
        (function, calls)
    }

    fn table(&self, calls: &Calls) -> aws_sdk_dynamodb::Client {
        let items = self.items.clone();
        let query = mock!(aws_sdk_dynamodb::Client::query).then_compute_output(move |input| {
            let values = input.expression_attribute_values().unwrap();
            let is_in = |item: &&Item| match (input.index_name(), values.get(":partition"), values.get(":pk")) {
                (Some("due"), Some(partition), _) => item.get("due_key") == Some(partition),
                (Some("by-status"), Some(partition), _) => item.get("status_key") == Some(partition),
                (None, _, Some(pk)) => item.get("pk") == Some(pk),
                _ => false,
            };
            QueryOutput::builder().set_items(Some(items.iter().filter(is_in).cloned().collect())).build()
        });
        let items = self.items.clone();
        let get = mock!(aws_sdk_dynamodb::Client::get_item).then_compute_output(move |input| {
            let key = input.key().unwrap();
            let found = items.iter().find(|item| key.iter().all(|(name, value)| item.get(name) == Some(value)));
            GetItemOutput::builder().set_item(found.cloned()).build()
        });
        let (note, changed, unavailable) = (noting(calls), self.changed.clone(), self.unavailable.clone());
        let update =
            mock!(aws_sdk_dynamodb::Client::update_item).then_compute_response(move |input: &UpdateItemInput| {
                let order = order_of(input.key().unwrap());
                let expression = input.update_expression().unwrap();
                let what = if expression.starts_with("REMOVE") { "settle" } else { "take" };
                note(format!("{what} {order}"));
                if unavailable.contains(order) {
                    return MockResponse::Error(UpdateItemError::InternalServerError(
                        InternalServerError::builder().build(),
                    ));
                }
                if changed.contains(order) {
                    let refused = ConditionalCheckFailedException::builder().build();
                    return MockResponse::Error(UpdateItemError::ConditionalCheckFailedException(refused));
                }
                MockResponse::Output(UpdateItemOutput::builder().build())
            });
        let note = noting(calls);
        let delete = mock!(aws_sdk_dynamodb::Client::delete_item).then_compute_output(move |input| {
            note(format!("delete {:?}", input.key().unwrap()["sk"]));
            DeleteItemOutput::builder().build()
        });
        mock_client!(aws_sdk_dynamodb, RuleMode::MatchAny, &[&query, &get, &update, &delete], |config| config
            .retry_config(aws_sdk_dynamodb::config::retry::RetryConfig::disabled()))
    }

    fn queues(&self, calls: &Calls) -> aws_sdk_sqs::Client {
        let (note, unsent) = (noting(calls), self.unsent.clone());
        let send_all = mock!(aws_sdk_sqs::Client::send_message_batch).then_compute_output(move |input| {
            assert_eq!(input.queue_url(), Some("queue"));
            let mut failed = Vec::new();
            for entry in input.entries() {
                let order = entry.message_attributes().unwrap()["order_id"].string_value().unwrap();
                note(format!("send {order} after {} s", entry.delay_seconds().unwrap()));
                if unsent.contains(order) {
                    let error = BatchResultErrorEntry::builder().id(entry.id()).code("InternalError");
                    failed.push(error.sender_fault(false).build().unwrap());
                }
            }
            let output = SendMessageBatchOutput::builder().set_failed(Some(failed)).set_successful(Some(Vec::new()));
            output.build().unwrap()
        });
        let note = noting(calls);
        let send = mock!(aws_sdk_sqs::Client::send_message).then_compute_output(move |input| {
            assert_eq!(input.queue_url(), Some("queue"));
            let attributes = input.message_attributes().unwrap();
            let names: BTreeMap<_, _> = attributes.iter().map(|(name, value)| (name, value.string_value())).collect();
            note(format!("send {} {:?} {names:?}", input.message_body().unwrap(), input.message_group_id()));
            SendMessageOutput::builder().build()
        });
        let left = Mutex::new(self.dead_letters.clone());
        let receive = mock!(aws_sdk_sqs::Client::receive_message).then_compute_output(move |input| {
            assert_eq!(input.queue_url(), Some("dead-letters"));
            let mut left = left.lock().unwrap();
            let count = left.len().min(10);
            ReceiveMessageOutput::builder().set_messages(Some(left.drain(..count).collect())).build()
        });
        let waiting = mock!(aws_sdk_sqs::Client::get_queue_attributes).then_output(|| {
            let count = (QueueAttributeName::ApproximateNumberOfMessages, "7".to_owned());
            GetQueueAttributesOutput::builder().set_attributes(Some([count].into())).build()
        });
        let note = noting(calls);
        let delete = mock!(aws_sdk_sqs::Client::delete_message).then_compute_output(move |input| {
            assert_eq!(input.queue_url(), Some("dead-letters"));
            note(format!("remove {}", input.receipt_handle().unwrap()));
            DeleteMessageOutput::builder().build()
        });
        let note = noting(calls);
        let show = mock!(aws_sdk_sqs::Client::change_message_visibility_batch).then_compute_output(move |input| {
            for entry in input.entries() {
                assert_eq!(entry.visibility_timeout(), Some(0));
                note(format!("show {}", entry.receipt_handle()));
            }
            let output = ChangeMessageVisibilityBatchOutput::builder().set_successful(Some(Vec::new()));
            output.set_failed(Some(Vec::new())).build().unwrap()
        });
        mock_client!(
            aws_sdk_sqs,
            RuleMode::MatchAny,
            &[&send_all, &send, &receive, &waiting, &delete, &show],
            |config| config.retry_config(aws_sdk_sqs::config::retry::RetryConfig::disabled())
        )
    }
}

/// A run in an invocation that ends this soon.
pub(crate) fn in_time(input: &Value, millis: i64) -> Run {
    let ends = clock::now().as_millisecond() + millis;
    Run::of(input, u64::try_from(ends).unwrap()).unwrap()
}

/// The input that asks for one task.
pub(crate) fn only(task: &str) -> Value {
    json!({ "only": [task] })
}
