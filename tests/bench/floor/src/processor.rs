//! Processor: takes each order of an SQS batch to its destination, once.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::process::ExitCode;
use std::rc::Rc;

use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use http::Request;
use http_body_util::Full;
use jiff::{SignedDuration, Timestamp};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use rustls::RootCertStore;
use serde::{Deserialize, Serialize};

use crate::aws::{Account, Service};
use crate::claims::{Arrival, Claims, Envelope};
use crate::documents::{Format, PIPELINE};
use crate::environment::{required, variable};
use crate::http1::{self, Host};
use crate::order::{self, Order};
use crate::runtime::Invocation;
use crate::{Error, Line, ended, runtime};

/// Records of a batch that are worked on at the same time, as in ordersync.
const RECORDS_AT_ONCE: usize = 10;
/// Days that a row stays when cleanup does not take it.
const BEHIND_CLEANUP: i64 = 30;
/// What identifiers are written with in keys and headers.
const IDENTIFIER: AsciiSet = NON_ALPHANUMERIC.remove(b'-').remove(b'_');
/// What numbers are written with in the names of objects.
const SEGMENT: AsciiSet = IDENTIFIER.remove(b'.');
/// What is left of a path: the unreserved characters of RFC 3986.
const PATH: AsciiSet = SEGMENT.remove(b'~').remove(b'/');

/// Runs until the environment is taken away.
pub async fn main() -> ExitCode {
    ended(serve().await)
}

async fn serve() -> Result<(), Error> {
    let account = Rc::new(Account::from_environment()?);
    let days: i64 =
        variable("RETENTION_DAYS").map_or(Ok(365), |days| days.parse()).map_err(Error::of("RETENTION_DAYS"))?;
    let processor = Processor {
        format: Format::of(&required("FORMAT")?)?,
        claims: Claims {
            dynamodb: account.service("dynamodb").await?,
            table: required("TABLE")?,
            retention: SignedDuration::from_hours((days + BEHIND_CLEANUP) * 24),
        },
        destination: Destination::of(&required("TRANSPORT")?, &account).await?,
    };
    runtime::run(&account.tls, async |invocation: &Invocation| processor.handle(invocation).await).await
}

struct Processor {
    format: Format,
    claims: Claims,
    destination: Destination,
}

/// Where documents go.
enum Destination {
    S3 { s3: Service, bucket: String },
    Http { host: Host, path: String, url: String, authorization: String },
}

