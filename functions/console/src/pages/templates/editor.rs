//! The editor of a template: what it makes of an order, what is wrong, what differs from the live one, and its versions.

use askama::Template;
use axum::extract::{OriginalUri, State};
use axum::response::Response;
use axum_extra::extract::Query;
use ordersync_admin::{
    Actor, AdminError, Filter, Key, Kind, Page as Part, Sample, TemplateCheck, TemplateText, VersionView,
};
use serde::Deserialize;

use super::diff::{self, Line};
use crate::access::Who;
use crate::access::guard::{Sent, Viewer};
use crate::app::Console;
use crate::failure::Failure;
use crate::place::Place;
use crate::view::{self, Frame};

/// When it counts.
const IN_USE: &str = "New orders are exported by it within a minute, what is reset or exported now at once.";

#[derive(Template)]
#[template(path = "template.html")]
struct Page {
    frame: Frame,
    live: TemplateText,
    form: Form,
    check: Option<TemplateCheck>,
    /// Why there is no check: what it was to be tried with.
    problem: Option<String>,
    diff: Vec<Line>,
    /// Why there are none, where there are none.
    versions: Result<Vec<VersionView>, String>,
    shops: Vec<String>,
    said: Option<(bool, String)>,
}

impl Page {
    /// Whether the text itself is wrong.
    fn is_bad(&self) -> bool {
        self.check.as_ref().is_some_and(|check| !check.problems.is_empty())
    }
}

/// Which template.
#[derive(Debug, Deserialize)]
pub(crate) struct Asked {
    name: String,
    /// What it is to be tried with from the beginning.
    #[serde(default)]
    sample: String,
    /// An earlier version, to be edited.
    #[serde(default)]
    version: String,
}

