//! One export with a mocked table: how many writes it costs, and what happens when steps misbehave.

use std::collections::{BTreeSet, HashMap};

use aws_sdk_dynamodb::operation::update_item::{UpdateItemError, UpdateItemOutput};
use aws_sdk_dynamodb::types::AttributeValue;
use aws_sdk_dynamodb::types::error::ConditionalCheckFailedException;
use aws_smithy_mocks::{Rule, RuleMode, mock, mock_client};
use futures_util::future::BoxFuture;
use serde_json::json;

use super::*;
use crate::config::{KeepPayload, Retries};
use crate::ledger::{FindBy, Origin, Told};
use crate::pipeline::Document;
use crate::pipeline::format::Format;
use crate::pipeline::transport::egress::Egress;
use crate::pipeline::transport::{Receipt, Transport};
use crate::secrets::Secrets;
use crate::webhook::Event;

#[derive(Debug, Clone, Copy, PartialEq)]
enum Behaviour {
    Works,
    FailsForNow,
    FailsForGood,
    Panics,
    Hangs,
}

#[derive(Debug)]
struct Step(Behaviour);

impl Format for Step {
    fn render(&self, _: Export<'_>) -> Result<Document, Failure> {
        assert!(self.0 != Behaviour::Panics, "the format panics");
        Ok(Document { body: b"{}".to_vec(), media_type: "application/json".into(), headers: Vec::new() })
    }
}

impl Transport for Step {
    fn deliver<'a>(
        &'a self,
        _: &'a Clients,
        _: Export<'a>,
        _: &'a Document,
        _: Duration,
    ) -> BoxFuture<'a, Result<Receipt, Failure>> {
        Box::pin(async {
            match self.0 {
                Behaviour::FailsForNow => Err(Failure::retryable("HTTP 503")),
                Behaviour::FailsForGood => Err(Failure::permanent("HTTP 400")),
                Behaviour::Hangs => std::future::pending().await,
                Behaviour::Works | Behaviour::Panics => {
                    Ok(Receipt { destination: "s3://bucket/key".into(), ..Receipt::default() })
                }
            }
        })
    }

    fn target(&self, _: &str, _: Export<'_>) -> Result<String, Failure> {
        Ok("s3://bucket/key".into())
    }
}

fn filtered(settings: &str) -> filter::Filter {
    let text = format!("filter = {settings}");
    let document = toml::de::DeTable::parse(&text).unwrap();
    let problems = crate::config::document::Problems::new("ordersync.toml", &text);
    let filter =
        filter::read(crate::config::document::Table::root(document.get_ref(), &problems).get("filter").as_ref());
    assert_eq!(problems.into_sorted(), []);
    filter
}

fn pipeline(behaviour: Behaviour) -> Pipeline {
    Pipeline {
        code: "erp".into(),
        shops: BTreeSet::new(),
        on: BTreeSet::from([Event::Placed]),
        filter: filter::read(None),
        format: Box::new(Step(behaviour)),
        transport: Box::new(Step(behaviour)),
        response: None,
        reservation: None,
        retries: Retries::default_for(10),
        delay: None,
        not_before: None,
        rate: None,
        responses: None,
        acknowledge_within: None,
        keep_payload: KeepPayload::Always,
    }
}

/// A write that is made, and says which status it sets.
fn write(status: &'static str) -> Rule {
    mock!(aws_sdk_dynamodb::Client::update_item)
        .match_requests(move |input| {
            let values = input.expression_attribute_values().unwrap();
            values[":set_status"] == AttributeValue::S(status.into())
        })
        .then_output(|| UpdateItemOutput::builder().build())
}

/// A write that the table refuses, because the row is in this status.
fn refused(status: &'static str) -> Rule {
    mock!(aws_sdk_dynamodb::Client::update_item).then_error(move || {
        let text = |value: &str| AttributeValue::S(value.to_owned());
        let item = HashMap::from([
            ("pk".to_owned(), text("acme#1")),
            ("sk".to_owned(), text("erp")),
            ("number".to_owned(), text("1")),
            ("status".to_owned(), text(status)),
            ("attempts".to_owned(), AttributeValue::N("1".into())),
            ("updated_at".to_owned(), text("2026-03-01T00:00:00.000Z")),
            ("created_at".to_owned(), text("2026-03-01T00:00:00.000Z")),
        ]);
        let error = ConditionalCheckFailedException::builder().set_item(Some(item)).build();
        UpdateItemError::ConditionalCheckFailedException(error)
    })
}

async fn run(behaviour: Behaviour, rules: &[&Rule], left: Duration, receive_count: u32) -> Verdict {
    run_through(&pipeline(behaviour), rules, left, receive_count).await
}

