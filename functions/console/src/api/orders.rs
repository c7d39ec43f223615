//! Orders, their exports, and the documents of these.

use axum::Json;
use axum::extract::{OriginalUri, Path, State};
use axum_extra::extract::Query;
use ordersync_admin::{Action, Actor, Artefact, AtShop, Done, Found, Key, OrderKey, OrderView, PayloadView};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::access::guard::{Body, Operator, Viewer, queried};
use crate::app::Console;
use crate::failure::Failure;
use crate::place::Place;

/// What is looked for.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Asked {
    /// A number, an identifier, an external id, or `shop:order:pipeline`.
    #[schemars(length(min = 1, max = 480), regex(pattern = r"\S"))]
    q: String,
}

/// What is to be done with an export.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ToDo {
    /// What.
    action: Action,
}

pub(crate) async fn search(
    State(console): State<Console>,
    OriginalUri(uri): OriginalUri,
    _: Viewer,
    asked: Result<Query<Asked>, axum_extra::extract::QueryRejection>,
) -> Result<Json<Vec<Found>>, Failure> {
    let place = Place::of(&uri);
    let Asked { q } = queried(&place, asked)?;
    let found = console.admin.search(&console.shops().await, &q).await;
    found.map(Json).map_err(|error| Failure::admin(&place, error))
}

pub(crate) async fn order(
    State(console): State<Console>,
    OriginalUri(uri): OriginalUri,
    Path((shop, order)): Path<(String, String)>,
    _: Viewer,
) -> Result<Json<OrderView>, Failure> {
    let view = console.admin.order(&OrderKey { shop, order }).await;
    view.map(Json).map_err(|error| Failure::admin(&Place::of(&uri), error))
}

pub(crate) async fn act(
    State(console): State<Console>,
    OriginalUri(uri): OriginalUri,
    Path((shop, order, pipeline)): Path<(String, String, String)>,
    Operator(who): Operator,
    Body(ToDo { action }): Body<ToDo>,
) -> Result<Json<Done>, Failure> {
    let done = console.admin.act(&Actor(who.name), action, &Key { shop, order, pipeline }).await;
    done.map(Json).map_err(|error| Failure::admin(&Place::of(&uri), error))
}

pub(crate) async fn cancel(
    State(console): State<Console>,
    OriginalUri(uri): OriginalUri,
    Path((shop, order)): Path<(String, String)>,
    Operator(who): Operator,
) -> Result<Json<AtShop>, Failure> {
    let done = console.cancel_at_shop(&Actor(who.name), &OrderKey { shop, order }).await;
    done.map(Json).map_err(|error| Failure::admin(&Place::of(&uri), error))
}

pub(crate) async fn payload(
    State(console): State<Console>,
    OriginalUri(uri): OriginalUri,
    Path((shop, order, pipeline)): Path<(String, String, String)>,
    _: Viewer,
) -> Result<Json<PayloadView>, Failure> {
    payload_for(&console, &Place::of(&uri), &Key { shop, order, pipeline }, None).await
}

pub(crate) async fn reveal_payload(
    State(console): State<Console>,
    OriginalUri(uri): OriginalUri,
    Path((shop, order, pipeline)): Path<(String, String, String)>,
    Operator(who): Operator,
) -> Result<Json<PayloadView>, Failure> {
    payload_for(&console, &Place::of(&uri), &Key { shop, order, pipeline }, Some(&Actor(who.name))).await
}

async fn payload_for(
    console: &Console,
    place: &Place,
    key: &Key,
    to: Option<&Actor>,
) -> Result<Json<PayloadView>, Failure> {
    let config = console.config.current().await;
    let view = console.admin.payload(Some(&config), key, to).await;
    view.map(Json).map_err(|error| Failure::admin(place, error))
}

pub(crate) async fn artefact(
    State(console): State<Console>,
    OriginalUri(uri): OriginalUri,
    Path((shop, order, pipeline)): Path<(String, String, String)>,
    _: Viewer,
) -> Result<Json<Artefact>, Failure> {
    artefact_for(&console, &Place::of(&uri), &Key { shop, order, pipeline }, None).await
}

pub(crate) async fn reveal_artefact(
    State(console): State<Console>,
    OriginalUri(uri): OriginalUri,
    Path((shop, order, pipeline)): Path<(String, String, String)>,
    Operator(who): Operator,
) -> Result<Json<Artefact>, Failure> {
    artefact_for(&console, &Place::of(&uri), &Key { shop, order, pipeline }, Some(&Actor(who.name))).await
}

async fn artefact_for(
    console: &Console,
    place: &Place,
    key: &Key,
    to: Option<&Actor>,
) -> Result<Json<Artefact>, Failure> {
    let config = console.config.current().await;
    let view = console.admin.artefact(Some(&config), key, to).await;
    view.map(Json).map_err(|error| Failure::admin(place, error))
}
