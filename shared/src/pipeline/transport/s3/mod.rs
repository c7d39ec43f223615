//! Delivery to S3: one object, under the same key at every attempt; or many orders in one object.

mod key;
pub mod pack;
mod settings;

use std::time::Duration;

use aws_sdk_s3::error::SdkError;
use aws_sdk_s3::operation::put_object::PutObjectError;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_types::error::metadata::ProvideErrorMetadata as _;
use futures_util::future::BoxFuture;
use tokio::time::timeout;

pub use self::key::PACKS;
pub(super) use self::settings::read;
use self::settings::{S3, Stored};
use super::{Clients, Receipt, Transport, gzip};
use crate::aws;
use crate::pipeline::{Document, Export, Failure, Retry};

/// Metadata of every object: the idempotency key of the export that wrote it.
pub const EXPORT: &str = "ordersync-export";

impl Transport for S3 {
    fn deliver<'a>(
        &'a self,
        clients: &'a Clients,
        export: Export<'a>,
        document: &'a Document,
        limit: Duration,
    ) -> BoxFuture<'a, Result<Receipt, Failure>> {
        Box::pin(async move {
            let (bucket, key) = self.place(&clients.bucket, export)?;
            let (mark, body) = ((EXPORT, export.idempotency_key.to_owned()), document.body.clone());
            let put = self.stored.put(&clients.s3, bucket, &key, mark, &document.media_type, body);
            let out_of_time = |_| Failure::retryable(format!("bucket {bucket:?} did not answer in time"));
            timeout(limit, put).await.map_err(out_of_time)??;
            Ok(Receipt { destination: format!("s3://{bucket}/{key}"), ..Receipt::default() })
        })
    }

    fn target(&self, bucket: &str, export: Export<'_>) -> Result<String, Failure> {
        self.place(bucket, export).map(|(bucket, key)| format!("s3://{bucket}/{key}"))
    }
}

impl S3 {
    /// The bucket and the key of an export's object; `own` is the stack's bucket.
    fn place<'a>(&'a self, own: &'a str, export: Export<'_>) -> Result<(&'a str, String), Failure> {
        let bucket = self.bucket.as_deref().unwrap_or(own);
        let key = self.key.render(export.order, export.pipeline);
        let key = key.map_err(|error| Failure::permanent(format!("the object key cannot be made: {error}")))?;
        key::check(&key, bucket == own).map_err(Failure::permanent)?;
        Ok((bucket, key))
    }
}

impl Stored {
    /// Writes an object; `mark` is the metadata by which it is known what is in it.
    async fn put(
        &self,
        s3: &aws_sdk_s3::Client,
        bucket: &str,
        key: &str,
        (name, value): (&str, String),
        media_type: &str,
        body: Vec<u8>,
    ) -> Result<(), Failure> {
        let body = if self.gzip { gzip(&body)? } else { body };
        let metadata = self.metadata.iter().cloned().chain([(name.to_owned(), value)]);
        let put = s3
            .put_object()
            .bucket(bucket)
            .key(key)
            .content_type(self.content_type.as_deref().unwrap_or(media_type))
            .set_content_encoding(self.gzip.then(|| "gzip".to_owned()))
            .set_metadata(Some(metadata.collect()))
            .body(body.into());
        put.send().await.map(drop).map_err(|error| failed(bucket, &error))
    }
}

/// Codes that come with a status of 4xx and still only ask for another attempt.
const PASSING: [&str; 9] = [
    "BadDigest",
    "ExpiredToken",
    "IncompleteBody",
    "OperationAborted",
    "RequestTimeTooSkewed",
    "RequestTimeout",
    "SlowDown",
    "Throttling",
    "ThrottlingException",
];

/// A 4xx says that request, bucket or permissions have to change, which no repetition does.
fn failed(bucket: &str, error: &SdkError<PutObjectError, HttpResponse>) -> Failure {
    let message = format!("bucket {bucket:?}: {}", aws::reason(error));
    let status = error.raw_response().map(|response| response.status().as_u16());
    let is_refusal = status.is_some_and(|status| (300..500).contains(&status) && !matches!(status, 408 | 425 | 429));
    let code = error.as_service_error().and_then(|error| error.code());
    let is_passing = code.is_some_and(|code| PASSING.contains(&code));
    // Not even sent: a value of the document fits in no header.
    let is_unsendable = matches!(error, SdkError::ConstructionFailure(_));
    let retry = if is_unsendable || is_refusal && !is_passing { Retry::No } else { Retry::Backoff };
    Failure { retry, message, said: None, response: None }
}

#[cfg(test)]
mod tests;
