//! Delivery over HTTP: one request, with the same idempotency key at every attempt.

pub(crate) mod answer;
pub(crate) mod auth;
pub mod client;
pub(crate) mod fields;
pub(crate) mod oauth2;
pub(crate) mod settings;
mod signature;

use std::time::Duration;

use futures_util::future::BoxFuture;
use http::header::HeaderMap;
use tokio::time::{Instant, timeout_at};
use url::Url;

use self::answer::Answer;
use self::auth::Credential;
use self::client::{Call, MOST_BODY};
use self::settings::Http;
pub(super) use self::settings::read;
use super::{Clients, Receipt, Transport, gzip};
use crate::clock;
use crate::pipeline::{Document, Export, Failure, Retry};
use crate::secrets::{Freshness, Secret, Secrets};

/// How much earlier than the caller we give up: an order that was accepted counts as accepted although its answer
/// does not end, and that must be said before the caller stops listening.
const MARGIN: Duration = Duration::from_millis(100);

impl Transport for Http {
    fn deliver<'a>(
        &'a self,
        clients: &'a Clients,
        export: Export<'a>,
        document: &'a Document,
        limit: Duration,
    ) -> BoxFuture<'a, Result<Receipt, Failure>> {
        let limit = limit.saturating_sub(MARGIN).min(self.timeout);
        Box::pin(self.send(clients, export, document, Instant::now() + limit))
    }

    fn target(&self, _: &str, _: Export<'_>) -> Result<String, Failure> {
        Ok(format!("{} {}", self.method, without_query(&self.url)))
    }

    fn endpoint(&self) -> Option<String> {
        Some(self.url.origin().ascii_serialization())
    }

    fn has_response(&self) -> bool {
        true
    }
}

/// What a request proved who we are with, to find out whether a refusal is due to an outdated secret.
#[derive(Debug, Default)]
struct Proofs {
    credential: Option<Credential>,
    signing: Vec<Secret>,
}

impl Http {
    async fn send(
        &self,
        clients: &Clients,
        export: Export<'_>,
        document: &Document,
        deadline: Instant,
    ) -> Result<Receipt, Failure> {
        let body = if self.gzip { gzip(&document.body)? } else { document.body.clone() };
        let mut headers = fields::assemble(self, export, document)?;
        let proofs = timeout_at(deadline, self.prove(clients, deadline, &mut headers, export.idempotency_key, &body));
        let out_of_time = |_| Failure::retryable("the secrets for the request were not there in time");
        let proofs = proofs.await.map_err(out_of_time)??;
        let method = self.method.clone();
        let call = Call { method, url: &self.url, headers, body, most_body: MOST_BODY };
        let answer = clients.http.call(call, deadline).await?;
        let Some(failure) = answer.failure(&self.url) else { return Ok(receipt(&self.url, answer)) };
        let is_refused = matches!(answer.status.as_u16(), 401 | 403);
        let is_outdated = is_refused && timeout_at(deadline, self.is_outdated(&proofs, clients)).await.unwrap_or(false);
        Err(explain(failure, &proofs, is_outdated))
    }

    /// Adds what proves who we are: credentials and signatures.
    async fn prove(
        &self,
        clients: &Clients,
        deadline: Instant,
        headers: &mut HeaderMap,
        id: &str,
        body: &[u8],
    ) -> Result<Proofs, Failure> {
        let credential = match &self.auth {
            Some(auth) => Some(auth.credential(clients, deadline).await?),
            None => None,
        };
        if let Some(credential) = &credential {
            headers.insert(credential.name.clone(), credential.value.clone());
        }
        let mut signing = Vec::new();
        for name in &self.signing_secrets {
            signing.push((name.as_str(), secret(&clients.secrets, name).await?));
        }
        signature::set(headers, &signing, id, clock::now(), body)?;
        Ok(Proofs { credential, signing: signing.into_iter().map(|(_, secret)| secret).collect() })
    }

    /// Whether the next attempt has other proofs than these, because a secret was renewed or a token ran out.
    async fn is_outdated(&self, proofs: &Proofs, clients: &Clients) -> bool {
        let mut outdated = false;
        if let (Some(auth), Some(credential)) = (&self.auth, &proofs.credential) {
            outdated |= auth.is_outdated(clients, credential).await;
        }
        for (name, used) in self.signing_secrets.iter().zip(&proofs.signing) {
            outdated |= is_renewed(&clients.secrets, name, used).await;
        }
        outdated
    }
}

/// A refusal of who we are that is due to outdated credentials is worth another attempt.
fn explain(mut failure: Failure, proofs: &Proofs, is_outdated: bool) -> Failure {
    if let (Some(credential), Some(response)) = (&proofs.credential, &mut failure.response) {
        *response = credential.redact(response);
    }
    if is_outdated {
        failure.retry = Retry::Backoff;
        failure.message.push_str("; the credentials were outdated, the next attempt uses new ones");
    }
    failure
}

/// The secret called `name`; that it is missing now does not mean that it is missing at the next attempt.
async fn secret(secrets: &Secrets, name: &str) -> Result<Secret, Failure> {
    secrets.get(name, Freshness::Usual).await.map_err(|error| Failure::retryable(error.to_string()))
}

/// Whether the secret called `name` has another value than the one that was used.
async fn is_renewed(secrets: &Secrets, name: &str, used: &Secret) -> bool {
    let current = secrets.get(name, Freshness::Suspect).await;
    current.is_ok_and(|current| current.expose() != used.expose())
}

fn receipt(url: &Url, answer: Answer) -> Receipt {
    Receipt {
        destination: without_query(url),
        status: Some(answer.status.as_u16()),
        headers: answer.headers(),
        body: answer.body,
        body_end: answer.body_end,
    }
}

/// The URL as records may show it: queries and users hold keys now and then.
fn without_query(url: &Url) -> String {
    url.origin().ascii_serialization() + url.path()
}

#[cfg(test)]
pub(crate) mod tests;
