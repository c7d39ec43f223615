//! OAuth2 client credentials: when a token is fetched, and what a refusal means.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::server::{Server, reply};
use super::*;
use crate::pipeline::Retry;

/// Gives the tokens `token-1`, `token-2`, … with the life that it is told.
fn token_endpoint(expires_in: &'static str) -> Server {
    let given = AtomicUsize::new(0);
    Server::start(move |_, stream| {
        let number = given.fetch_add(1, Ordering::SeqCst) + 1;
        let answer =
            format!(r#"{{"access_token": "token-{number}", "token_type": "bearer", "expires_in": {expires_in}}}"#);
        reply(stream, "200 OK", &[], &answer);
    })
}

/// Answers with each status in turn, and with the last one from then on.
fn destination(statuses: &'static [&'static str]) -> Server {
    let left = Mutex::new(statuses.iter());
    let last = statuses.last().unwrap();
    Server::start(move |_, stream| reply(stream, left.lock().unwrap().next().unwrap_or(last), &[], ""))
}

fn bench(destination: &Server, endpoint: &Server, more: &str) -> Bench {
    let settings = format!(
        "type = \"http\", url = \"http://{}/orders\", auth = {{ type = \"oauth2\", \
         token_url = \"http://{}/token\", secret = \"erp-oauth\"{more} }}",
        destination.host(),
        endpoint.host()
    );
    let (transport, egress, problems) = load(&settings, &[destination.host(), endpoint.host()]);
    assert_eq!(problems, []);
    Bench { transport: transport.unwrap(), clients: clients(egress), ..Bench::to(destination, "") }
}

fn tokens(destination: &Server) -> Vec<String> {
    destination.requests().iter().map(|request| request.headers["authorization"].clone()).collect()
}

#[tokio::test]
async fn a_token_is_fetched_once_and_used_until_it_expires() {
    let (destination, endpoint) = (destination(&["200 OK"]), token_endpoint("3600"));
    let bench =
        bench(&destination, &endpoint, ", scope = \"orders\", audience = \"https://erp\", client_id = \"acme\"");
    for _ in 0..3 {
        bench.deliver().await.unwrap();
    }
    assert_eq!(tokens(&destination), ["Bearer token-1"; 3]);
    let asked = endpoint.only_request();
    assert_eq!(asked.line, "POST /token HTTP/1.1");
    assert_eq!(asked.text(), "grant_type=client_credentials&scope=orders&audience=https%3A%2F%2Ferp");
    assert_eq!(asked.headers["content-type"], "application/x-www-form-urlencoded");
    assert_eq!(asked.headers["authorization"], "Basic YWNtZTpjbGllbnQtc2VjcmV0");
}

#[tokio::test]
async fn an_expired_token_is_fetched_again() {
    let (destination, endpoint) = (destination(&["200 OK"]), token_endpoint("\"0\""));
    let bench = bench(&destination, &endpoint, "");
    bench.deliver().await.unwrap();
    bench.deliver().await.unwrap();
    assert_eq!(tokens(&destination), ["Bearer token-1", "Bearer token-2"]);
}

#[tokio::test]
async fn deliveries_at_the_same_time_fetch_one_token() {
    let (destination, endpoint) = (destination(&["200 OK"]), token_endpoint("3600"));
    let bench = bench(&destination, &endpoint, "");
    let (a, b, c) = tokio::join!(bench.deliver(), bench.deliver(), bench.deliver());
    assert!(a.is_ok() && b.is_ok() && c.is_ok());
    assert_eq!(endpoint.requests().len(), 1);
}

#[tokio::test]
async fn a_refused_token_is_replaced_and_a_refused_new_one_is_the_end() {
    let statuses = &["200 OK", "401 Unauthorized", "401 Unauthorized", "200 OK"];
    let (destination, endpoint) = (destination(statuses), token_endpoint("3600"));
    let bench = bench(&destination, &endpoint, "");
    bench.deliver().await.unwrap();
    let revoked = bench.refused().await;
    assert_eq!(revoked.retry, Retry::Backoff);
    assert!(revoked.message.ends_with("the credentials were outdated, the next attempt uses new ones"), "{revoked}");
    let refused = bench.refused().await;
    assert_eq!(refused.retry, Retry::No);
    bench.deliver().await.unwrap();
    let expected = ["Bearer token-1", "Bearer token-1", "Bearer token-2", "Bearer token-3"];
    assert_eq!(tokens(&destination), expected);
}

#[tokio::test]
async fn what_a_token_endpoint_answers_decides_like_a_destination() {
    for (status, headers, body, retry, message) in [
        ("401 Unauthorized", &[][..], r#"{"error": "invalid_client"}"#, Retry::No, "401 Unauthorized (invalid_client)"),
        ("400 Bad Request", &[], r#"{"error": "Not a code, but client-secret"}"#, Retry::No, "400 Bad Request"),
        ("503 Busy", &["retry-after: 5"], "", Retry::After(Duration::from_secs(5)), "503 Service Unavailable"),
        ("302 Found", &["location: /x"], "", Retry::No, "302 Found, a redirect to"),
        ("200 OK", &[], "<html>maintenance</html>", Retry::Backoff, "answered without an access_token"),
        ("200 OK", &[], r#"{"access_token": ""}"#, Retry::Backoff, "answered without an access_token"),
        ("200 OK", &[], r#"{"access_token": "a\nb"}"#, Retry::Backoff, "characters that no header may have"),
    ] {
        let (destination, endpoint) = (destination(&["200 OK"]), Server::answering(status, headers, body));
        let failure = bench(&destination, &endpoint, "").refused().await;
        assert_eq!((failure.retry, failure.response), (retry, None), "{body}");
        assert!(failure.message.contains(message), "{}", failure.message);
        assert!(!failure.message.contains("client-secret"), "{}", failure.message);
        assert!(destination.requests().is_empty());
    }
}
