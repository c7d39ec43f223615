//! What goes wrong with a request, as the one who asked is told: a page for people, `application/problem+json` (RFC 9457)
//! for programs.

use askama::Template;
use axum::Json;
use axum::body::to_bytes;
use axum::extract::{OriginalUri, Request};
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{Html, IntoResponse, Redirect, Response};
use ordersync_admin::{AdminError, Kind};
use serde_json::json;

use crate::place::Place;
use crate::view::Bare;

/// Why somebody may not do what they ask for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Denied {
    #[error("sign in first, or again: the session is over, or there was none")]
    SignedOut,
    #[error("to change something, show a token in the header Authorization: Bearer")]
    NoToken,
    #[error("the API's authorizer has verified no claims with a name and a role of the console")]
    NoClaims,
    #[error("that is for operators; you are signed in as a viewer")]
    Viewer,
    #[error("the form is not from a page of this session: go back, reload the page and send it again")]
    Forged,
    #[error("the console's users cannot be read: {0}")]
    NoUsers(String),
}

/// An answer that is none of what was asked for.
#[derive(Debug)]
pub(crate) struct Failure {
    place: Place,
    status: StatusCode,
    detail: String,
    to_sign_in: bool,
}

#[derive(Template)]
#[template(path = "failure.html")]
struct Page<'p> {
    frame: Bare<'p>,
    title: &'p str,
    detail: &'p str,
}

impl Failure {
    pub(crate) fn new(place: &Place, status: StatusCode, detail: impl Into<String>) -> Self {
        Self { place: place.clone(), status, detail: detail.into(), to_sign_in: false }
    }

    pub(crate) fn denied(place: &Place, denied: &Denied) -> Self {
        let status = match denied {
            Denied::SignedOut | Denied::NoToken | Denied::NoClaims => StatusCode::UNAUTHORIZED,
            Denied::Viewer | Denied::Forged => StatusCode::FORBIDDEN,
            Denied::NoUsers(_) => StatusCode::SERVICE_UNAVAILABLE,
        };
        Self { to_sign_in: *denied == Denied::SignedOut, ..Self::new(place, status, denied.to_string()) }
    }

    /// What could not be shown or done, as the one who asked is told.
    pub(crate) fn admin(place: &Place, error: AdminError) -> Self {
        let status = match error.kind {
            Kind::NotFound => StatusCode::NOT_FOUND,
            Kind::Refused | Kind::Conflict => StatusCode::CONFLICT,
            Kind::Invalid => StatusCode::UNPROCESSABLE_ENTITY,
            Kind::Unavailable => {
                tracing::error!("not answered: {}", error.message);
                StatusCode::SERVICE_UNAVAILABLE
            }
        };
        Self::new(place, status, error.message)
    }

    fn problem(&self) -> Response {
        let title = self.status.canonical_reason().unwrap_or_default();
        let body = json!({ "title": title, "status": self.status.as_u16(), "detail": self.detail });
        let mut answer = (self.status, Json(body)).into_response();
        let headers = answer.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if self.status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        answer
    }
}

/// The most that the router says of an address.
const LONGEST_REFUSAL: usize = 4096;

/// Tells what the router itself refuses as all else is told: an address that is no text, a part of it that is none of those
/// there are.
pub(crate) async fn told(request: Request, next: Next) -> Response {
    let place = Place::of(request.uri());
    let answer = next.run(request).await;
    if !is_plain_refusal(&answer) {
        return answer;
    }
    let status = answer.status();
    let detail = to_bytes(answer.into_body(), LONGEST_REFUSAL).await.unwrap_or_default();
    Failure::new(&place, status, String::from_utf8_lossy(&detail)).into_response()
}

fn is_plain_refusal(answer: &Response) -> bool {
    let kind = answer.headers().get(header::CONTENT_TYPE).map(HeaderValue::as_bytes);
    answer.status().is_client_error() && kind.is_some_and(|kind| kind.starts_with(b"text/plain"))
}

/// Where there is a page, but nothing to be sent there, or the other way round.
pub(crate) async fn wrong_method(OriginalUri(uri): OriginalUri, method: Method) -> Failure {
    let detail = format!("there is nothing here for a {method} request");
    Failure::new(&Place::of(&uri), StatusCode::METHOD_NOT_ALLOWED, detail)
}

/// Where there is no page.
pub(crate) async fn nowhere(OriginalUri(uri): OriginalUri) -> Failure {
    Failure::new(&Place::of(&uri), StatusCode::NOT_FOUND, "there is no such page")
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        if self.place.is_api {
            return self.problem();
        }
        if self.to_sign_in {
            return Redirect::to(&crate::sign_in::path(&self.place)).into_response();
        }
        let title = self.status.canonical_reason().unwrap_or_default();
        let page = Page { frame: Bare(&self.place), title, detail: &self.detail };
        match page.render() {
            Ok(html) => (self.status, Html(html)).into_response(),
            Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
        }
    }
}
