//! Exports as a list, and many at once.

use std::collections::BTreeSet;

use axum::Json;
use axum::extract::{OriginalUri, State};
use axum_extra::extract::Query;
use jiff::Timestamp;
use ordersync::ledger::Status;
use ordersync_admin::{Actor, Bulk, BulkReport, Filter, Listing, Page};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::access::guard::{Body, Operator, Viewer, queried};
use crate::app::Console;
use crate::failure::Failure;
use crate::place::Place;

/// Which exports, and which part of the list.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[derive(Default)]
pub(crate) struct Asked {
    /// In one of these states; none means in any.
    #[schemars(with = "Vec<Status>")]
    status: BTreeSet<Status>,
    /// Of this pipeline.
    pipeline: Option<String>,
    /// Of this shop.
    shop: Option<String>,
    /// Whose state last changed then or later.
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    since: Option<Timestamp>,
    /// Whose state last changed then or earlier.
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    until: Option<Timestamp>,
    /// Whose last error has this text in it.
    error_text: Option<String>,
    /// At most so many: 50 where nothing is said, 500 at most.
    #[serde(default, deserialize_with = "ordersync_admin::limit")]
    #[schemars(with = "Option<u32>", range(min = 1, max = 500))]
    limit: Option<u32>,
    /// Where an earlier page ended.
    cursor: Option<String>,
}

pub(crate) async fn list(
    State(console): State<Console>,
    OriginalUri(uri): OriginalUri,
    _: Viewer,
    asked: Result<Query<Asked>, axum_extra::extract::QueryRejection>,
) -> Result<Json<Listing>, Failure> {
    let place = Place::of(&uri);
    let Asked { status, pipeline, shop, since, until, error_text, limit, cursor } = queried(&place, asked)?;
    let filter = Filter { status, pipeline, shop, since, until, error_text };
    let listing = console.admin.list(&filter, &Page { limit, cursor }).await;
    listing.map(Json).map_err(|error| Failure::admin(&place, error))
}

pub(crate) async fn act(
    State(console): State<Console>,
    OriginalUri(uri): OriginalUri,
    Operator(who): Operator,
    Body(bulk): Body<Bulk>,
) -> Result<Json<BulkReport>, Failure> {
    let report = console.admin.bulk(&Actor(who.name), &bulk).await;
    report.map(Json).map_err(|error| Failure::admin(&Place::of(&uri), error))
}
