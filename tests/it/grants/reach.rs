//! What a function cannot do with its role: read another's secrets, write outside its prefixes, use another's queue.

use std::collections::BTreeSet;

use aws_sdk_dynamodb::types::AttributeValue;
use aws_sdk_s3::error::ProvideErrorMetadata;
use ordersync::aws;

use super::FUNCTIONS;
use super::role::Role;
use crate::support::stack::{Stack, variable};

/// Something that is tried with every role, and the functions that may.
struct Attempt {
    what: &'static str,
    on: &'static str,
    may: &'static [&'static str],
}

const fn attempt(what: &'static str, on: &'static str, may: &'static [&'static str]) -> Attempt {
    Attempt { what, on, may }
}

const QUEUEING: &[&str] = &["Intake", "Processor", "ResetErrors", "CancelStale", "Console"];
const ATTEMPTS: [Attempt; 31] = [
    attempt("secret", "it-webhook", &["Intake"]),
    attempt("secret", "it-erp-token", &["Processor"]),
    attempt("secret", "it-shop-token", &["Processor", "CancelStale", "Console"]),
    attempt("secret", "ordersync/console", &["Console"]),
    attempt("secret", "it-callback-signing", &["Responses"]),
    attempt("send", "QUEUE_URL", QUEUEING),
    attempt("send", "DLQ_URL", &[]),
    attempt("send", FOREIGN, &[]),
    attempt("receive", "QUEUE_URL", &["Processor"]),
    attempt("receive", "DLQ_URL", &["ResetErrors"]),
    attempt("receive", FOREIGN, &[]),
    attempt("put", "payloads/inbound/x", &["Intake"]),
    attempt("put", "payloads/orders/x", &["Processor", "ResetErrors"]),
    attempt("put", "responses/erp/x", &[]),
    attempt("put", "responses/done/x", &["Responses"]),
    attempt("put", "responses/failed/x", &["Responses"]),
    attempt("put", "receipts/x", &["Cleanup"]),
    attempt("put", "packs/x", &["Processor", "Cleanup"]),
    attempt("put", "orders/x", &["Processor"]),
    attempt("put elsewhere", "orders/x", &[]),
    attempt("get", "payloads/inbound/it/x", &["Processor", "ResetErrors", "Cleanup"]),
    attempt("get", "payloads/orders/it/x", &["Processor", "Cleanup", "Console"]),
    attempt("get", "packs/it/x", &["Processor", "Cleanup"]),
    attempt("get", "orders/it/x", &["Cleanup", "Console"]),
    attempt("get", "receipts/it/x", &["Cleanup"]),
    attempt("delete", "orders/it/x", &["Cleanup"]),
    attempt("delete", "responses/erp/it/x", &["Cleanup"]),
    attempt("scan", "TABLE", &["Cleanup"]),
    // Of reset-errors only notes of pauses, of the console only exports and new entries of the audit log, by
    // dynamodb:LeadingKeys, which the emulator does not know.
    attempt("put item", "TABLE", &["Cleanup", "Console"]),
    attempt("delete item", "TABLE", &["Cleanup", "ResetErrors", "Console"]),
    attempt("update item", "TABLE", &["Processor", "ResetErrors", "CancelStale", "Cleanup", "Responses", "Console"]),
];

/// A queue and a bucket of the account that are none of the stack's.
const FOREIGN: &str = "it-foreign";

/// The clients of somebody.
struct Somebody {
    sqs: aws_sdk_sqs::Client,
    s3: aws_sdk_s3::Client,
    table: aws_sdk_dynamodb::Client,
    secrets: aws_sdk_secretsmanager::Client,
    bucket: String,
}

/// Nothing where it was done, else the error's code.
fn code<T, E: ProvideErrorMetadata + std::fmt::Debug>(done: Result<T, E>) -> Option<String> {
    done.err().map(|error| error.code().map_or_else(|| format!("{error:?}"), Into::into))
}

impl Somebody {
    async fn with(stack: &Stack, role: &Role) -> Self {
        let [id, secret, token] = role.credentials(stack).await;
        let sdk = aws::sdk_config().unwrap().signing_as(&id, &secret, &token);
        Self {
            sqs: aws::sqs_client(&sdk),
            s3: aws::s3_client(&sdk),
            table: aws::dynamodb_client(&sdk),
            secrets: aws::secrets_client(&sdk),
            bucket: stack.bucket.clone(),
        }
    }

    fn queue(name: &'static str) -> String {
        if name == FOREIGN {
            variable("DLQ_URL").rsplit_once('/').unwrap().0.to_owned() + "/it-foreign"
        } else {
            variable(name)
        }
    }

    async fn tries(&self, attempt: &Attempt) -> Option<String> {
        let (on, text) = (attempt.on, |text: &str| AttributeValue::S(text.to_owned()));
        let key = [("pk", text("it-reach#1")), ("sk", text("x"))];
        let [pk, sk] = &key;
        let key = || [(pk.0.to_owned(), pk.1.clone()), (sk.0.to_owned(), sk.1.clone())].into();
        match attempt.what {
            "secret" => code(self.secrets.get_secret_value().secret_id(on).send().await),
            "send" => code(self.sqs.send_message().queue_url(Self::queue(on)).message_body("{}").send().await),
            "receive" => {
                let receive = self.sqs.receive_message().queue_url(Self::queue(on)).visibility_timeout(0);
                code(receive.send().await)
            }
            "put" => code(self.s3.put_object().bucket(&self.bucket).key(on).send().await),
            "put elsewhere" => code(self.s3.put_object().bucket(FOREIGN).key(on).send().await),
            "get" => code(self.s3.get_object().bucket(&self.bucket).key(on).send().await),
            "delete" => code(self.s3.delete_object().bucket(&self.bucket).key(on).send().await),
            "scan" => code(self.table.scan().table_name(variable("TABLE")).limit(1).send().await),
            "put item" => code(self.table.put_item().table_name(variable("TABLE")).set_item(Some(key())).send().await),
            "delete item" => {
                code(self.table.delete_item().table_name(variable("TABLE")).set_key(Some(key())).send().await)
            }
            "update item" => {
                let update = self.table.update_item().table_name(variable("TABLE")).set_key(Some(key()));
                code(update.condition_expression("attribute_exists(never)").send().await)
            }
            what => panic!("what is {what}?"),
        }
    }
}

#[tokio::test]
async fn no_function_reaches_what_is_anothers() {
    let stack = Stack::get();
    stack.sqs.create_queue().queue_name(FOREIGN).send().await.unwrap();
    drop(stack.s3.create_bucket().bucket(FOREIGN).send().await);
    let mut wrong = BTreeSet::new();
    for (function, _) in FUNCTIONS {
        let somebody = Somebody::with(&stack, &Role::of(&stack, function).await).await;
        for attempt in &ATTEMPTS {
            let refused = somebody.tries(attempt).await;
            let is_denied = refused.as_deref().is_some_and(|code| code.contains("AccessDenied"));
            if is_denied == attempt.may.contains(&function) {
                wrong.insert(format!("{function}: {} {}: {refused:?}", attempt.what, attempt.on));
            }
        }
    }
    // A message that is none of the stack's would stay among the dead letters.
    stack.sqs.purge_queue().queue_url(&stack.queue_url).send().await.unwrap();
    assert_eq!(wrong, BTreeSet::new());
}
