//! A bucket with versions, in memory.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use aws_sdk_s3::operation::copy_object::{CopyObjectError, CopyObjectOutput};
use aws_sdk_s3::operation::delete_object::DeleteObjectOutput;
use aws_sdk_s3::operation::get_object::{GetObjectError, GetObjectOutput};
use aws_sdk_s3::operation::put_object::{PutObjectError, PutObjectOutput};
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::error::NoSuchKey;
use aws_smithy_mocks::{MockResponse, RuleMode, mock, mock_client};
use percent_encoding::percent_decode_str;

#[derive(Debug, Clone, Default)]
pub(crate) struct Objects(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    /// Versions of each key, oldest first.
    versions: BTreeMap<String, Vec<(String, Vec<u8>)>>,
    count: usize,
    /// A size to state other than the true one.
    size: Option<i64>,
    is_down: bool,
    takes_no_copies: bool,
}

impl Objects {
    /// Puts an object there and returns its version.
    pub(crate) fn put(&self, key: &str, body: impl Into<Vec<u8>>) -> String {
        self.state(|state| state.put(key, body.into()))
    }

    /// All keys, but for versions that were overwritten.
    pub(crate) fn keys(&self) -> Vec<String> {
        self.state(|state| state.versions.keys().cloned().collect())
    }

    /// The text of an object.
    pub(crate) fn text(&self, key: &str) -> String {
        let body = self.state(|state| state.versions[key].last().unwrap().1.clone());
        String::from_utf8(body).unwrap()
    }

    /// States this as the size of every object.
    pub(crate) fn pretending(self, size: i64) -> Self {
        self.state(|state| state.size = Some(size));
        self
    }

    /// Whether it answers at all.
    pub(crate) fn set_down(&self, is_down: bool) {
        self.state(|state| state.is_down = is_down);
    }

    /// Whether it copies.
    pub(crate) fn set_takes_no_copies(&self, takes_none: bool) {
        self.state(|state| state.takes_no_copies = takes_none);
    }

    fn state<T>(&self, with: impl FnOnce(&mut State) -> T) -> T {
        with(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn client(&self) -> aws_sdk_s3::Client {
        let objects = self.clone();
        let get = mock!(aws_sdk_s3::Client::get_object).match_requests(|_| true).then_compute_response(move |input| {
            objects.state(|state| {
                if state.is_down {
                    return MockResponse::Error(GetObjectError::unhandled("down"));
                }
                match state.find(input.key().unwrap(), input.version_id()) {
                    None => MockResponse::Error(GetObjectError::NoSuchKey(no_such_key())),
                    Some((version, body)) => {
                        let size = state.size.unwrap_or_else(|| i64::try_from(body.len()).unwrap());
                        let output = GetObjectOutput::builder().version_id(version).content_length(size);
                        MockResponse::Output(output.e_tag("\"e\"").body(ByteStream::from(body)).build())
                    }
                }
            })
        });
        let objects = self.clone();
        let put = mock!(aws_sdk_s3::Client::put_object).match_requests(|_| true).then_compute_response(move |input| {
            let body = input.body().bytes().unwrap().to_vec();
            if objects.state(|state| state.is_down) {
                return MockResponse::Error(PutObjectError::unhandled("down"));
            }
            objects.put(input.key().unwrap(), body);
            MockResponse::Output(PutObjectOutput::builder().build())
        });
        let objects = self.clone();
        let copy =
            mock!(aws_sdk_s3::Client::copy_object).match_requests(|_| true).then_compute_response(move |input| {
                let source = input.copy_source().unwrap();
                assert!(source.is_ascii(), "{source}");
                let (key, version) = source.split_once("?versionId=").unwrap();
                let key = percent_decode_str(key.strip_prefix("bucket/").unwrap()).decode_utf8().unwrap();
                objects.state(|state| {
                    if state.takes_no_copies {
                        return MockResponse::Error(CopyObjectError::unhandled("slow down"));
                    }
                    match state.find(&key, Some(version)) {
                        None => MockResponse::Error(CopyObjectError::generic(
                            aws_sdk_s3::error::ErrorMetadata::builder().code("NoSuchVersion").build(),
                        )),
                        Some((_, body)) => {
                            state.put(input.key().unwrap(), body);
                            MockResponse::Output(CopyObjectOutput::builder().build())
                        }
                    }
                })
            });
        let objects = self.clone();
        let delete =
            mock!(aws_sdk_s3::Client::delete_object).match_requests(|_| true).then_compute_output(move |input| {
                objects.state(|state| state.delete(input.key().unwrap(), input.version_id().unwrap()));
                DeleteObjectOutput::builder().build()
            });
        mock_client!(aws_sdk_s3, RuleMode::MatchAny, [&get, &put, &copy, &delete], |config| config
            .retry_config(aws_sdk_s3::config::retry::RetryConfig::disabled()))
    }
}

impl State {
    fn put(&mut self, key: &str, body: Vec<u8>) -> String {
        self.count += 1;
        let version = format!("v{}", self.count);
        self.versions.entry(key.to_owned()).or_default().push((version.clone(), body));
        version
    }

    fn find(&self, key: &str, version: Option<&str>) -> Option<(String, Vec<u8>)> {
        let versions = self.versions.get(key)?;
        let is_meant = |(known, _): &&(String, Vec<u8>)| version.is_none_or(|version| version == known);
        versions.iter().rfind(is_meant).cloned()
    }

    fn delete(&mut self, key: &str, version: &str) {
        if let Some(versions) = self.versions.get_mut(key) {
            versions.retain(|(known, _)| known != version);
        }
        self.versions.retain(|_, versions| !versions.is_empty());
    }
}

fn no_such_key() -> NoSuchKey {
    let metadata = aws_sdk_s3::error::ErrorMetadata::builder().code("NoSuchKey").build();
    NoSuchKey::builder().meta(metadata).build()
}
