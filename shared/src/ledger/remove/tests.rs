//! What is left of an erased export, and what the table's answers mean; that conditions hold is shown end to end.

use aws_sdk_dynamodb::operation::delete_item::DeleteItemOutput;
use aws_sdk_dynamodb::operation::query::QueryOutput;
use aws_sdk_dynamodb::types::error::ConditionalCheckFailedException;
use aws_smithy_mocks::{Rule, RuleMode, mock, mock_client};

use super::*;
use crate::ledger::state::refusal;
use crate::ledger::{Claim, Observation, Told};
use crate::webhook::Event;

fn ledger(rules: &[&Rule]) -> Ledger {
    let client = mock_client!(aws_sdk_dynamodb, RuleMode::Sequential, rules, |config| config
        .retry_config(aws_sdk_dynamodb::config::retry::RetryConfig::disabled()));
    Ledger::new(client, "ledger".into(), Duration::from_hours(24))
}

fn refused(item: Option<Item>) -> Rule {
    mock!(aws_sdk_dynamodb::Client::delete_item).then_error(move || {
        let error = ConditionalCheckFailedException::builder().set_item(item.clone()).build();
        DeleteItemError::ConditionalCheckFailedException(error)
    })
}

fn at(text: &str) -> Timestamp {
    text.parse().expect("a time")
}

#[test]
fn what_is_left_of_an_erased_export_reads_as_one_that_nothing_begins() {
    let (key, now) = (ExportKey::new("acme-eu", "9007199254740993", "erp"), at("2026-01-05T09:15:00Z"));
    let item = erased(&key, now);
    let row = Row::from_item(&item).expect("a row");
    assert_eq!((&row.key, row.status, row.erased_at), (&key, Status::Canceled, Some(now)));
    assert_eq!((row.customer.as_ref(), row.payload.as_ref(), row.envelope.len()), (None, None, 0));
    assert_eq!(item["expires_at"], AttributeValue::N("1770196500".into()), "30 days later");
    let late = at("2026-01-20T00:00:00Z");
    assert_eq!(refusal::<()>(&row, late), Some(Claim::Over(Status::Canceled)));
    assert!(!row.is_untried(), "no webhook takes it for one that was never tried");
}

#[test]
fn what_is_left_of_an_erased_export_holds_nothing_but_its_key_and_times() {
    let names = |key: &ExportKey| {
        let mut names: Vec<_> = erased(key, at("2026-01-05T09:15:00Z")).into_keys().collect();
        names.sort();
        names.join(" ")
    };
    let key = ExportKey::new("acme-eu", "1", "erp");
    insta::assert_snapshot!(names(&key), @"canceled_at created_at erased_at expires_at last_error pk sk status updated_at");
}

#[tokio::test]
async fn what_a_shop_says_of_an_erased_order_is_not_kept() {
    let key = ExportKey::new("acme-eu", "1", "erp");
    let item = erased(&key, at("2026-01-05T09:15:00Z"));
    let query =
        mock!(aws_sdk_dynamodb::Client::query).then_output(move || QueryOutput::builder().items(item.clone()).build());
    let told = Told::by(&[Event::Paid], at("2026-01-06T00:00:00Z"));
    let said = Observation::named(Event::Paid, told).expect("a change of state");
    // A write would meet a client that has no answer to it.
    let rows = ledger(&[&query]).observe("acme-eu", "1", &said, &[], told.at).await.expect("no write");
    assert_eq!(rows.len(), 1);
}

#[tokio::test]
async fn a_row_is_removed_as_it_was_seen_and_its_size_is_counted() {
    let row = Row::sample(Status::Exported);
    let rule = mock!(aws_sdk_dynamodb::Client::delete_item)
        .match_requests(|input| {
            let values = input.expression_attribute_values().expect("values");
            values[":status"] == AttributeValue::S("exported".into())
                && values[":seen"] == AttributeValue::S("2026-01-05T09:15:00.000Z".into())
        })
        .then_output(|| DeleteItemOutput::builder().attributes("pk", AttributeValue::S("acme#1".into())).build());
    assert_eq!(ledger(&[&rule]).remove(&row).await, Ok(Removed::Gone { bytes: 8 }));
}

#[tokio::test]
async fn a_row_that_changed_is_told_from_one_that_is_gone() {
    let row = Row::sample(Status::Error);
    let there = refused(Some(primary(&row.key)));
    assert_eq!(ledger(&[&there]).remove(&row).await, Ok(Removed::Changed));
    for gone in [refused(None), refused(Some(Item::new()))] {
        assert_eq!(ledger(&[&gone]).remove(&row).await, Ok(Removed::Missing));
    }
}

#[tokio::test]
async fn throttling_is_no_answer_about_the_row() {
    let throttled = mock!(aws_sdk_dynamodb::Client::delete_item).then_error(|| {
        let error = aws_sdk_dynamodb::types::error::ProvisionedThroughputExceededException::builder();
        DeleteItemError::ProvisionedThroughputExceededException(error.build())
    });
    let failed = ledger(&[&throttled]).remove(&Row::sample(Status::Exported)).await;
    assert!(matches!(failed, Err(LedgerError::Unavailable(_))), "{failed:?}");
}
