//! Getting the configuration: bundled with the function, or from S3, looked at again every minute by its `ETag`.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use aws_sdk_s3::error::SdkError;
use aws_sdk_s3::operation::get_object::GetObjectError;
use jiff::Timestamp;
use tokio::sync::Mutex;

use super::parse::{file_names, parse_part};
use super::{Config, Files, Invalid, Part};
use crate::{aws, clock};

/// Name of the document in its directory or under its prefix.
const DOCUMENT: &str = "ordersync.toml";
/// How long a configuration from S3 is used before its `ETag` is compared.
const FRESH_FOR: Duration = Duration::from_mins(1);
/// How long the look at the `ETag`s may take: a webhook waits for it.
const LOOK_FOR: Duration = Duration::from_secs(1);
/// A document or another file larger than this is a mistake.
const MAX_FILE_BYTES: usize = 1024 * 1024;

/// Why there is no configuration.
#[derive(Debug, Clone, thiserror::Error)]
pub enum LoadError {
    /// The document or another file cannot be read.
    #[error("{file} cannot be read: {reason}")]
    Unreadable {
        /// Path or URL of the file.
        file: String,
        /// What went wrong.
        reason: String,
    },
    /// It can be read but is not right.
    #[error(transparent)]
    Invalid(#[from] Invalid),
    /// `CONFIG_URI` is not of the form `s3://bucket/prefix/`.
    #[error("CONFIG_URI {0:?}: expected s3://bucket/prefix/")]
    BadUri(String),
}

/// Where the configuration is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Location {
    /// A directory, bundled with the function.
    Directory(PathBuf),
    /// A prefix in an S3 bucket.
    S3 {
        /// The bucket.
        bucket: String,
        /// The prefix, empty or ending in `/`.
        prefix: String,
    },
}

impl Location {
    /// Where the environment of a function says that it is: `CONFIG_URI`, else beside the binary.
    pub fn from_environment() -> Result<Self, LoadError> {
        let task_root = aws::variable("LAMBDA_TASK_ROOT").map_or_else(|| PathBuf::from("."), PathBuf::from);
        Self::from_uri(aws::variable("CONFIG_URI").as_deref(), &task_root)
    }

    /// `s3://bucket/prefix/` (with or without the document's name at its end); without a URI the directory `config`
    /// beside the function's binary.
    pub fn from_uri(uri: Option<&str>, task_root: &Path) -> Result<Self, LoadError> {
        let Some(uri) = uri else { return Ok(Self::Directory(task_root.join("config"))) };
        let bad = || LoadError::BadUri(uri.to_owned());
        let (bucket, path) =
            uri.strip_prefix("s3://").map(|rest| rest.split_once('/').unwrap_or((rest, ""))).ok_or_else(bad)?;
        let prefix = path.strip_suffix(DOCUMENT).unwrap_or(path);
        let prefix = if prefix.is_empty() || prefix.ends_with('/') { prefix.to_owned() } else { format!("{prefix}/") };
        if bucket.is_empty() { Err(bad()) } else { Ok(Self::S3 { bucket: bucket.to_owned(), prefix }) }
    }
}

/// Reads and checks the configuration in a directory, or a part of it.
pub fn load_directory<P: Part>(directory: &Path, max_receive_count: u32) -> Result<P, LoadError> {
    let read = |name: &str| {
        let path = directory.join(name);
        let unreadable = |reason: String| LoadError::Unreadable { file: path.display().to_string(), reason };
        std::fs::read_to_string(&path).map_err(|error| unreadable(error.to_string()))
    };
    let text = read(DOCUMENT)?;
    let files: Result<Files, LoadError> = file_names::<P>(&text)
        .into_iter()
        .filter(|name| is_plain_name(name) && directory.join(name).is_file())
        .map(|name| Ok((name.clone(), read(&name)?)))
        .collect();
    Ok(parse_part(DOCUMENT, &text, &files?, max_receive_count)?)
}

/// A file lies beside the document or in a folder below it; a name can lead nowhere else.
fn is_plain_name(name: &str) -> bool {
    Path::new(name).components().all(|part| matches!(part, std::path::Component::Normal(_)))
}

/// The configuration of a running function, or the part of it that the function works with.
#[derive(Debug)]
pub struct Live<P = Config> {
    location: Location,
    s3: aws_sdk_s3::Client,
    max_receive_count: u32,
    state: Mutex<State<P>>,
}

#[derive(Debug)]
struct State<P> {
    config: Arc<P>,
    etags: Vec<(String, String)>,
    checked_at: Timestamp,
}

impl<P: Part> Live<P> {
    /// Loads the configuration for the first time.
    pub async fn start(location: Location, s3: aws_sdk_s3::Client, max_receive_count: u32) -> Result<Self, LoadError> {
        let state = load(&location, &s3, max_receive_count).await?;
        Ok(Self { location, s3, max_receive_count, state: Mutex::new(state) })
    }