async fn run_through(pipeline: &Pipeline, rules: &[&Rule], left: Duration, receive_count: u32) -> Verdict {
    let table = mock_client!(aws_sdk_dynamodb, RuleMode::Sequential, rules);
    let s3 = mock_client!(aws_sdk_s3, RuleMode::Sequential, &[] as &[&Rule]);
    let runner = Runner {
        ledger: Ledger::new(table, "table".into(), Duration::from_hours(24)),
        pauses: PauseBoard::nothing_paused(),
        requeue: Requeue {
            sqs: mock_client!(aws_sdk_sqs, RuleMode::Sequential, &[] as &[&Rule]),
            queue_url: "q".into(),
        },
        clients: Clients::new(s3, "bucket", Secrets::fixed::<String>([]), Egress::default()),
        tally: Tally::default(),
        record: Record::alone(Instant::now() + Duration::from_mins(1)),
        invocation: "request-1".into(),
        deadline: Instant::now() + left,
        max_receive_count: 10,
    };
    let order: Order = serde_json::from_value(json!({
        "id": "1", "number": "1", "shop": "acme", "placed_at": "2026-03-01T00:00:00Z", "utc_offset": "+00:00",
        "currency": "EUR", "total": "1.00", "payment": { "paid": true }, "customer": {}, "billing": {},
        "delivery": {}, "items": [], "extra": {}
    }))
    .unwrap();
    let told = Told::by(&[Event::Placed], Timestamp::UNIX_EPOCH);
    let facts = Facts::of(&order, false, told, Origin::default(), FindBy::default());
    let headers = Headers::default();
    let arrival = Arrival {
        order: &order,
        facts: &facts,
        raw: b"{}",
        headers: &headers,
        received_at: Timestamp::UNIX_EPOCH,
        receive_count,
        owner: "request-1/1/1",
        keeper: None,
        row: None,
    };
    let verdict = runner.run(pipeline, arrival).await;
    assert_eq!(rules.iter().map(|rule| rule.num_calls()).sum::<usize>(), rules.len(), "every write, and no other");
    verdict
}

const AMPLE: Duration = Duration::from_secs(30);

#[tokio::test]
async fn an_export_that_succeeds_first_time_costs_two_writes() {
    let verdict = run(Behaviour::Works, &[&write("processing"), &write("exported")], AMPLE, 1).await;
    assert_eq!(verdict, Verdict::Done);
}

#[tokio::test]
async fn a_failure_that_may_pass_comes_back_and_one_that_will_not_does_not() {
    let verdict = run(Behaviour::FailsForNow, &[&write("processing"), &write("pending")], AMPLE, 1).await;
    assert!(matches!(verdict, Verdict::Retry(wait) if wait <= Duration::from_secs(30)), "{verdict:?}");
    let verdict = run(Behaviour::FailsForGood, &[&write("processing"), &write("error")], AMPLE, 1).await;
    assert_eq!(verdict, Verdict::Done);
}

#[tokio::test]
async fn the_last_attempt_leaves_an_error_and_on_the_last_delivery_is_reported_for_the_redrive() {
    let once = Pipeline { retries: Retries::default_for(1), ..pipeline(Behaviour::FailsForNow) };
    for (receive_count, expected) in [(10, Verdict::Retry(Duration::ZERO)), (9, Verdict::Done)] {
        let verdict = run_through(&once, &[&write("processing"), &write("error")], AMPLE, receive_count).await;
        assert_eq!(verdict, expected);
    }
}

#[tokio::test]
async fn a_panic_is_a_failed_attempt_on_record() {
    let verdict = run(Behaviour::Panics, &[&write("processing"), &write("pending")], AMPLE, 1).await;
    assert!(matches!(verdict, Verdict::Retry(_)), "{verdict:?}");
}

#[tokio::test]
async fn an_attempt_that_hangs_is_recorded_before_the_time_is_over() {
    let left = LEAST + Duration::from_millis(200);
    let verdict = run(Behaviour::Hangs, &[&write("processing"), &write("pending")], left, 1).await;
    assert!(matches!(verdict, Verdict::Retry(_)), "{verdict:?}");
}

#[tokio::test]
async fn an_outcome_is_recorded_through_a_short_outage() {
    let outage = mock!(aws_sdk_dynamodb::Client::update_item).then_error(|| UpdateItemError::unhandled("away"));
    let rules = [&write("processing"), &outage, &write("exported")];
    assert_eq!(run(Behaviour::Works, &rules, AMPLE, 1).await, Verdict::Done);
}

#[tokio::test]
async fn what_cannot_be_finished_in_time_is_not_begun() {
    assert_eq!(run(Behaviour::Works, &[], Duration::from_secs(1), 1).await, Verdict::Retry(Duration::ZERO));
}

#[tokio::test]
async fn an_order_that_was_exported_costs_one_refused_write() {
    assert_eq!(run(Behaviour::Works, &[&refused("exported")], AMPLE, 1).await, Verdict::Done);
    assert_eq!(run(Behaviour::Works, &[&refused("error")], AMPLE, 1).await, Verdict::Done);
}

#[tokio::test]
async fn an_order_that_is_declined_costs_one_write_unless_its_export_was_begun() {
    let declining = || Pipeline { filter: filtered("{ when = \"order.total > 100\" }"), ..pipeline(Behaviour::Works) };
    assert_eq!(run_through(&declining(), &[&write("skipped")], AMPLE, 1).await, Verdict::Done);
    let rules = [&refused("pending"), &write("processing"), &write("exported")];
    assert_eq!(run_through(&declining(), &rules, AMPLE, 2).await, Verdict::Done);
    let rules = [&refused("exported"), &refused("exported")];
    assert_eq!(run_through(&declining(), &rules, AMPLE, 2).await, Verdict::Done);
}

#[tokio::test]
async fn a_filter_that_fails_is_an_error_on_record() {
    let failing =
        Pipeline { filter: filtered("{ when = \"order.extra.colour == 'blue'\" }"), ..pipeline(Behaviour::Works) };
    assert_eq!(run_through(&failing, &[&write("error")], AMPLE, 1).await, Verdict::Done);
}
