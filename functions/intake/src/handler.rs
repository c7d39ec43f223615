//! From the request to the answer.

use futures_util::{StreamExt, stream};
use ordersync::clock;
use ordersync::config::{IntakeConfig, IntakeShop, Live};
use ordersync::queue::{Envelope, Inbound};
use ordersync::secrets::{Freshness, Secret, Secrets};
use ordersync::webhook::{Identity, PublicKeys, Rejection, Subject, Webhook};

use crate::answer::{Answer, Challenge, Response};
use crate::request::Request;

/// Secrets read at the same time at start-up.
const SECRETS_AT_ONCE: usize = 16;
/// Longest header value that travels with the webhook.
const MAX_HEADER_BYTES: usize = 4096;

/// The intake function: what it works with, built once.
#[derive(Debug)]
pub(crate) struct Intake {
    pub(crate) config: Live<IntakeConfig>,
    pub(crate) secrets: Secrets,
    pub(crate) keys: PublicKeys,
    pub(crate) inbound: Inbound,
}

impl Intake {
    /// Reads every shop's secrets, so that the first webhook need not wait. One that cannot be read fails its shop
    /// only, when a webhook comes.
    pub(crate) async fn read_secrets(&self) {
        let config = self.config.current().await;
        let names = config.shops.values().flat_map(|shop| &shop.secrets);
        let reads = stream::iter(names).map(|name| self.secrets.get(name, Freshness::Usual));
        let failed = reads.buffer_unordered(SECRETS_AT_ONCE).filter_map(async |read| read.err());
        failed.for_each(async |error| tracing::error!(error = %error, "{error}")).await;
    }

    /// Answers one request.
    pub(crate) async fn handle(&self, mut request: Request) -> Response {
        let config = self.config.current().await;
        let request_id = request.id();
        let answer = self.answer(&config, &mut request, &request_id).await;
        let shop = request.shop_code();
        match &answer {
            Answer::Accepted { order_id } => {
                tracing::info!(request_id, shop, order_id, "accepted order {order_id} of {shop}");
            }
            Answer::Challenge(_) => {
                tracing::info!(request_id, shop, "answered the challenge to the URL of {shop}");
            }
            Answer::Acknowledged { status } => {
                tracing::info!(request_id, shop, status, "acknowledged {shop}: {status}");
            }
            refused => {
                let (status, code) = (refused.status(), refused.code());
                tracing::warn!(request_id, shop, status, code, "refused {shop}: {status} {code}");
            }
        }
        answer.into_response(&request_id)
    }

    async fn answer(&self, config: &IntakeConfig, request: &mut Request, request_id: &str) -> Answer {
        let Some(shop) = config.shops.get(request.shop_code()) else { return Answer::UnknownShop };
        match request.method() {
            "POST" => {}
            "GET" => return challenge(shop, request),
            _ => return Answer::MethodNotAllowed,
        }
        let body = match request.take_body() {
            Ok(body) => body,
            Err(answer) => return answer,
        };
        let headers = request.take_headers();
        let webhook = Webhook { headers: &headers, topic: request.query("topic"), body: &body };
        match self.check(config, shop, webhook).await {
            Ok(identity) => {
                let (order_id, envelope) = envelope(shop, webhook, identity);
                self.accept(order_id, envelope, body, request_id).await
            }
            Err(answer) => answer,
        }
    }

    /// Which order it is, once its sender has proved who it is.
    async fn check(&self, config: &IntakeConfig, shop: &IntakeShop, webhook: Webhook<'_>) -> Result<Identity, Answer> {
        let ping = Answer::Acknowledged { status: "pong" };
        if shop.platform.is_unsigned_ping(webhook) {
            if let Some(url) = shop.platform.confirmation(webhook) {
                let (shop, url) = (&shop.code, url.as_str());
                tracing::warn!(shop, url, "if you have just registered the URL of {shop}: open {url} within 5 minutes");
            }
            return Err(ping);
        }
        if !is_json(webhook.headers.get("content-type")) {
            return Err(Answer::NotJson);
        }
        self.verify(config, shop, webhook).await?;
        let ignored = Answer::Acknowledged { status: "ignored" };
        match shop.platform.identify(webhook) {
            Ok(Subject::Ping) => Err(ping),
            Ok(Subject::Order(identity)) if shop.ignore_topics.contains(&identity.topic) => Err(ignored),
            Ok(Subject::Order(identity)) => Ok(identity),
            Err(rejection) if rejection.topic().is_some_and(|topic| shop.ignore_topics.contains(topic)) => Err(ignored),
            Err(rejection) => Err(Answer::Rejected(rejection)),
        }
    }

