//! How a request says who we are.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::header::{AUTHORIZATION, HeaderName, HeaderValue};
use tokio::time::Instant;

use super::oauth2::OAuth2;
use super::{is_renewed, secret};
use crate::pipeline::Failure;
use crate::pipeline::transport::Clients;
use crate::secrets::Secret;

/// Parts of a secret that are shorter are not looked for in answers: they would be found everywhere.
const SHORTEST_REDACTED: usize = 6;

/// The configured way.
#[derive(Debug)]
pub(super) enum Auth {
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
    /// A header of the destination's own.
    Header {
        /// Its name.
        name: HeaderName,
        /// Name of the secret.
        secret: String,
    },
    /// `Authorization: Bearer` and a token that is fetched first.
    OAuth2(Box<OAuth2>),
}

/// A header that says who we are, and what it was made of.
#[derive(Debug)]
pub(super) struct Credential {
    pub(super) name: HeaderName,
    pub(super) value: HeaderValue,
    /// The secret of the configuration behind it.
    made_of: Secret,
    /// A token that was fetched for an earlier request.
    is_cached: bool,
}

impl Auth {
    /// The header for a request now.
    pub(super) async fn credential(&self, clients: &Clients, deadline: Instant) -> Result<Credential, Failure> {
        if let Self::OAuth2(oauth2) = self {
            let token = oauth2.token(clients, deadline).await?;
            let text = format!("Bearer {}", token.value.expose());
            let value = header_value(oauth2.secret(), &text)?;
            return Ok(Credential { name: AUTHORIZATION, value, made_of: token.made_of, is_cached: token.is_cached });
        }
        let name = self.secret();
        let made_of = secret(&clients.secrets, name).await?;
        let plain = made_of.expose().trim();
        let (header, text) = match self {
            Self::Basic { .. } if !plain.contains(':') => {
                return Err(Failure::retryable(format!("secret {name:?}: expected user:password")));
            }
            Self::Basic { .. } => (AUTHORIZATION, format!("Basic {}", STANDARD.encode(plain))),
            Self::Header { name, .. } => (name.clone(), plain.to_owned()),
            Self::Bearer { .. } | Self::OAuth2(_) => (AUTHORIZATION, format!("Bearer {plain}")),
        };
        let value = header_value(name, &text)?;
        Ok(Credential { name: header, value, made_of, is_cached: false })
    }

    /// Whether the next attempt has another credential than the one that was refused. An OAuth2 token that was
    /// refused is not used again.
    pub(super) async fn is_outdated(&self, clients: &Clients, refused: &Credential) -> bool {
        if let Self::OAuth2(oauth2) = self {
            oauth2.forget(&refused.value).await;
        }
        refused.is_cached || is_renewed(&clients.secrets, self.secret(), &refused.made_of).await
    }

    fn secret(&self) -> &str {
        match self {
            Self::Bearer { secret } | Self::Basic { secret } | Self::Header { secret, .. } => secret,
            Self::OAuth2(oauth2) => oauth2.secret(),
        }
    }
}

fn header_value(secret: &str, text: &str) -> Result<HeaderValue, Failure> {
    let invalid = |_| Failure::retryable(format!("secret {secret:?} has characters that no header may have"));
    let mut value = HeaderValue::from_str(text).map_err(invalid)?;
    value.set_sensitive(true);
    Ok(value)
}

impl Credential {
    /// `text` without the secret, for a destination that repeats what it was sent.
    pub(super) fn redact(&self, text: &str) -> String {
        let sent = self.value.to_str().unwrap_or_default();
        let secret = self.made_of.expose().trim();
        let password = secret.split_once(':').map_or(secret, |(_, password)| password);
        let parts = [sent.split_once(' ').map_or(sent, |(_, token)| token), secret, password];
        let longest_first = parts.into_iter().filter(|part| part.len() >= SHORTEST_REDACTED);
        longest_first.fold(text.to_owned(), |text, part| text.replace(part, "[secret]"))
    }
}
