//! AWS behind one port: which service and operation a request is for, its signature, and the count.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use http::{HeaderValue, StatusCode};

use super::dynamodb::DynamoDb;
use super::s3::S3;
use super::secrets::Secrets;
use super::server::{Answer, Request, Service, typed};
use super::tally::{Tally, answer_bytes, request_bytes};
use super::{Manners, signature, sqs};

/// A refusal as the services word it.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{code}: {message}")]
pub(super) struct Refusal {
    pub(super) code: &'static str,
    pub(super) message: String,
    /// What the body has beside code and message.
    pub(super) item: Option<serde_json::Value>,
    /// Whether this is part of the work, and no defect of the target.
    pub(super) is_expected: bool,
}

impl Refusal {
    /// What was asked is not understood here.
    pub(super) fn invalid(message: impl Into<String>) -> Self {
        Self { code: "ValidationException", message: message.into(), item: None, is_expected: false }
    }
}

/// What a service's operation answers with.
pub(super) type Answered = Result<Answer, Refusal>;

/// The services that the functions call.
#[derive(Debug)]
pub struct Aws {
    tally: Arc<Tally>,
    manners: Arc<Manners>,
    unchecked: Mutex<BTreeSet<&'static str>>,
    /// `DynamoDB`.
    pub dynamodb: DynamoDb,
    /// S3.
    pub s3: S3,
    /// Secrets Manager.
    pub secrets: Secrets,
}

/// Whom a request is for.
struct Addressee {
    /// The service's name in signatures.
    signed_for: &'static str,
    service: &'static str,
    operation: String,
}

impl Aws {
    pub(super) fn new(tally: Arc<Tally>, manners: Arc<Manners>, dynamodb: DynamoDb) -> Self {
        let aws = Self {
            tally,
            manners,
            unchecked: Mutex::default(),
            dynamodb,
            s3: S3::default(),
            secrets: Secrets::default(),
        };
        aws.check_signatures();
        aws
    }

    /// The next request of each service has its signature checked.
    pub fn check_signatures(&self) {
        let all = ["sqs", "dynamodb", "s3", "secretsmanager"];
        self.unchecked.lock().unwrap_or_else(PoisonError::into_inner).extend(all);
    }

    fn checked(&self, addressee: &Addressee, request: &Request) -> Result<(), Refusal> {
        let is_first = self.unchecked.lock().unwrap_or_else(PoisonError::into_inner).remove(addressee.signed_for);
        let checked = if is_first { signature::check(request, addressee.signed_for) } else { Ok(()) };
        checked.map_err(|bad| Refusal {
            code: "SignatureDoesNotMatch",
            message: bad.to_string(),
            item: None,
            is_expected: false,
        })
    }

    fn carry_out(&self, addressee: &Addressee, request: &Request) -> Answered {
        self.checked(addressee, request)?;
        match addressee.service {
            "SQS" => sqs::answer(&addressee.operation, request.body()),
            "DynamoDB" => self.dynamodb.answer(&addressee.operation, request.body()),
            "SecretsManager" => self.secrets.answer(&addressee.operation, request.body()),
            _ => self.s3.answer(request),
        }
    }
}

impl Service for Aws {
    async fn answer(&self, request: Request) -> Answer {
        let addressee = addressee(&request);
        let operation = format!("{}.{}", addressee.service, addressee.operation);
        self.tally.keep(&operation, &request);
        let mut answer = self.carry_out(&addressee, &request).unwrap_or_else(|refusal| {
            if !refusal.is_expected {
                self.tally.complain(format!("{operation}: {refusal}"));
            }
            refused(&addressee, &refusal)
        });
        let id = HeaderValue::from_static("3f8a1b52-7c1e-5d0a-9a60-000000000000");
        answer.headers_mut().insert("x-amzn-requestid", id);
        self.tally.add(&operation, request_bytes(&request), answer_bytes(&answer));
        self.manners.wait().await;
        answer
    }
}

/// The JSON protocols name service and operation in a header; what has none is S3's.
fn addressee(request: &Request) -> Addressee {
    let target = request.headers().get("x-amz-target").and_then(|target| target.to_str().ok());
    let Some((prefix, operation)) = target.and_then(|target| target.split_once('.')) else {
        let operation = S3::operation(request).to_owned();
        return Addressee { signed_for: "s3", service: "S3", operation };
    };
    let (signed_for, service) = match prefix {
        "AmazonSQS" => ("sqs", "SQS"),
        "secretsmanager" => ("secretsmanager", "SecretsManager"),
        _ => ("dynamodb", "DynamoDB"),
    };
    Addressee { signed_for, service, operation: operation.to_owned() }
}

fn refused(addressee: &Addressee, refusal: &Refusal) -> Answer {
    if addressee.service == "S3" {
        let status = if refusal.code == "NoSuchKey" { StatusCode::NOT_FOUND } else { StatusCode::BAD_REQUEST };
        let body = format!("<Error><Code>{}</Code><Message>{}</Message></Error>", refusal.code, refusal.message);
        return typed(status, "application/xml", body);
    }
    let kind = match addressee.service {
        "DynamoDB" => format!("com.amazonaws.dynamodb.v20120810#{}", refusal.code),
        _ => refusal.code.to_owned(),
    };
    let mut body = serde_json::json!({ "__type": kind, "message": refusal.message });
    if let (Some(item), Some(fields)) = (&refusal.item, body.as_object_mut()) {
        fields.insert("Item".into(), item.clone());
    }
    json(StatusCode::BAD_REQUEST, &body)
}

/// An answer in AWS's JSON.
pub(super) fn json(status: StatusCode, body: &impl serde::Serialize) -> Answer {
    let body = serde_json::to_vec(body).unwrap_or_default();
    typed(status, "application/x-amz-json-1.0", Bytes::from(body))
}
