//! A shop's API over HTTP: where it is, who we are there, how long it may take, and what its answers mean as far as
//! all platforms agree. Calls obey the egress rules, follow no redirect and read a bounded answer.

use std::time::Duration;

use http::Method;
use http::header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, USER_AGENT};
use serde::de::DeserializeOwned;
use tokio::time::{Instant, timeout_at};
use url::Url;

use super::ShopFailure;
use crate::config::document::Table;
use crate::pipeline::Failure;
use crate::pipeline::transport::egress::Egress;
use crate::pipeline::transport::http::answer::{Answer, MOST_WAIT};
use crate::pipeline::transport::http::auth::{Auth, Credential};
use crate::pipeline::transport::http::client::Call;
use crate::pipeline::transport::http::fields::AGENT;
use crate::pipeline::transport::http::settings;
use crate::pipeline::transport::{BodyEnd, Clients};

/// Most of an answer that is read. An order of some thousand lines has less.
const MOST_BODY: usize = 4 * 1024 * 1024;
/// How long to wait for a shop that is asked too often and does not say how long.
const USUAL_WAIT: Duration = Duration::from_secs(30);
/// Longest that a shop's own words are kept, in characters.
const MOST_WORDS: usize = 300;

const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// A shop's API.
#[derive(Debug)]
pub(super) struct Remote {
    base: Url,
    auth: Auth,
    timeout: Duration,
    /// A header of the platform's own that says how many milliseconds to wait.
    wait_header: Option<HeaderName>,
}

/// A request.
#[derive(Debug, Clone)]
pub(super) struct Ask {
    pub(super) method: Method,
    pub(super) url: Url,
    /// A JSON document.
    pub(super) body: Option<Vec<u8>>,
}

impl Remote {
    /// Reads `url`, `auth` and `timeout`. `usual` is how the platform wants to see a secret that is only named.
    pub(super) fn read(table: &Table<'_>, egress: &Egress, usual: impl FnOnce(&Url, String) -> Auth) -> Option<Self> {
        let base = base(table, egress);
        let auth = table.required("auth").and_then(|node| {
            // Without a base there is a problem already, and another problem with the secret is worth finding.
            let base = base.clone().or_else(|| Url::parse("https://unknown.invalid").ok())?;
            settings::auth_or(&node, egress, |secret| usual(&base, secret))
        });
        let timeout = table.read("timeout", settings::timeout).unwrap_or(settings::USUAL_TIMEOUT);
        Some(Self { base: base?, auth: auth?, timeout, wait_header: None })
    }

    /// The same for a platform that says in a header of its own how many milliseconds to wait.
    pub(super) fn with_wait_header(mut self, name: HeaderName) -> Self {
        self.wait_header = Some(name);
        self
    }

    /// The base URL.
    pub(super) fn base(&self) -> &Url {
        &self.base
    }

    /// The URL below the base with further path segments; whatever is in a segment stays in it.
    pub(super) fn at(&self, segments: &[&str]) -> Url {
        below(&self.base, segments)
    }

    /// Asks, and once more with new credentials where the old ones were outdated. Gives back every answer but those
    /// that mean the same on all platforms.
    pub(super) async fn ask(&self, clients: &Clients, ask: Ask, deadline: Instant) -> Result<Reply, ShopFailure> {
        let deadline = deadline.min(Instant::now() + self.timeout);
        let mut reply = self.once(clients, &ask, deadline).await?;
        if reply.is_unauthorized() && self.is_outdated(clients, &reply, deadline).await {
            reply = self.once(clients, &ask, deadline).await?;
        }
        match self.failure(&reply) {
            Some(failure) => Err(failure),
            None => Ok(reply),
        }
    }

    async fn once(&self, clients: &Clients, ask: &Ask, deadline: Instant) -> Result<Reply, ShopFailure> {
        let late = |_| ShopFailure::Unavailable("the secret for the request was not there in time".into());
        let credential = timeout_at(deadline, self.auth.credential(clients, deadline)).await.map_err(late)??;
        let mut headers = HeaderMap::from_iter([(ACCEPT, JSON), (USER_AGENT, HeaderValue::from_static(AGENT))]);
        headers.insert(credential.name.clone(), credential.value.clone());
        if ask.body.is_some() {
            headers.insert(CONTENT_TYPE, JSON);
        }
        let (method, body) = (ask.method.clone(), ask.body.clone().unwrap_or_default());
        let call = Call { method, url: &ask.url, headers, body, most_body: MOST_BODY };
        let answer = clients.http.call(call, deadline).await?;
        let failure = answer.failure(&ask.url);
        Ok(Reply { answer, failure, credential })
    }

    async fn is_outdated(&self, clients: &Clients, refused: &Reply, deadline: Instant) -> bool {
        timeout_at(deadline, self.auth.is_outdated(clients, &refused.credential)).await.unwrap_or(false)
    }

