//! Secrets by name, from Secrets Manager, kept for a few minutes.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;

use crate::clock;

/// How long a secret is used before it is read again, so that a rotation needs no redeploy.
const FRESH_FOR: Duration = Duration::from_mins(5);
/// How soon a secret may be read again when it seems to be outdated.
const REREAD_AFTER: Duration = Duration::from_secs(10);

/// A secret value. Neither shown nor compared by accident.
#[derive(Clone)]
pub struct Secret(Arc<str>);

impl Secret {
    /// Wraps a secret value.
    pub fn new(value: impl Into<Arc<str>>) -> Self {
        Self(value.into())
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
}

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
        Self { client: Some(client), cache: Arc::default() }
    }

    /// A fixed set, for tests and tools.
    pub fn fixed<N: Into<String>>(values: impl IntoIterator<Item = (N, Secret)>) -> Self {
        let read_at = Timestamp::MAX;
        let cache = values.into_iter().map(|(name, secret)| (name.into(), Cached { secret, read_at })).collect();
        Self { client: None, cache: Arc::new(Mutex::new(cache)) }
    }

    /// The secret called `name`. When it cannot be read again, a value read earlier is used on.
    pub async fn get(&self, name: &str, freshness: Freshness) -> Result<Secret, SecretError> {
        let cached = self.cached(name);
        if let Some(cached) = &cached
            && !is_due(cached.read_at, clock::now(), freshness)
        {
            return Ok(cached.secret.clone());
        }
        match (self.read(name).await, cached) {
            (Ok(secret), _) => {
                self.keep(name, &secret);
                Ok(secret)
            }
            (Err(error), Some(cached)) => {
                tracing::warn!(secret = name, error = %error, "secret cannot be read again, the earlier value is used");
                self.keep(name, &cached.secret);
                Ok(cached.secret)
            }
            (Err(error), None) => Err(error),
        }
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

    #[test]
    fn a_secret_never_shows_itself() {
        assert_eq!(format!("{:?}", Secret::new("hunter2")), "Secret(…)");
    }
}
