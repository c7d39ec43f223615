//! Whether an object of many orders has an export: asked before it is exported again.

use aws_sdk_s3::operation::head_object::HeadObjectError;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;

use super::cut::holds;
use super::members::PACK;
use crate::aws;
use crate::pipeline::Failure;
use crate::pipeline::transport::Clients;

impl Clients {
    /// Whether an export is in the object `s3://bucket/key` that it may have been put into.
    pub(crate) async fn pack_holds(&self, place: &str, export: &str) -> Result<bool, Failure> {
        let Some((bucket, key)) = place.strip_prefix("s3://").and_then(|place| place.split_once('/')) else {
            return Ok(false);
        };
        match self.s3.head_object().bucket(bucket).key(key).send().await {
            Ok(head) => {
                let members = head.metadata().and_then(|metadata| metadata.get(PACK));
                Ok(members.is_some_and(|members| holds(members, export)))
            }
            Err(error) if error.as_service_error().is_some_and(HeadObjectError::is_not_found) => Ok(false),
            Err(error) => {
                Err(Failure::retryable(format!("whether {place} has the order is not known: {}", why(&error))))
            }
        }
    }
}

/// S3 answers HEAD without a body, so that there is no code. Who may not list a bucket is told 403 of what is not there.
fn why(error: &SdkError<HeadObjectError, HttpResponse>) -> String {
    match error.raw_response().map(|response| response.status().as_u16()) {
        Some(403) => "HTTP 403, the processor needs s3:GetObject for it and s3:ListBucket for its bucket".into(),
        Some(status) => format!("HTTP {status}"),
        None => aws::reason(error),
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_s3::Client;
    use aws_sdk_s3::operation::head_object::HeadObjectOutput;
    use aws_smithy_mocks::{Rule, RuleMode, mock, mock_client};
    use aws_smithy_runtime_api::http::StatusCode;
    use aws_smithy_types::body::SdkBody;

    use super::super::members::Members;
    use super::*;
    use crate::pipeline::Retry;
    use crate::pipeline::transport::egress::Egress;
    use crate::secrets::Secrets;

    async fn ask(rule: &Rule, export: &str) -> Result<bool, Failure> {
        let s3 = mock_client!(aws_sdk_s3, RuleMode::Sequential, [rule], |config| config
            .retry_config(aws_sdk_s3::config::retry::RetryConfig::disabled()));
        let clients = Clients::new(s3, "stack-bucket", Secrets::fixed::<String>([]), Egress::default());
        clients.pack_holds("s3://lake/packs/a/b.jsonl", export).await
    }

    fn answers(status: u16) -> Rule {
        mock!(Client::head_object)
            .then_http_response(move || HttpResponse::new(StatusCode::try_from(status).unwrap(), SdkBody::empty()))
    }

    #[tokio::test]
    async fn an_object_says_itself_which_exports_are_in_it() {
        let mut members = Members::default();
        members.add("acme:1:erp", 3);
        for (name, value, expected) in
            [(PACK, members.to_string(), true), (PACK, "?".into(), false), ("other", members.to_string(), false)]
        {
            for (export, expected) in [("acme:1:erp", expected), ("acme:2:erp", false)] {
                let value = value.clone();
                let there = mock!(Client::head_object)
                    .match_requests(|input| (input.bucket(), input.key()) == (Some("lake"), Some("packs/a/b.jsonl")))
                    .then_output(move || HeadObjectOutput::builder().metadata(name, value.clone()).build());
                assert_eq!(ask(&there, export).await, Ok(expected), "{name} {export}");
            }
        }
        assert_eq!(ask(&answers(404), "acme:1:erp").await, Ok(false), "it was not written");
    }

    #[tokio::test]
    async fn what_is_not_known_is_no_no() {
        for (status, expected) in [(403, "s3:ListBucket"), (503, "HTTP 503"), (500, "HTTP 500")] {
            let failure = ask(&answers(status), "acme:1:erp").await.unwrap_err();
            assert_eq!(failure.retry, Retry::Backoff);
            assert!(failure.message.contains(expected), "{failure}");
        }
    }
}
