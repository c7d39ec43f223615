//! A bucket of S3, with the two calls that a function makes which otherwise has nothing to do with S3: intake. They
//! are made by the SDK's runtime, which signs and tries again. Its S3 client brings a megabyte of checksum tables and
//! endpoint rules that a function would load for bodies that hardly ever come.

use std::fmt;
use std::ops::Not as _;

use aws_runtime::auth::sigv4::{self, SigV4AuthScheme};
use aws_runtime::auth::{SigV4OperationSigningConfig, SigningOptions};
use aws_smithy_runtime::client::identity::IdentityCache;
use aws_smithy_runtime::client::orchestrator::operation::Operation;
use aws_smithy_runtime::client::retries::classifiers::{HttpStatusCodeClassifier, TransientErrorClassifier};
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::auth::AuthSchemeOptionResolverParams;
use aws_smithy_runtime_api::client::auth::static_resolver::StaticAuthSchemeOptionResolver;
use aws_smithy_runtime_api::client::behavior_version::BehaviorVersion;
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse, OrchestratorError};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponentsBuilder;
use aws_smithy_runtime_api::client::runtime_plugin::StaticRuntimePlugin;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::config_bag::{FrozenLayer, Layer};
use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;
use aws_types::region::{Region, SigningRegion};
use aws_types::{SdkConfig, SigningName};
use http::{HeaderName, Method, header};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::{Host, Sdk};

/// What S3 wants encoded in a key, besides what no URL may have.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'/');

/// A bucket.
#[derive(Debug, Clone)]
pub struct Bucket {
    name: String,
    operation: Operation<Call, Object, Refused>,
}

/// An object that was read; of one that was written, or is as it was, nothing but its tag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Object {
    /// Its `ETag`.
    pub tag: String,
    /// What is in it; nothing when it is as it was.
    pub body: Option<Vec<u8>>,
}

/// Why a bucket did not do what it was asked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BucketError {
    /// There is no such object.
    #[error("it is not there")]
    Missing,
    /// Anything else.
    #[error("{0}")]
    Failed(String),
}

/// S3 says no.
#[derive(Debug, thiserror::Error)]
#[error("{code} (HTTP {status})")]
struct Refused {
    status: u16,
    code: String,
}

/// What is asked for.
struct Call {
    method: Method,
    key: String,
    headers: Vec<(HeaderName, String)>,
    body: Vec<u8>,
}

impl fmt::Debug for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Without the body, which is an order.
        f.debug_struct("Call").field("method", &self.method).field("key", &self.key).finish_non_exhaustive()
    }
}

impl Bucket {
    /// The bucket called `name`.
    pub fn new(sdk: &Sdk, name: impl Into<String>) -> Self {
        let name = name.into();
        let operation = operation(&sdk.config, &name);
        Self { name, operation }
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Reads an object, unless it is still the one with this tag.
    pub async fn get(&self, key: &str, unless: Option<&str>) -> Result<Object, BucketError> {
        let headers = unless.map(|tag| (header::IF_NONE_MATCH, tag.to_owned())).into_iter().collect();
        self.call(Call { method: Method::GET, key: key.to_owned(), headers, body: Vec::new() }).await
    }

    /// Writes an object.
    pub async fn put(&self, key: &str, content_type: &str, body: Vec<u8>) -> Result<(), BucketError> {
        let headers = vec![(header::CONTENT_TYPE, content_type.to_owned())];
        self.call(Call { method: Method::PUT, key: key.to_owned(), headers, body }).await.map(drop)
    }

    async fn call(&self, call: Call) -> Result<Object, BucketError> {
        self.operation.invoke(call).await.map_err(|failure| match failure.as_service_error() {
            Some(Refused { status: 404, code }) if code == "NoSuchKey" => BucketError::Missing,
            Some(refused) => BucketError::Failed(refused.to_string()),
            None => BucketError::Failed(super::causes(&failure)),
        })
    }
}

/// What every call has in common.
fn operation(config: &SdkConfig, bucket: &str) -> Operation<Call, Object, Refused> {
    let region = config.region().map(ToString::to_string).unwrap_or_default();
    let endpoint = Host::Bucket(bucket).url(config.endpoint_url(), &region);
    let plugin =
        StaticRuntimePlugin::new().with_config(settings(config, region)).with_runtime_components(parts(config));
    Operation::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .service_name("S3")
        .operation_name("Object")
        .endpoint_url(&endpoint)
        .runtime_plugin(plugin)
        .with_connection_poisoning()
        .serializer(request)
        .deserializer(answer)
        .build()
}

fn settings(config: &SdkConfig, region: String) -> FrozenLayer {
    let mut options = SigningOptions::default();
    // As S3 has it, which differs from all others:
    // <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html>
    options.double_uri_encode = false;
    options.normalize_uri_path = false;
    options.content_sha256_header = true;
    let mut layer = Layer::new("S3");
    layer.store_put(SigV4OperationSigningConfig { signing_options: options, ..SigV4OperationSigningConfig::default() });
    layer.store_put(SigningRegion::from(Region::new(region)));
    layer.store_put(SigningName::from_static("s3"));
    layer.store_put(AuthSchemeOptionResolverParams::new(()));
    layer.store_put(config.retry_config().cloned().unwrap_or_else(RetryConfig::standard));
    layer.store_put(config.timeout_config().cloned().unwrap_or_else(TimeoutConfig::disabled));
    layer.freeze()
}

fn parts(config: &SdkConfig) -> RuntimeComponentsBuilder {
    let parts = RuntimeComponentsBuilder::new("S3")
        .with_http_client(config.http_client())
        .with_sleep_impl(config.sleep_impl())
        .with_auth_scheme(SigV4AuthScheme::new())
        .with_auth_scheme_option_resolver(Some(StaticAuthSchemeOptionResolver::new(vec![sigv4::SCHEME_ID])))
        .with_identity_cache(Some(IdentityCache::no_cache()))
        .with_retry_classifier(TransientErrorClassifier::<Refused>::new())
        .with_retry_classifier(HttpStatusCodeClassifier::default());
    match config.credentials_provider() {
        Some(credentials) => parts.with_identity_resolver(sigv4::SCHEME_ID, credentials),
        None => parts,
    }
}

fn request(call: Call) -> Result<HttpRequest, BoxError> {
    let mut request = HttpRequest::new(SdkBody::from(call.body));
    request.set_method(call.method.as_str())?;
    request.set_uri(format!("/{}", utf8_percent_encode(&call.key, ENCODED)))?;
    for (name, value) in call.headers {
        request.headers_mut().try_insert(name.as_str().to_owned(), value)?;
    }
    Ok(request)
}

fn answer(response: &HttpResponse) -> Result<Object, OrchestratorError<Refused>> {
    let status = response.status().as_u16();
    let body = response.body().bytes().unwrap_or_default();
    let is_unchanged = status == 304;
    if !response.status().is_success() && !is_unchanged {
        return Err(OrchestratorError::operation(Refused { status, code: code(body) }));
    }
    let tag = response.headers().get("etag").unwrap_or_default().to_owned();
    Ok(Object { tag, body: is_unchanged.not().then(|| body.to_vec()) })
}

/// The word in `<Code>` of an error. It is for the log and for telling one 404 from another.
fn code(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body);
    let code = text.split_once("<Code>").and_then(|(_, rest)| Some(rest.split_once("</Code>")?.0));
    let is_word =
        |code: &&str| (1..=100).contains(&code.len()) && code.bytes().all(|byte| byte.is_ascii_alphanumeric());
    code.filter(is_word).unwrap_or("no answer that is known").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::transport::http::tests::server::{Server, reply};

