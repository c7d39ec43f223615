//! The console: what it works with, and which address leads where.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::DefaultBodyLimit;
use axum::middleware::{from_fn, from_fn_with_state, map_response};
use axum::response::Response;
use axum::routing::{get, post};
use ordersync::config::Live;
use ordersync::pipeline::transport::Clients;
use ordersync::secrets::{Freshness, Secrets};
use ordersync_admin::{Actor, Admin, AdminError, AtShop, OrderKey, PauseView};
use tokio::time::Instant;
use tower::{Service, ServiceBuilder};

use crate::access::Who;
use crate::access::claims::Claims;
use crate::access::users::Users;
use crate::failure::{Denied, Failure};
use crate::logs::Logs;
use crate::pages::order::documents;
use crate::pages::templates::editor;
use crate::place::Place;
use crate::view::Frame;
use crate::{api, assets, failure, headers, pages, place, sign_in};

/// A template of an order is some kilobytes; nothing that is sent here is larger.
const LARGEST_BODY: usize = 1024 * 1024;
/// How long a shop may take to cancel an order.
const AT_SHOP: Duration = Duration::from_secs(20);

/// What the console works with, built once.
#[derive(Debug, Clone)]
pub(crate) struct Console {
    /// What there is to be seen and done.
    pub(crate) admin: Arc<Admin>,
    /// Where log lines are looked at, if anywhere.
    pub(crate) logs: Option<Arc<Logs>>,
    /// The configuration, as the functions have it.
    pub(crate) config: Arc<Live>,
    pub(crate) secrets: Secrets,
    /// Name of the secret with the users.
    pub(crate) secret: Arc<str>,
    /// Which claims say who asks, where the API's authorizer does that and nobody signs in here.
    pub(crate) claims: Option<Arc<Claims>>,
}

impl Console {
    /// The frame of a page for somebody.
    pub(crate) async fn frame(&self, place: Place, who: Who, section: &'static str) -> Result<Frame, Failure> {
        let users = self.users().await.map_err(|denied| Failure::denied(&place, &denied))?;
        Ok(Frame::new(place, who, &users, section))
    }

    /// Codes of the shops.
    pub(crate) async fn shops(&self) -> Vec<String> {
        self.config.current().await.shops.keys().cloned().collect()
    }

    /// Pauses a pipeline of the configuration, or all of them. What is paused then.
    pub(crate) async fn pause(
        &self,
        actor: &Actor,
        pipeline: Option<&str>,
        reason: &str,
    ) -> Result<Vec<PauseView>, AdminError> {
        self.known(pipeline).await?;
        self.admin.pause(actor, pipeline, reason).await?;
        self.admin.pauses().await
    }

    /// Resumes a pipeline of the configuration, or all of them. What is paused then.
    pub(crate) async fn resume(&self, actor: &Actor, pipeline: Option<&str>) -> Result<Vec<PauseView>, AdminError> {
        self.known(pipeline).await?;
        self.admin.resume(actor, pipeline).await?;
        self.admin.pauses().await
    }

    async fn known(&self, pipeline: Option<&str>) -> Result<(), AdminError> {
        let config = self.config.current().await;
        match pipeline.filter(|code| config.pipelines.iter().all(|pipeline| pipeline.code != **code)) {
            Some(code) => Err(AdminError::not_found(format!("no pipeline {code:?} is configured"))),
            None => Ok(()),
        }
    }

    /// Cancels an order at its shop.
    pub(crate) async fn cancel_at_shop(&self, actor: &Actor, order: &OrderKey) -> Result<AtShop, AdminError> {
        let config = self.config.current().await;
        let (payloads, egress) = (&self.admin.payloads, config.egress.clone());
        let clients = Clients::new(payloads.s3.clone(), payloads.bucket.clone(), self.secrets.clone(), egress);
        self.admin.cancel_at_shop(actor, &config, &clients, order, Instant::now() + AT_SHOP).await
    }

    /// The users as the secret has them now, or had them a few minutes ago.
    pub(crate) async fn users(&self) -> Result<Users, Denied> {
        let secret = self.secrets.get(&self.secret, Freshness::Usual).await;
        let users = match secret {
            Ok(secret) => Users::from_json(secret.expose()).map_err(|error| error.to_string()),
            Err(error) => Err(error.to_string()),
        };
        users.map_err(|reason| {
            tracing::error!("nobody can sign in: {reason}");
            Denied::NoUsers(reason)
        })
    }
}

/// The console as a service: its router, wherever the API has put it.
pub(crate) fn service(
    console: Console,
) -> impl Service<lambda_http::Request, Response = Response, Error = Infallible, Future: Send> + Clone {
    let below = |request: lambda_http::Request| {
        let mut request = request.map(Body::new);
        if let Some(uri) = place::below(request.uri()) {
            *request.uri_mut() = uri;
        }
        request
    };
    ServiceBuilder::new().map_request(below).service(router(console))
}

/// Everything that can be asked for.
fn router(console: Console) -> Router {
    Router::new()
        .route("/console", get(pages::overview::page))
        .route("/console/exports", get(pages::exports::page))
        .route("/console/exports.csv", get(pages::exports::csv::file))
        .route("/console/exports/act", post(pages::exports::many::act))
        .route("/console/orders/{shop}/{order}", get(pages::order::page))
        .route("/console/orders/{shop}/{order}/cancel", post(pages::order::cancel))
        .route("/console/orders/{shop}/{order}/act", post(pages::order::act))
        .route("/console/orders/{shop}/{order}/{pipeline}/{kind}", get(documents::page).post(documents::reveal))
        .route("/console/search", get(pages::search::page))
        .route("/console/configuration", get(pages::configuration::page).post(pages::configuration::act))
        .route("/console/templates", get(pages::templates::page))
        .route("/console/template", get(editor::page).post(editor::submit))
        .route("/console/template/roll-back", post(editor::roll_back))
        .route("/console/audit", get(pages::audit::page))
        .route("/console/sign-in", get(sign_in::page).post(sign_in::submit))
        .route("/console/sign-out", post(sign_in::out))
        .route("/console/assets/{name}", get(assets::asset))
        .merge(api::router())
        .fallback(failure::nowhere)
        .method_not_allowed_fallback(failure::wrong_method)
        .layer(from_fn_with_state(console.clone(), sign_in::renew))
        .layer(from_fn(failure::told))
        .layer(DefaultBodyLimit::max(LARGEST_BODY))
        .layer(map_response(headers::harden))
        .with_state(console)
}
