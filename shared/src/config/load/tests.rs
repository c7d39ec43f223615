//! A configuration in S3, mocked.

use aws_sdk_s3::operation::get_object::{GetObjectError, GetObjectOutput};
use aws_sdk_s3::primitives::{ByteStream, SdkBody};
use aws_sdk_s3::types::error::NoSuchKey;
use aws_smithy_mocks::{Rule, RuleMode, mock, mock_client};
use aws_smithy_runtime_api::http::{Response, StatusCode};

use super::*;

const DOCUMENT_TEXT: &str = include_str!("../tests/sample.toml");

fn object(key: &'static str, text: &'static str, etag: &'static str) -> Rule {
    mock!(aws_sdk_s3::Client::get_object)
        .match_requests(move |input| input.bucket() == Some("acme") && input.key() == Some(key))
        .then_output(move || {
            GetObjectOutput::builder().e_tag(etag).body(ByteStream::from_static(text.as_bytes())).build()
        })
}

fn not_modified(key: &'static str, etag: &'static str) -> Rule {
    mock!(aws_sdk_s3::Client::get_object)
        .match_requests(move |input| input.key() == Some(key) && input.if_none_match() == Some(etag))
        .then_http_response(|| Response::new(StatusCode::try_from(304).unwrap(), SdkBody::empty()))
}

fn missing(key: &'static str) -> Rule {
    mock!(aws_sdk_s3::Client::get_object)
        .match_requests(move |input| input.key() == Some(key))
        .then_error(|| GetObjectError::NoSuchKey(NoSuchKey::builder().build()))
}

async fn start(rules: &[&Rule]) -> Result<Live, LoadError> {
    let s3 = mock_client!(aws_sdk_s3, RuleMode::Sequential, rules);
    let location = Location::from_uri(Some("s3://acme/eu"), Path::new("."))?;
    Live::start(location, s3, 10).await
}

#[tokio::test]
async fn document_and_templates_are_read_and_looked_at_again_by_etag() {
    let document = object("eu/ordersync.toml", DOCUMENT_TEXT, "d1");
    let template = object("eu/erp-order.json.j2", "{}", "t1");
    let (same_document, same_template) =
        (not_modified("eu/ordersync.toml", "d1"), not_modified("eu/erp-order.json.j2", "t1"));
    let live = start(&[&document, &template, &same_document, &same_template]).await.unwrap();
    let first = live.current().await;
    assert_eq!(first.pipelines.len(), 2);
    live.refresh(&mut *live.state.lock().await).await;
    assert_eq!((same_document.num_calls(), same_template.num_calls()), (1, 1));
    assert!(Arc::ptr_eq(&first, &live.current().await));
}

#[tokio::test]
async fn a_changed_configuration_is_used_unless_it_is_wrong() {
    let document = object("eu/ordersync.toml", DOCUMENT_TEXT, "d1");
    let template = object("eu/erp-order.json.j2", "{}", "t1");
    let (wrong, still_wrong) =
        (object("eu/ordersync.toml", "colour = 1", "d2"), object("eu/ordersync.toml", "colour = 1", "d2"));
    let smaller = "[[shops]]\ncode = \"a\"\nplatform = \"shopify\"\nsecrets = [\"a\"]\n[[pipelines]]\ncode = \"p\"\n\
        format = { type = \"json\" }\ntransport = { type = \"s3\", key = \"{{ order.id }}\" }\n";
    let (right, still_right) = (object("eu/ordersync.toml", smaller, "d3"), object("eu/ordersync.toml", smaller, "d3"));
    let live = start(&[&document, &template, &wrong, &still_wrong, &right, &still_right]).await.unwrap();
    live.refresh(&mut *live.state.lock().await).await;
    assert_eq!(live.current().await.pipelines.len(), 2, "the earlier one is used on");
    live.refresh(&mut *live.state.lock().await).await;
    assert_eq!(live.current().await.pipelines.len(), 1);
}

#[tokio::test]
async fn what_is_missing_is_named() {
    let error = start(&[&missing("eu/ordersync.toml")]).await.unwrap_err();
    assert_eq!(error.to_string(), "s3://acme/eu/ordersync.toml cannot be read: it is not there");
    let document = object("eu/ordersync.toml", DOCUMENT_TEXT, "d1");
    let error = start(&[&document, &missing("eu/erp-order.json.j2")]).await.unwrap_err();
    assert!(error.to_string().contains("ordersync.toml:11: pipelines[0].format.template"), "{error}");
}
