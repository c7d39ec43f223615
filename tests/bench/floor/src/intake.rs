//! Intake: verifies Shopify's webhook, makes it durable with one SQS message, answers 202.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::process::ExitCode;
use std::rc::Rc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use ring::hmac;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::aws::{Account, Service};
use crate::environment::{now, required};
use crate::runtime::Invocation;
use crate::{Error, Line, ended, runtime};

/// Runs until the environment is taken away.
pub async fn main() -> ExitCode {
    ended(serve().await)
}

async fn serve() -> Result<(), Error> {
    let account = Rc::new(Account::from_environment()?);
    let secret = account.secret(&required("WEBHOOK_SECRET_NAME")?).await?;
    let intake = Intake {
        key: hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes()),
        sqs: account.service("sqs").await?,
        queue_url: required("QUEUE_URL")?,
    };
    runtime::run(&account.tls, async |invocation: &Invocation| intake.handle(&invocation.event).await).await
}

struct Intake {
    key: hmac::Key,
    sqs: Service,
    queue_url: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Event<'a> {
    #[serde(borrow)]
    headers: BTreeMap<&'a str, Text<'a>>,
    #[serde(borrow)]
    path_parameters: PathParameters<'a>,
    #[serde(borrow)]
    request_context: RequestContext<'a>,
    #[serde(borrow, default)]
    body: Cow<'a, str>,
    #[serde(default)]
    is_base64_encoded: bool,
}

#[derive(Deserialize)]
struct PathParameters<'a> {
    #[serde(borrow)]
    shop: Cow<'a, str>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RequestContext<'a> {
    #[serde(borrow)]
    request_id: Cow<'a, str>,
}

/// A text that is borrowed wherever it has no escapes, in a map too.
#[derive(Deserialize, Serialize)]
#[serde(transparent)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

impl Event<'_> {
    fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|text| &*text.0)
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct SendMessage<'a> {
    queue_url: &'a str,
    message_body: &'a str,
    message_group_id: &'a str,
    message_attributes: Attributes<'a>,
}

#[derive(Serialize)]
struct Attributes<'a> {
    shop: Attribute<'a>,
    received_at: Attribute<'a>,
    headers: Attribute<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    delivery_id: Option<Attribute<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Attribute<'a> {
    data_type: &'static str,
    string_value: Cow<'a, str>,
}

/// What the webhook is refused with: status, code and words.
struct Refusal(u16, &'static str, &'static str);

impl Intake {
    async fn handle(&self, event: &[u8]) -> Result<Vec<u8>, Error> {
        let event: Event<'_> = serde_json::from_slice(event).map_err(Error::of("event"))?;
        let (shop, request_id) = (&*event.path_parameters.shop, &*event.request_context.request_id);
        let (level, status, message, body) = match self.accept(&event).await {
            Ok(order) => {
                let body = Accepted { order: &order, status: "accepted", request_id };
                ("INFO", 202, format!("accepted order {order} of {shop}"), serde_json::to_string(&body))
            }
            Err(Refusal(status, error, message)) => {
                let body = Refused { error, message, request_id };
                ("WARN", status, format!("refused {shop}: {status} {error}"), serde_json::to_string(&body))
            }
        };
        Line { request_id: Some(request_id), ..Line::new(level, &message) }.write();
        let answer = Answer { status_code: status, headers: HEADERS, body: body.map_err(Error::of("answer"))? };
        serde_json::to_vec(&answer).map_err(Error::of("answer"))
    }

    async fn accept(&self, event: &Event<'_>) -> Result<String, Refusal> {
        let unsigned = || Refusal(401, "signature_invalid", "the signature does not fit");
        let malformed = || Refusal(400, "malformed", "expected an order with an identifier");
        let raw = if event.is_base64_encoded {
            Cow::Owned(BASE64.decode(&*event.body).map_err(|_| malformed())?)
        } else {
            Cow::Borrowed(event.body.as_bytes())
        };
        let tag = event.header("x-shopify-hmac-sha256").and_then(|tag| BASE64.decode(tag).ok()).ok_or_else(unsigned)?;
        hmac::verify(&self.key, &raw, &tag).map_err(|_| unsigned())?;
        let body = std::str::from_utf8(&raw).map_err(|_| malformed())?;
        let order = order_id(body).ok_or_else(malformed)?;
        let unavailable = || Refusal(503, "queue_unavailable", "the order cannot be taken now");
        let message = self.message(event, body).map_err(|_| malformed())?;
        let sent = self.sqs.call("AmazonSQS.SendMessage", &message).await;
        match sent {
            Ok(answer) if answer.status().is_success() => Ok(order),
            _ => Err(unavailable()),
        }
    }

    fn message<'a>(&'a self, event: &'a Event<'_>, body: &'a str) -> serde_json::Result<SendMessage<'a>> {
        let is_own = |name: &&str| *name == "content-type" || name.starts_with("x-shopify-");
        let own: BTreeMap<_, _> = event.headers.iter().filter(|(name, _)| is_own(name)).collect();
        let text = |value: Cow<'a, str>| Attribute { data_type: "String", string_value: value };
        let delivery = event.header("x-shopify-event-id").or_else(|| event.header("x-shopify-webhook-id"));
        let shop = &*event.path_parameters.shop;
        Ok(SendMessage {
            queue_url: &self.queue_url,
            message_body: body,
            message_group_id: shop,
            message_attributes: Attributes {
                shop: text(shop.into()),
                received_at: text(now().to_string().into()),
                headers: text(serde_json::to_string(&own)?.into()),
                delivery_id: delivery.map(|id| text(id.into())),
            },
        })
    }
}

/// The identifier in a body that is JSON as a whole.
fn order_id(body: &str) -> Option<String> {
    #[derive(Deserialize)]
    struct Order<'a> {
        #[serde(borrow)]
        id: &'a RawValue,
    }
    let order: Order<'_> = serde_json::from_str(body).ok()?;
    let raw = order.id.get();
    let is_whole = raw.bytes().all(|byte| byte.is_ascii_digit());
    if is_whole { Some(raw.to_owned()) } else { serde_json::from_str(raw).ok() }
}

#[derive(Serialize)]
struct Accepted<'a> {
    order: &'a str,
    status: &'static str,
    request_id: &'a str,
}

#[derive(Serialize)]
struct Refused<'a> {
    error: &'static str,
    message: &'static str,
    request_id: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    status_code: u16,
    headers: Headers,
    body: String,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Headers {
    content_type: &'static str,
    cache_control: &'static str,
    x_content_type_options: &'static str,
}

const HEADERS: Headers =
    Headers { content_type: "application/json", cache_control: "no-store", x_content_type_options: "nosniff" };

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_keep_their_digits() {
        for (body, expected) in [
            (r#"{"id":9131072415678934507,"name":"a"}"#, Some("9131072415678934507")),
            (r#"{"id":"gid"}"#, Some("gid")),
            (r#"{"id":1.5}"#, None),
            (r#"{"id":1}x"#, None),
            (r#"{"name":"a"}"#, None),
        ] {
            assert_eq!(order_id(body).as_deref(), expected, "{body}");
        }
    }
}