    async fn verify(&self, config: &IntakeConfig, shop: &IntakeShop, webhook: Webhook<'_>) -> Result<(), Answer> {
        let keys = shop.platform.public_keys(webhook).map_err(Answer::Rejected)?;
        if keys.is_empty() {
            return self.verify_by_secrets(shop, webhook).await;
        }
        let fetched = self.keys.get(&config.egress, &keys).await;
        for failure in &fetched.failures {
            // Anyone can name keys that are not there.
            tracing::warn!(shop = shop.code, "a public key is not to be had: {failure}");
        }
        match shop.platform.verify(webhook, &fetched.keys, clock::now()) {
            // It may be signed with the key that is not to be had.
            Err(Rejection::BadSignature) if !fetched.failures.is_empty() => Err(Answer::Unavailable {
                code: "keys_unavailable",
                message: "the public key of the signature cannot be fetched now",
            }),
            verified => verified.map_err(Answer::Rejected),
        }
    }

    /// A signature that fits no secret may fit a newer one: the secrets are read again, at a bounded rate.
    async fn verify_by_secrets(&self, shop: &IntakeShop, webhook: Webhook<'_>) -> Result<(), Answer> {
        let verify = async |freshness| {
            let secrets = self.secrets_of(shop, freshness).await?;
            shop.platform.verify(webhook, &secrets, clock::now()).map_err(Answer::Rejected)
        };
        match verify(Freshness::Usual).await {
            Err(Answer::Rejected(Rejection::BadSignature)) => verify(Freshness::Suspect).await,
            result => result,
        }
    }

    /// The shop's live secrets. One that cannot be read is left out as long as there is another.
    async fn secrets_of(&self, shop: &IntakeShop, freshness: Freshness) -> Result<Vec<Secret>, Answer> {
        let (secrets, failed) = self.secrets.live(&shop.secrets, freshness).await;
        for error in &failed {
            tracing::error!(shop = shop.code, error = %error, "{error}");
        }
        let unavailable =
            Answer::Unavailable { code: "secrets_unavailable", message: "the shop's secrets cannot be read now" };
        if secrets.is_empty() { Err(unavailable) } else { Ok(secrets) }
    }

    async fn accept(&self, order_id: String, envelope: Envelope, body: Vec<u8>, request_id: &str) -> Answer {
        let shop = envelope.shop.clone();
        match self.inbound.send(envelope, body).await {
            Ok(()) => Answer::Accepted { order_id },
            Err(error) => {
                tracing::error!(request_id, shop, error = %error, "{error}");
                Answer::Unavailable {
                    code: "queue_unavailable",
                    message: "the order could not be made durable, try again",
                }
            }
        }
    }
}

/// The order's identifier, and what travels with its webhook.
fn envelope(shop: &IntakeShop, webhook: Webhook<'_>, identity: Identity) -> (String, Envelope) {
    let is_kept = |name: &str| name == "content-type" || shop.platform.owns_header(name);
    let own = webhook.headers.iter().filter(|(name, value)| is_kept(name) && value.len() <= MAX_HEADER_BYTES);
    let envelope = Envelope {
        shop: shop.code.clone(),
        topic: webhook.topic.map(ToOwned::to_owned),
        delivery_id: identity.delivery_id,
        received_at: clock::now(),
        headers: own.collect(),
        payload_key: None,
        event: None,
    };
    (identity.order_id, envelope)
}

/// What a platform that asks whether the URL is ours gets: what it asked for.
fn challenge(shop: &IntakeShop, request: &Request) -> Answer {
    let Some(parameter) = shop.platform.challenge_parameter() else { return Answer::MethodNotAllowed };
    let challenge = request.query(parameter).and_then(Challenge::parse);
    let expected = || Rejection::Malformed(format!("expected a parameter {parameter} of letters, digits, - _ and ."));
    challenge.map_or_else(|| Answer::Rejected(expected()), Answer::Challenge)
}

/// Whether a `Content-Type` is JSON's; a webhook without one is taken for JSON.
fn is_json(content_type: Option<&str>) -> bool {
    let Some(content_type) = content_type else { return true };
    let essence = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    matches!(essence.as_str(), "application/json" | "text/json") || essence.ends_with("+json")
}

#[cfg(test)]
mod tests {
    use super::is_json;

    #[test]
    fn json_is_known_by_its_media_type() {
        for (content_type, expected) in [
            (None, true),
            (Some("application/json"), true),
            (Some("Application/JSON; charset=utf-8"), true),
            (Some("application/cloudevents+json"), true),
            (Some("application/x-www-form-urlencoded"), false),
            (Some("text/xml"), false),
        ] {
            assert_eq!(is_json(content_type), expected, "{content_type:?}");
        }
    }
}
