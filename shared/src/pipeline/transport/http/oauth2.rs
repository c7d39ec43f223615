//! OAuth2 client credentials (RFC 6749, section 4.4): a token is fetched once and used until shortly before it expires.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::Method;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue};
use jiff::Timestamp;
use serde::Deserialize;
use tokio::sync::Mutex;
use tokio::time::Instant;
use url::{Url, form_urlencoded};
use zeroize::Zeroizing;

use super::answer::Answer;
use super::client::{Call, MOST_BODY, host_of};
use super::{is_renewed, secret};
use crate::clock;
use crate::pipeline::transport::Clients;
use crate::pipeline::{Failure, Retry};
use crate::secrets::Secret;

/// How long before its end a token is given up, so that it does not expire on the way.
const MARGIN: Duration = Duration::from_secs(30);
/// How long a token is used when the answer does not say how long it is valid.
const USUAL_LIFE: Duration = Duration::from_mins(5);
/// Longest time that a token is used, whatever the answer says.
const LONGEST_LIFE: Duration = Duration::from_hours(24);

/// How the token endpoint is asked, and the token that it gave.
#[derive(Debug)]
pub(crate) struct OAuth2 {
    pub(super) settings: Settings,
    /// Held while a token is fetched, so that one request fetches it and the others wait.
    cached: Mutex<Option<Cached>>,
}

/// Settings of the client credentials grant.
#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) token_url: Url,
    /// Who we are there; else the secret says so.
    pub(crate) client_id: Option<String>,
    /// Name of the secret: the client's secret, or both as JSON with `client_id` and `client_secret`, or both as
    /// `client_id:client_secret`.
    pub(crate) secret: String,
    pub(crate) scope: Option<String>,
    pub(crate) audience: Option<String>,
    pub(crate) client_auth: ClientAuth,
}

/// Where the client's own credentials go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ClientAuth {
    /// Into an `Authorization: Basic` header, which every server must understand.
    Basic,
    /// Into the form.
    Body,
}

#[derive(Debug)]
struct Cached {
    value: Secret,
    made_of: Secret,
    usable_until: Timestamp,
}

/// A token for a request.
pub(super) struct Token {
    pub(super) value: Secret,
    /// The secret of the configuration that it was fetched with.
    pub(super) made_of: Secret,
    /// Whether it was fetched for an earlier request.
    pub(super) is_cached: bool,
}

impl OAuth2 {
    pub(crate) fn new(settings: Settings) -> Self {
        Self { settings, cached: Mutex::default() }
    }

    pub(super) fn secret(&self) -> &str {
        &self.settings.secret
    }

    /// A token that is valid now.
    pub(super) async fn token(&self, clients: &Clients, deadline: Instant) -> Result<Token, Failure> {
        let mut cached = self.cached.lock().await;
        let is_cached = cached.as_ref().is_some_and(|token| clock::now() < token.usable_until);
        if !is_cached {
            *cached = Some(self.fetch(clients, deadline).await?);
        }
        let token = cached.as_ref().map(|token| (token.value.clone(), token.made_of.clone()));
        let (value, made_of) = token.ok_or_else(|| Failure::retryable("the token is not there"))?;
        Ok(Token { value, made_of, is_cached })
    }

    /// Drops the token that was refused, unless another one has taken its place.
    pub(super) async fn forget(&self, refused: &HeaderValue) {
        let mut cached = self.cached.lock().await;
        let is_refused = |token: &Cached| refused.as_bytes().ends_with(token.value.expose().as_bytes());
        if cached.as_ref().is_some_and(is_refused) {
            *cached = None;
        }
    }

