//! The stack under test.

use std::collections::HashMap;
use std::time::Duration;

use ordersync::aws;
use ordersync::ledger::{ExportKey, Ledger, PayloadStore, Row, Status};
use reqwest::{Response, StatusCode};
use serde_json::Value;

use super::eventually;
use super::shop::Signed;

/// A deployed stack and clients of the account's owner.
pub(crate) struct Stack {
    pub(crate) api_url: String,
    pub(crate) queue_url: String,
    pub(crate) dlq_url: String,
    pub(crate) bucket: String,
    pub(crate) ledger: Ledger,
    pub(crate) payloads: PayloadStore,
    pub(crate) s3: aws_sdk_s3::Client,
    pub(crate) sqs: aws_sdk_sqs::Client,
    pub(crate) secrets: aws_sdk_secretsmanager::Client,
    pub(super) http: reqwest::Client,
}

/// A variable of the stack.
pub(crate) fn variable(name: &'static str) -> String {
    aws::variable(name).unwrap_or_else(|| panic!("{name} is not set: run the end-to-end tests by `make test`"))
}

impl Stack {
    /// The stack that the environment names.
    pub(crate) fn get() -> Self {
        // Only the first of a process installs it.
        let _installed = rustls::crypto::ring::default_provider().install_default();
        let sdk = aws::sdk_config().expect("the variables of stack.env");
        let s3 = aws::s3_client(&sdk);
        let bucket = variable("BUCKET");
        let retention = Duration::from_hours(24);
        Self {
            api_url: variable("API_URL"),
            queue_url: variable("QUEUE_URL"),
            dlq_url: variable("DLQ_URL"),
            ledger: Ledger::new(aws::dynamodb_client(&sdk), variable("TABLE"), retention),
            payloads: PayloadStore { s3: s3.clone(), bucket: bucket.clone() },
            sqs: aws::sqs_client(&sdk),
            secrets: aws::secrets_client(&sdk),
            http: reqwest::Client::builder().no_proxy().build().unwrap(),
            s3,
            bucket,
        }
    }

    /// The same with another table.
    pub(crate) fn in_table(self, table: String) -> Self {
        let client = aws::dynamodb_client(&aws::sdk_config().unwrap());
        Self { ledger: Ledger::new(client, table, Duration::from_hours(24)), ..self }
    }

    /// Posts a webhook and returns the answer; behind the shop there may be a query.
    pub(crate) async fn post(&self, shop: &str, webhook: &Signed) -> Response {
        self.send(&format!("/webhooks/{shop}"), webhook).await
    }

    /// Posts what a back office says later of a pipeline's exports.
    pub(crate) async fn call_back(&self, pipeline: &str, response: &Signed) -> Response {
        self.send(&format!("/responses/{pipeline}"), response).await
    }

    async fn send(&self, path: &str, signed: &Signed) -> Response {
        let mut request = self.http.post(format!("{}{path}", self.api_url)).body(signed.body.clone());
        for (name, value) in &signed.headers {
            request = request.header(name, value);
        }
        request.send().await.unwrap()
    }

    /// Posts a webhook that has to be accepted.
    pub(crate) async fn accept(&self, shop: &str, webhook: &Signed) {
        let answer = self.post(shop, webhook).await;
        let (status, body) = (answer.status(), answer.text().await.unwrap());
        assert_eq!(status, StatusCode::ACCEPTED, "{shop}: {body}");
    }

    /// Any other request to the webhooks of a shop.
    pub(crate) async fn request(&self, method: reqwest::Method, path: &str) -> Response {
        self.http.request(method, format!("{}{path}", self.api_url)).send().await.unwrap()
    }

    /// Invokes a function directly, as `aws lambda invoke` does.
    pub(crate) async fn invoke(&self, function: &str, event: &Value) -> Value {
        let answer = self.invocation(function).body(event.to_string()).send().await.unwrap();
        assert!(!answer.headers().contains_key("x-amz-function-error"), "{:?}", answer.text().await);
        json(answer).await
    }

    /// A request that invokes a function; its body is the event, its answer whatever comes of it.
    pub(crate) fn invocation(&self, function: &str) -> reqwest::RequestBuilder {
        self.api(reqwest::Method::POST, "lambda", &format!("/2015-03-31/functions/{function}/invocations"))
    }

    /// A request to an AWS API that there is no client of here. The emulator looks at the key, not at the signature.
    pub(crate) fn api(&self, method: reqwest::Method, service: &str, path: &str) -> reqwest::RequestBuilder {
        let scope = format!("Credential=test/20260101/us-east-1/{service}/aws4_request");
        let authorization = format!("AWS4-HMAC-SHA256 {scope}, SignedHeaders=host, Signature=0");
        let request = self.http.request(method, format!("{}{path}", variable("AWS_ENDPOINT_URL")));
        request.header("authorization", authorization)
    }

    /// The export as soon as it has the status.
    pub(crate) async fn export(&self, shop: &str, order_id: &str, pipeline: &str, status: Status) -> Row {
        let key = ExportKey::new(shop, order_id, pipeline);
        let mut last = None;
        let what = format!("{} to be {status}", key.idempotency_key());
        let row = eventually(&what, async || {
            last = self.ledger.export(&key).await.unwrap();
            last.as_ref().filter(|row| row.status == status).cloned()
        });
        row.await
    }

    /// The export as it is now.
    pub(crate) async fn row(&self, shop: &str, order_id: &str, pipeline: &str) -> Option<Row> {
        let key = ExportKey::new(shop, order_id, pipeline);
        self.ledger.export(&key).await.unwrap()
    }