    /// What an answer means on every platform; nothing where that is the platform's matter.
    fn failure(&self, reply: &Reply) -> Option<ShopFailure> {
        let Answer { host, status, body_end, .. } = &reply.answer;
        let Some(failure) = reply.failure.clone() else {
            return match body_end {
                BodyEnd::Complete => None,
                BodyEnd::Broken => Some(ShopFailure::Unavailable(format!("{host} broke off its answer"))),
                BodyEnd::Capped => {
                    Some(ShopFailure::Refused(format!("{host} answered with more than {MOST_BODY} bytes")))
                }
            };
        };
        match status.as_u16() {
            429 => Some(self.throttled(&reply.answer.headers, failure)),
            401 | 403 => Some(ShopFailure::Refused(format!(
                "{}: the credentials are wrong or lack a permission",
                failure.message
            ))),
            408 | 425 | 500.. | 300..=399 => Some(failure.into()),
            _ => None,
        }
    }

    /// A shop that is asked too often.
    fn throttled(&self, headers: &HeaderMap, failure: Failure) -> ShopFailure {
        let stated = self.wait_header.as_ref().and_then(|name| headers.get(name)?.to_str().ok()?.trim().parse().ok());
        match (stated, ShopFailure::from(failure)) {
            (Some(milliseconds), _) => {
                ShopFailure::Throttled { after: Duration::from_millis(milliseconds).min(MOST_WAIT) }
            }
            (None, failure @ ShopFailure::Throttled { .. }) => failure,
            (None, _) => ShopFailure::Throttled { after: USUAL_WAIT },
        }
    }
}

/// The base URL that everything is below.
fn base(table: &Table<'_>, egress: &Egress) -> Option<Url> {
    let url = settings::url(table, "url", egress)?;
    if url.query().is_some() || url.fragment().is_some() {
        table.get("url").inspect(|node| node.problem("expected a URL that ends with its path, without ? and #"));
        return None;
    }
    Some(url)
}

/// A URL with further path segments; whatever is in a segment stays in it.
pub(super) fn below(base: &Url, segments: &[&str]) -> Url {
    let mut url = base.clone();
    // Only URLs without a host have no path segments, and those are refused when the configuration is loaded.
    if let Ok(mut path) = url.path_segments_mut() {
        path.pop_if_empty().extend(segments);
    }
    url
}

/// An identifier that is a whole number, as it becomes part of a URL.
pub(super) fn whole_number(id: &str) -> Result<&str, ShopFailure> {
    let fits = !id.is_empty() && id.len() <= 20 && id.bytes().all(|byte| byte.is_ascii_digit());
    let expected =
        || ShopFailure::Refused("the order's identifier: expected a whole number, as the platform has".into());
    fits.then_some(id).ok_or_else(expected)
}

/// A shop's answer.
#[derive(Debug)]
pub(super) struct Reply {
    answer: Answer,
    failure: Option<Failure>,
    credential: Credential,
}

impl Reply {
    /// The HTTP status.
    pub(super) fn status(&self) -> u16 {
        self.answer.status.as_u16()
    }

    /// Whether the request was accepted.
    pub(super) fn is_success(&self) -> bool {
        self.failure.is_none()
    }

    fn is_unauthorized(&self) -> bool {
        matches!(self.status(), 401 | 403)
    }

    /// The body, without the byte order mark that some PHP shops put before it.
    pub(super) fn body(&self) -> &[u8] {
        let body = &self.answer.body;
        body.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(body)
    }

    /// The body of an answer that accepts the request; `expected` says what should have been in it.
    pub(super) fn json<T: DeserializeOwned>(&self, expected: &str) -> Result<T, ShopFailure> {
        if !self.is_success() {
            return Err(self.refused());
        }
        serde_json::from_slice(self.body()).map_err(|_| self.malformed(expected))
    }

    /// The body if it is what `T` is, whatever the status.
    pub(super) fn error<T: DeserializeOwned>(&self) -> Option<T> {
        serde_json::from_slice(self.body()).ok()
    }

    /// An answer that nobody expects.
    pub(super) fn malformed(&self, expected: &str) -> ShopFailure {
        ShopFailure::Refused(format!("{} answered something else than {expected}", self.answer.host))
    }

    /// An answer whose status says that the request is wrong.
    pub(super) fn refused(&self) -> ShopFailure {
        let hint = if self.status() == 404 { ": look at the url of the shop's api" } else { "" };
        ShopFailure::Refused(format!("{} answered {}{hint}", self.answer.host, self.answer.status))
    }

    /// The shop's own words as a record may keep them: one short line that repeats none of our secrets.
    pub(super) fn words(&self, text: &str) -> String {
        let line: String = self.credential.redact(text).chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        let words: String = line.trim().chars().take(MOST_WORDS).collect();
        if words.is_empty() { "no reason given".to_owned() } else { words }
    }
}
