//! The edge to AWS: the environment, read once, and the clients, built once.

mod bucket;
mod hosts;
mod timers;
mod trust;

use std::path::Path;
use std::time::Duration;

use aws_credential_types::Credentials;
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_runtime_api::client::stalled_stream_protection::StalledStreamProtectionConfig;
use aws_smithy_runtime_api::shared::IntoShared as _;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;
use aws_types::SdkConfig;
use aws_types::region::Region;
use aws_types::sdk_config::{SharedAsyncSleep, SharedCredentialsProvider};
use futures_util::future::join_all;

pub use self::bucket::{Bucket, BucketError, Object};
pub use self::hosts::Host;
use crate::net::aws::AwsClient;
use crate::net::{self, Connector, Limits};

/// A new connection to AWS takes no longer; one that was idle for longer may be closed by the other end.
const LIMITS: Limits = Limits { connect_within: Duration::from_secs(1), idle_for: Duration::from_secs(15) };

/// A variable that the function cannot start without is missing or not as expected.
#[derive(Debug, Clone, thiserror::Error)]
#[error("environment variable {name}: {expected}")]
pub struct EnvironmentError {
    /// Name of the variable.
    pub name: &'static str,
    /// What was expected.
    pub expected: &'static str,
}

/// The value of an environment variable; an empty one counts as missing.
#[expect(clippy::disallowed_methods, reason = "the one place that reads the environment")]
pub fn variable(name: &'static str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// The value of an environment variable that must be there.
pub fn required_variable(name: &'static str) -> Result<String, EnvironmentError> {
    variable(name).ok_or(EnvironmentError { name, expected: "it must be set" })
}

/// Settings of every AWS client: credentials and region from the environment, TLS by ring with Amazon's roots
/// or those of `AWS_CA_BUNDLE`, short timeouts, and `AWS_ENDPOINT_URL` where an emulator stands in for AWS.
pub fn sdk_config() -> Result<Sdk, EnvironmentError> {
    let credentials = Credentials::new(
        required_variable("AWS_ACCESS_KEY_ID")?,
        required_variable("AWS_SECRET_ACCESS_KEY")?,
        variable("AWS_SESSION_TOKEN"),
        None,
        "environment",
    );
    let region = variable("AWS_REGION").or_else(|| variable("AWS_DEFAULT_REGION"));
    let region = region.ok_or(EnvironmentError { name: "AWS_REGION", expected: "it must be set" })?;
    let mut sdk = with(connector()?, SharedCredentialsProvider::new(credentials), region);
    if let Some(endpoint) = variable("AWS_ENDPOINT_URL") {
        sdk.config = sdk.config.into_builder().endpoint_url(endpoint).build();
    }
    Ok(sdk)
}

fn with(connector: Connector, credentials: SharedCredentialsProvider, region: String) -> Sdk {
    let config = SdkConfig::builder()
        .behavior_version(aws_sdk_sqs::config::BehaviorVersion::v2026_01_12())
        .credentials_provider(credentials)
        .region(Region::new(region))
        .http_client(AwsClient::new(connector.clone()))
        .sleep_impl(SharedAsyncSleep::new(timers::Timers::default()))
        .retry_config(RetryConfig::standard().with_max_attempts(3))
        // A request that stalls is ended by its attempt's time limit; what is read after the attempt is not.
        .stalled_stream_protection(StalledStreamProtectionConfig::enabled().upload_enabled(false).build())
        .timeout_config(
            TimeoutConfig::builder()
                .operation_attempt_timeout(Duration::from_secs(3))
                .operation_timeout(Duration::from_secs(8))
                .build(),
        )
        .build();
    Sdk { config, connector }
}

/// What AWS clients are made with.
#[derive(Debug, Clone)]
pub struct Sdk {
    config: SdkConfig,
    connector: Connector,
}

impl Sdk {
    /// The settings, for clients that only one function has.
    pub fn config(&self) -> &SdkConfig {
        &self.config
    }

    /// Everything at one `endpoint`, with credentials that nobody checks: for tests and emulators.
    pub fn at(endpoint: &str) -> Result<Self, EnvironmentError> {
        let credentials = Credentials::new("id", "secret", None, None, "nobody checks");
        let sdk = with(connector()?, SharedCredentialsProvider::new(credentials), "us-east-1".into());
        Ok(Self { config: sdk.config.into_builder().endpoint_url(endpoint).build(), ..sdk })
    }

    /// For programs that people run, with whatever credentials they have; at `endpoint` where an emulator stands in for
    /// AWS.
    pub fn with_credentials(
        credentials: SharedCredentialsProvider,
        region: &str,
        endpoint: Option<&str>,
    ) -> Result<Self, EnvironmentError> {
        let sdk = with(connector()?, credentials, region.to_owned());
        let config = sdk.config.to_builder();
        let config = if let Some(endpoint) = endpoint { config.endpoint_url(endpoint) } else { config };
        Ok(Self { config: config.build(), ..sdk })
    }

    /// The same under other credentials, such as those of a role that was taken on.
    #[must_use]
    pub fn signing_as(self, id: &str, secret: &str, token: &str) -> Self {
        let credentials = Credentials::new(id, secret, Some(token.to_owned()), None, "a role");
        let provider = SharedCredentialsProvider::new(credentials);
        Self { config: self.config.into_builder().credentials_provider(provider).build(), ..self }
    }

    /// Connects to hosts before they are called for the first time: while a function starts it has all of a processor,
    /// later a share of it. One that cannot be reached now may be when it is needed.
    pub async fn connect_ahead(&self, hosts: &[Host<'_>]) {
        let region = self.config.region().map(ToString::to_string).unwrap_or_default();
        let mut urls: Vec<_> = hosts.iter().map(|host| host.url(self.config.endpoint_url(), &region)).collect();
        if self.config.endpoint_url().is_some() {
            // Everything is at one host.
            urls.truncate(1);
        }
        let connect = async |url: String| {
            let connected = async { self.connector.connect_ahead(&url.parse()?).await };
            if let Err(error) = connected.await {
                tracing::warn!(url, error = causes(&*error), "{url} cannot be connected to yet");
            }
        };
        join_all(urls.into_iter().map(connect)).await;
    }
}

/// What requests to AWS go through, for those who look for credentials in several places.
pub fn http_client() -> Result<SharedHttpClient, EnvironmentError> {
    Ok(AwsClient::new(connector()?).into_shared())
}

fn connector() -> Result<Connector, EnvironmentError> {
    let bundle = variable("AWS_CA_BUNDLE");
    let roots = trust::roots(bundle.as_deref().map(Path::new))?;
    let tls = net::tls::trusting(roots);
    let tls = tls.map_err(|_| EnvironmentError { name: "AWS", expected: "TLS with AWS endpoints" })?;
    Ok(Connector::new(net::system_lookup(), tls, LIMITS))
}

/// S3 by path, not by host name, where an emulator stands in for AWS.
pub fn s3_client(sdk: &Sdk) -> aws_sdk_s3::Client {
    let by_path = sdk.config.endpoint_url().is_some();
    aws_sdk_s3::Client::from_conf(aws_sdk_s3::config::Builder::from(&sdk.config).force_path_style(by_path).build())
}

/// SQS.
pub fn sqs_client(sdk: &Sdk) -> aws_sdk_sqs::Client {
    aws_sdk_sqs::Client::new(&sdk.config)
}

/// Secrets Manager.
pub fn secrets_client(sdk: &Sdk) -> aws_sdk_secretsmanager::Client {
    aws_sdk_secretsmanager::Client::new(&sdk.config)
}

/// `DynamoDB`.
pub fn dynamodb_client(sdk: &Sdk) -> aws_sdk_dynamodb::Client {
    aws_sdk_dynamodb::Client::new(&sdk.config)
}

/// The queue's redrive limit, `MAX_RECEIVE_COUNT`; 10 where it is not set.
pub fn max_receive_count() -> Result<u32, EnvironmentError> {
    whole_number("MAX_RECEIVE_COUNT", 10)
}

/// A whole number above zero.
pub fn whole_number(name: &'static str, default: u32) -> Result<u32, EnvironmentError> {
    let Some(text) = variable(name) else { return Ok(default) };
    let number = text.parse().ok().filter(|number| *number > 0);
    number.ok_or(EnvironmentError { name, expected: "a whole number above zero" })
}

/// What a failed call says: the service's own code and message where it answered, without the request.
pub fn reason<E, R>(failure: &SdkError<E, R>) -> String
where
    E: std::error::Error + ProvideErrorMetadata + 'static,
    R: std::fmt::Debug + 'static,
{
    match failure.as_service_error().and_then(|error| error.code().map(|code| (code, error.message()))) {
        Some((code, message)) => format!("{code}: {}", message.unwrap_or("no message")),
        None => causes(failure),
    }
}

/// An error and what caused it, in their own words; not their insides, which may hold what was sent or received.
fn causes(error: &(dyn std::error::Error + 'static)) -> String {
    let mut causes: Vec<_> = net::causes(error).map(ToString::to_string).collect();
    // Some only hand on what their cause says.
    causes.dedup();
    causes.join(": ")
}
