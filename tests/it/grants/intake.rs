//! What intake is for.

use serde_json::json;

use super::role::Grant;
use super::{Need, restart};
use crate::support::noise;
use crate::support::shop::{generic, order};
use crate::support::stack::Stack;

pub(super) fn need(grant: &Grant) -> Option<Need> {
    Some(match (grant.sid.as_str(), grant.action.as_str()) {
        ("QueueWebhooks", "sqs:SendMessage") => {
            Need::Work("a webhook is accepted", |stack, id| Box::pin(small(stack, id)))
        }
        ("KeepBodiesTooLargeForTheQueue", "s3:PutObject") => {
            Need::Work("a webhook of 1.5 MB is accepted", |stack, id| Box::pin(large(stack, id)))
        }
        ("ReadWebhookSecrets", "secretsmanager:GetSecretValue") => {
            Need::Work("a new instance accepts a webhook", |stack, id| Box::pin(new_instance(stack, id)))
        }
        _ => return None,
    })
}

async fn small(stack: &Stack, id: &str) {
    stack.accept("it-cleanup", &generic(&order(id))).await;
}

async fn large(stack: &Stack, id: &str) {
    let mut large = order(id);
    large["attachment"] = json!(noise(1_500_000, 5));
    stack.accept("it-cleanup", &generic(&large)).await;
}

async fn new_instance(stack: &Stack, id: &str) {
    restart(stack, "FN_INTAKE").await;
    small(stack, id).await;
}
