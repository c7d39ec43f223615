//! The state of everything, pauses, the configuration and the audit log.

use axum::Json;
use axum::extract::{OriginalUri, Path, State};
use axum_extra::extract::Query;
use ordersync_admin::{Actor, Audited, ConfigurationView, Overview, PauseView};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::access::guard::{Body, Operator, Viewer, queried};
use crate::app::Console;
use crate::failure::Failure;
use crate::place::Place;

/// Stands for every pipeline.
const ALL: &str = "*";

/// Why a pipeline is paused.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Why {
    /// For those who come to look at it.
    #[serde(default)]
    #[schemars(length(max = 200))]
    reason: String,
}

/// Which part of the audit log.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Asked {
    /// At most so many entries: 100 where nothing is said, 500 at most.
    #[serde(default, deserialize_with = "ordersync_admin::limit")]
    #[schemars(with = "Option<u32>", range(min = 1, max = 500))]
    limit: Option<u32>,
    /// Where an earlier page ended.
    cursor: Option<String>,
}

pub(crate) async fn overview(
    State(console): State<Console>,
    OriginalUri(uri): OriginalUri,
    _: Viewer,
) -> Result<Json<Overview>, Failure> {
    console.admin.overview().await.map(Json).map_err(|error| Failure::admin(&Place::of(&uri), error))
}

pub(crate) async fn configuration(
    State(console): State<Console>,
    OriginalUri(uri): OriginalUri,
    _: Viewer,
) -> Result<Json<ConfigurationView>, Failure> {
    console.admin.configuration().await.map(Json).map_err(|error| Failure::admin(&Place::of(&uri), error))
}

pub(crate) async fn audit(
    State(console): State<Console>,
    OriginalUri(uri): OriginalUri,
    _: Viewer,
    asked: Result<Query<Asked>, axum_extra::extract::QueryRejection>,
) -> Result<Json<Audited>, Failure> {
    let place = Place::of(&uri);
    let Asked { limit, cursor } = queried(&place, asked)?;
    let audited = console.admin.audited(limit, cursor.as_deref()).await;
    audited.map(Json).map_err(|error| Failure::admin(&place, error))
}

pub(crate) async fn pauses(
    State(console): State<Console>,
    OriginalUri(uri): OriginalUri,
    _: Viewer,
) -> Result<Json<Vec<PauseView>>, Failure> {
    console.admin.pauses().await.map(Json).map_err(|error| Failure::admin(&Place::of(&uri), error))
}

pub(crate) async fn pause(
    State(console): State<Console>,
    OriginalUri(uri): OriginalUri,
    Path(pipeline): Path<String>,
    Operator(who): Operator,
    Body(Why { reason }): Body<Why>,
) -> Result<Json<Vec<PauseView>>, Failure> {
    let pipeline = Some(pipeline.as_str()).filter(|pipeline| *pipeline != ALL);
    let done = console.pause(&Actor(who.name), pipeline, &reason).await;
    done.map(Json).map_err(|error| Failure::admin(&Place::of(&uri), error))
}

pub(crate) async fn resume(
    State(console): State<Console>,
    OriginalUri(uri): OriginalUri,
    Path(pipeline): Path<String>,
    Operator(who): Operator,
) -> Result<Json<Vec<PauseView>>, Failure> {
    let pipeline = Some(pipeline.as_str()).filter(|pipeline| *pipeline != ALL);
    let done = console.resume(&Actor(who.name), pipeline).await;
    done.map(Json).map_err(|error| Failure::admin(&Place::of(&uri), error))
}
