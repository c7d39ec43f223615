//! Whom we connect to.

use std::sync::Arc;

use super::server::Server;
use super::*;
use crate::net::Lookup;
use crate::pipeline::Retry;

/// Every name is at `address`.
fn everything_at(address: &'static str) -> Lookup {
    Arc::new(move |_| Box::pin(async move { Ok(vec![format!("{address}:0").parse().unwrap()]) }))
}

#[tokio::test]
async fn a_name_at_a_private_address_is_refused_when_connecting() {
    let server = Server::answering("200 OK", &[], "");
    let port = server.host().rsplit_once(':').map(|(_, port)| port.to_owned()).unwrap();
    let mut bench = Bench::with(&format!("url = \"https://erp.example.com:{port}/orders\""), &server);
    for address in ["127.0.0.1", "169.254.169.254", "[::ffff:10.0.0.1]", "[fd00:ec2::254]"] {
        bench.clients.http = HttpClient::with_lookup(Egress::default(), everything_at(address));
        let failure = bench.refused().await;
        assert_eq!(failure.retry, Retry::No, "{address}");
        assert!(
            failure.message.starts_with("\"erp.example.com\" resolves to no public address"),
            "{}",
            failure.message
        );
    }
    assert!(server.requests().is_empty());
}

#[tokio::test]
async fn this_machine_is_reached_only_when_it_is_named() {
    let server = Server::answering("200 OK", &[], "");
    let mut bench = Bench::to(&server, "");
    bench.deliver().await.unwrap();
    bench.clients = clients(Egress::default());
    let failure = bench.refused().await;
    assert_eq!(failure.retry, Retry::No);
    assert!(failure.message.contains("[egress] allow"), "{}", failure.message);
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn a_named_host_may_be_at_any_address() {
    let server = Server::answering("200 OK", &[], "");
    let port = server.host().rsplit_once(':').map(|(_, port)| port.to_owned()).unwrap();
    let named = format!("localhost:{port}");
    let (transport, egress, problems) = load(&format!("type = \"http\", url = \"http://{named}/\""), &[named]);
    assert_eq!(problems, []);
    let bench = Bench { transport: transport.unwrap(), clients: clients(egress), ..Bench::to(&server, "") };
    bench.deliver().await.unwrap();
}

#[tokio::test]
async fn a_token_endpoint_obeys_the_same_rules() {
    let server = Server::answering("200 OK", &[], r#"{"access_token": "t"}"#);
    let auth = "auth = { type = \"oauth2\", token_url = \"https://auth.example.com/\", secret = \"erp-oauth\" }";
    let mut bench = Bench::to(&server, auth);
    let (_, egress, _) = load("type = \"s3\", key = \"k\"", &[server.host()]);
    bench.clients.http = HttpClient::with_lookup(egress, everything_at("10.0.0.1"));
    let failure = bench.refused().await;
    assert_eq!(failure.retry, Retry::No);
    assert!(failure.message.starts_with("no OAuth2 token: \"auth.example.com\" resolves"), "{}", failure.message);
    assert!(server.requests().is_empty());
}
