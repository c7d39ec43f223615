//! Templates.

use axum::Json;
use axum::extract::{OriginalUri, Path, State};
use ordersync_admin::{Actor, Sample, Saved, TemplateCheck, TemplateText, TemplateView, VersionView};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::access::guard::{Body, Operator, Viewer};
use crate::app::Console;
use crate::failure::Failure;
use crate::place::Place;

/// A text to be tried.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Trial {
    /// The template.
    text: String,
    /// What it is tried with.
    sample: Sample,
}

/// A text to be saved.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Change {
    /// The template.
    text: String,
    /// The tag of the live text that it was made from.
    tag: Option<String>,
    /// What it has to make a document of.
    sample: Sample,
}

/// A version to go back to.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Back {
    /// The version.
    version: String,
    /// The tag of the text that is live.
    tag: Option<String>,
    /// What it has to make a document of.
    sample: Sample,
}

pub(crate) async fn list(
    State(console): State<Console>,
    OriginalUri(uri): OriginalUri,
    _: Viewer,
) -> Result<Json<Vec<TemplateView>>, Failure> {
    console.admin.templates().await.map(Json).map_err(|error| Failure::admin(&Place::of(&uri), error))
}

pub(crate) async fn template(
    State(console): State<Console>,
    OriginalUri(uri): OriginalUri,
    Path(name): Path<String>,
    _: Viewer,
) -> Result<Json<TemplateText>, Failure> {
    console.admin.template(&name).await.map(Json).map_err(|error| Failure::admin(&Place::of(&uri), error))
}

pub(crate) async fn check(
    State(console): State<Console>,
    OriginalUri(uri): OriginalUri,
    Path(name): Path<String>,
    _: Operator,
    Body(Trial { text, sample }): Body<Trial>,
) -> Result<Json<TemplateCheck>, Failure> {
    let check = console.admin.check_template(&name, &text, &sample, None).await;
    check.map(Json).map_err(|error| Failure::admin(&Place::of(&uri), error))
}

pub(crate) async fn save(
    State(console): State<Console>,
    OriginalUri(uri): OriginalUri,
    Path(name): Path<String>,
    Operator(who): Operator,
    Body(Change { text, tag, sample }): Body<Change>,
) -> Result<Json<Saved>, Failure> {
    let saved = console.admin.save_template(&Actor(who.name), &name, &text, tag.as_deref(), &sample).await;
    saved.map(Json).map_err(|error| Failure::admin(&Place::of(&uri), error))
}

pub(crate) async fn versions(
    State(console): State<Console>,
    OriginalUri(uri): OriginalUri,
    Path(name): Path<String>,
    _: Viewer,
) -> Result<Json<Vec<VersionView>>, Failure> {
    console.admin.template_versions(&name).await.map(Json).map_err(|error| Failure::admin(&Place::of(&uri), error))
}

pub(crate) async fn roll_back(
    State(console): State<Console>,
    OriginalUri(uri): OriginalUri,
    Path(name): Path<String>,
    Operator(who): Operator,
    Body(Back { version, tag, sample }): Body<Back>,
) -> Result<Json<Saved>, Failure> {
    let actor = Actor(who.name);
    let saved = console.admin.roll_back_template(&actor, &name, &version, tag.as_deref(), &sample).await;
    saved.map(Json).map_err(|error| Failure::admin(&Place::of(&uri), error))
}