    /// Forgets a pause that has ended, as nothing waits for it and what counts pauses is not to find it.
    pub(crate) async fn forget_pause(&self, pipeline: &str) {
        let pauses = self.ledger.pauses().await.unwrap();
        let (name, ended) = pauses.iter().find(|(name, _)| *name == Some(pipeline)).unwrap();
        self.ledger.forget_pause(name, ended).await.unwrap();
    }

    /// Removes all pauses, whoever left them. For tests that run alone.
    pub(crate) async fn forget_pauses(&self) {
        for (name, pause) in self.ledger.pauses().await.unwrap().iter() {
            self.ledger.forget_pause(name, pause).await.unwrap();
        }
    }

    /// An object of the stack's bucket, its media type and its encoding.
    pub(crate) async fn object(&self, key: &str) -> (Vec<u8>, String, Option<String>) {
        let answer = self.s3.get_object().bucket(&self.bucket).key(key).send().await;
        let answer = answer.unwrap_or_else(|error| panic!("object {key}: {error:?}"));
        let (kind, encoding) =
            (answer.content_type().unwrap_or_default().to_owned(), answer.content_encoding().map(Into::into));
        (answer.body.collect().await.unwrap().into_bytes().to_vec(), kind, encoding)
    }

    /// Puts an object into the stack's bucket and returns its version.
    pub(crate) async fn put(&self, key: &str, body: &str) -> String {
        let put = self.s3.put_object().bucket(&self.bucket).key(key).body(body.as_bytes().to_vec().into());
        put.send().await.unwrap_or_else(|error| panic!("object {key}: {error:?}")).version_id.unwrap()
    }

    /// Whether there is an object.
    pub(crate) async fn has_object(&self, key: &str) -> bool {
        self.s3.head_object().bucket(&self.bucket).key(key).send().await.is_ok()
    }

    /// Keys of the objects that can be read under a prefix.
    pub(crate) async fn visible(&self, prefix: &str) -> Vec<String> {
        let pages = self.s3.list_objects_v2().bucket(&self.bucket).prefix(prefix).into_paginator();
        let pages = pages.send().collect::<Result<Vec<_>, _>>().await.unwrap();
        let objects = pages.iter().flat_map(aws_sdk_s3::operation::list_objects_v2::ListObjectsV2Output::contents);
        objects.map(|object| object.key().unwrap().to_owned()).collect()
    }

    /// Every version and delete marker under a prefix: key and identifier, at most a thousand.
    pub(crate) async fn versions(&self, prefix: &str) -> Vec<String> {
        let page = self.s3.list_object_versions().bucket(&self.bucket).prefix(prefix).send().await.unwrap();
        let versions = page.versions().iter().map(|one| (one.key(), one.version_id()));
        let markers = page.delete_markers().iter().map(|one| (one.key(), one.version_id()));
        versions.chain(markers).map(|(key, id)| format!("{} {}", key.unwrap(), id.unwrap())).collect()
    }

    /// All that a function has logged since then, in milliseconds since 1970.
    pub(crate) async fn logged(&self, function: &str, since: i64) -> String {
        let name = match function {
            "intake" => variable("FN_INTAKE"),
            "processor" => variable("FN_PROCESSOR"),
            "reset-errors" => variable("FN_RESET_ERRORS"),
            "cancel-stale" => variable("FN_CANCEL_STALE"),
            "cleanup" => variable("FN_CLEANUP"),
            "responses" => variable("FN_RESPONSES"),
            "console" => variable("FN_CONSOLE"),
            _ => panic!("there is no function {function}"),
        };
        let path = format!("/2015-03-31/functions/{name}/configuration");
        let configuration = json(self.api(reqwest::Method::GET, "lambda", &path).send().await.unwrap()).await;
        let group = &configuration["LoggingConfig"]["LogGroup"];
        let (mut text, mut next) = (String::new(), None::<String>);
        loop {
            let mut query = serde_json::json!({ "logGroupName": group, "startTime": since });
            if let Some(next) = &next {
                query["nextToken"] = next.as_str().into();
            }
            let request = self.api(reqwest::Method::POST, "logs", "/");
            let request = request.header("x-amz-target", "Logs_20140328.FilterLogEvents");
            let request = request.header("content-type", "application/x-amz-json-1.1").body(query.to_string());
            let page = json(request.send().await.unwrap()).await;
            let lines = page["events"].as_array().into_iter().flatten();
            text.extend(lines.filter_map(|event| event["message"].as_str()).flat_map(|line| [line, "\n"]));
            match page["nextToken"].as_str() {
                Some(token) if next.as_deref() != Some(token) => next = Some(token.to_owned()),
                _ => return text,
            }
        }
    }

    /// Every message of the dead-letter queue whose body contains `part`, as soon as there is one.
    pub(crate) async fn dead_letter(&self, part: &str) -> (String, HashMap<String, String>) {
        eventually(&format!("a dead letter with {part}"), async || self.find_dead_letter(part).await).await
    }

    /// The same, as it is now.
    pub(crate) async fn find_dead_letter(&self, part: &str) -> Option<(String, HashMap<String, String>)> {
        let receive = self.sqs.receive_message().queue_url(&self.dlq_url).max_number_of_messages(10);
        let receive = receive.visibility_timeout(0).message_attribute_names("All");
        let messages = receive.send().await.unwrap().messages.unwrap_or_default();
        messages.into_iter().find_map(|message| {
            let body = message.body.filter(|body| body.contains(part))?;
            let attributes = message.message_attributes.unwrap_or_default();
            let text = attributes.into_iter().filter_map(|(name, value)| Some((name, value.string_value?)));
            Some((body, text.collect()))
        })
    }
}

/// The body of an answer, which is always JSON.
pub(crate) async fn json(answer: Response) -> Value {
    let text = answer.text().await.unwrap();
    serde_json::from_str(&text).unwrap_or_else(|_| panic!("not JSON: {text}"))
}
