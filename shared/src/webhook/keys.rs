//! Public keys that webhooks are verified with, fetched when a webhook names them and kept for hours.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use futures_util::future::join_all;
use http::Method;
use http::header::HeaderMap;
use jiff::Timestamp;
use rustls::pki_types::SubjectPublicKeyInfoDer;
use rustls::pki_types::pem::PemObject;
use tokio::time::Instant;
use url::Url;

use crate::clock;
use crate::pipeline::transport::BodyEnd;
use crate::pipeline::transport::egress::Egress;
use crate::pipeline::transport::http::client::{Call, HttpClient};
use crate::secrets::Secret;

/// How long a key is used before it is fetched again.
const FRESH_FOR: Duration = Duration::from_hours(6);
/// How long a key is used that cannot be fetched again. Adobe allows no more than a day.
const USABLE_FOR: Duration = Duration::from_hours(24);
/// Keys that are kept: far more than any platform has live.
const MOST_KEYS: usize = 16;
/// Most of a key that is read, in bytes. An RSA key of 8192 bits has 1,500.
const MOST_BODY: usize = 16 * 1024;
/// How long a fetch may take: the sender waits, ten seconds in all.
const FETCH_WITHIN: Duration = Duration::from_secs(3);
/// Fetches that may fail within [`FAILURES_WITHIN`]. Anyone can name keys that do not exist; that must not make us call
/// the platform as often as they like.
const MOST_FAILURES: u32 = 10;
/// The time in which failures are counted.
const FAILURES_WITHIN: Duration = Duration::from_mins(1);

/// The public keys of platforms, kept for hours.
#[derive(Debug, Default)]
pub struct PublicKeys(Mutex<Kept>);

/// What became of the keys that a webhook names.
#[derive(Debug)]
pub struct Fetched {
    /// Those that are there, in PEM.
    pub keys: Vec<Secret>,
    /// Why others are not there; empty when all are.
    pub failures: Vec<String>,
}

impl PublicKeys {
    /// The keys at `urls`, from the cache or from there.
    pub async fn get(&self, egress: &Egress, urls: &[Url]) -> Fetched {
        let mut fetched = Fetched { keys: Vec::new(), failures: Vec::new() };
        for result in join_all(urls.iter().map(|url| self.one(egress, url))).await {
            match result {
                Ok(key) => fetched.keys.push(key),
                Err(failure) => fetched.failures.push(failure),
            }
        }
        fetched
    }

    async fn one(&self, egress: &Egress, url: &Url) -> Result<Secret, String> {
        let known = match self.kept(|kept| kept.key(url, clock::now())) {
            Known::Fresh(key) => return Ok(key),
            Known::Old(key) => Some(key),
            Known::No => None,
        };
        let fetched = if self.kept(|kept| kept.may_fetch(clock::now())) {
            fetch(egress, url).await
        } else {
            Err("too many public keys could not be fetched within a minute, no more are tried in it".into())
        };
        match (fetched, known) {
            (Ok(key), _) => {
                self.kept(|kept| kept.keep(url, &key, clock::now()));
                Ok(key)
            }
            (Err(failure), Some(key)) => {
                self.kept(|kept| kept.failed(clock::now()));
                tracing::warn!("a public key cannot be fetched again, the earlier one is used: {failure}");
                Ok(key)
            }
            (Err(failure), None) => {
                self.kept(|kept| kept.failed(clock::now()));
                Err(failure)
            }
        }
    }

    fn kept<T>(&self, act: impl FnOnce(&mut Kept) -> T) -> T {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Fetches a key. The client is made for it: keys are fetched a few times a day.
async fn fetch(egress: &Egress, url: &Url) -> Result<Secret, String> {
    let client = HttpClient::new(egress.clone());
    let call = Call { method: Method::GET, url, headers: HeaderMap::new(), body: Vec::new(), most_body: MOST_BODY };
    let answer = client.call(call, Instant::now() + FETCH_WITHIN).await.map_err(|failure| failure.message)?;
    if let Some(failure) = answer.failure(url) {
        return Err(failure.message);
    }
    let pem = String::from_utf8(answer.body).ok().filter(|_| answer.body_end == BodyEnd::Complete);
    let is_key = |pem: &String| SubjectPublicKeyInfoDer::from_pem_slice(pem.as_bytes()).is_ok();
    let pem = pem.filter(is_key).ok_or_else(|| format!("{} answered with no public key in PEM", answer.host))?;
    Ok(Secret::new(pem))
}

/// What is known of a key.
#[derive(Debug)]
enum Known {
    /// It can be used.
    Fresh(Secret),
    /// It should be fetched again, and can be used if it cannot.
    Old(Secret),
    /// It must be fetched.
    No,
}

/// The keys that are kept, and what has failed lately.
#[derive(Debug, Default)]
struct Kept {
    keys: HashMap<Url, (Secret, Timestamp)>,
    failures: u32,
    failing_since: Option<Timestamp>,
}

impl Kept {
    fn key(&self, url: &Url, now: Timestamp) -> Known {
        let Some((key, fetched_at)) = self.keys.get(url) else { return Known::No };
        match age(*fetched_at, now) {
            age if age < FRESH_FOR => Known::Fresh(key.clone()),
            age if age < USABLE_FOR => Known::Old(key.clone()),
            _ => Known::No,
        }
    }

    /// Keeps a key; the oldest makes room.
    fn keep(&mut self, url: &Url, key: &Secret, now: Timestamp) {
        if !self.keys.contains_key(url) && self.keys.len() >= MOST_KEYS {
            let oldest = self.keys.iter().min_by_key(|(_, (_, fetched_at))| *fetched_at).map(|(url, _)| url.clone());
            oldest.map(|oldest| self.keys.remove(&oldest));
        }
        self.keys.insert(url.clone(), (key.clone(), now));
    }

    fn may_fetch(&self, now: Timestamp) -> bool {
        let is_over = self.failing_since.is_none_or(|since| age(since, now) >= FAILURES_WITHIN);
        is_over || self.failures < MOST_FAILURES
    }

    fn failed(&mut self, now: Timestamp) {
        if self.failing_since.is_none_or(|since| age(since, now) >= FAILURES_WITHIN) {
            (self.failing_since, self.failures) = (Some(now), 0);
        }
        self.failures += 1;
    }
}

fn age(then: Timestamp, now: Timestamp) -> Duration {
    now.duration_since(then).unsigned_abs()
}

#[cfg(test)]
mod tests;
