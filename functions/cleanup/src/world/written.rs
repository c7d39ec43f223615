//! Objects that are read and written as a whole.

use std::collections::HashMap;

use aws_sdk_s3::config::http::HttpResponse;
use aws_sdk_s3::operation::get_object::{GetObjectError, GetObjectInput, GetObjectOutput};
use aws_sdk_s3::operation::put_object::{PutObjectError, PutObjectInput, PutObjectOutput};
use aws_sdk_s3::types::error::NoSuchKey;
use aws_smithy_mocks::MockResponse;

use super::{Stored, World};

impl World {
    /// One more version of an object of many orders.
    pub(crate) fn pack(&mut self, key: &str, members: &str, body: &str) {
        let metadata = HashMap::from([("ordersync-pack".to_owned(), members.to_owned())]);
        self.store(key, metadata, body.into());
    }

    pub(super) fn store(&mut self, key: &str, metadata: HashMap<String, String>, body: Vec<u8>) {
        let stored = Stored { id: self.next_version(), metadata, body, is_marker: false };
        self.objects.entry(key.to_owned()).or_default().push(stored);
    }

    fn latest(&self, key: &str) -> Option<&Stored> {
        self.objects.get(key)?.last().filter(|latest| !latest.is_marker)
    }

    /// What can be read of an object.
    pub(crate) fn text(&self, key: &str) -> Option<String> {
        self.latest(key).map(|latest| String::from_utf8(latest.body.clone()).unwrap())
    }

    pub(super) fn get(&mut self, input: &GetObjectInput) -> MockResponse<GetObjectOutput, GetObjectError> {
        let answer = match self.latest(input.key().unwrap()).cloned() {
            Some(Stored { id, metadata, body, .. }) => MockResponse::Output(
                GetObjectOutput::builder().e_tag(id).set_metadata(Some(metadata)).body(body.into()).build(),
            ),
            None => MockResponse::Error(GetObjectError::NoSuchKey(NoSuchKey::builder().build())),
        };
        if let Some(after_read) = self.after_read.take() {
            after_read(self);
        }
        answer
    }

    pub(super) fn put(&mut self, input: &PutObjectInput) -> MockResponse<PutObjectOutput, PutObjectError> {
        let key = input.key().unwrap_or_default().to_owned();
        let latest = self.latest(&key).map(|latest| latest.id.as_str());
        if input.if_match().is_some_and(|etag| latest != Some(etag)) {
            return MockResponse::Http(HttpResponse::new(412.try_into().unwrap(), "".into()));
        }
        self.calls.push(format!("write {key}"));
        let body = input.body().bytes().unwrap_or_default().to_vec();
        self.store(&key, input.metadata().cloned().unwrap_or_default(), body);
        MockResponse::Output(PutObjectOutput::builder().build())
    }
}