    /// The configuration now. One from S3 is compared with its `ETag`s when a minute has passed; when the new one
    /// cannot be read or is not right, the earlier one is used on and the problems are logged.
    pub async fn current(&self) -> Arc<P> {
        let mut state = self.state.lock().await;
        let age = clock::now().duration_since(state.checked_at).unsigned_abs();
        if matches!(self.location, Location::S3 { .. }) && age >= FRESH_FOR {
            self.refresh(&mut state).await;
        }
        Arc::clone(&state.config)
    }

    async fn refresh(&self, state: &mut State<P>) {
        state.checked_at = clock::now();
        let look = tokio::time::timeout(LOOK_FOR, self.has_changed(&state.etags)).await;
        if look.is_err() {
            tracing::warn!("configuration cannot be looked at in time, it is used on");
        }
        if !look.unwrap_or(false) {
            return;
        }
        match load(&self.location, &self.s3, self.max_receive_count).await {
            Ok(fresh) => {
                tracing::info!("configuration changed, the new one is used from now on");
                *state = fresh;
            }
            Err(error) => tracing::error!(error = %error, "new configuration refused, the earlier one is used on"),
        }
    }

    async fn has_changed(&self, etags: &[(String, String)]) -> bool {
        let Location::S3 { bucket, .. } = &self.location else { return false };
        for (key, etag) in etags {
            match self.s3.get_object().bucket(bucket).key(key).if_none_match(etag).send().await {
                Ok(_) => return true,
                Err(failure) if is_not_modified(&failure) => {}
                Err(failure) => {
                    let error = aws::reason(&failure);
                    tracing::warn!(key, error, "configuration cannot be looked at, it is used on: {error}");
                    return false;
                }
            }
        }
        false
    }
}

fn is_not_modified(failure: &SdkError<GetObjectError>) -> bool {
    failure.raw_response().is_some_and(|response| response.status().as_u16() == 304)
}

async fn load<P: Part>(
    location: &Location,
    s3: &aws_sdk_s3::Client,
    max_receive_count: u32,
) -> Result<State<P>, LoadError> {
    let (config, etags) = match location {
        Location::Directory(directory) => (load_directory(directory, max_receive_count)?, Vec::new()),
        Location::S3 { bucket, prefix } => load_s3(s3, bucket, prefix, max_receive_count).await?,
    };
    Ok(State { config: Arc::new(config), etags, checked_at: clock::now() })
}

async fn load_s3<P: Part>(
    s3: &aws_sdk_s3::Client,
    bucket: &str,
    prefix: &str,
    max_receive_count: u32,
) -> Result<(P, Vec<(String, String)>), LoadError> {
    let mut etags = Vec::new();
    let mut files = Vec::new();
    let document = format!("{prefix}{DOCUMENT}");
    let missing =
        || LoadError::Unreadable { file: format!("s3://{bucket}/{document}"), reason: "it is not there".into() };
    let text = fetch(s3, bucket, document.clone(), &mut etags).await?.ok_or_else(missing)?;
    for name in file_names::<P>(&text).into_iter().filter(|name| is_plain_name(name)) {
        // One that is not there is a problem of the line that names it.
        if let Some(file) = fetch(s3, bucket, format!("{prefix}{name}"), &mut etags).await? {
            files.push((name, file));
        }
    }
    let config = parse_part(DOCUMENT, &text, &files.into_iter().collect(), max_receive_count)?;
    Ok((config, etags))
}

async fn fetch(
    s3: &aws_sdk_s3::Client,
    bucket: &str,
    key: String,
    etags: &mut Vec<(String, String)>,
) -> Result<Option<String>, LoadError> {
    let unreadable = |reason: String| LoadError::Unreadable { file: format!("s3://{bucket}/{key}"), reason };
    let answer = s3.get_object().bucket(bucket).key(&key).send().await;
    let answer = match answer {
        Err(failure) if failure.as_service_error().is_some_and(GetObjectError::is_no_such_key) => return Ok(None),
        answer => answer.map_err(|failure| unreadable(aws::reason(&failure)))?,
    };
    let etag = answer.e_tag().unwrap_or_default().to_owned();
    let bytes = answer.body.collect().await.map_err(|error| unreadable(error.to_string()))?.into_bytes();
    if bytes.len() > MAX_FILE_BYTES {
        return Err(unreadable(format!("it has {} bytes, expected at most {MAX_FILE_BYTES}", bytes.len())));
    }
    let text = String::from_utf8(bytes.to_vec()).map_err(|_| unreadable("it is not UTF-8".into()))?;
    etags.push((key, etag));
    Ok(Some(text))
}

#[cfg(test)]
mod tests;