/// What a destination says of a document.
struct Receipt {
    destination: String,
    external_id: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Event<'a> {
    #[serde(borrow)]
    records: Vec<Record<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Record<'a> {
    #[serde(borrow)]
    message_id: Cow<'a, str>,
    #[serde(borrow)]
    body: Cow<'a, str>,
    #[serde(borrow)]
    message_attributes: BTreeMap<&'a str, Attribute<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Attribute<'a> {
    #[serde(borrow)]
    string_value: Cow<'a, str>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Response<'a> {
    batch_item_failures: Vec<Failure<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Failure<'a> {
    item_identifier: &'a str,
}

impl Processor {
    async fn handle(&self, invocation: &Invocation) -> Result<Vec<u8>, Error> {
        let event: Event<'_> = serde_json::from_slice(&invocation.event).map_err(Error::of("event"))?;
        let work = stream::iter(&event.records).map(async |record| {
            let failure = self.record(record, invocation).await.err()?;
            Line::new("ERROR", &format!("message {}: {failure}", record.message_id)).write();
            Some(Failure { item_identifier: &record.message_id })
        });
        let failed = work.buffer_unordered(RECORDS_AT_ONCE).filter_map(async |failed| failed).collect().await;
        serde_json::to_vec(&Response { batch_item_failures: failed }).map_err(Error::of("answer"))
    }

    async fn record(&self, record: &Record<'_>, invocation: &Invocation) -> Result<(), Error> {
        let envelope: Envelope<'_> =
            record.message_attributes.iter().map(|(name, value)| (*name, &*value.string_value)).collect();
        let shop = envelope.get("shop").ok_or_else(|| Error::new("message", "expected the attribute shop"))?;
        let order = order::read(shop, &record.body)?;
        let key = format!("{shop}:{}:{PIPELINE}", utf8_percent_encode(&order.id, &IDENTIFIER));
        let owner = format!("{}/{}", invocation.id, record.message_id.rsplit('-').next().unwrap_or_default());
        let deadline = Timestamp::from_millisecond(invocation.deadline).map_err(Error::of("deadline"))?;
        let Some(lease) = self.claims.claim(&order, &envelope, owner, deadline).await? else { return Ok(()) };
        let document = self.format.render(&order)?;
        let receipt = self.destination.deliver(&order, &key, &self.format, document).await?;
        let arrival = Arrival {
            destination: &receipt.destination,
            external_id: receipt.external_id.as_deref(),
            raw: &record.body,
            envelope: &envelope,
        };
        self.claims.complete(&lease, &arrival).await?;
        let message = format!("exported order {} of {shop} to {PIPELINE}", order.id);
        Line { export: Some(&key), ..Line::new("INFO", &message) }.write();
        Ok(())
    }
}

impl Destination {
    /// The one that `TRANSPORT` names, with a connection to it.
    async fn of(transport: &str, account: &Rc<Account>) -> Result<Self, Error> {
        match transport {
            "s3" => Ok(Self::S3 { s3: account.service("s3").await?, bucket: required("BUCKET")? }),
            "http" => {
                let url = required("DESTINATION_URL")?;
                let token = account.secret(&required("DESTINATION_SECRET_NAME")?).await?;
                let roots = || RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
                let tls = http1::tls(variable("AWS_CA_BUNDLE").as_deref(), roots)?;
                let host = Host::of(&url, &tls)?;
                let uri: http::Uri = url.parse().map_err(Error::of("DESTINATION_URL"))?;
                let path = uri.path_and_query().map_or("/", |path| path.as_str()).to_owned();
                Ok(Self::Http { host, path, url, authorization: format!("Bearer {token}") })
            }
            _ => Err(Error::new("TRANSPORT", "expected s3 or http")),
        }
    }

    async fn deliver(
        &self,
        order: &Order<'_>,
        key: &str,
        format: &Format,
        document: Vec<u8>,
    ) -> Result<Receipt, Error> {
        match self {
            Self::S3 { s3, bucket } => put(s3, bucket, order, format, document).await,
            Self::Http { host, path, url, authorization } => {
                let request = Request::post(path)
                    .header("host", &host.authority)
                    .header("authorization", authorization)
                    .header("content-type", format.media_type())
                    .header("idempotency-key", key)
                    .body(Full::new(Bytes::from(document)));
                let answer = host.send(request.map_err(Error::of("destination"))?).await?;
                if !answer.status().is_success() {
                    return Err(Error::new("destination", answer.status()));
                }
                Ok(Receipt { destination: url.clone(), external_id: external_id(answer.body()) })
            }
        }
    }
}

async fn put(
    s3: &Service,
    bucket: &str,
    order: &Order<'_>,
    format: &Format,
    document: Vec<u8>,
) -> Result<Receipt, Error> {
    let number = utf8_percent_encode(&order.number, &SEGMENT);
    let key = format!("orders/{}/{number}.{}", order.shop, format.extension());
    let path = format!("/{bucket}/{}", utf8_percent_encode(&key, &PATH));
    let answer = s3.put(&path, format.media_type(), document).await?;
    if !answer.status().is_success() {
        return Err(Error::new("S3", answer.status()));
    }
    Ok(Receipt { destination: format!("s3://{bucket}/{key}"), external_id: None })
}

/// What the destination calls the order, where it says that.
fn external_id(answer: &[u8]) -> Option<String> {
    #[derive(Deserialize)]
    struct Created {
        id: String,
    }
    serde_json::from_slice::<Created>(answer).ok().map(|created| created.id)
}
