//! Response files in the bucket: read, set aside.

use std::time::Duration;

use aws_sdk_s3::config::Config;
use aws_sdk_s3::config::timeout::TimeoutConfig;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_s3::primitives::ByteStream;
use ordersync::aws;
use serde_json::Value;
use tokio::time::{Instant, timeout_at};

use crate::key;

/// What S3 says of an object or a version that is not there, or is only the mark of a deletion.
const GONE: [&str; 4] = ["NoSuchKey", "NoSuchVersion", "NotFound", "MethodNotAllowed"];

/// The bucket that a notification names.
#[derive(Debug)]
pub(crate) struct Bucket<'a> {
    pub(crate) s3: &'a aws_sdk_s3::Client,
    pub(crate) name: &'a str,
}

/// A file that somebody put there, not read yet.
#[derive(Debug)]
pub(crate) struct File {
    pub(crate) key: String,
    /// The version that is meant, whatever was put there since; none in a bucket without versions.
    version: Option<String>,
    etag: Option<String>,
    /// In bytes.
    pub(crate) size: u64,
    body: ByteStream,
}

/// S3 did not do what was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the bucket does not {0}")]
pub(crate) struct BucketError(String);

impl Bucket<'_> {
    /// The file as it was put there; nothing where it has been dealt with.
    pub(crate) async fn open(&self, key: &str, version: Option<&str>) -> Result<Option<File>, BucketError> {
        let get = self.s3.get_object().bucket(self.name).key(key).set_version_id(version.map(Into::into));
        let answer = match get.send().await {
            Err(failure) if is_gone(&failure) => return Ok(None),
            answer => answer.map_err(|failure| refused("hand over the file", &failure))?,
        };
        Ok(Some(File {
            key: key.to_owned(),
            version: answer.version_id.filter(|version| version != "null"),
            etag: answer.e_tag,
            size: answer.content_length.and_then(|size| u64::try_from(size).ok()).unwrap_or(0),
            body: answer.body,
        }))
    }

    /// Puts the reason why a file failed beside where it is put.
    pub(crate) async fn put_reason(&self, target: &str, reason: &Value) -> Result<(), BucketError> {
        let put = self.s3.put_object().bucket(self.name).key(key::reason(target)).content_type("application/json");
        let put = put.body(reason.to_string().into_bytes().into()).send().await;
        put.map(drop).map_err(|failure| refused("take the reason", &failure))
    }

    /// Puts a file elsewhere. Another run may have done so before.
    pub(crate) async fn set_aside(&self, file: &File, target: &str, deadline: Instant) -> Result<(), BucketError> {
        let copy = self
            .s3
            .copy_object()
            .bucket(self.name)
            .key(target)
            .copy_source(key::copy_source(self.name, &file.key, file.version.as_deref()))
            .set_copy_source_if_match(file.etag.clone())
            // Tags are the sender's; to copy them would take the permission to read them.
            .tagging_directive(aws_sdk_s3::types::TaggingDirective::Replace)
            .customize()
            .config_override(Config::builder().timeout_config(for_copies(file.size, deadline)));
        match copy.send().await {
            // Changed: what is there now has a notification of its own.
            Err(failure) if is_gone(&failure) || failure.code() == Some("PreconditionFailed") => return Ok(()),
            copied => drop(copied.map_err(|failure| refused("copy the file", &failure))?),
        }
        let delete = self.s3.delete_object().bucket(self.name).key(&file.key).set_version_id(file.version.clone());
        match delete.send().await {
            Err(failure) if !is_gone(&failure) => Err(refused("delete the file", &failure)),
            _ => Ok(()),
        }
    }
}

impl File {
    /// All of it.
    pub(crate) async fn read(&mut self, deadline: Instant) -> Result<Vec<u8>, BucketError> {
        let body = timeout_at(deadline, std::mem::take(&mut self.body).collect()).await;
        let body = body.map_err(|_| BucketError("hand over all of the file in time".into()))?;
        let body = body.map_err(|error| BucketError(format!("hand over all of the file: {error}")))?;
        Ok(body.to_vec())
    }
}

fn is_gone<E, R>(failure: &SdkError<E, R>) -> bool
where
    E: ProvideErrorMetadata,
{
    failure.code().is_some_and(|code| GONE.contains(&code))
}

fn refused<E, R>(what: &str, failure: &SdkError<E, R>) -> BucketError
where
    E: std::error::Error + ProvideErrorMetadata + 'static,
    R: std::fmt::Debug + 'static,
{
    BucketError(format!("{what}: {}", aws::reason(failure)))
}

/// S3 copies by itself, but takes its time over what is large: a second for every 50 MB is ample.
fn for_copies(size: u64, deadline: Instant) -> TimeoutConfig {
    let left = deadline.saturating_duration_since(Instant::now());
    let limit = Duration::from_secs(8 + size / 50_000_000).min(left).max(Duration::from_secs(1));
    TimeoutConfig::builder()
        .connect_timeout(Duration::from_secs(1))
        .operation_attempt_timeout(limit)
        .operation_timeout(limit)
        .build()
}
