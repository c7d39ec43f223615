//! The configuration: what it says, from where, whether it is right; and what is paused.

use askama::Template;
use axum::extract::{OriginalUri, State};
use axum::response::Response;
use ordersync_admin::{Actor, ConfigurationView, Origin, PauseView};
use serde::Deserialize;

use crate::access::Who;
use crate::access::guard::{Sent, Viewer};
use crate::app::Console;
use crate::failure::Failure;
use crate::place::Place;
use crate::view::{self, Frame};

#[derive(Template)]
#[template(path = "configuration.html")]
struct Page {
    frame: Frame,
    configuration: ConfigurationView,
    pipelines: Vec<String>,
    pauses: Vec<PauseView>,
    said: Option<String>,
}

impl Page {
    /// The pause that holds a pipeline, or everything, if there is one.
    fn pause(&self, pipeline: Option<&str>) -> Option<&PauseView> {
        self.pauses.iter().find(|pause| pause.pipeline.as_deref() == pipeline && pause.is_on)
    }
}

/// What is to be paused or resumed.
#[derive(Debug, Deserialize)]
pub(crate) struct Form {
    /// Which pipeline; empty for all of them.
    #[serde(default)]
    pipeline: String,
    #[serde(default)]
    reason: String,
    #[serde(rename = "do")]
    what: What,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum What {
    Pause,
    Resume,
}

/// The configuration.
pub(crate) async fn page(
    State(console): State<Console>,
    OriginalUri(uri): OriginalUri,
    Viewer(who): Viewer,
) -> Result<Response, Failure> {
    show(&console, &Place::of(&uri), who, None).await
}

async fn show(console: &Console, place: &Place, who: Who, said: Option<String>) -> Result<Response, Failure> {
    let fail = |error| Failure::admin(place, error);
    let configuration = console.admin.configuration().await.map_err(fail)?;
    let pauses = console.admin.pauses().await.map_err(fail)?;
    let config = console.config.current().await;
    let pipelines = config.pipelines.iter().map(|pipeline| pipeline.code.clone()).collect();
    let frame = console.frame(place.clone(), who, "Configuration").await?;
    let page = Page { frame, configuration, pipelines, pauses, said };
    Ok(page.frame.page(&page))
}

/// Pauses or resumes.
pub(crate) async fn act(
    State(console): State<Console>,
    OriginalUri(uri): OriginalUri,
    Sent { who, form }: Sent<Form>,
) -> Result<Response, Failure> {
    let place = Place::of(&uri);
    let actor = Actor(who.name.clone());
    let pipeline = Some(form.pipeline.as_str()).filter(|pipeline| !pipeline.is_empty());
    let (done, word) = match form.what {
        What::Pause => (console.pause(&actor, pipeline, form.reason.trim()).await, "is paused"),
        What::Resume => (console.resume(&actor, pipeline).await, "goes on: what waited is handed out within minutes"),
    };
    done.map_err(|error| Failure::admin(&place, error))?;
    let said = format!("{} {word}.", pipeline.unwrap_or("Every pipeline"));
    show(&console, &place, who, Some(said)).await
}