    async fn fetch(&self, clients: &Clients, deadline: Instant) -> Result<Cached, Failure> {
        let url = &self.settings.token_url;
        let made_of = secret(&clients.secrets, self.secret()).await?;
        let (headers, body) = self.settings.request(&made_of)?;
        let call = Call { method: Method::POST, url, headers, body, most_body: MOST_BODY };
        let answer = clients.http.call(call, deadline).await.map_err(|failure| at_token_endpoint(failure, None))?;
        if let Some(mut failure) = answer.failure(url) {
            // The error code says what is wrong; the rest of the answer may repeat the request.
            failure.response = None;
            let is_refused = matches!(answer.status.as_u16(), 400 | 401 | 403);
            if is_refused && is_renewed(&clients.secrets, self.secret(), &made_of).await {
                failure.retry = Retry::Backoff;
            }
            return Err(at_token_endpoint(failure, error_code(&answer).as_deref()));
        }
        let grant = grant(&answer).ok_or_else(|| {
            Failure::retryable(format!("the token endpoint {} answered without an access_token", host_of(url)))
        })?;
        let usable_until = usable_until(clock::now(), grant.expires_in.as_ref());
        Ok(Cached { value: Secret::new(grant.access_token), made_of, usable_until })
    }
}

impl Settings {
    fn request(&self, secret: &Secret) -> Result<(HeaderMap, Vec<u8>), Failure> {
        let client = self.client(secret)?;
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.append_pair("grant_type", "client_credentials");
        let extra = [("scope", &self.scope), ("audience", &self.audience)];
        for (name, value) in extra.iter().filter_map(|(name, value)| Some((name, value.as_ref()?))) {
            form.append_pair(name, value);
        }
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        match self.client_auth {
            ClientAuth::Basic => drop(headers.insert(AUTHORIZATION, basic(&client)?)),
            ClientAuth::Body => {
                form.append_pair("client_id", &client.client_id).append_pair("client_secret", &client.client_secret);
            }
        }
        Ok((headers, form.finish().into_bytes()))
    }

    /// The client's credentials: `client_id` of the settings with a plain secret, or both from the secret.
    fn client(&self, secret: &Secret) -> Result<Client, Failure> {
        let text = secret.expose().trim();
        if let Ok(client) = serde_json::from_str::<Client>(text) {
            let client_id = self.client_id.clone().unwrap_or(client.client_id);
            return Ok(Client { client_id, ..client });
        }
        if let Some(client_id) = self.client_id.clone() {
            return Ok(Client { client_id, client_secret: text.to_owned().into() });
        }
        // JSON that lacks something is no pair.
        let pair = text.split_once(':').filter(|_| !text.starts_with('{'));
        let both = pair.filter(|(id, secret)| !id.is_empty() && !secret.is_empty());
        let (client_id, client_secret) = both.ok_or_else(|| {
            let expected = "expected client_id:client_secret, or JSON with \"client_id\" and \"client_secret\"";
            Failure::retryable(format!("secret {:?}: {expected}", self.secret))
        })?;
        Ok(Client { client_id: client_id.to_owned(), client_secret: client_secret.to_owned().into() })
    }
}

#[derive(Deserialize)]
struct Client {
    client_id: String,
    client_secret: Zeroizing<String>,
}

/// Both parts are form-encoded before they are joined (RFC 6749, section 2.3.1).
fn basic(client: &Client) -> Result<HeaderValue, Failure> {
    let encoded = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    let pair = Zeroizing::new(format!("{}:{}", encoded(&client.client_id), encoded(&client.client_secret)));
    let value = HeaderValue::from_str(&Zeroizing::new(format!("Basic {}", STANDARD.encode(pair.as_bytes()))));
    let mut value = value.map_err(|_| Failure::retryable("the client's credentials do not fit in a header"))?;
    value.set_sensitive(true);
    Ok(value)
}

#[derive(Deserialize)]
struct Grant {
    access_token: String,
    expires_in: Option<serde_json::Value>,
}

fn grant(answer: &Answer) -> Option<Grant> {
    serde_json::from_slice(&answer.body).ok().filter(|grant: &Grant| !grant.access_token.is_empty())
}

