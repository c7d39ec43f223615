//! Orders by what people know of them.

use askama::Template;
use axum::extract::{OriginalUri, State};
use axum::response::{IntoResponse, Redirect, Response};
use axum_extra::extract::Query;
use ordersync_admin::Found;
use serde::Deserialize;

use crate::access::guard::Viewer;
use crate::app::Console;
use crate::failure::Failure;
use crate::place::Place;
use crate::view::Frame;

#[derive(Template)]
#[template(path = "search.html")]
struct Page {
    frame: Frame,
    text: String,
    found: Vec<Found>,
}

/// What is looked for.
#[derive(Debug, Deserialize)]
pub(crate) struct Asked {
    #[serde(default)]
    q: String,
}

/// The orders that were found; where it is one, its page.
pub(crate) async fn page(
    State(console): State<Console>,
    OriginalUri(uri): OriginalUri,
    Viewer(who): Viewer,
    Query(Asked { q: text }): Query<Asked>,
) -> Result<Response, Failure> {
    let place = Place::of(&uri);
    let config = console.config.current().await;
    let shops: Vec<String> = config.shops.keys().cloned().collect();
    let found = console.admin.search(&shops, &text).await.map_err(|error| Failure::admin(&place, error))?;
    let frame = console.frame(place, who, "Exports").await?;
    if let [one] = &found[..] {
        return Ok(Redirect::to(&frame.order(&one.order)).into_response());
    }
    let page = Page { frame, text, found };
    Ok(page.frame.page(&page))
}
