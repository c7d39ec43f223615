//! Who sends a request, and whether it may do what it asks for.

use axum::Json;
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use axum_extra::extract::{CookieJar, Form, Query, QueryRejection};
use lambda_http::request::RequestContext;
use ordersync::clock;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::token::{Kind, Token};
use super::users::Users;
use super::{Role, Who, csrf};
use crate::app::Console;
use crate::failure::{Denied, Failure};
use crate::place::Place;

/// The session cookie.
pub(crate) const COOKIE: &str = "ordersync";

/// Anybody who is signed in.
#[derive(Debug)]
pub(crate) struct Viewer(pub(crate) Who);

/// An operator who shows a token: no page of another site can have a browser do that. A cookie is not enough, as what a
/// program sends carries nothing that tells our pages from others'.
#[derive(Debug)]
pub(crate) struct Operator(pub(crate) Who);

/// A body of JSON.
#[derive(Debug)]
pub(crate) struct Body<T>(pub(crate) T);

/// An operator with a form that one of this session's pages has sent.
#[derive(Debug)]
pub(crate) struct Sent<T> {
    pub(crate) who: Who,
    pub(crate) form: T,
}

impl FromRequestParts<Console> for Viewer {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, console: &Console) -> Result<Self, Failure> {
        let who = who(&parts.headers, parts.extensions.get::<RequestContext>(), console).await;
        who.map(Self).map_err(|denied| Failure::denied(&Place::of(&parts.uri), &denied))
    }
}

impl FromRequestParts<Console> for Operator {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, console: &Console) -> Result<Self, Failure> {
        let denied = |denied| Failure::denied(&Place::of(&parts.uri), &denied);
        let shows_token = console.claims.is_some() || parts.headers.contains_key(header::AUTHORIZATION);
        if !shows_token {
            return Err(denied(Denied::NoToken));
        }
        let who = who(&parts.headers, parts.extensions.get::<RequestContext>(), console).await.map_err(denied)?;
        if who.role < Role::Operator { Err(denied(Denied::Viewer)) } else { Ok(Self(who)) }
    }
}

impl<T: DeserializeOwned> FromRequest<Console> for Body<T> {
    type Rejection = Failure;

    async fn from_request(request: Request, console: &Console) -> Result<Self, Failure> {
        let place = Place::of(request.uri());
        // As an object first: what is read from an object would be read from a list of its values too.
        let body = Json::<Map<String, Value>>::from_request(request, console).await;
        let Json(body) = body.map_err(|error| Failure::new(&place, error.status(), error.body_text()))?;
        let body = serde_path_to_error::deserialize(Value::Object(body));
        body.map(Self).map_err(|error| Failure::new(&place, StatusCode::UNPROCESSABLE_ENTITY, error.to_string()))
    }
}

/// What an address asks for, or what is wrong with it.
pub(crate) fn queried<T>(place: &Place, asked: Result<Query<T>, QueryRejection>) -> Result<T, Failure> {
    let wrong = |error: QueryRejection| Failure::new(place, StatusCode::UNPROCESSABLE_ENTITY, error.body_text());
    asked.map(|Query(asked)| asked).map_err(wrong)
}

impl<T: DeserializeOwned + Send> FromRequest<Console> for Sent<T> {
    type Rejection = Failure;

    async fn from_request(request: Request, console: &Console) -> Result<Self, Failure> {
        let place = Place::of(request.uri());
        let denied = |denied| Failure::denied(&place, &denied);
        let who =
            who(request.headers(), request.extensions().get::<RequestContext>(), console).await.map_err(denied)?;
        if who.role < Role::Operator {
            return Err(denied(Denied::Viewer));
        }
        let form = Form::<Carried<T>>::from_request(request, console).await;
        let Form(Carried { csrf, form }) =
            form.map_err(|error| Failure::new(&place, error.status(), error.body_text()))?;
        let users = console.users().await.map_err(denied)?;
        if !csrf::is_of(&who, &csrf, &users) {
            return Err(denied(Denied::Forged));
        }
        Ok(Self { who, form })
    }
}

/// A form with what shows that one of our pages has sent it.
#[derive(Deserialize)]
struct Carried<T> {
    #[serde(default)]
    csrf: String,
    #[serde(flatten)]
    form: T,
}

/// Who has sent a request.
async fn who(headers: &HeaderMap, context: Option<&RequestContext>, console: &Console) -> Result<Who, Denied> {
    if let Some(claims) = &console.claims {
        return context.and_then(|context| claims.who(context)).ok_or(Denied::NoClaims);
    }
    let users = console.users().await?;
    token(headers, &users).and_then(|token| token.who(&users)).ok_or(Denied::SignedOut)
}

/// The token of a request: a program's in its header, a browser's in its cookie.
pub(crate) fn token(headers: &HeaderMap, users: &Users) -> Option<Token> {
    let now = clock::now();
    if let Some(header) = headers.get(header::AUTHORIZATION) {
        let (scheme, text) = header.to_str().ok()?.split_once(' ')?;
        return scheme.eq_ignore_ascii_case("bearer").then(|| Token::verify(text.trim(), Kind::Api, users, now))?;
    }
    let jar = CookieJar::from_headers(headers);
    Token::verify(jar.get(COOKIE)?.value(), Kind::Session, users, now)
}
