//! A bucket in memory, and the faults that it can have.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use aws_sdk_s3::Client;
use aws_sdk_s3::config::http::HttpResponse;
use aws_sdk_s3::operation::head_object::{HeadObjectError, HeadObjectInput, HeadObjectOutput};
use aws_sdk_s3::operation::put_object::{PutObjectError, PutObjectInput, PutObjectOutput};
use aws_sdk_s3::types::error::NotFound;
use aws_smithy_mocks::{MockResponse, RuleMode, mock, mock_client};

use super::Log;

/// What the bucket does with an object that is put into it, where it does not just keep it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// It does not keep it, and says so.
    Refuses,
    /// It keeps it, and the answer is lost.
    KeepsInSilence,
}

/// An object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Kept {
    pub(crate) body: String,
    pub(crate) media_type: String,
    pub(crate) metadata: BTreeMap<String, String>,
}

fn unavailable() -> HttpResponse {
    let body = "<Error><Code>SlowDown</Code><Message>later</Message></Error>";
    HttpResponse::new(503.try_into().unwrap(), body.into())
}

/// The bucket in memory.
#[derive(Debug, Clone, Default)]
pub(crate) struct FakeBucket {
    objects: Arc<Mutex<BTreeMap<String, Kept>>>,
    faults: Arc<Mutex<Vec<Fault>>>,
    is_away: Arc<Mutex<bool>>,
    log: Log,
}

impl FakeBucket {
    pub(crate) fn new(log: Log) -> Self {
        Self { log, ..Self::default() }
    }

    /// What becomes of the next objects.
    pub(crate) fn fails(&self, faults: &[Fault]) {
        self.faults.lock().unwrap().extend(faults);
    }

    /// Whether it answers no questions from now on.
    pub(crate) fn is_away(&self, is_away: bool) {
        *self.is_away.lock().unwrap() = is_away;
    }

    /// The objects by their keys.
    pub(crate) fn objects(&self) -> BTreeMap<String, Kept> {
        self.objects.lock().unwrap().clone()
    }

    fn put(&self, input: &PutObjectInput) -> MockResponse<PutObjectOutput, PutObjectError> {
        let fault = { self.faults.lock().unwrap().pop() };
        self.log.add("put object");
        if fault != Some(Fault::Refuses) {
            let kept = Kept {
                body: String::from_utf8(input.body().bytes().unwrap_or_default().to_vec()).unwrap(),
                media_type: input.content_type().unwrap_or_default().to_owned(),
                metadata: input.metadata().cloned().unwrap_or_default().into_iter().collect(),
            };
            let before = self.objects.lock().unwrap().insert(input.key().unwrap().to_owned(), kept);
            assert_eq!(before, None, "an object that others have written is replaced");
        }
        match fault {
            None => MockResponse::Output(PutObjectOutput::builder().build()),
            Some(_) => MockResponse::Http(unavailable()),
        }
    }

    fn head(&self, input: &HeadObjectInput) -> MockResponse<HeadObjectOutput, HeadObjectError> {
        self.log.add("head object");
        if *self.is_away.lock().unwrap() {
            return MockResponse::Http(unavailable());
        }
        match self.objects.lock().unwrap().get(input.key().unwrap()) {
            Some(kept) => {
                let metadata = kept.metadata.clone().into_iter().collect();
                MockResponse::Output(HeadObjectOutput::builder().set_metadata(Some(metadata)).build())
            }
            None => MockResponse::Error(HeadObjectError::NotFound(NotFound::builder().build())),
        }
    }

    /// The bucket as transports work with it.
    pub(crate) fn client(&self) -> Client {
        let (one, other) = (self.clone(), self.clone());
        let put = mock!(Client::put_object).then_compute_response(move |input: &PutObjectInput| one.put(input));
        let head = mock!(Client::head_object).then_compute_response(move |input: &HeadObjectInput| other.head(input));
        mock_client!(aws_sdk_s3, RuleMode::MatchAny, &[put, head], |config| config
            .retry_config(aws_sdk_s3::config::retry::RetryConfig::disabled()))
    }
}
