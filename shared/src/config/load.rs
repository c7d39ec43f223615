//! Getting the configuration: bundled with the function, or from S3, looked at again every minute by its `ETag`.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::Mutex;

use super::parse::{file_names, parse_part};
use super::source::DOCUMENT;
use super::{Config, Files, Invalid, Part};
use crate::aws::{self, Bucket, BucketError, Sdk};
use crate::clock;

/// How long a configuration from S3 is used before its `ETag` is compared.
const FRESH_FOR: Duration = Duration::from_mins(1);
/// The same where somebody may have changed it in order to have just this done.
const FRESH_FOR_PEOPLE: Duration = Duration::from_secs(1);
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

/// A [`Location`] that can be read from.
#[derive(Debug, Clone)]
pub enum Source {
    /// A directory.
    Directory(PathBuf),
    /// A prefix in a bucket.
    Bucket {
        /// The bucket.
        bucket: Bucket,
        /// The prefix, empty or ending in `/`.
        prefix: String,
    },
}

impl Location {
    /// Makes what it takes to read from there.
    pub fn open(self, sdk: &Sdk) -> Source {
        match self {
            Self::Directory(directory) => Source::Directory(directory),
            Self::S3 { bucket, prefix } => Source::Bucket { bucket: Bucket::new(sdk, bucket), prefix },
        }
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
pub(super) fn is_plain_name(name: &str) -> bool {
    Path::new(name).components().all(|part| matches!(part, std::path::Component::Normal(_)))
}

/// The configuration of a running function, or the part of it that the function works with.
#[derive(Debug)]
pub struct Live<P = Config> {
    source: Source,
    max_receive_count: u32,
    state: Mutex<State<P>>,
}

#[derive(Debug)]
struct State<P> {
    config: Arc<P>,
    tags: Vec<(String, String)>,
    checked_at: Timestamp,
}

impl<P: Part> Live<P> {
    /// Loads the configuration for the first time.
    pub async fn start(source: Source, max_receive_count: u32) -> Result<Self, LoadError> {
        let state = load(&source, max_receive_count).await?;
        Ok(Self { source, max_receive_count, state: Mutex::new(state) })
    }

    /// The configuration now. One from S3 is compared with its `ETag`s when a minute has passed; when the new one
    /// cannot be read or is not right, the earlier one is used on and the problems are logged.
    pub async fn current(&self) -> Arc<P> {
        self.looked_at(FRESH_FOR).await
    }

    /// The same, compared with its `ETag`s when a second has passed: for what somebody asks for who has just changed it.
    pub async fn latest(&self) -> Arc<P> {
        self.looked_at(FRESH_FOR_PEOPLE).await
    }

    async fn looked_at(&self, fresh_for: Duration) -> Arc<P> {
        let mut state = self.state.lock().await;
        let age = clock::now().duration_since(state.checked_at).unsigned_abs();
        if matches!(self.source, Source::Bucket { .. }) && age >= fresh_for {
            self.refresh(&mut state).await;
        }
        Arc::clone(&state.config)
    }

    async fn refresh(&self, state: &mut State<P>) {
        state.checked_at = clock::now();
        let look = tokio::time::timeout(LOOK_FOR, self.has_changed(&state.tags)).await;
        if look.is_err() {
            tracing::warn!("configuration cannot be looked at in time, it is used on");
        }
        if !look.unwrap_or(false) {
            return;
        }
        match load(&self.source, self.max_receive_count).await {
            Ok(fresh) => {
                tracing::info!("configuration changed, the new one is used from now on");
                *state = fresh;
            }
            Err(error) => tracing::error!(error = %error, "new configuration refused, the earlier one is used on"),
        }
    }

    async fn has_changed(&self, tags: &[(String, String)]) -> bool {
        let Source::Bucket { bucket, .. } = &self.source else { return false };
        for (key, tag) in tags {
            match bucket.get(key, Some(tag)).await {
                Ok(object) if object.body.is_some() => return true,
                Ok(_) => {}
                Err(error) => {
                    tracing::warn!(key, error = %error, "configuration cannot be looked at, it is used on: {error}");
                    return false;
                }
            }
        }
        false
    }
}

async fn load<P: Part>(source: &Source, max_receive_count: u32) -> Result<State<P>, LoadError> {
    let (config, tags) = match source {
        Source::Directory(directory) => (load_directory(directory, max_receive_count)?, Vec::new()),
        Source::Bucket { bucket, prefix } => load_bucket(bucket, prefix, max_receive_count).await?,
    };
    Ok(State { config: Arc::new(config), tags, checked_at: clock::now() })
}

async fn load_bucket<P: Part>(
    bucket: &Bucket,
    prefix: &str,
    max_receive_count: u32,
) -> Result<(P, Vec<(String, String)>), LoadError> {
    let mut tags = Vec::new();
    let mut files = Vec::new();
    let document = format!("{prefix}{DOCUMENT}");
    let text = fetch(bucket, document.clone(), &mut tags).await?;
    let text = text.ok_or_else(|| unreadable(bucket, &document, &BucketError::Missing))?;
    for name in file_names::<P>(&text).into_iter().filter(|name| is_plain_name(name)) {
        // One that is not there is a problem of the line that names it.
        if let Some(file) = fetch(bucket, format!("{prefix}{name}"), &mut tags).await? {
            files.push((name, file));
        }
    }
    let config = parse_part(DOCUMENT, &text, &files.into_iter().collect(), max_receive_count)?;
    Ok((config, tags))
}

/// The text of an object, if it is there; its tag is noted.
pub(super) async fn fetch(
    bucket: &Bucket,
    key: String,
    tags: &mut Vec<(String, String)>,
) -> Result<Option<String>, LoadError> {
    let object = match bucket.get(&key, None).await {
        Err(BucketError::Missing) => return Ok(None),
        object => object.map_err(|error| unreadable(bucket, &key, &error))?,
    };
    let bytes = object.body.unwrap_or_default();
    if bytes.len() > MAX_FILE_BYTES {
        let reason = format!("it has {} bytes, expected at most {MAX_FILE_BYTES}", bytes.len());
        return Err(unreadable(bucket, &key, &reason));
    }
    let text = String::from_utf8(bytes).map_err(|_| unreadable(bucket, &key, &"it is not UTF-8"))?;
    tags.push((key, object.tag));
    Ok(Some(text))
}

pub(super) fn unreadable(bucket: &Bucket, key: &str, reason: &impl ToString) -> LoadError {
    LoadError::Unreadable { file: format!("s3://{}/{key}", bucket.name()), reason: reason.to_string() }
}

#[cfg(test)]
mod tests;
