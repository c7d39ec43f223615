//! The stack that a command works on: found by its name in CloudFormation, or by the local stack's file of variables.

mod deployed;
mod local;

use std::time::Duration;

use aws_config::{BehaviorVersion, Region};
use ordersync::aws::{self, Bucket, Sdk};
use ordersync::config::Location;
use ordersync::ledger::{Ledger, PayloadStore};
use ordersync::queue::{Inbound, Requeue};
use ordersync::secrets::Secrets;
use ordersync_admin::{Actor, Admin, Processor};

use crate::args::Global;
use crate::exit::Failure;

/// What a command needs to know of a stack.
#[derive(Debug)]
pub(crate) struct Stack {
    /// The caller's own way to AWS.
    pub(crate) sdk: Sdk,
    /// What it consists of.
    pub(crate) parts: Parts,
    /// Where its configuration is, if not bundled with its functions.
    pub(crate) config: Option<Location>,
    /// How often its queue delivers a message.
    pub(crate) max_receive_count: u32,
    /// How long its ledger keeps what is over.
    pub(crate) retention: Duration,
    /// Longer than an attempt takes that is made while somebody waits.
    pub(crate) attempt_takes: Duration,
}

/// Resources by the names that AWS has for them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Parts {
    /// The ledger's table.
    pub(crate) table: String,
    /// The bucket.
    pub(crate) bucket: String,
    /// URL of the queue of webhooks.
    pub(crate) queue_url: String,
    /// Where shops post to, without the path.
    pub(crate) api_url: String,
    /// The function that makes exports.
    pub(crate) processor: Option<String>,
}

impl Stack {
    /// The stack that the arguments name.
    pub(crate) async fn find(global: &Global) -> Result<Self, Failure> {
        match &global.local {
            Some(file) => local::find(file),
            None => deployed::find(&global.stack, sdk(global).await?).await,
        }
    }

    /// Its ledger.
    pub(crate) fn ledger(&self) -> Ledger {
        Ledger::new(aws::dynamodb_client(&self.sdk), self.parts.table.clone(), self.retention)
    }

    /// What an operator can see and do.
    pub(crate) fn admin(&self) -> Admin {
        let (ledger, bucket) = (self.ledger(), self.parts.bucket.clone());
        let processor = self.parts.processor.clone();
        let processor = processor.map(|name| Processor::new(self.sdk.config(), name, self.attempt_takes));
        Admin {
            ledger,
            payloads: PayloadStore { s3: aws::s3_client(&self.sdk), bucket },
            requeue: Requeue { sqs: aws::sqs_client(&self.sdk), queue_url: self.parts.queue_url.clone() },
            dead_letters: None,
            processor,
            source: self.config.clone().map(|location| location.open(&self.sdk)),
            max_receive_count: self.max_receive_count,
        }
    }

    /// Who calls, as the audit log is to name them.
    pub(crate) async fn actor(&self) -> Result<Actor, Failure> {
        let answer = aws_sdk_sts::Client::new(self.sdk.config()).get_caller_identity().send().await;
        let unknown = |failure| Failure::Unreachable(format!("who calls cannot be told: {}", aws::reason(&failure)));
        let arn = answer.map_err(unknown)?.arn.unwrap_or_else(|| "somebody".into());
        Ok(Actor(format!("{arn} (command line)")))
    }

    /// Its queue, as intake writes to it.
    pub(crate) fn inbound(&self) -> Inbound {
        Inbound {
            sqs: aws::sqs_client(&self.sdk),
            queue_url: self.parts.queue_url.clone(),
            bucket: Bucket::new(&self.sdk, self.parts.bucket.clone()),
        }
    }

    /// Secrets of its account.
    pub(crate) fn secrets(&self) -> Secrets {
        Secrets::new(aws::secrets_client(&self.sdk))
    }
}

/// Credentials and region as every AWS tool finds them.
async fn sdk(global: &Global) -> Result<Sdk, Failure> {
    let loader = aws_config::defaults(BehaviorVersion::v2026_01_12()).http_client(aws::http_client()?);
    let loader = match &global.region {
        Some(region) => loader.region(Region::new(region.clone())),
        None => loader,
    };
    let loader = match &global.profile {
        Some(profile) => loader.profile_name(profile),
        None => loader,
    };
    let found = loader.load().await;
    let no_region =
        || Failure::Usage("no region: pass --region, set AWS_REGION, or choose a profile that has one".into());
    let region = found.region().ok_or_else(no_region)?;
    let credentials = found.credentials_provider().ok_or_else(|| Failure::Usage("no credentials".into()))?;
    Ok(Sdk::with_credentials(credentials, region.as_ref(), found.endpoint_url())?)
}
