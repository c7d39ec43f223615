//! Lambda's Runtime API: one invocation after the other.
//! <https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html>

use std::sync::Arc;

use bytes::Bytes;
use http::{Method, Request};
use http_body_util::Full;
use rustls::ClientConfig;

use crate::Error;
use crate::environment::required;
use crate::http1::Host;

const PREFIX: &str = "/2018-06-01/runtime/invocation";

/// An event, and what identifies its invocation.
pub(crate) struct Invocation {
    /// The invocation's identifier.
    pub(crate) id: String,
    /// When its time is over, in milliseconds since 1970.
    pub(crate) deadline: i64,
    /// The event as JSON.
    pub(crate) event: Bytes,
}

/// Hands every event to `handler` and its answer back, until the Runtime API is gone.
pub(crate) async fn run(
    tls: &Arc<ClientConfig>,
    handler: impl AsyncFn(&Invocation) -> Result<Vec<u8>, Error>,
) -> Result<(), Error> {
    let api = Host::of(&format!("http://{}", required("AWS_LAMBDA_RUNTIME_API")?), tls)?;
    loop {
        let next = request(&api, Method::GET, format!("{PREFIX}/next"), Bytes::new())?;
        let (head, event) = api.send(next).await?.into_parts();
        let header = |name: &'static str| {
            let value = head.headers.get(name).and_then(|value| value.to_str().ok());
            value.ok_or_else(|| Error::new("Runtime API", name))
        };
        let id = header("lambda-runtime-aws-request-id")?.to_owned();
        let deadline = header("lambda-runtime-deadline-ms")?.parse().map_err(Error::of("Runtime API"))?;
        let invocation = Invocation { id, deadline, event };
        let (end, answer) = match handler(&invocation).await {
            Ok(answer) => ("response", answer),
            Err(error) => {
                let body = serde_json::json!({ "errorType": error.what, "errorMessage": error.to_string() });
                ("error", body.to_string().into_bytes())
            }
        };
        let path = format!("{PREFIX}/{}/{end}", invocation.id);
        let answered = api.send(request(&api, Method::POST, path, answer.into())?).await?;
        if !answered.status().is_success() {
            return Err(Error::new("Runtime API", answered.status()));
        }
    }
}

fn request(api: &Host, method: Method, path: String, body: Bytes) -> Result<Request<Full<Bytes>>, Error> {
    let request = Request::builder().method(method).uri(path).header("host", &api.authority);
    request.body(Full::new(body)).map_err(Error::of("Runtime API"))
}
