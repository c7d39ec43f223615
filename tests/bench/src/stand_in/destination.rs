//! The merchant's endpoint: takes an order by POST, and answers with the identifier that it gave it.

use std::sync::Arc;

use http::{Method, StatusCode, header};

use super::Manners;
use super::server::{Answer, Request, Service, plain, typed};
use super::tally::{Tally, answer_bytes, request_bytes};

/// What its calls are counted as.
pub const POST: &str = "Destination.POST";
/// The token that it takes.
pub const TOKEN: &str = "bench-destination-token";

/// An endpoint that takes everything that proves who it is from, and has an idempotency key.
#[derive(Debug)]
pub(super) struct Destination {
    pub(super) tally: Arc<Tally>,
    pub(super) manners: Arc<Manners>,
}

impl Service for Destination {
    async fn answer(&self, request: Request) -> Answer {
        self.tally.keep(POST, &request);
        let refused = || Ok(plain(StatusCode::UNPROCESSABLE_ENTITY, "this order is not wanted"));
        let answer = if self.manners.refuses() { refused() } else { answer(&request) };
        let answer = answer.unwrap_or_else(|expected| {
            self.tally.complain(format!("{POST}: expected {expected}"));
            plain(StatusCode::BAD_REQUEST, expected)
        });
        self.tally.add(POST, request_bytes(&request), answer_bytes(&answer));
        self.manners.wait().await;
        answer
    }
}

fn answer(request: &Request) -> Result<Answer, &'static str> {
    let header = |name: header::HeaderName| request.headers().get(name).and_then(|value| value.to_str().ok());
    let key = header(header::HeaderName::from_static("idempotency-key"));
    if request.method() != Method::POST || request.uri().path() != "/orders" || request.body().is_empty() {
        return Err("an order, by POST, at /orders");
    }
    if header(header::AUTHORIZATION).and_then(|token| token.strip_prefix("Bearer ")) != Some(TOKEN) {
        return Err("the bearer token of the secret");
    }
    let key = key.filter(|key| !key.is_empty()).ok_or("an Idempotency-Key")?;
    let body = serde_json::json!({ "id": format!("SO-{key}"), "status": "created" }).to_string();
    Ok(typed(StatusCode::CREATED, "application/json", body))
}