/// The editor's form.
#[derive(Debug, Clone, Default, Deserialize)]
pub(crate) struct Form {
    name: String,
    #[serde(default)]
    text: String,
    /// Which live text it was made from.
    #[serde(default)]
    tag: String,
    /// What it is tried with: an order's number or identifier, or `shop:order:pipeline`.
    #[serde(default)]
    sample: String,
    /// Or a webhook of this shop.
    #[serde(default)]
    shop: String,
    #[serde(default)]
    body: String,
    #[serde(rename = "do", default)]
    what: What,
    #[serde(default)]
    version: String,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum What {
    #[default]
    Preview,
    Save,
    RollBack,
}

/// The editor, with the template as it is live or was in a version.
pub(crate) async fn page(
    State(console): State<Console>,
    OriginalUri(uri): OriginalUri,
    Viewer(who): Viewer,
    Query(asked): Query<Asked>,
) -> Result<Response, Failure> {
    let place = Place::of(&uri);
    let fail = |error| Failure::admin(&place, error);
    let live = console.admin.template(&asked.name).await.map_err(fail)?;
    let text = match asked.version.as_str() {
        "" => live.text.clone(),
        version => console.admin.template_version(&asked.name, version).await.map_err(fail)?,
    };
    let sample = match asked.sample.as_str() {
        "" => latest(&console, &asked.name).await.unwrap_or_default(),
        sample => sample.to_owned(),
    };
    let tag = live.tag.clone().unwrap_or_default();
    let form = Form { name: asked.name, text, tag, sample, ..Form::default() };
    show(&console, &place, who, form, live, None).await
}

/// The latest export of a pipeline that has the template.
async fn latest(console: &Console, name: &str) -> Option<String> {
    let templates = console.admin.templates().await.ok()?;
    let pipeline = templates.into_iter().find(|template| template.name == name)?.pipelines.into_iter().next();
    let filter = Filter { pipeline, ..Filter::default() };
    let listing = console.admin.list(&filter, &Part { limit: Some(1), cursor: None }).await.ok()?;
    listing.exports.first().map(|export| view::key(&export.key))
}

/// Tries what was edited, and saves it if that is asked for and it is right.
pub(crate) async fn submit(
    State(console): State<Console>,
    OriginalUri(uri): OriginalUri,
    Sent { who, form }: Sent<Form>,
) -> Result<Response, Failure> {
    changed(&console, &Place::of(&uri), who, form).await
}

/// Makes an earlier version live again. A form of its own address, as the button says which version.
pub(crate) async fn roll_back(
    State(console): State<Console>,
    OriginalUri(uri): OriginalUri,
    Sent { who, form }: Sent<Form>,
) -> Result<Response, Failure> {
    let form = Form { what: What::RollBack, ..form };
    changed(&console, &Place::of(&uri), who, form).await
}

async fn changed(console: &Console, place: &Place, who: Who, form: Form) -> Result<Response, Failure> {
    // Browsers send line ends as networks do.
    let mut form = Form { text: form.text.replace("\r\n", "\n"), ..form };
    let said = match change(console, &who, &form).await {
        Ok(None) => None,
        Ok(Some(said)) => Some((true, said)),
        Err(error) if error.kind == Kind::Unavailable => return Err(Failure::admin(place, error)),
        Err(error) => Some((false, format!("Not saved. {}", error.message))),
    };
    let live = console.admin.template(&form.name).await.map_err(|error| Failure::admin(place, error))?;
    if said.as_ref().is_some_and(|(is_done, _)| *is_done) {
        form.tag = live.tag.clone().unwrap_or_default();
        form.text.clone_from(&live.text);
    }
    show(console, place, who, form, live, said).await
}

async fn change(console: &Console, who: &Who, form: &Form) -> Result<Option<String>, AdminError> {
    let actor = Actor(who.name.clone());
    let tag = Some(form.tag.as_str()).filter(|tag| !tag.is_empty());
    match form.what {
        What::Preview => Ok(None),
        What::Save => {
            let sample = sample(console, form).await?;
            console.admin.save_template(&actor, &form.name, &form.text, tag, &sample).await?;
            Ok(Some(format!("Saved. {IN_USE}")))
        }
        What::RollBack => {
            let sample = sample(console, form).await?;
            console.admin.roll_back_template(&actor, &form.name, &form.version, tag, &sample).await?;
            Ok(Some(format!("Rolled back to version {}. {IN_USE}", form.version)))
        }
    }
}

/// What the form says to try the template with.
async fn sample(console: &Console, form: &Form) -> Result<Sample, AdminError> {
    if !form.body.trim().is_empty() {
        return Ok(Sample::Webhook { shop: form.shop.clone(), body: form.body.clone() });
    }
    let text = form.sample.trim();
    if let Some(key) = Key::parse(text) {
        return Ok(Sample::Export(key));
    }
    if text.is_empty() {
        return Err(AdminError::invalid("Choose an order, or give a webhook, to try it with."));
    }
    let config = console.config.current().await;
    let shops: Vec<String> = config.shops.keys().cloned().collect();
    let found = console.admin.search(&shops, text).await?;
    let templates = console.admin.templates().await?;
    let pipelines =
        templates.into_iter().find(|one| one.name == form.name).map(|one| one.pipelines).unwrap_or_default();
    let mut exports = found.iter().flat_map(|order| &order.exports);
    let export = exports.find(|export| pipelines.contains(&export.key.pipeline));
    let export = export.ok_or_else(|| {
        AdminError::not_found(format!(
            "There is no order {text:?} with an export by a pipeline that has this template."
        ))
    })?;
    Ok(Sample::Export(export.key.clone()))
}

async fn show(
    console: &Console,
    place: &Place,
    who: Who,
    form: Form,
    live: TemplateText,
    said: Option<(bool, String)>,
) -> Result<Response, Failure> {
    let checked = match sample(console, &form).await {
        Ok(sample) => console.admin.check_template(&form.name, &form.text, &sample, None).await,
        Err(error) => Err(error),
    };
    let (check, problem) = match checked {
        Ok(check) => (Some(check), None),
        Err(error) => (None, Some(error.message)),
    };
    let versions = console.admin.template_versions(&form.name).await.map_err(|error| error.message);
    let config = console.config.current().await;
    let shops = config.shops.keys().cloned().collect();
    let diff = diff::lines(&live.text, &form.text);
    let frame = console.frame(place.clone(), who, "Templates").await?;
    let page = Page { frame, live, form, check, problem, diff, versions, shops, said };
    Ok(page.frame.page(&page))
}
