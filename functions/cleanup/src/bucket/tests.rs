//! What S3's answers mean, page by page and batch by batch.

use aws_sdk_s3::operation::delete_objects::DeleteObjectsOutput;
use aws_sdk_s3::operation::head_object::HeadObjectOutput;
use aws_sdk_s3::operation::list_object_versions::ListObjectVersionsOutput;
use aws_sdk_s3::operation::list_objects_v2::ListObjectsV2Output;
use aws_sdk_s3::types::{DeleteMarkerEntry, DeletedObject, Object as Listed, ObjectVersion};
use aws_smithy_mocks::{Rule, RuleMode, mock, mock_client};

use super::*;

fn bucket(rules: &[&Rule]) -> Bucket {
    let s3 = mock_client!(aws_sdk_s3, RuleMode::Sequential, rules, |config| config
        .retry_config(aws_sdk_s3::config::retry::RetryConfig::disabled()));
    Bucket::new(s3, "stack".into())
}

fn soon() -> Instant {
    Instant::now() + Duration::from_mins(5)
}

fn version(key: &str, id: &str) -> Target {
    Target { key: key.into(), version: Some(id.into()) }
}

/// Takes a batch of so many and removes each.
fn taking(count: usize) -> Rule {
    mock!(aws_sdk_s3::Client::delete_objects)
        .match_requests(move |input| input.delete().is_some_and(|delete| delete.objects().len() == count))
        .then_output(|| DeleteObjectsOutput::builder().build())
}

#[tokio::test(start_paused = true)]
async fn a_thousand_objects_are_removed_with_one_request() {
    let targets = (0..2001).map(|n| Target::object(&format!("k{n:04}"))).collect();
    let (first, second, third) = (taking(1000), taking(1000), taking(1));
    let fates = bucket(&[&first, &second, &third]).delete(targets, soon()).await;
    assert_eq!((fates.len(), fates.values().filter(|fate| fate.is_ok()).count()), (2001, 2001));
    assert_eq!(bucket(&[]).delete(BTreeSet::new(), soon()).await, Fates::new(), "nothing to remove is no request");
}

#[tokio::test(start_paused = true)]
async fn only_what_was_refused_is_asked_for_again() {
    let partly = mock!(aws_sdk_s3::Client::delete_objects).then_output(|| {
        let error = aws_sdk_s3::types::Error::builder().key("b").code("InternalError").build();
        let deleted = DeletedObject::builder().key("a").delete_marker(true).delete_marker_version_id("m1").build();
        DeleteObjectsOutput::builder().deleted(deleted).errors(error).build()
    });
    let rest = mock!(aws_sdk_s3::Client::delete_objects)
        .match_requests(|input| {
            let keys: Vec<_> = input.delete().unwrap().objects().iter().map(ObjectIdentifier::key).collect();
            keys == ["b"]
        })
        .then_output(|| DeleteObjectsOutput::builder().build());
    let targets = BTreeSet::from([Target::object("a"), Target::object("b")]);
    let fates = bucket(&[&partly, &rest]).delete(targets, soon()).await;
    assert_eq!(fates[&Target::object("a")], Ok(Some("m1".into())), "what brings it back");
    assert_eq!(fates[&Target::object("b")], Ok(None));
}

#[tokio::test(start_paused = true)]
async fn a_request_that_fails_is_every_targets_failure_and_says_no_more_than_its_code() {
    let throttled = mock!(aws_sdk_s3::Client::delete_objects).then_http_response(|| {
        let body = "<Error><Code>SlowDown</Code><Message>too much of payloads/orders/acme/1001</Message></Error>";
        aws_sdk_s3::config::http::HttpResponse::new(503.try_into().unwrap(), body.into())
    });
    let targets = BTreeSet::from([Target::object("a"), version("b", "v1")]);
    let fates = bucket(&[&throttled]).delete(targets, Instant::now()).await;
    let said: Vec<_> = fates.into_values().filter_map(|fate| Some(fate.err()?.to_string())).collect();
    assert_eq!(said, ["the bucket refuses: SlowDown", "the bucket refuses: SlowDown"]);
}

