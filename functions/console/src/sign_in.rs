//! Signing in and out.

use askama::Template;
use axum::extract::{OriginalUri, Query, Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware;
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum_extra::extract::cookie::{Cookie, SameSite};
use axum_extra::extract::{CookieJar, Form};
use lambda_http::request::RequestContext;
use ordersync::clock;
use ordersync::telemetry::{Dimension, Metric, metrics};
use serde::Deserialize;
use serde_json::Map;

use crate::access::attempts::Try;
use crate::access::guard::COOKIE;
use crate::access::token::{Kind, Token};
use crate::access::users::{PASSWORD_CHARACTERS, Users};
use crate::app::Console;
use crate::failure::Failure;
use crate::place::{Place, safe};
use crate::view::Bare;

/// The same for a wrong name and a wrong password.
const WRONG: &str = "The name or the password is wrong.";
const TOO_OFTEN: &str = "That was tried too often. Wait a quarter of an hour.";

#[derive(Template)]
#[template(path = "sign_in.html")]
struct Page<'p> {
    frame: Bare<'p>,
    next: &'p str,
    name: &'p str,
    problem: &'p str,
}

/// Where one goes after signing in.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Next {
    #[serde(default)]
    next: String,
}

/// What the form sends.
#[derive(Deserialize)]
pub(crate) struct Credentials {
    #[serde(default)]
    name: String,
    #[serde(default)]
    password: String,
    #[serde(default)]
    next: String,
}

/// Why nobody was signed in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refused {
    Wrong,
    TooOften,
}

impl Refused {
    /// Counts it, by nothing that grows with those who try.
    fn counted(self) -> Self {
        let metric = match self {
            Self::Wrong => Metric::SignInsFailed,
            Self::TooOften => Metric::SignInsRefused,
        };
        metrics(&[&[Dimension::Function("console")]], &[(metric, 1)], Map::new());
        self
    }

    /// As whoever tried is told.
    pub(crate) fn words(self) -> &'static str {
        match self {
            Self::Wrong => WRONG,
            Self::TooOften => TOO_OFTEN,
        }
    }
}

/// The way to the form, from a page that asks for somebody to sign in.
pub(crate) fn path(place: &Place) -> String {
    let next: String = percent(&place.here);
    format!("{}sign-in?next={next}", place.root)
}

fn percent(text: &str) -> String {
    text.bytes()
        .map(|byte| if byte.is_ascii_alphanumeric() { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}

/// The form.
pub(crate) async fn page(OriginalUri(uri): OriginalUri, Query(Next { next }): Query<Next>) -> Response {
    form(&Place::of(&uri), &next, "", "", StatusCode::OK)
}

fn form(place: &Place, next: &str, name: &str, problem: &str, status: StatusCode) -> Response {
    match (Page { frame: Bare(place), next, name, problem }).render() {
        Ok(html) => (status, Html(html)).into_response(),
        Err(error) => Failure::new(place, StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}

/// Signs somebody in.
pub(crate) async fn submit(
    State(console): State<Console>,
    OriginalUri(uri): OriginalUri,
    context: axum::Extension<RequestContext>,
    Form(sent): Form<Credentials>,
) -> Response {
    let place = Place::of(&uri);
    let users = match console.users().await {
        Ok(users) => users,
        Err(denied) => return Failure::denied(&place, &denied).into_response(),
    };
    let token = match check(&console, &users, &sent.name, &sent.password, &address(&context)).await {
        Ok(Ok(token)) => token,
        Ok(Err(refused)) => {
            let status = match refused {
                Refused::Wrong => StatusCode::UNAUTHORIZED,
                Refused::TooOften => StatusCode::TOO_MANY_REQUESTS,
            };
            return form(&place, &sent.next, &sent.name, refused.words(), status);
        }
        Err(reason) => return Failure::new(&place, StatusCode::SERVICE_UNAVAILABLE, reason).into_response(),
    };
    let Some(value) = token.sign(Kind::Session, &users) else {
        return Failure::new(&place, StatusCode::INTERNAL_SERVER_ERROR, "no session could be made").into_response();
    };
    let next = format!("{}{}", place.root, safe(&sent.next));
    ([(header::SET_COOKIE, cookie(value).to_string())], Redirect::to(&next)).into_response()
}

/// A token for whoever has this name and password. Each failure is logged, with the name only where there is such a user:
/// people type passwords into the wrong field.
pub(crate) async fn check(
    console: &Console,
    users: &Users,
    name: &str,
    password: &str,
    address: &str,
) -> Result<Result<Token, Refused>, String> {
    let now = clock::now();
    let known = users.named(name).map_or("(unknown)", |user| user.name.as_str());
    let attempt = Try::begin(&console.admin.ledger, name, address, now).await.map_err(|error| error.to_string())?;
    let Some(attempt) = attempt else {
        tracing::warn!(user = known, "a sign-in was refused: too many were tried");
        return Ok(Err(Refused::TooOften.counted()));
    };
    let user = (password.len() <= PASSWORD_CHARACTERS).then(|| users.with_password(name, password)).flatten();
    let Some(user) = user else {
        tracing::warn!(user = known, "a sign-in failed");
        return Ok(Err(Refused::Wrong.counted()));
    };
    attempt.succeeded().await.map_err(|error| error.to_string())?;
    tracing::info!(user = known, role = user.role.name(), "signed in");
    Token::begin(user, now).map(Ok).ok_or_else(|| "the system has no random numbers".to_owned())
}

/// Where a request comes from, as API Gateway says.
pub(crate) fn address(context: &RequestContext) -> String {
    let RequestContext::ApiGatewayV2(context) = context else { return String::new() };
    context.http.source_ip.clone().unwrap_or_default()
}

/// The cookie of a session. It ends with the browser, or by what is in it; its path is that of the console, as no other is
/// named.
pub(crate) fn cookie(value: String) -> Cookie<'static> {
    Cookie::build((COOKIE, value)).http_only(true).secure(true).same_site(SameSite::Strict).build()
}

/// Signs somebody out. There is nothing to be read from the form: at worst, another site signs somebody out.
pub(crate) async fn out(OriginalUri(uri): OriginalUri) -> Response {
    let mut gone = cookie(String::new());
    gone.make_removal();
    let to = format!("{}sign-in", Place::of(&uri).root);
    ([(header::SET_COOKIE, gone.to_string())], Redirect::to(&to)).into_response()
}

/// Has a session that is used last on: once half of its time is over, the answer carries a later one.
pub(crate) async fn renew(State(console): State<Console>, request: Request, next: middleware::Next) -> Response {
    let later = later(&console, request.headers()).await;
    let mut answer = next.run(request).await;
    if let Some(cookie) = later.filter(|_| !answer.headers().contains_key(header::SET_COOKIE)) {
        answer.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    answer
}

async fn later(console: &Console, headers: &HeaderMap) -> Option<HeaderValue> {
    let value = CookieJar::from_headers(headers).get(COOKIE)?.value().to_owned();
    let users = console.users().await.ok()?;
    let now = clock::now();
    let token = Token::verify(&value, Kind::Session, &users, now)?;
    token.who(&users)?;
    let later = token.renewed(now)?.sign(Kind::Session, &users)?;
    HeaderValue::from_str(&cookie(later).to_string()).ok()
}
