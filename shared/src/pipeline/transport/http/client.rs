//! The HTTP client: the egress rules, one time limit over everything, no redirects, capped answers.

use std::error::Error;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use reqwest::header::HeaderMap;
use reqwest::{Method, Request, Response};
use rustls::{ClientConfig, RootCertStore};
use tokio::time::{Instant, timeout_at};
use url::Url;

use super::answer::Answer;
use crate::pipeline::Failure;
use crate::pipeline::transport::BodyEnd;
use crate::pipeline::transport::egress::resolver::{self, Lookup, NoPublicAddress, PublicOnly};
use crate::pipeline::transport::egress::{Egress, Route};

/// Most of a response body that deliveries and token endpoints need; the rest stays with the sender.
pub(super) const MOST_BODY: usize = 64 * 1024;
/// How long a host may take to accept a connection.
const CONNECT_WITHIN: Duration = Duration::from_secs(5);
/// How long an idle connection is kept: not long, because a frozen function does not notice that it is closed.
const IDLE_FOR: Duration = Duration::from_secs(15);

/// HTTP with the egress rules built in. Clones share their connections.
#[derive(Clone)]
pub struct HttpClient(Arc<Inner>);

struct Inner {
    egress: Egress,
    lookup: Lookup,
    /// For what `[egress] allow` names.
    named: OnceLock<reqwest::Client>,
    /// For everything else: TLS only, public addresses only.
    public: OnceLock<reqwest::Client>,
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

impl HttpClient {
    /// A client that obeys `egress`. Its TLS is set up when it is first needed.
    pub fn new(egress: Egress) -> Self {
        Self::with_lookup(egress, resolver::system())
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
        let mut request = Request::new(call.method, call.url.clone());
        *request.headers_mut() = call.headers;
        *request.body_mut() = Some(call.body.into());
        let response = timeout_at(deadline, client.execute(request)).await;
        let response = response.map_err(|_| Failure::retryable(format!("{host} did not answer in time")))?;
        let response = response.map_err(|error| failed(&host, &error))?;
        Ok(read_answer(host, response, most, deadline).await)
    }

    fn client_for(&self, url: &Url) -> Result<&reqwest::Client, Failure> {
        let inner = &*self.0;
        let route = inner.egress.route(url).map_err(|refused| Failure::permanent(refused.to_string()))?;
        let (cell, build): (_, fn(&Inner) -> _) = match route {
            Route::Named => (&inner.named, named_client),
            Route::Public => (&inner.public, public_client),
        };
        if let Some(client) = cell.get() {
            return Ok(client);
        }
        let client = build(inner).map_err(|error| Failure::retryable(format!("no HTTP client: {}", cause(&*error))))?;
        Ok(cell.get_or_init(|| client))
    }
}

impl std::fmt::Debug for HttpClient {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("HttpClient").field(&self.0.egress).finish()
    }
}

type BuildError = Box<dyn Error + Send + Sync>;

fn named_client(inner: &Inner) -> Result<reqwest::Client, BuildError> {
    Ok(builder(&inner.egress)?.build()?)
}

fn public_client(inner: &Inner) -> Result<reqwest::Client, BuildError> {
    let resolver = PublicOnly::new(Arc::clone(&inner.lookup));
    Ok(builder(&inner.egress)?.https_only(true).dns_resolver(resolver).build()?)
}

/// What both have in common. A proxy would resolve names for us and a redirect lead elsewhere: neither is followed.
fn builder(egress: &Egress) -> Result<reqwest::ClientBuilder, BuildError> {
    Ok(reqwest::Client::builder()
        .tls_backend_preconfigured(tls(egress)?)
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .connect_timeout(CONNECT_WITHIN)
        .pool_idle_timeout(IDLE_FOR))
}

fn tls(egress: &Egress) -> Result<ClientConfig, rustls::Error> {
    let roots = webpki_roots::TLS_SERVER_ROOTS.iter().chain(egress.roots()).cloned().collect();
    let roots = RootCertStore { roots };
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    Ok(config.with_root_certificates(roots).with_no_client_auth())
}

async fn read_answer(host: String, mut response: Response, most: usize, deadline: Instant) -> Answer {
    let (status, headers) = (response.status(), std::mem::take(response.headers_mut()));
    let (body, body_end) = read_body(response, most, deadline).await;
    Answer { host, status, headers, body, body_end }
}

/// Reads up to the cap. Dropping the response closes the connection, so what is beyond costs nothing.
async fn read_body(mut response: Response, most: usize, deadline: Instant) -> (Vec<u8>, BodyEnd) {
    let mut body = Vec::new();
    loop {
        let Ok(Ok(chunk)) = timeout_at(deadline, response.chunk()).await else { return (body, BodyEnd::Broken) };
        let Some(chunk) = chunk else { return (body, BodyEnd::Complete) };
        let room = most - body.len();
        body.extend_from_slice(chunk.get(..room).unwrap_or(&chunk));
        if chunk.len() > room {
            return (body, BodyEnd::Capped);
        }
    }
}

/// A request that got no answer. Whether the destination has it is unknown, so it is repeated, with the same key.
fn failed(host: &str, error: &reqwest::Error) -> Failure {
    if let Some(refused) = causes(error).find_map(|cause| cause.downcast_ref::<NoPublicAddress>()) {
        return Failure::permanent(refused.to_string());
    }
    let what = if error.is_connect() { "cannot be reached" } else { "did not answer" };
    Failure::retryable(format!("{host} {what}: {}", cause(error)))
}

fn causes<'e>(error: &'e (dyn Error + 'static)) -> impl Iterator<Item = &'e (dyn Error + 'static)> {
    std::iter::successors(Some(error), |error| (*error).source())
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
