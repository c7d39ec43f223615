//! Secrets by name, from Secrets Manager, kept for a few minutes.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;
use zeroize::Zeroizing;

use crate::clock;

/// How long a secret is used before it is read again, so that a rotation needs no redeploy.
const FRESH_FOR: Duration = Duration::from_mins(5);
/// How soon a secret may be read again when it seems to be outdated.
const REREAD_AFTER: Duration = Duration::from_secs(10);

/// A secret value. Neither shown nor compared by accident, and overwritten in memory when nobody has it any more.
#[derive(Clone)]
pub struct Secret(Arc<Zeroizing<String>>);

impl Secret {
    /// Wraps a secret value.
    pub fn new(value: impl Into<String>) -> Self {
        Self(Arc::new(Zeroizing::new(value.into())))
    }

    /// The value itself, for the place that signs, verifies or sends it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// A secret that cannot be had now.
#[derive(Debug, Clone, thiserror::Error)]
#[error("secret {name:?} cannot be read: {reason}")]
pub struct SecretError {
    /// Name of the secret.
    pub name: String,
    /// What Secrets Manager answered.
    pub reason: String,
}

/// Reads secrets and keeps them for a few minutes.
#[derive(Debug, Clone)]
pub struct Secrets {
    client: Option<aws_sdk_secretsmanager::Client>,
    cache: Arc<Mutex<HashMap<String, Cached>>>,
    turns: Arc<Mutex<HashMap<String, Arc<Turn>>>>,
}

/// Held while a secret is read, so that those who want it at the same time share one answer. What is in it is the last
/// failure.
type Turn = tokio::sync::Mutex<Option<(Instant, SecretError)>>;

#[derive(Debug, Clone)]
struct Cached {
    secret: Secret,
    read_at: Timestamp,
}

/// How old a cached secret may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Freshness {
    /// As old as usual: five minutes.
    Usual,
    /// It seems outdated: read it again unless that was done in the last ten seconds.
    Suspect,
}

impl Secrets {
    /// Secrets from Secrets Manager.
    pub fn new(client: aws_sdk_secretsmanager::Client) -> Self {
        Self { client: Some(client), cache: Arc::default(), turns: Arc::default() }
    }

    /// A fixed set, for tests and tools.
    pub fn fixed<N: Into<String>>(values: impl IntoIterator<Item = (N, Secret)>) -> Self {
        let read_at = Timestamp::MAX;
        let cache = values.into_iter().map(|(name, secret)| (name.into(), Cached { secret, read_at })).collect();
        Self { client: None, cache: Arc::new(Mutex::new(cache)), turns: Arc::default() }
    }

    /// The secret called `name`. When it cannot be read again, a value read earlier is used on.
    pub async fn get(&self, name: &str, freshness: Freshness) -> Result<Secret, SecretError> {
        if let Some(secret) = self.fresh(name, freshness) {
            return Ok(secret);
        }
        let asked = Instant::now();
        let turn = self.turn(name);
        let mut last_failure = turn.lock().await;
        if let Some(secret) = self.fresh(name, freshness) {
            return Ok(secret);
        }
        if let Some((_, error)) = last_failure.as_ref().filter(|(at, _)| *at >= asked) {
            return Err(error.clone());
        }
        match (self.read(name).await, self.cached(name)) {
            (Ok(secret), _) => {
                self.keep(name, &secret);
                Ok(secret)
            }
            (Err(error), Some(cached)) => {
                tracing::warn!(secret = name, error = %error, "secret cannot be read again, the earlier value is used");
                self.keep(name, &cached.secret);
                Ok(cached.secret)
            }
            (Err(error), None) => {
                *last_failure = Some((Instant::now(), error.clone()));
                Err(error)
            }
        }
    }

    /// The value that was read, where it is not too old.
    fn fresh(&self, name: &str, freshness: Freshness) -> Option<Secret> {
        let cached = self.cached(name)?;
        (!is_due(cached.read_at, clock::now(), freshness)).then_some(cached.secret)
    }

    fn turn(&self, name: &str) -> Arc<Turn> {
        let mut turns = self.turns.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(turns.entry(name.to_owned()).or_default())
    }

    /// Those of `names` that can be had, in their order, and why the others cannot: whoever verifies by one of several
    /// leaves out the ones that it has not.
    pub async fn live(&self, names: &[String], freshness: Freshness) -> (Vec<Secret>, Vec<SecretError>) {
        let (mut secrets, mut failed) = (Vec::new(), Vec::new());
        for name in names {
            match self.get(name, freshness).await {
                Ok(secret) => secrets.push(secret),
                Err(error) => failed.push(error),
            }
        }
        (secrets, failed)
    }

