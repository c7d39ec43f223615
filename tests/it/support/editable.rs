//! A second stack, whose configuration is in S3, so that its templates can be changed.

use aws_sdk_s3::types::{BucketVersioningStatus, VersioningConfiguration};
use ordersync::ledger::PayloadStore;
use reqwest::Method;
use serde_json::json;

use super::account::Second;
use super::stack::Stack;

/// A stack with a configuration of its own.
pub(crate) struct Editable<'s> {
    first: &'s Stack,
    second: Second<'s>,
}

impl<'s> Editable<'s> {
    /// Deploys it. Its name is that of its bucket too, in whose folder `eu` the files are.
    pub(crate) async fn deploy(first: &'s Stack, name: &'static str, files: &[(&str, &str)]) -> Self {
        first.s3.create_bucket().bucket(name).send().await.unwrap();
        let versions = VersioningConfiguration::builder().status(BucketVersioningStatus::Enabled).build();
        first.s3.put_bucket_versioning().bucket(name).versioning_configuration(versions).send().await.unwrap();
        for (file, text) in files {
            let put = first.s3.put_object().bucket(name).key(format!("eu/{file}"));
            put.body(text.as_bytes().to_vec().into()).send().await.unwrap();
        }
        let uri = format!("s3://{name}/eu");
        let parameters = [("ConfigUri", uri.as_str()), ("WebhookSecrets", "*webhook*")];
        let second = Second::deploy(first, name, &parameters).await;
        let editable = Self { first, second };
        editable.process().await;
        editable
    }

    /// Has the queue's trigger work, which keeps the template's words where the emulator needs a number.
    async fn process(&self) {
        let path = format!("/2015-03-31/event-source-mappings/{}", self.second.physical("ProcessorTrigger").await);
        let settings = json!({ "Enabled": true, "ScalingConfig": { "MaximumConcurrency": 2 } });
        let answer = self.first.api(Method::PUT, "lambda", &path).body(settings.to_string()).send().await.unwrap();
        assert!(answer.status().is_success(), "{:?}", answer.text().await);
    }

    /// It, as tests know the one under test.
    pub(crate) async fn stack(&self) -> Stack {
        let stack = Stack::get();
        let bucket = self.second.physical("Bucket").await;
        let stack = Stack {
            api_url: self.second.url().await,
            queue_url: self.second.physical("Queue").await,
            dlq_url: self.second.physical("DeadLetterQueue").await,
            payloads: PayloadStore { s3: stack.s3.clone(), bucket: bucket.clone() },
            bucket,
            ..stack
        };
        stack.in_table(self.second.physical("Table").await)
    }

    /// Removes it.
    pub(crate) async fn delete(self) {
        self.second.delete().await;
    }
}
