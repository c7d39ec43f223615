//! The JSON API: all that the pages show and do, for programs. Who asks shows a token with each request.

mod document;
mod exports;
mod orders;
mod settings;
mod templates;
mod tokens;

use axum::Router;
use axum::routing::{MethodRouter, delete, get, post, put};
use ordersync_admin::{
    Artefact, AtShop, Audited, Bulk, BulkReport, ConfigurationView, Done, Found, Listing, OrderView, Overview,
    PauseView, PayloadView, Saved, TemplateCheck, TemplateText, TemplateView, VersionView,
};

use crate::app::Console;
use document::{Access, Document, Endpoint};

/// An endpoint, with what answers it.
type Offer = (Endpoint, MethodRouter<Console>);

/// Every endpoint: the router and its description are made of the same list.
fn offers() -> Vec<Offer> {
    offers_of_orders().into_iter().chain(offers_of_settings()).collect()
}

/// A token, and what is about orders and their exports.
fn offers_of_orders() -> Vec<Offer> {
    use Access::{Anybody, Operator, Viewer};
    let get_ = |path, what| Endpoint::new("get", path, what, Viewer);
    let post_ = |path, what| Endpoint::new("post", path, what, Operator);
    vec![
        (
            Endpoint::new("post", "/token", "Get a token for half an hour", Anybody)
                .body::<tokens::Credentials>()
                .answers::<tokens::Granted>(),
            post(tokens::grant),
        ),
        (
            get_("/exports", "Exports, newest change first").query::<exports::Asked>().in_pages().answers::<Listing>(),
            get(exports::list),
        ),
        (
            post_("/exports/act", "Do something with many exports, or say what would be done")
                .body::<Bulk>()
                .in_pages()
                .answers::<BulkReport>(),
            post(exports::act),
        ),
        (
            get_("/orders", "Orders by number, identifier, external id or shop:order:pipeline")
                .query::<orders::Asked>()
                .answers::<Vec<Found>>(),
            get(orders::search),
        ),
        (get_("/orders/{shop}/{order}", "An order and its exports").answers::<OrderView>(), get(orders::order)),
        (
            post_("/orders/{shop}/{order}/cancel", "Cancel an order at its shop").answers::<AtShop>(),
            post(orders::cancel),
        ),
        (
            post_("/orders/{shop}/{order}/{pipeline}/act", "Do something with an export")
                .body::<orders::ToDo>()
                .answers::<Done>(),
            post(orders::act),
        ),
        (
            get_("/orders/{shop}/{order}/{pipeline}/payload", "What came from the shop, personal data hidden")
                .answers::<PayloadView>(),
            get(orders::payload),
        ),
        (
            post_("/orders/{shop}/{order}/{pipeline}/payload/reveal", "The same with personal data, which is noted")
                .answers::<PayloadView>(),
            post(orders::reveal_payload),
        ),
        (
            get_("/orders/{shop}/{order}/{pipeline}/artefact", "What went to the destination, personal data hidden")
                .answers::<Artefact>(),
            get(orders::artefact),
        ),
        (
            post_("/orders/{shop}/{order}/{pipeline}/artefact/reveal", "The same with personal data, which is noted")
                .answers::<Artefact>(),
            post(orders::reveal_artefact),
        ),
    ]
}

/// What is about all of them.
fn offers_of_settings() -> Vec<Offer> {
    use Access::{Operator, Viewer};
    let get_ = |path, what| Endpoint::new("get", path, what, Viewer);
    let post_ = |path, what| Endpoint::new("post", path, what, Operator);
    vec![
        (get_("/overview", "The state of everything").answers::<Overview>(), get(settings::overview)),
        (get_("/pauses", "What is paused").answers::<Vec<PauseView>>(), get(settings::pauses)),
        (
            Endpoint::new("put", "/pauses/{pipeline}", "Pause a pipeline; * for all of them", Operator)
                .body::<settings::Why>()
                .answers::<Vec<PauseView>>(),
            put(settings::pause),
        ),
        (
            Endpoint::new("delete", "/pauses/{pipeline}", "Resume a pipeline; * ends the pause of all", Operator)
                .answers::<Vec<PauseView>>(),
            delete(settings::resume),
        ),
        (get_("/configuration", "The configuration").answers::<ConfigurationView>(), get(settings::configuration)),
        (
            get_("/audit", "Who did what, newest first").query::<settings::Asked>().in_pages().answers::<Audited>(),
            get(settings::audit),
        ),
        (get_("/templates", "Every template").answers::<Vec<TemplateView>>(), get(templates::list)),
        (get_("/templates/{name}", "A template as it is live").answers::<TemplateText>(), get(templates::template)),
        (
            post_("/templates/{name}/check", "What a text in its place makes of a sample")
                .body::<templates::Trial>()
                .answers::<TemplateCheck>(),
            post(templates::check),
        ),
        (
            Endpoint::new("put", "/templates/{name}", "Save a template", Operator)
                .body::<templates::Change>()
                .answers::<Saved>(),
            put(templates::save),
        ),
        (
            get_("/templates/{name}/versions", "The versions of a template").answers::<Vec<VersionView>>(),
            get(templates::versions),
        ),
        (
            post_("/templates/{name}/roll-back", "Make an earlier version live again")
                .body::<templates::Back>()
                .answers::<Saved>(),
            post(templates::roll_back),
        ),
    ]
}

/// The router.
pub(crate) fn router() -> Router<Console> {
    let routes =
        offers().into_iter().fold(Router::new(), |router, (endpoint, answer)| router.route(&endpoint.path(), answer));
    routes
        .route("/api/v1/openapi.json", get(document::serve))
        .route("/api/v1/{*other}", axum::routing::any(document::nothing))
}

/// The description, in `OpenAPI` 3.1.
pub(crate) fn described() -> serde_json::Value {
    let mut document = Document::new();
    for (endpoint, _) in offers() {
        document.add(&endpoint);
    }
    document.finish()
}
