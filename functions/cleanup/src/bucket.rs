//! The stack's bucket: finding objects, and removing them by the thousand.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use aws_sdk_s3::error::SdkError;
use aws_sdk_s3::operation::head_object::HeadObjectError;
use aws_sdk_s3::operation::list_objects_v2::ListObjectsV2Output;
use aws_sdk_s3::types::{Delete, ObjectIdentifier};
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use aws_smithy_types::timeout::TimeoutConfig;
use ordersync::pipeline::transport::s3::EXPORT;
use ordersync::pipeline::transport::s3::pack::PACK;
use tokio::time::Instant;

use crate::patience::again;

mod packs;
mod versions;

/// Most objects that one request removes. <https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjects.html>
const BATCH: usize = 1000;
/// How long a request that removes a thousand objects may take; other calls are answered within a second.
const TO_DELETE: Duration = Duration::from_secs(20);

/// The stack's bucket.
#[derive(Debug, Clone)]
pub(crate) struct Bucket {
    s3: aws_sdk_s3::Client,
    name: String,
}

/// An object that is there now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Object {
    pub(crate) key: String,
    pub(crate) bytes: u64,
}

/// What is to be removed: an object, which a delete marker then hides until its versions expire, or one version for
/// good.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Target {
    pub(crate) key: String,
    pub(crate) version: Option<String>,
}

/// What became of each target: the version of the delete marker, where one was written.
pub(crate) type Fates = BTreeMap<Target, Result<Option<String>, Refused>>;

/// S3 did not do what was asked. Only its code: the message may name the object, and so the order.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the bucket refuses: {0}")]
pub(crate) struct Refused(String);

/// What is known of an object without reading it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) bytes: u64,
    /// Idempotency key of the export that wrote it.
    pub(crate) written_by: Option<String>,
    /// The exports that are in it, where it is one of many orders.
    pub(crate) members: Option<String>,
}

impl Target {
    /// An object, whatever its versions.
    pub(crate) fn object(key: &str) -> Self {
        Self { key: key.to_owned(), version: None }
    }
}

