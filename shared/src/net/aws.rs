//! The client as the AWS SDK takes it.

use std::error::Error;
use std::{fmt, io};

use aws_smithy_runtime_api::client::connection::{CaptureSmithyConnection, ConnectionMetadata};
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::retry::ErrorKind;
use hyper_util::client::legacy;
use hyper_util::client::legacy::connect::{CaptureConnection, capture_connection};

use super::connect::ConnectTimeout;
use super::{BoxError, Client, Connector, causes};

/// The client as the SDK asks for it. Its time limits are the connector's, whatever the SDK's settings are.
#[derive(Clone)]
pub(crate) struct AwsClient(SharedHttpConnector);

#[derive(Clone)]
struct Sender(Client);

impl AwsClient {
    /// A client whose connections `connector` makes.
    pub(crate) fn new(connector: Connector) -> Self {
        Self(SharedHttpConnector::new(Sender(super::client(connector))))
    }
}

impl HttpClient for AwsClient {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        self.0.clone()
    }
}

impl fmt::Debug for AwsClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AwsClient")
    }
}

impl fmt::Debug for Sender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sender")
    }
}

impl HttpConnector for Sender {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let mut request = match request.try_into_http1x() {
            Ok(request) => request,
            Err(error) => return HttpConnectorFuture::ready(Err(ConnectorError::user(error.into()))),
        };
        // The SDK lets go of connections on which something went wrong.
        let connection = capture_connection(&mut request);
        if let Some(captured) = request.extensions().get::<CaptureSmithyConnection>() {
            captured.set_connection_retriever(move || metadata(&connection));
        }
        let answer = self.0.request(request);
        HttpConnectorFuture::new(async move {
            let answer = answer.await.map_err(connector_error)?.map(SdkBody::from_body_1_x);
            HttpResponse::try_from(answer).map_err(|error| ConnectorError::other(error.into(), None))
        })
    }
}

fn metadata(connection: &CaptureConnection) -> Option<ConnectionMetadata> {
    connection.connection_metadata().as_ref()?;
    let connection = connection.clone();
    let poison = move || {
        if let Some(connected) = connection.connection_metadata().as_ref() {
            connected.poison();
        }
    };
    Some(ConnectionMetadata::builder().proxied(false).poison_fn(poison).build())
}

fn connector_error(error: legacy::Error) -> ConnectorError {
    let make = kind(&error);
    make(error.into())
}

/// What the SDK decides by whether it tries again: the order is that of the SDK's own client.
fn kind(error: &legacy::Error) -> fn(BoxError) -> ConnectorError {
    let is_io = error.is_connect() || cause::<io::Error>(error).is_some();
    let is = |question: fn(&hyper::Error) -> bool| cause(error).is_some_and(question);
    if is(hyper::Error::is_timeout) || cause::<ConnectTimeout>(error).is_some() {
        ConnectorError::timeout
    } else if is(hyper::Error::is_user) {
        ConnectorError::user
    } else if is_io || is(hyper::Error::is_closed) || is(hyper::Error::is_canceled) {
        ConnectorError::io
    } else if is(hyper::Error::is_incomplete_message) {
        |error| ConnectorError::other(error, Some(ErrorKind::TransientError))
    } else {
        |error| ConnectorError::other(error, None)
    }
}

fn cause<E: Error + 'static>(error: &legacy::Error) -> Option<&E> {
    causes(error).find_map(|cause| cause.downcast_ref())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    use aws_sdk_sqs::config::retry::RetryConfig;
    use aws_sdk_sqs::config::{BehaviorVersion, Credentials, Region, SharedAsyncSleep};
    use aws_smithy_async::rt::sleep::TokioSleep;

    use super::*;
    use crate::net::{Limits, Lookup, system_lookup, tls};
    use crate::pipeline::transport::http::tests::server::{Server, reply, send};

    fn sqs(endpoint: &str, lookup: Lookup) -> aws_sdk_sqs::Client {
        let limits = Limits { connect_within: Duration::from_millis(50), idle_for: Duration::from_secs(15) };
        let connector = Connector::new(lookup, tls::trusting(Vec::new()).unwrap(), limits);
        let config = aws_sdk_sqs::Config::builder()
            .behavior_version(BehaviorVersion::v2026_01_12())
            .http_client(AwsClient::new(connector))
            .credentials_provider(Credentials::new("id", "secret", None, None, "test"))
            .region(Region::new("us-east-1"))
            .sleep_impl(SharedAsyncSleep::new(TokioSleep::new()))
            .retry_config(RetryConfig::standard().with_max_attempts(2).with_initial_backoff(Duration::ZERO))
            .endpoint_url(endpoint);
        aws_sdk_sqs::Client::from_conf(config.build())
    }

    async fn delete(sqs: &aws_sdk_sqs::Client) -> Result<(), String> {
        let answer = sqs.delete_message().queue_url("https://queue.example.com/q").receipt_handle("r").send().await;
        answer.map(drop).map_err(|failure| crate::aws::reason(&failure))
    }

    #[tokio::test]
    async fn whatever_may_pass_is_tried_again() {
        for broken in ["", "HTTP/1.1 200 OK\r\ncontent-le", "HTTP/1.1 503 Slow Down\r\ncontent-length: 0\r\n\r\n"] {
            let asked = AtomicUsize::new(0);
            let server = Server::start(move |_, stream| match asked.fetch_add(1, Ordering::SeqCst) {
                0 => send(stream, broken),
                _ => reply(stream, "200 OK", &["content-type: application/x-amz-json-1.0"], "{}"),
            });
            delete(&sqs(&format!("http://{}", server.host()), system_lookup())).await.unwrap();
            assert_eq!(server.requests().len(), 2, "{broken}");
        }
    }

    #[tokio::test]
    async fn what_does_not_pass_is_told_with_its_cause() {
        let asked = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&asked);
        let nowhere: Lookup = Arc::new(move |_| {
            counter.fetch_add(1, Ordering::SeqCst);
            Box::pin(async { Err("no such name".into()) })
        });
        let never: Lookup = Arc::new(|_| Box::pin(std::future::pending()));
        let told = delete(&sqs("https://queue.example.com", nowhere)).await.unwrap_err();
        assert!(told.starts_with("dispatch failure: ") && told.ends_with(": no such name"), "{told}");
        assert_eq!(asked.load(Ordering::SeqCst), 2, "names are looked up again");
        let told = delete(&sqs("https://queue.example.com", never)).await.unwrap_err();
        assert!(told.ends_with(": no connection within 50ms"), "{told}");
    }
}
