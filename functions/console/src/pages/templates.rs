//! Templates: the list, and the editor with its preview.

pub(crate) mod diff;
pub(crate) mod editor;

use askama::Template;
use axum::extract::{OriginalUri, State};
use axum::response::Response;
use ordersync_admin::TemplateView;

use crate::access::guard::Viewer;
use crate::app::Console;
use crate::failure::Failure;
use crate::place::Place;
use crate::view::{self, Frame};

#[derive(Template)]
#[template(path = "templates.html")]
struct Page {
    frame: Frame,
    templates: Vec<TemplateView>,
}

/// Every template that the configuration names.
pub(crate) async fn page(
    State(console): State<Console>,
    OriginalUri(uri): OriginalUri,
    Viewer(who): Viewer,
) -> Result<Response, Failure> {
    let place = Place::of(&uri);
    let templates = console.admin.templates().await.map_err(|error| Failure::admin(&place, error))?;
    let frame = console.frame(place, who, "Templates").await?;
    let page = Page { frame, templates };
    Ok(page.frame.page(&page))
}
