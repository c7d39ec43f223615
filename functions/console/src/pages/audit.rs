//! Who did what.

use askama::Template;
use axum::extract::{OriginalUri, State};
use axum::response::Response;
use axum_extra::extract::Query;
use ordersync_admin::Audited;
use serde::Deserialize;

use crate::access::guard::Viewer;
use crate::app::Console;
use crate::failure::Failure;
use crate::place::Place;
use crate::view::{self, Frame};

#[derive(Template)]
#[template(path = "audit.html")]
struct Page {
    frame: Frame,
    audited: Audited,
    next: Option<String>,
}

/// From where on.
#[derive(Debug, Deserialize)]
pub(crate) struct Asked {
    cursor: Option<String>,
}

/// The audit log, newest first.
pub(crate) async fn page(
    State(console): State<Console>,
    OriginalUri(uri): OriginalUri,
    Viewer(who): Viewer,
    Query(Asked { cursor }): Query<Asked>,
) -> Result<Response, Failure> {
    let place = Place::of(&uri);
    let audited = console.admin.audited(None, cursor.as_deref()).await;
    let audited = audited.map_err(|error| Failure::admin(&place, error))?;
    let next = audited.cursor.as_ref().map(|cursor| format!("audit?cursor={}", view::part(cursor)));
    let frame = console.frame(place, who, "Audit log").await?;
    let page = Page { frame, audited, next };
    Ok(page.frame.page(&page))
}
