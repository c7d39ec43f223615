//! Calls to real servers on this machine that answer as the platforms document it.

mod bigcommerce;
mod common;
mod fetch;
mod generic;
mod magento;
mod settings;
mod shopify;
mod shopware;
mod woocommerce;

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;
use toml::de::DeTable;

use super::has_money_in;
use super::{Cancellation, OrderRef, OrderState, ShopApi, ShopFailure, read};
use crate::config::document::{Problem, Problems, Table};
use crate::pipeline::transport::Clients;
use crate::pipeline::transport::egress::{self, Egress};
use crate::pipeline::transport::http::tests::server::{Received, Server, reply};
use crate::secrets::{Secret, Secrets};

/// Longer than any call in these tests takes, so that only calls that never end reach it.
const AMPLE: Duration = Duration::from_mins(1);

/// The calls that `settings` (the inside of an inline table) describe, with the hosts in `allow`.
fn load(platform: &str, settings: &str, allow: &[String]) -> (Option<Arc<dyn ShopApi>>, Egress, Vec<Problem>) {
    let text = format!("api = {{ {settings} }}\negress = {{ allow = {allow:?} }}\n");
    let document = DeTable::parse(&text).unwrap();
    let problems = Problems::new("ordersync.toml", &text);
    let root = Table::root(document.get_ref(), &problems);
    let egress = egress::read(root.get("egress").as_ref(), &crate::config::Files::default());
    let api = read(platform, &root.get("api").unwrap(), &egress);
    (api, egress, problems.into_sorted())
}

/// The calls to a shop, with the clients that they need.
struct Bench {
    api: Arc<dyn ShopApi>,
    clients: Clients,
    order: OrderRef<'static>,
    limit: Duration,
}

impl Bench {
    /// Calls a shop of the platform at `server`, below the path `/base`.
    fn to(platform: &str, server: &Server, settings: &str) -> Self {
        let settings = format!("url = \"http://{}/base\", auth = \"shop-secret\", {settings}", server.host());
        let (api, egress, problems) = load(platform, &settings, &[server.host()]);
        assert_eq!(problems, []);
        let order = OrderRef { id: "5501", number: "#1001" };
        Self { api: api.unwrap(), clients: clients(egress, "token-of-the-shop"), order, limit: AMPLE }
    }

    /// The same about another order.
    fn about(self, id: &'static str) -> Self {
        Self { order: OrderRef { id, ..self.order }, ..self }
    }

    /// The same with another secret.
    fn knowing(mut self, secret: &'static str) -> Self {
        self.clients.secrets = secrets(secret);
        self
    }

    async fn state(&self) -> Result<OrderState, ShopFailure> {
        self.api.state(&self.clients, self.order, Instant::now() + self.limit).await
    }

    async fn cancel(&self) -> Result<Cancellation, ShopFailure> {
        self.api.cancel(&self.clients, self.order, Instant::now() + self.limit).await
    }
}

fn secrets(value: &'static str) -> Secrets {
    Secrets::fixed([("shop-secret", Secret::new(value))])
}

fn clients(egress: Egress, secret: &'static str) -> Clients {
    let s3 = aws_sdk_s3::Client::from_conf(aws_sdk_s3::Config::builder().with_test_defaults_v2().build());
    Clients::new(s3, "stack-bucket", secrets(secret), egress)
}

fn refused(message: impl Into<String>) -> ShopFailure {
    ShopFailure::Refused(message.into())
}

fn unavailable(message: impl Into<String>) -> ShopFailure {
    ShopFailure::Unavailable(message.into())
}

/// What the webhook reader makes of an order, which the calls must say in the same words.
fn state_by_webhook(platform: &str, body: &[u8]) -> OrderState {
    let text = format!("platform = \"{platform}\"");
    let document = DeTable::parse(&text).unwrap();
    let problems = Problems::new("ordersync.toml", &text);
    let platform = crate::webhook::read::<Arc<dyn crate::webhook::Platform>>(
        &Table::root(document.get_ref(), &problems),
        &Egress::default(),
    )
    .platform
    .unwrap();
    let order = platform.read("shop", body).unwrap();
    OrderState {
        order_state: order.state,
        payment_state: order.payment.state,
        payment_method: order.payment.method,
        is_paid: order.payment.paid,
        is_canceled: order.canceled,
        updated_at: order.updated_at,
    }
}

#[test]
fn money_that_has_come_in_is_told_by_the_platforms_words() {
    for (state, expected) in [
        (Some("partially_paid"), true),
        (Some("PARTIALLY_PAID"), true),
        (Some("paid_partially"), true),
        (Some("authorized"), true),
        (Some("pending"), false),
        (Some("open"), false),
        (Some("paid_partially_not"), false),
        (None, false),
    ] {
        assert_eq!(has_money_in(state), expected, "{state:?}");
    }
}
