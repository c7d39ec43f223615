//! Response files: which pipeline each is for, what is in it, and where it is put then.

use std::time::Duration;

use aws_lambda_events::s3::S3EventRecord;
use ordersync::clock;
use ordersync::config::{Config, Pipeline};
use ordersync::pipeline::result::{BadDocument, Responses as Mapping};
use serde_json::{Map, Value};
use tokio::time::Instant;

use crate::bucket::{Bucket, BucketError, File};
use crate::handler::Responses;
use crate::key::{self, Outcome, Place};
use crate::place::Stopped;
use crate::tally::{Tally, emit_unread};

/// Largest file that is read, in bytes.
const MOST_BYTES: u64 = 10_000_000;
/// Largest object that S3 copies with one request: 5 GB.
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html>
const MOST_COPIED: u64 = 5 * 1024 * 1024 * 1024;
/// Waits for exports that are not on record yet: nobody waits for a file.
pub(crate) const WAITS: [Duration; 6] = [
    Duration::from_millis(250),
    Duration::from_millis(500),
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(4),
    Duration::from_secs(8),
];

/// A file that was not dealt with: another run may do it.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FileError {
    /// S3.
    #[error(transparent)]
    Bucket(#[from] BucketError),
    /// The ledger, or the time.
    #[error(transparent)]
    Stopped(#[from] Stopped),
}

/// Why a file failed.
#[derive(Debug, PartialEq, Eq)]
enum Failure {
    /// As a whole: none of its results counts.
    Whole(BadDocument),
    /// Some of its results.
    Parts(Tally),
}

impl Responses {
    /// Deals with the object of one record.
    pub(crate) async fn object(
        &self,
        config: &Config,
        record: &S3EventRecord,
        deadline: Instant,
    ) -> Result<(), FileError> {
        let object = &record.s3.object;
        let named = record.s3.bucket.name.as_deref().zip(object.key.as_deref().and_then(key::decoded));
        let Some((bucket, key)) = named else {
            tracing::error!("a notification names no object");
            return Ok(());
        };
        let Place::File(code) = key::place(&key, object.size) else { return Ok(()) };
        let bucket = Bucket { s3: &self.s3, name: bucket };
        let Some(mut file) = bucket.open(&key, object.version_id.as_deref()).await? else {
            tracing::info!(key, "{key} has been dealt with");
            return Ok(());
        };
        let code = code.unwrap_or_default();
        let pipeline = config.pipelines.iter().find(|pipeline| pipeline.code == code);
        let taken = match pipeline.and_then(|pipeline| Some((pipeline, pipeline.responses.as_ref()?))) {
            Some((pipeline, mapping)) => self.take(config, pipeline, mapping, &mut file, deadline).await?,
            None => Err(Failure::Whole(no_pipeline())),
        };
        match &taken {
            Ok(tally) | Err(Failure::Parts(tally)) => tally.emit(&code),
            Err(Failure::Whole(_)) => emit_unread(pipeline.map(|pipeline| pipeline.code.as_str())),
        }
        match taken {
            Ok(tally) => {
                bucket.set_aside(&file, &key::target(&key, Outcome::Done), deadline).await?;
                tracing::info!(key, pipeline = code, "{key}: {}", tally.words());
            }
            Err(failure) => fail(&bucket, &file, &code, &failure, deadline).await?,
        }
        Ok(())
    }

    /// Takes the results of a file for a pipeline.
    async fn take(
        &self,
        config: &Config,
        pipeline: &Pipeline,
        mapping: &Mapping,
        file: &mut File,
        deadline: Instant,
    ) -> Result<Result<Tally, Failure>, FileError> {
        if file.size > MOST_BYTES {
            return Ok(Err(Failure::Whole(whole(format!("expected at most {MOST_BYTES} bytes: split it")))));
        }
        let results = match mapping.read(&file.read(deadline).await?) {
            Ok(results) => results,
            Err(bad) => return Ok(Err(Failure::Whole(bad))),
        };
        let tally = self.placer(config, pipeline, mapping, &WAITS).place(results, deadline).await?;
        Ok(if tally.is_whole() { Ok(tally) } else { Err(Failure::Parts(tally)) })
    }
}

/// Sets a file aside that failed, and says why: the reason first, so that no file is there without it.
async fn fail(
    bucket: &Bucket<'_>,
    file: &File,
    pipeline: &str,
    failure: &Failure,
    deadline: Instant,
) -> Result<(), BucketError> {
    let target = key::target(&file.key, Outcome::Failed);
    let is_left = file.size > MOST_COPIED;
    let mut reason = reason(&file.key, pipeline, failure);
    if is_left {
        reason.insert("left".into(), "it is too large to be moved, and is where it was".into());
    }
    bucket.put_reason(&target, &Value::Object(reason)).await?;
    if !is_left {
        bucket.set_aside(file, &target, deadline).await?;
    }
    let (key, error) = (&file.key, summary(failure));
    tracing::error!(key, pipeline, error, target, "{key} failed: {error}");
    Ok(())
}

fn no_pipeline() -> BadDocument {
    whole("expected a key of the form responses/{pipeline}/…, with a pipeline that has responses".into())
}

fn whole(reason: String) -> BadDocument {
    BadDocument { path: String::new(), reason }
}

fn summary(failure: &Failure) -> String {
    match failure {
        Failure::Whole(bad) => bad.to_string(),
        Failure::Parts(tally) => {
            let (failed, all) = tally.failed();
            format!("{failed} of {all} results did not count")
        }
    }
}

/// What is put beside a file that failed: what, where, and nothing of what it says but the orders' names.
fn reason(key: &str, pipeline: &str, failure: &Failure) -> Map<String, Value> {
    let at = clock::now().to_string();
    let mut reason = Map::new();
    for (name, value) in [("file", key), ("pipeline", pipeline), ("at", &at), ("reason", &summary(failure))] {
        reason.insert(name.into(), value.into());
    }
    if let Failure::Parts(tally) = failure {
        reason.extend(tally.members());
    }
    reason
}