#[tokio::test(start_paused = true)]
async fn a_version_that_was_a_marker_leaves_none() {
    let rule = mock!(aws_sdk_s3::Client::delete_objects).then_output(|| {
        let deleted = DeletedObject::builder().key("a").version_id("m1").delete_marker(true);
        let other = DeletedObject::builder().key("b").version_id("").delete_marker_version_id("m2");
        let output = DeleteObjectsOutput::builder().deleted(deleted.delete_marker_version_id("m1").build());
        output.deleted(other.build()).build()
    });
    let targets = BTreeSet::from([version("a", "m1"), Target::object("b")]);
    let fates = bucket(&[&rule]).delete(targets, soon()).await;
    let expected = [(version("a", "m1"), Ok(None)), (Target::object("b"), Ok(Some("m2".into())))];
    assert_eq!(fates, Fates::from(expected));
}

#[tokio::test]
async fn every_page_of_versions_is_read_markers_too() {
    let first = mock!(aws_sdk_s3::Client::list_object_versions).then_output(|| {
        let output = ListObjectVersionsOutput::builder().is_truncated(true);
        let output = output.next_key_marker("p/a").next_version_id_marker("v2");
        output.versions(ObjectVersion::builder().key("p/a").version_id("v2").size(7).build()).build()
    });
    let second = mock!(aws_sdk_s3::Client::list_object_versions)
        .match_requests(|input| (input.key_marker(), input.version_id_marker()) == (Some("p/a"), Some("v2")))
        .then_output(|| {
            let output = ListObjectVersionsOutput::builder().is_truncated(false);
            let output = output.versions(ObjectVersion::builder().key("p/b").build());
            output.delete_markers(DeleteMarkerEntry::builder().key("p/a").version_id("v1").build()).build()
        });
    let versions = bucket(&[&first, &second]).versions_under("p/").await.unwrap();
    let found: Vec<_> =
        versions.into_iter().map(|version| (version.target, version.bytes, version.is_marker)).collect();
    let expected =
        [(version("p/a", "v2"), 7, false), (version("p/b", "null"), 0, false), (version("p/a", "v1"), 0, true)];
    assert_eq!(found, expected);
}

#[tokio::test]
async fn versions_of_one_object_end_where_the_next_begins() {
    let only = mock!(aws_sdk_s3::Client::list_object_versions).then_output(|| {
        let output = ListObjectVersionsOutput::builder().is_truncated(true).next_key_marker("orders/10");
        let output = output.versions(ObjectVersion::builder().key("orders/1").version_id("v1").build());
        output.versions(ObjectVersion::builder().key("orders/10").version_id("v2").build()).build()
    });
    let versions = bucket(&[&only]).versions_of("orders/1").await.unwrap();
    let targets: Vec<_> = versions.into_iter().map(|version| version.target).collect();
    assert_eq!(targets, [version("orders/1", "v1")]);
}

#[tokio::test]
async fn the_first_thousand_objects_are_all_unless_the_answer_says_otherwise() {
    for (is_truncated, expected) in [(None, true), (Some(false), true), (Some(true), false)] {
        let page = mock!(aws_sdk_s3::Client::list_objects_v2).then_output(move || {
            let listed = Listed::builder().key("a").size(3).build();
            ListObjectsV2Output::builder().contents(listed).set_is_truncated(is_truncated).build()
        });
        let found = bucket(&[&page]).first_objects("").await;
        assert_eq!(found, Ok((vec![Object { key: "a".into(), bytes: 3 }], expected)));
    }
}

#[tokio::test]
async fn who_wrote_an_object_is_known_and_one_that_is_not_there_is_no_failure() {
    let there = mock!(aws_sdk_s3::Client::head_object)
        .match_requests(|input| input.version_id() == Some("v1"))
        .then_output(|| HeadObjectOutput::builder().content_length(9).metadata("ordersync-export", "a:1:b").build());
    let head = Head { bytes: 9, written_by: Some("a:1:b".into()), members: None };
    assert_eq!(bucket(&[&there]).head("k", Some("v1")).await, Ok(Some(head)));
    let status = |status: u16| {
        mock!(aws_sdk_s3::Client::head_object).then_http_response(move || {
            aws_sdk_s3::config::http::HttpResponse::new(status.try_into().unwrap(), "".into())
        })
    };
    assert_eq!(bucket(&[&status(404)]).head("k", None).await, Ok(None));
    assert_eq!(bucket(&[&status(403)]).head("k", None).await, Err(Refused("HTTP 403".into())));
}
