//! One order: its facts, every export with its attempts, what came and what went, and what can be done.

pub(crate) mod documents;

use askama::Template;
use axum::extract::{OriginalUri, Path, State};
use axum::response::Response;
use ordersync_admin::{Action, Actor, ExportView, Key, OrderKey, OrderView};
use serde::Deserialize;

use crate::access::Who;
use crate::access::guard::{Sent, Viewer};
use crate::app::Console;
use crate::failure::Failure;
use crate::place::Place;
use crate::view::{self, Frame};

#[derive(Template)]
#[template(path = "order.html")]
struct Page {
    frame: Frame,
    order: OrderView,
    /// What was just done, or why not.
    said: Option<Said>,
    /// An action that is to be confirmed.
    asked: Option<(Key, Action)>,
}

/// What became of an action.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Said {
    is_done: bool,
    text: String,
}

impl Page {
    /// Whether the page asks to confirm this action.
    fn asks(&self, export: &ExportView, action: &Action) -> bool {
        self.asked.as_ref().is_some_and(|(key, asked)| *key == export.row.key && asked == action)
    }
}

/// The page of an order.
pub(crate) async fn page(
    State(console): State<Console>,
    OriginalUri(uri): OriginalUri,
    Path((shop, order)): Path<(String, String)>,
    Viewer(who): Viewer,
) -> Result<Response, Failure> {
    show(&console, &Place::of(&uri), who, OrderKey { shop, order }, None, None).await
}

async fn show(
    console: &Console,
    place: &Place,
    who: Who,
    order: OrderKey,
    said: Option<Said>,
    asked: Option<(Key, Action)>,
) -> Result<Response, Failure> {
    let order = console.admin.order(&order).await.map_err(|error| Failure::admin(place, error))?;
    let frame = console.frame(place.clone(), who, "Exports").await?;
    let page = Page { frame, order, said, asked };
    Ok(page.frame.page(&page))
}

/// What the buttons of an export send.
#[derive(Debug, Deserialize)]
pub(crate) struct Form {
    pipeline: String,
    action: Action,
    #[serde(default)]
    confirmed: String,
}

/// Does something with an export. What cannot be taken back is asked for twice.
pub(crate) async fn act(
    State(console): State<Console>,
    OriginalUri(uri): OriginalUri,
    Path((shop, order)): Path<(String, String)>,
    Sent { who, form }: Sent<Form>,
) -> Result<Response, Failure> {
    let place = Place::of(&uri);
    let key = Key { shop, order, pipeline: form.pipeline };
    let of = key.order();
    if form.action == Action::Delete && form.confirmed.is_empty() {
        return show(&console, &place, who, of, None, Some((key, form.action))).await;
    }
    let done = console.admin.act(&Actor(who.name.clone()), form.action, &key).await;
    let what = format!("{} of {}", view::label(&form.action), key.pipeline);
    let said = match done {
        Ok(done) => {
            let status = done.export.map_or("its row is gone", |export| export.status.name());
            let note = done.note.map(|note| format!(" ({note})")).unwrap_or_default();
            Said { is_done: true, text: format!("{what}: {status}{note}") }
        }
        Err(error) => Said { is_done: false, text: format!("{what}: {}", error.message) },
    };
    show(&console, &place, who, of, Some(said), None).await
}
