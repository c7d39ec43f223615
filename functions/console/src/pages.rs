//! The pages.

use askama::Template;
use axum::extract::OriginalUri;
use axum::response::{Html, IntoResponse, Response};

use crate::access::Who;
use crate::access::guard::Viewer;
use crate::failure::Failure;
use crate::place::Place;

/// The main pages.
pub(crate) const NAVIGATION: &[(&str, &str)] = &[("../console", "Overview")];

/// What stands around every page.
#[derive(Debug)]
pub(crate) struct Chrome {
    pub(crate) section: &'static str,
    pub(crate) who: Who,
}

impl Chrome {
    fn may_sign_out(&self) -> bool {
        !self.who.session.is_empty()
    }
}

#[derive(Template)]
#[template(path = "home.html")]
struct Home<'p> {
    root: &'p str,
    chrome: Chrome,
}

pub(crate) async fn home(OriginalUri(uri): OriginalUri, Viewer(who): Viewer) -> Response {
    let place = Place::of(&uri);
    let home = Home { root: &place.root, chrome: Chrome { section: "Overview", who } };
    match home.render() {
        Ok(html) => Html(html).into_response(),
        Err(error) => {
            Failure::new(&place, axum::http::StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response()
        }
    }
}
