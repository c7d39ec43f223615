//! How a request says who we are.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::{AUTHORIZATION, HeaderName, HeaderValue};
use tokio::time::Instant;
use zeroize::Zeroizing;

use super::oauth2::OAuth2;
use super::{is_renewed, secret};
use crate::pipeline::Failure;
use crate::pipeline::transport::Clients;
use crate::secrets::Secret;

/// Parts of a secret that are shorter are not looked for in answers: they would be found everywhere.
const SHORTEST_REDACTED: usize = 6;

/// The configured way.
#[derive(Debug)]
pub(crate) enum Auth {
    /// `Authorization: Bearer` and the secret.
    Bearer {
        /// Name of the secret.
        secret: String,
    },
    /// `Authorization: Basic` with a secret of the form `user:password`.
    Basic {
        /// Name of the secret.
        secret: String,
    },
    /// `Basic` with a secret of the form `user:password`, `Bearer` with any other.
    BearerOrBasic {
        /// Name of the secret.
        secret: String,
    },
    /// A header of the destination's own.
    Header {
        /// Its name.
        name: HeaderName,
        /// Name of the secret.
        secret: String,
    },
    /// `Authorization: Bearer` and a token that is fetched first.
    OAuth2(Box<OAuth2>),
    /// A header of the destination's own: with the secret itself, or, where the secret is a client
    /// (`client_id:client_secret`), with a token that is fetched first.
    TokenOrClient {
        /// Its name.
        name: HeaderName,
        /// How a token is fetched.
        oauth2: Box<OAuth2>,
    },
}

/// A header that says who we are, and what it was made of.
#[derive(Debug)]
pub(crate) struct Credential {
    pub(crate) name: HeaderName,
    pub(crate) value: HeaderValue,
    /// The secret of the configuration behind it.
    made_of: Secret,
    /// A token that was fetched for an earlier request.
    is_cached: bool,
}

impl Auth {
    /// The header for a request now.
    pub(crate) async fn credential(&self, clients: &Clients, deadline: Instant) -> Result<Credential, Failure> {
        let made_of = secret(&clients.secrets, self.secret()).await?;
        if let Some(oauth2) = self.fetches_with(&made_of) {
            let token = oauth2.token(clients, deadline).await?;
            let (name, text) = self.field(token.value.expose());
            let value = header_value(self.secret(), &text)?;
            return Ok(Credential { name, value, made_of: token.made_of, is_cached: token.is_cached });
        }
        let plain = made_of.expose().trim();
        if matches!(self, Self::Basic { .. }) && !plain.contains(':') {
            return Err(Failure::retryable(format!("secret {:?}: expected user:password", self.secret())));
        }
        let (name, text) = self.field(plain);
        let value = header_value(self.secret(), &text)?;
        Ok(Credential { name, value, made_of, is_cached: false })
    }

    /// Name and text of the header with a secret or token.
    fn field(&self, plain: &str) -> (HeaderName, Zeroizing<String>) {
        let (name, text) = match self {
            Self::Basic { .. } => (AUTHORIZATION, basic(plain)),
            Self::BearerOrBasic { .. } if plain.contains(':') => (AUTHORIZATION, basic(plain)),
            Self::Header { name, .. } | Self::TokenOrClient { name, .. } => (name.clone(), plain.to_owned()),
            Self::Bearer { .. } | Self::BearerOrBasic { .. } | Self::OAuth2(_) => {
                (AUTHORIZATION, format!("Bearer {plain}"))
            }
        };
        (name, Zeroizing::new(text))
    }

    /// How a token is fetched, where the secret is none itself.
    fn fetches_with(&self, secret: &Secret) -> Option<&OAuth2> {
        match self {
            Self::OAuth2(oauth2) => Some(oauth2),
            Self::TokenOrClient { oauth2, .. } => Some(&**oauth2).filter(|_| secret.expose().contains(':')),
            Self::Bearer { .. } | Self::Basic { .. } | Self::BearerOrBasic { .. } | Self::Header { .. } => None,
        }
    }

    /// Whether the next attempt has another credential than the one that was refused. A fetched token that was
    /// refused is not used again.
    pub(crate) async fn is_outdated(&self, clients: &Clients, refused: &Credential) -> bool {
        if let Self::OAuth2(oauth2) | Self::TokenOrClient { oauth2, .. } = self {
            oauth2.forget(&refused.value).await;
        }
        refused.is_cached || is_renewed(&clients.secrets, self.secret(), &refused.made_of).await
    }

    fn secret(&self) -> &str {
        match self {
            Self::Bearer { secret }
            | Self::Basic { secret }
            | Self::BearerOrBasic { secret }
            | Self::Header { secret, .. } => secret,
            Self::OAuth2(oauth2) | Self::TokenOrClient { oauth2, .. } => oauth2.secret(),
        }
    }
}

fn basic(user_and_password: &str) -> String {
    format!("Basic {}", STANDARD.encode(user_and_password))
}

fn header_value(secret: &str, text: &str) -> Result<HeaderValue, Failure> {
    let invalid = |_| Failure::retryable(format!("secret {secret:?} has characters that no header may have"));
    let mut value = HeaderValue::from_str(text).map_err(invalid)?;
    value.set_sensitive(true);
    Ok(value)
}

impl Credential {
    /// `text` without the secret, for a destination that repeats what it was sent.
    pub(crate) fn redact(&self, text: &str) -> String {
        let sent = self.value.to_str().unwrap_or_default();
        let secret = self.made_of.expose().trim();
        let password = secret.split_once(':').map_or(secret, |(_, password)| password);
        let parts = [sent.split_once(' ').map_or(sent, |(_, token)| token), secret, password];
        let longest_first = parts.into_iter().filter(|part| part.len() >= SHORTEST_REDACTED);
        longest_first.fold(text.to_owned(), |text, part| text.replace(part, "[secret]"))
    }
}
