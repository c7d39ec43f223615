//! The HTTP client: the egress rules, one time limit over everything, no redirects, capped answers.

use std::error::Error;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use aws_smithy_types::body::SdkBody;
use http::header::HeaderName;
use http::{HeaderMap, HeaderValue, Method, Request, Response, Uri, header};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use hyper_util::client::legacy;
use tokio::time::{Instant, timeout_at};
use url::Url;

use super::answer::Answer;
use crate::net::{self, Client, Connector, Limits, Lookup, causes, tls};
use crate::pipeline::Failure;
use crate::pipeline::transport::BodyEnd;
use crate::pipeline::transport::egress::resolver::{NoPublicAddress, public_only};
use crate::pipeline::transport::egress::{Egress, Route};
use crate::webhook::Headers;

/// Most of a response body that deliveries and token endpoints need; the rest stays with the sender.
pub(super) const MOST_BODY: usize = 64 * 1024;
/// How long a host may take to accept a connection, and how long one is used again that was idle: not long, because
/// a frozen function does not notice that it is closed.
const LIMITS: Limits = Limits { connect_within: Duration::from_secs(5), idle_for: Duration::from_secs(15) };

/// HTTP with the egress rules built in. Clones share their connections.
#[derive(Clone)]
pub struct HttpClient(Arc<Inner>);

struct Inner {
    egress: Egress,
    lookup: Lookup,
    /// For what `[egress] allow` names.
    named: OnceLock<Client>,
    /// For everything else: TLS only, public addresses only.
    public: OnceLock<Client>,
}

/// A request.
#[derive(Debug)]
pub(crate) struct Call<'a> {
    pub(crate) method: Method,
    pub(crate) url: &'a Url,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
    /// Most bytes of the answer's body that are read; the rest stays with the sender.
    pub(crate) most_body: usize,
}

impl Call<'_> {
    fn into_request(self) -> Result<Request<SdkBody>, Failure> {
        let host = host_of(self.url);
        let unusable = |_| Failure::permanent(format!("the URL at {host} cannot be called: it is no URI"));
        let uri: Uri = self.url.as_str().parse().map_err(unusable)?;
        let mut request = Request::new(SdkBody::from(self.body));
        (*request.method_mut(), *request.uri_mut(), *request.headers_mut()) = (self.method, uri, self.headers);
        request.headers_mut().entry(header::ACCEPT).or_insert(HeaderValue::from_static("*/*"));
        Ok(request)
    }
}

impl HttpClient {
    /// A client that obeys `egress`. Its TLS is set up when it is first needed.
    pub fn new(egress: Egress) -> Self {
        Self::with_lookup(egress, net::system_lookup())
    }

    pub(super) fn with_lookup(egress: Egress, lookup: Lookup) -> Self {
        Self(Arc::new(Inner { egress, lookup, named: OnceLock::new(), public: OnceLock::new() }))
    }

    /// Sends the request and reads the answer until `deadline`. An answer whose body is not there by then is an
    /// answer all the same: its status says whether the request was accepted.
    pub(crate) async fn call(&self, call: Call<'_>, deadline: Instant) -> Result<Answer, Failure> {
        let host = host_of(call.url);
        let client = self.client_for(call.url)?;
        let most = call.most_body;
        let response = timeout_at(deadline, client.request(call.into_request()?)).await;
        let response = response.map_err(|_| Failure::retryable(format!("{host} did not answer in time")))?;
        let response = response.map_err(|error| failed(&host, &error))?;
        Ok(read_answer(host, response, most, deadline).await)
    }

    /// Posts a body and returns the answer's status and body, whatever they are: for programs that people run.
    pub async fn post(
        &self,
        url: &Url,
        headers: &Headers,
        body: Vec<u8>,
        within: Duration,
    ) -> Result<(u16, Vec<u8>), Failure> {
        let no_header = |name: &str| Failure::permanent(format!("the header {name} fits in no request"));
        let mut fields = HeaderMap::new();
        for (name, value) in headers.iter() {
            let field = name.parse::<HeaderName>().ok().zip(HeaderValue::from_str(value).ok());
            let (key, value) = field.ok_or_else(|| no_header(name))?;
            fields.insert(key, value);
        }
        let call = Call { method: Method::POST, url, headers: fields, body, most_body: MOST_BODY };
        let answer = self.call(call, Instant::now() + within).await?;
        Ok((answer.status.as_u16(), answer.body))
    }

    fn client_for(&self, url: &Url) -> Result<&Client, Failure> {
        let inner = &*self.0;
        let route = inner.egress.route(url).map_err(|refused| Failure::permanent(refused.to_string()))?;
        let (cell, lookup): (_, fn(&Inner) -> Lookup) = match route {
            Route::Named => (&inner.named, |inner| Arc::clone(&inner.lookup)),
            Route::Public => (&inner.public, |inner| public_only(Arc::clone(&inner.lookup))),
        };
        if let Some(client) = cell.get() {
            return Ok(client);
        }
        let roots = webpki_roots::TLS_SERVER_ROOTS.iter().chain(inner.egress.roots()).cloned().collect();
        let tls = tls::trusting(roots).map_err(|error| Failure::retryable(format!("no HTTP client: {error}")))?;
        Ok(cell.get_or_init(|| net::client(Connector::new(lookup(inner), tls, LIMITS))))
    }
}

impl std::fmt::Debug for HttpClient {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("HttpClient").field(&self.0.egress).finish()
    }
}

async fn read_answer(host: String, mut response: Response<Incoming>, most: usize, deadline: Instant) -> Answer {
    let (status, headers) = (response.status(), std::mem::take(response.headers_mut()));
    let (body, body_end) = read_body(response.into_body(), most, deadline).await;
    Answer { host, status, headers, body, body_end }
}

/// Reads up to the cap. Dropping the body closes the connection, so what is beyond costs nothing.
async fn read_body(mut incoming: Incoming, most: usize, deadline: Instant) -> (Vec<u8>, BodyEnd) {
    let mut body = Vec::new();
    loop {
        let Ok(frame) = timeout_at(deadline, incoming.frame()).await else { return (body, BodyEnd::Broken) };
        let frame = match frame {
            None => return (body, BodyEnd::Complete),
            Some(Err(_)) => return (body, BodyEnd::Broken),
            Some(Ok(frame)) => frame,
        };
        // What is no data are trailers.
        let Ok(data) = frame.into_data() else { continue };
        let room = most - body.len();
        body.extend_from_slice(data.get(..room).unwrap_or(&data));
        if data.len() > room {
            return (body, BodyEnd::Capped);
        }
    }
}

/// A request that got no answer. Whether the destination has it is unknown, so it is repeated, with the same key.
fn failed(host: &str, error: &legacy::Error) -> Failure {
    if let Some(refused) = causes(error).find_map(|cause| cause.downcast_ref::<NoPublicAddress>()) {
        return Failure::permanent(refused.to_string());
    }
    let what = if error.is_connect() { "cannot be reached" } else { "did not answer" };
    Failure::retryable(format!("{host} {what}: {}", cause(error)))
}

/// The innermost cause: the outer ones only say that a request failed, and name its whole URL.
fn cause(error: &(dyn Error + 'static)) -> String {
    causes(error).last().map(ToString::to_string).unwrap_or_default()
}

/// Host and port of a URL, which is all of it that an error may name.
pub(crate) fn host_of(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}
