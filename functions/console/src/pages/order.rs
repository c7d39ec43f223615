//! One order: its facts, every export with its attempts, what came and what went, and what can be done.

pub(crate) mod documents;

use askama::Template;
use axum::extract::{OriginalUri, Path, State};
use axum::response::Response;
use ordersync_admin::{Action, Actor, AtShop, ExportView, Key, Kind, OrderKey, OrderView, may_cancel_at_shop};
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
    /// What is to be confirmed.
    asked: Option<Asked>,
    /// Where its log lines are; nothing where there is no such place.
    logs: Option<String>,
    /// Why it cannot be cancelled at its shop; nothing where it can.
    not_at_shop: Option<String>,
}

/// What is asked for twice, as it cannot be taken back.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Asked {
    /// Something is done with an export.
    Export(Key, Action),
    /// The order is cancelled at its shop.
    AtShop,
}

/// What became of an action.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Said {
    is_done: bool,
    text: String,
}

impl Page {
    /// Whether the page asks to confirm this action.
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "a page hands over references")]
    fn asks(&self, export: &ExportView, action: &Action) -> bool {
        matches!(&self.asked, Some(Asked::Export(key, asked)) if *key == export.row.key && asked == action)
    }

    fn asks_at_shop(&self) -> bool {
        self.asked == Some(Asked::AtShop)
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
    asked: Option<Asked>,
) -> Result<Response, Failure> {
    let has_done = said.as_ref().is_some_and(|said| said.is_done);
    let order = match console.admin.order(&order).await {
        // Its last row was deleted, which is no failure.
        Err(error) if has_done && error.kind == Kind::NotFound => OrderView::gone(order),
        order => order.map_err(|error| Failure::admin(place, error))?,
    };
    let config = console.config.current().await;
    let not_at_shop = match &order.exports[..] {
        [] => Some("nothing is left of it here".to_owned()),
        _ => may_cancel_at_shop(&config, &order.order.shop, &order.facts).err().map(|error| error.message),
    };
    let logs = console.logs.as_ref().map(|logs| logs.of(&order.order.shop, &order.order.order));
    let frame = console.frame(place.clone(), who, "Exports").await?;
    let page = Page { frame, order, said, asked, logs, not_at_shop };
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
        return show(&console, &place, who, of, None, Some(Asked::Export(key, form.action))).await;
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

/// What the button for the whole order sends.
#[derive(Debug, Deserialize)]
pub(crate) struct Confirmation {
    #[serde(default)]
    confirmed: String,
}

/// Cancels the order at its shop.
pub(crate) async fn cancel(
    State(console): State<Console>,
    OriginalUri(uri): OriginalUri,
    Path((shop, order)): Path<(String, String)>,
    Sent { who, form }: Sent<Confirmation>,
) -> Result<Response, Failure> {
    let place = Place::of(&uri);
    let order = OrderKey { shop, order };
    if form.confirmed.is_empty() {
        return show(&console, &place, who, order, None, Some(Asked::AtShop)).await;
    }
    let said = match console.cancel_at_shop(&Actor(who.name.clone()), &order).await {
        Ok(AtShop::Canceled) => Said { is_done: true, text: "The shop has cancelled the order.".into() },
        Ok(AtShop::WasCanceled) => Said { is_done: true, text: "The shop had cancelled the order before.".into() },
        Ok(AtShop::Started) => Said {
            is_done: true,
            text: "The shop has taken the cancellation, and will say by a webhook when it is carried out.".into(),
        },
        Err(error) => Said { is_done: false, text: format!("Not cancelled at the shop: {}", error.message) },
    };
    show(&console, &place, who, order, Some(said), None).await
}