/// Seconds as a number or, as some servers have it, as a string.
fn usable_until(now: Timestamp, expires_in: Option<&serde_json::Value>) -> Timestamp {
    let text = expires_in.map(|value| value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned));
    let stated = text.and_then(|text| text.trim().parse::<f64>().ok());
    let life = stated.and_then(|seconds| Duration::try_from_secs_f64(seconds.max(0.0)).ok()).unwrap_or(USUAL_LIFE);
    let life = life.min(LONGEST_LIFE);
    now + life.saturating_sub(MARGIN.min(life / 2))
}

/// `error` of the answer, where it is a code and no prose.
fn error_code(answer: &Answer) -> Option<String> {
    let body: serde_json::Value = serde_json::from_slice(&answer.body).ok()?;
    let is_code = |code: &&str| code.len() <= 40 && code.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
    body.get("error")?.as_str().filter(is_code).map(ToOwned::to_owned)
}

fn at_token_endpoint(failure: Failure, code: Option<&str>) -> Failure {
    let code = code.map(|code| format!(" ({code})")).unwrap_or_default();
    Failure { message: format!("no OAuth2 token: {}{code}", failure.message), ..failure }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_token_is_given_up_before_it_expires() {
        let now: Timestamp = "2026-03-01T12:00:00Z".parse().unwrap();
        for (expires_in, seconds) in [
            (json!(3600), 3570),
            (json!("3600"), 3570),
            (json!(40), 20),
            (json!(0), 0),
            (json!(-5), 0),
            (json!(1e300), 270),
            (json!(9_999_999_999_u64), 86_370),
            (json!(null), 270),
            (json!("soon"), 270),
        ] {
            let until = usable_until(now, Some(&expires_in));
            assert_eq!(until.duration_since(now).as_secs(), seconds, "{expires_in}");
        }
        assert_eq!(usable_until(now, None).duration_since(now).as_secs(), 270);
    }

    fn settings(client_id: Option<&str>, client_auth: ClientAuth) -> Settings {
        Settings {
            token_url: "https://auth.example.com/token".parse().unwrap(),
            client_id: client_id.map(ToOwned::to_owned),
            secret: "erp-oauth".into(),
            scope: Some("orders:write stock".into()),
            audience: None,
            client_auth,
        }
    }

    #[test]
    fn the_request_in_either_form() {
        let secret = Secret::new("s e:c/ret");
        let (headers, body) = settings(Some("shop"), ClientAuth::Basic).request(&secret).unwrap();
        assert_eq!(String::from_utf8(body).unwrap(), "grant_type=client_credentials&scope=orders%3Awrite+stock");
        assert_eq!(headers[AUTHORIZATION], format!("Basic {}", STANDARD.encode("shop:s+e%3Ac%2Fret")));
        let (headers, body) = settings(Some("shop"), ClientAuth::Body).request(&secret).unwrap();
        assert!(String::from_utf8(body).unwrap().ends_with("&client_id=shop&client_secret=s+e%3Ac%2Fret"));
        assert!(!headers.contains_key(AUTHORIZATION));
    }

    #[test]
    fn the_secret_may_hold_the_client_too() {
        let both = Secret::new(r#"{"client_id": "a", "client_secret": "b"}"#);
        for (client_id, secret, expected) in [
            (None, both.clone(), Some(("a", "b"))),
            (Some("c"), both, Some(("c", "b"))),
            (Some("c"), Secret::new("plain\n"), Some(("c", "plain"))),
            (None, Secret::new("a:b:c\n"), Some(("a", "b:c"))),
            (Some("c"), Secret::new("a:b"), Some(("c", "a:b"))),
            (None, Secret::new("plain"), None),
            (None, Secret::new(":b"), None),
            (None, Secret::new("a:"), None),
            (None, Secret::new(r#"{"client_id": "a"}"#), None),
        ] {
            let client = settings(client_id, ClientAuth::Basic).client(&secret).ok();
            let client = client.as_ref().map(|client| (client.client_id.as_str(), client.client_secret.as_str()));
            assert_eq!(client, expected);
        }
    }
}