    async fn read(&self, name: &str) -> Result<Secret, SecretError> {
        let error = |reason: String| SecretError { name: name.to_owned(), reason };
        let client = self.client.as_ref().ok_or_else(|| error("no such secret".into()))?;
        let answer = client.get_secret_value().secret_id(name).send().await;
        let answer = answer.map_err(|failure| error(crate::aws::reason(&failure)))?;
        answer.secret_string.map(Secret::new).ok_or_else(|| error("it is binary, expected a string".into()))
    }

    fn cached(&self, name: &str) -> Option<Cached> {
        self.cache.lock().unwrap_or_else(PoisonError::into_inner).get(name).cloned()
    }

    fn keep(&self, name: &str, secret: &Secret) {
        let cached = Cached { secret: secret.clone(), read_at: clock::now() };
        self.cache.lock().unwrap_or_else(PoisonError::into_inner).insert(name.to_owned(), cached);
    }
}

fn is_due(read_at: Timestamp, now: Timestamp, freshness: Freshness) -> bool {
    let limit = match freshness {
        Freshness::Usual => FRESH_FOR,
        Freshness::Suspect => REREAD_AFTER,
    };
    now.duration_since(read_at).unsigned_abs() >= limit && now > read_at
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use aws_credential_types::Credentials;
    use aws_smithy_runtime_api::client::http::{
        HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
    };
    use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
    use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
    use aws_smithy_runtime_api::http::StatusCode;
    use aws_smithy_types::body::SdkBody;

    use super::*;

    #[test]
    fn a_secret_is_read_again_after_minutes_or_when_suspect_at_a_bounded_rate() -> Result<(), jiff::Error> {
        let read_at: Timestamp = "2026-01-01T00:00:00Z".parse()?;
        for (later, freshness, expected) in [
            ("2026-01-01T00:04:59Z", Freshness::Usual, false),
            ("2026-01-01T00:05:00Z", Freshness::Usual, true),
            ("2026-01-01T00:00:09Z", Freshness::Suspect, false),
            ("2026-01-01T00:00:10Z", Freshness::Suspect, true),
        ] {
            assert_eq!(is_due(read_at, later.parse()?, freshness), expected, "{later} {freshness:?}");
        }
        Ok(())
    }

    /// Secrets Manager that takes a while to answer, and has the secret or not.
    #[derive(Debug, Clone, Default)]
    struct Slow {
        has_it: bool,
        asked: Arc<AtomicU32>,
    }

    impl HttpConnector for Slow {
        fn call(&self, _: HttpRequest) -> HttpConnectorFuture {
            self.asked.fetch_add(1, Ordering::Relaxed);
            let (status, body) = if self.has_it {
                (200, r#"{"Name":"webhook","SecretString":"hunter2"}"#)
            } else {
                (400, r#"{"__type":"ResourceNotFoundException","message":"there is none"}"#)
            };
            HttpConnectorFuture::new(async move {
                tokio::task::yield_now().await;
                Ok(HttpResponse::new(StatusCode::try_from(status).unwrap(), SdkBody::from(body)))
            })
        }
    }

    impl HttpClient for Slow {
        fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
            SharedHttpConnector::new(self.clone())
        }
    }

    #[tokio::test]
    async fn those_who_want_a_secret_at_the_same_time_share_one_answer() {
        for has_it in [true, false] {
            let manager = Slow { has_it, ..Slow::default() };
            let config = aws_sdk_secretsmanager::Config::builder()
                .behavior_version(aws_sdk_secretsmanager::config::BehaviorVersion::latest())
                .region(aws_sdk_secretsmanager::config::Region::new("us-east-1"))
                .credentials_provider(Credentials::new("id", "key", None, None, "test"))
                .http_client(manager.clone())
                .build();
            let secrets = Secrets::new(aws_sdk_secretsmanager::Client::from_conf(config));
            let ask = || async { secrets.get("webhook", Freshness::Usual).await };
            let answers = futures_util::future::join_all((0..10).map(|_| ask())).await;
            assert!(answers.iter().all(|answer| answer.is_ok() == has_it));
            assert_eq!(manager.asked.load(Ordering::Relaxed), 1);
            assert_eq!(ask().await.is_ok(), has_it);
            let expected = if has_it { 1 } else { 2 };
            assert_eq!(
                manager.asked.load(Ordering::Relaxed),
                expected,
                "who comes later asks again for what was not there"
            );
        }
    }

    #[test]
    fn a_secret_never_shows_itself() {
        assert_eq!(format!("{:?}", Secret::new("hunter2")), "Secret(…)");
    }
}
