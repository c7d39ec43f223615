//! What came from the shop and what went to the destination, for people to read. Personal data is hidden until somebody asks
//! for it, which is in the audit log.

use askama::Template;
use axum::extract::{OriginalUri, Path, State};
use axum::response::Response;
use ordersync_admin::{Actor, ArtefactFrom, Key, Text};
use serde::Deserialize;

use crate::access::Who;
use crate::access::guard::{Sent, Viewer};
use crate::app::Console;
use crate::failure::Failure;
use crate::place::Place;
use crate::view::Frame;

/// Which document of an export.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Kind {
    /// What came from the shop.
    Payload,
    /// What went to the destination.
    Artefact,
}

#[derive(Template)]
#[template(path = "document.html")]
struct Page {
    frame: Frame,
    key: Key,
    kind: Kind,
    parts: Vec<Part>,
    is_masked: bool,
}

/// A text with what it is.
struct Part {
    name: String,
    text: Result<Text, String>,
}

/// A document with personal data hidden.
pub(crate) async fn page(
    State(console): State<Console>,
    OriginalUri(uri): OriginalUri,
    Path((shop, order, pipeline, kind)): Path<(String, String, String, Kind)>,
    Viewer(who): Viewer,
) -> Result<Response, Failure> {
    show(&console, &Place::of(&uri), who, Key { shop, order, pipeline }, kind, false).await
}

/// Nothing is asked for but the document itself.
#[derive(Debug, Deserialize)]
pub(crate) struct Nothing {}

/// The same with personal data, for an operator who asked for it.
pub(crate) async fn reveal(
    State(console): State<Console>,
    OriginalUri(uri): OriginalUri,
    Path((shop, order, pipeline, kind)): Path<(String, String, String, Kind)>,
    Sent { who, form: Nothing {} }: Sent<Nothing>,
) -> Result<Response, Failure> {
    show(&console, &Place::of(&uri), who, Key { shop, order, pipeline }, kind, true).await
}

async fn show(
    console: &Console,
    place: &Place,
    who: Who,
    key: Key,
    kind: Kind,
    reveals: bool,
) -> Result<Response, Failure> {
    let actor = reveals.then(|| Actor(who.name.clone()));
    let config = console.config.current().await;
    let fail = |error| Failure::admin(place, error);
    let parts = match kind {
        Kind::Payload => {
            let payload = console.admin.payload(Some(&config), &key, actor.as_ref()).await.map_err(fail)?;
            let problem = payload.problem.unwrap_or_default();
            let order = Part { name: "The order, as every format sees it".into(), text: payload.order.ok_or(problem) };
            vec![order, Part { name: "The webhook, as it came".into(), text: Ok(payload.webhook) }]
        }
        Kind::Artefact => {
            let artefact = console.admin.artefact(Some(&config), &key, actor.as_ref()).await.map_err(fail)?;
            let from = match artefact.from {
                ArtefactFrom::Object(uri) => format!("{uri}, as it was written"),
                ArtefactFrom::RenderedAnew => "Made anew, with the configuration as it is now".to_owned(),
            };
            vec![Part { name: format!("{from} ({})", artefact.media_type), text: Ok(artefact.document) }]
        }
    };
    let frame = console.frame(place.clone(), who, "Exports").await?;
    let page = Page { frame, key, kind, parts, is_masked: !reveals };
    Ok(page.frame.page(&page))
}
