//! Tokens for programs.

use axum::extract::{OriginalUri, State};
use axum::http::StatusCode;
use axum::{Extension, Json};
use jiff::Timestamp;
use lambda_http::request::RequestContext;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::access::guard::Body;
use crate::access::token::Kind;
use crate::app::Console;
use crate::failure::Failure;
use crate::place::Place;
use crate::sign_in::{self, Refused};

/// A user of the console.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Credentials {
    /// The user's name.
    name: String,
    /// The user's password.
    password: String,
}

/// A token.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Granted {
    /// For the header `Authorization: Bearer`.
    token: String,
    /// When it ends.
    #[schemars(with = "String", extend("format" = "date-time"))]
    expires_at: Timestamp,
}

/// A token for whoever has this name and password.
pub(crate) async fn grant(
    State(console): State<Console>,
    OriginalUri(uri): OriginalUri,
    Extension(context): Extension<RequestContext>,
    Body(sent): Body<Credentials>,
) -> Result<Json<Granted>, Failure> {
    let place = Place::of(&uri);
    let users = console.users().await.map_err(|denied| Failure::denied(&place, &denied))?;
    let checked = sign_in::check(&console, &users, &sent.name, &sent.password, &sign_in::address(&context)).await;
    let token = match checked {
        Ok(Ok(token)) => token,
        Ok(Err(refused)) => {
            let status = match refused {
                Refused::Wrong => StatusCode::UNAUTHORIZED,
                Refused::TooOften => StatusCode::TOO_MANY_REQUESTS,
            };
            return Err(Failure::new(&place, status, refused.words()));
        }
        Err(reason) => return Err(Failure::new(&place, StatusCode::SERVICE_UNAVAILABLE, reason)),
    };
    let text = token.sign(Kind::Api, &users);
    let text = text.ok_or_else(|| Failure::new(&place, StatusCode::INTERNAL_SERVER_ERROR, "no token could be made"))?;
    Ok(Json(Granted { token: text, expires_at: token.ends() }))
}
