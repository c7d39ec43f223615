//! Deliveries to real servers on this machine.

mod answers;
mod egress;
mod oauth;
mod requests;
pub(crate) mod server;
mod settings;
mod trust;

use std::time::Duration;

use serde_json::json;
use toml::de::DeTable;

use self::server::Server;
use super::client::HttpClient;
use crate::config::Files;
use crate::config::document::{Problem, Problems, Table};
use crate::order::Order;
use crate::pipeline::transport::egress::{self as rules, Egress};
use crate::pipeline::transport::{Clients, Receipt, Transport, read};
use crate::pipeline::{Document, Export, Failure};
use crate::secrets::{Secret, Secrets};
use crate::webhook::Headers;

/// Longer than any delivery in these tests takes, so that only deliveries that never end reach it.
const AMPLE: Duration = Duration::from_mins(1);

/// The transport that `settings` (the inside of an inline table) describe, with the hosts in `allow`.
fn load(settings: &str, allow: &[String]) -> (Option<Box<dyn Transport>>, Egress, Vec<Problem>) {
    load_with(settings, &format!("allow = {allow:?}"), &Files::default())
}

/// The transport with the inside of the table `egress`, and the files that this names.
fn load_with(settings: &str, egress: &str, files: &Files) -> (Option<Box<dyn Transport>>, Egress, Vec<Problem>) {
    let text = format!("transport = {{ {settings} }}\negress = {{ {egress} }}\n");
    let document = DeTable::parse(&text).unwrap();
    let problems = Problems::new("ordersync.toml", &text);
    let root = Table::root(document.get_ref(), &problems);
    let egress = rules::read(root.get("egress").as_ref(), files);
    let transport = read(&root.get("transport").unwrap(), &egress);
    (transport, egress, problems.into_sorted())
}

/// An HTTP transport with the clients that it needs.
struct Bench {
    transport: Box<dyn Transport>,
    clients: Clients,
    document: Document,
    limit: Duration,
}

impl Bench {
    /// Delivers to `server`, with further settings.
    fn to(server: &Server, settings: &str) -> Self {
        Self::with(&format!("url = \"http://{}/orders?key=in-the-query\", {settings}", server.host()), server)
    }

    /// Delivers as `settings` say; `server` may be reached.
    fn with(settings: &str, server: &Server) -> Self {
        let (transport, egress, problems) = load(&format!("type = \"http\", {settings}"), &[server.host()]);
        assert_eq!(problems, []);
        let document =
            Document { body: br#"{"number":"1001"}"#.to_vec(), media_type: "application/json".into(), headers: vec![] };
        Self { transport: transport.unwrap(), clients: clients(egress), document, limit: AMPLE }
    }

    async fn deliver(&self) -> Result<Receipt, Failure> {
        let (order, headers) = (order(), Headers::default());
        let export = Export {
            pipeline: "erp",
            order: &order,
            raw: b"{}",
            headers: &headers,
            idempotency_key: "acme-eu:5501:erp",
        };
        self.transport.deliver(&self.clients, export, &self.document, self.limit).await
    }

    async fn refused(&self) -> Failure {
        self.deliver().await.unwrap_err()
    }
}

fn clients(egress: Egress) -> Clients {
    let s3 = aws_sdk_s3::Client::from_conf(aws_sdk_s3::Config::builder().with_test_defaults_v2().build());
    let secrets = [
        ("erp-token", "token-of-the-erp"),
        ("erp-basic", "shop:pa:ss wörd"),
        ("erp-no-pair", "password-alone"),
        ("erp-lines", "two\nlines"),
        ("erp-oauth", r#"{"client_id": "shop", "client_secret": "client-secret"}"#),
        ("erp-signing", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"),
        ("erp-signing-old", "whsec_b2xkZXIga2V5"),
    ];
    let secrets = Secrets::fixed(secrets.map(|(name, value)| (name, Secret::new(value))));
    Clients::new(s3, "stack-bucket", secrets, egress)
}

fn order() -> Order {
    let order = json!({
        "id": "5501", "number": "1001", "shop": "acme-eu", "placed_at": "2026-03-01T12:00:00Z",
        "utc_offset": "+01:00", "currency": "EUR", "total": "10.00", "payment": {"paid": true}, "customer": {},
        "billing": {}, "delivery": {}, "items": [], "extra": {}
    });
    serde_json::from_value(order).unwrap()
}