impl Bucket {
    pub(crate) fn new(s3: aws_sdk_s3::Client, name: String) -> Self {
        Self { s3, name }
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// The objects whose keys begin so.
    pub(crate) async fn objects(&self, prefix: &str) -> Result<Vec<Object>, Refused> {
        let pages = self.s3.list_objects_v2().bucket(&self.name).prefix(prefix).into_paginator();
        let pages = pages.send().collect::<Result<Vec<_>, _>>().await.map_err(|failure| refused(&failure))?;
        Ok(pages.iter().flat_map(ListObjectsV2Output::contents).filter_map(object).collect())
    }

    /// The first thousand of them, and whether there are no more.
    pub(crate) async fn first_objects(&self, prefix: &str) -> Result<(Vec<Object>, bool), Refused> {
        let page = self.s3.list_objects_v2().bucket(&self.name).prefix(prefix).send().await;
        let page = page.map_err(|failure| refused(&failure))?;
        let is_all = !page.is_truncated().unwrap_or(false);
        Ok((page.contents().iter().filter_map(object).collect(), is_all))
    }

    /// What is known of an object, or of one version of it; nothing where there is none.
    pub(crate) async fn head(&self, key: &str, version: Option<&str>) -> Result<Option<Head>, Refused> {
        let head = self.s3.head_object().bucket(&self.name).key(key).set_version_id(version.map(ToOwned::to_owned));
        match head.send().await {
            Ok(head) => {
                let said = |name| head.metadata().and_then(|metadata| metadata.get(name)).cloned();
                let (written_by, members) = (said(EXPORT), said(PACK));
                Ok(Some(Head { bytes: bytes(head.content_length()), written_by, members }))
            }
            Err(failure) if failure.as_service_error().is_some_and(HeadObjectError::is_not_found) => Ok(None),
            Err(failure) => Err(refused(&failure)),
        }
    }

    /// Removes objects or versions, and tries those again that fail. What is not there counts as removed.
    pub(crate) async fn delete(&self, targets: BTreeSet<Target>, deadline: Instant) -> Fates {
        let targets: Vec<Target> = targets.into_iter().collect();
        let mut fates = Fates::new();
        for batch in targets.chunks(BATCH) {
            fates.extend(self.delete_batch(batch, deadline).await);
        }
        fates
    }

    async fn delete_batch(&self, batch: &[Target], deadline: Instant) -> Fates {
        let mut fates = Fates::new();
        let mut open = batch.to_vec();
        let mut tries = 0;
        loop {
            fates.extend(self.request_delete(&open).await);
            open.retain(|target| fates.get(target).is_some_and(Result::is_err));
            tries += 1;
            if open.is_empty() || !again(tries, deadline).await {
                return fates;
            }
        }
    }

    /// One request, and what it says of each target.
    async fn request_delete(&self, targets: &[Target]) -> Fates {
        let all =
            |fate: Result<Option<String>, Refused>| targets.iter().map(move |target| (target.clone(), fate.clone()));
        let objects: Result<Vec<_>, _> = targets.iter().map(identifier).collect();
        let delete = objects.and_then(|objects| Delete::builder().set_objects(Some(objects)).build());
        let Ok(delete) = delete else { return all(Err(Refused("no such request".into()))).collect() };
        let patient = TimeoutConfig::builder().operation_attempt_timeout(TO_DELETE).operation_timeout(TO_DELETE * 2);
        let patient = aws_sdk_s3::config::Builder::new().timeout_config(patient.build());
        let request = self.s3.delete_objects().bucket(&self.name).delete(delete).customize().config_override(patient);
        let answer = match request.send().await {
            Ok(answer) => answer,
            Err(failure) => return all(Err(refused(&failure))).collect(),
        };
        let mut fates: Fates = all(Ok(None)).collect();
        for deleted in answer.deleted() {
            // Of an object, that of the marker just written; of a version that was a marker, that one's own.
            let target = target(deleted.key(), deleted.version_id());
            let marker = deleted.delete_marker_version_id().filter(|_| target.version.is_none());
            fates.insert(target, Ok(marker.map(ToOwned::to_owned)));
        }
        for error in answer.errors() {
            let code = error.code().unwrap_or("no code");
            if !matches!(code, "NoSuchKey" | "NoSuchVersion") {
                fates.insert(target(error.key(), error.version_id()), Err(Refused(code.to_owned())));
            }
        }
        fates
    }

    /// Writes a small object.
    pub(crate) async fn write(&self, key: &str, media_type: &str, body: Vec<u8>) -> Result<(), Refused> {
        let put = self.s3.put_object().bucket(&self.name).key(key).content_type(media_type).body(body.into());
        put.send().await.map(drop).map_err(|failure| refused(&failure))
    }
}

fn identifier(target: &Target) -> Result<ObjectIdentifier, aws_smithy_types::error::operation::BuildError> {
    ObjectIdentifier::builder().key(&target.key).set_version_id(target.version.clone()).build()
}

/// S3 repeats the version only where one was named, but some write an empty one.
fn target(key: Option<&str>, version: Option<&str>) -> Target {
    let version = version.filter(|version| !version.is_empty()).map(ToOwned::to_owned);
    Target { key: key.unwrap_or_default().to_owned(), version }
}

fn object(object: &aws_sdk_s3::types::Object) -> Option<Object> {
    Some(Object { key: object.key()?.to_owned(), bytes: bytes(object.size()) })
}

fn bytes(size: Option<i64>) -> u64 {
    size.and_then(|size| u64::try_from(size).ok()).unwrap_or(0)
}

/// The code of a refusal, or of the answer without one.
fn refused<E: ProvideErrorMetadata>(failure: &SdkError<E, aws_sdk_s3::config::http::HttpResponse>) -> Refused {
    let status = || failure.raw_response().map(|response| format!("HTTP {}", response.status().as_u16()));
    let code = failure.as_service_error().and_then(|error| error.code()).map(ToOwned::to_owned);
    Refused(code.or_else(status).unwrap_or_else(|| "no answer".to_owned()))
}

#[cfg(test)]
mod tests;