    fn bucket(server: &Server) -> Bucket {
        Bucket::new(&Sdk::at(&format!("http://{}", server.host())).unwrap(), "acme")
    }

    #[tokio::test]
    async fn an_object_is_written_as_it_is() {
        let server = Server::answering("200 OK", &["etag: \"1\""], "");
        bucket(&server).put("payloads/ä b/{c}.json", "application/json", b"{}".to_vec()).await.unwrap();
        let request = server.only_request();
        assert_eq!(request.line, "PUT /acme/payloads/%C3%A4%20b/%7Bc%7D.json HTTP/1.1");
        assert_eq!((request.text(), request.headers["content-type"].as_str()), ("{}", "application/json"));
        // The digest of the body, which S3 holds the body against.
        let digest = "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a";
        assert_eq!(request.headers["x-amz-content-sha256"], digest);
        let signature = &request.headers["authorization"];
        assert!(signature.starts_with("AWS4-HMAC-SHA256 Credential=id/"), "{signature}");
        assert!(signature.contains("/us-east-1/s3/aws4_request, SignedHeaders=content-type;"), "{signature}");
    }

    #[tokio::test]
    async fn what_may_pass_is_tried_again_and_what_does_not_is_told() {
        let refused = |status, body: &'static str| (Server::answering(status, &[], body), body);
        for ((server, _), times, expected) in [
            (refused("404 Not Found", "<Error><Code>NoSuchKey</Code></Error>"), 1, BucketError::Missing),
            (
                refused("404 Not Found", "<Error><Code>NoSuchBucket</Code></Error>"),
                1,
                BucketError::Failed("NoSuchBucket (HTTP 404)".into()),
            ),
            (
                refused("403 Forbidden", "<html>&nbsp;<Code>no & word</Code>"),
                1,
                BucketError::Failed("no answer that is known (HTTP 403)".into()),
            ),
            (
                refused("503 Slow Down", "<Error><Code>SlowDown</Code></Error>"),
                3,
                BucketError::Failed("SlowDown (HTTP 503)".into()),
            ),
        ] {
            assert_eq!(bucket(&server).get("a", None).await, Err(expected));
            assert_eq!(server.requests().len(), times);
        }
    }

    #[tokio::test]
    async fn an_object_that_is_as_it_was_is_not_read_again() {
        let server = Server::start(|request, stream| {
            let is_same = request.headers.get("if-none-match").is_some_and(|tag| tag == "\"1\"");
            reply(stream, if is_same { "304 Not Modified" } else { "200 OK" }, &["etag: \"1\""], "");
        });
        let bucket = bucket(&server);
        let object = bucket.get("a", None).await.unwrap();
        assert_eq!(object, Object { tag: "\"1\"".into(), body: Some(Vec::new()) });
        assert_eq!(bucket.get("a", Some(&object.tag)).await.unwrap().body, None);
    }
}
