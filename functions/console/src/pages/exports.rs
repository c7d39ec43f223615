//! Exports as a table: filtered, page by page, and many of them acted on at once.

pub(crate) mod asked;
pub(crate) mod csv;
pub(crate) mod many;

use askama::Template;
use axum::extract::{OriginalUri, State};
use axum::response::Response;
use axum_extra::extract::Query;
use ordersync::ledger::Status;
use ordersync_admin::{Action, Listing, Page as Part};

use crate::access::guard::Viewer;
use crate::app::Console;
use crate::failure::Failure;
use crate::place::Place;
use crate::view::{self, Frame};
use asked::Asked;

#[derive(Template)]
#[template(path = "exports.html")]
struct Page {
    frame: Frame,
    asked: Asked,
    listing: Listing,
    pipelines: Vec<String>,
    shops: Vec<String>,
    /// The same list from where this page ends; nothing at its end.
    next: Option<String>,
    /// The list as CSV.
    csv: String,
}

impl Page {
    #[expect(clippy::unused_self, reason = "a page reaches constants by its methods only")]
    fn statuses(&self) -> [Status; 7] {
        Status::ALL
    }

    #[expect(clippy::unused_self, reason = "a page reaches constants by its methods only")]
    fn actions(&self) -> [Action; 5] {
        Action::ALL
    }
}

/// The table.
pub(crate) async fn page(
    State(console): State<Console>,
    OriginalUri(uri): OriginalUri,
    Viewer(who): Viewer,
    Query(asked): Query<Asked>,
) -> Result<Response, Failure> {
    let place = Place::of(&uri);
    let fail = |error| Failure::admin(&place, error);
    let filter = asked.filter().map_err(fail)?;
    let part = Part { limit: None, cursor: asked.cursor() };
    let listing = console.admin.list(&filter, &part).await.map_err(fail)?;
    let config = console.config.current().await;
    let next = listing.cursor.as_ref().map(|cursor| format!("exports?{}", asked.query(Some(cursor))));
    let csv = format!("exports.csv?{}", asked.query(None));
    let pipelines = config.pipelines.iter().map(|pipeline| pipeline.code.clone()).collect();
    let shops = config.shops.keys().cloned().collect();
    let frame = console.frame(place, who, "Exports").await?;
    let page = Page { frame, asked, listing, pipelines, shops, next, csv };
    Ok(page.frame.page(&page))
}
