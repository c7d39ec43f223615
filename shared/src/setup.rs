//! What nearly every function works with, made once when it starts, from its environment.

use std::time::Duration;

use crate::aws::{self, EnvironmentError, Sdk};
use crate::config::{Live, LoadError, Location};
use crate::ledger::Ledger;

/// Days that finished exports stay in the ledger where `RETENTION_DAYS` is not set.
const RETENTION_DAYS: u32 = 365;

/// The configuration, the ledger, and what further clients are made with.
#[derive(Debug)]
pub struct Setup {
    /// Settings for further clients.
    pub sdk: Sdk,
    /// S3.
    pub s3: aws_sdk_s3::Client,
    /// The configuration.
    pub config: Live,
    /// The ledger.
    pub ledger: Ledger,
    /// How long exports that are over are kept where the configuration does not say otherwise.
    pub retention: Duration,
    /// The queue's redrive limit.
    pub max_receive_count: u32,
}

/// Why a function cannot start.
#[derive(Debug, Clone, thiserror::Error)]
pub enum SetupError {
    /// A variable of the environment.
    #[error(transparent)]
    Environment(#[from] EnvironmentError),
    /// The configuration.
    #[error(transparent)]
    Config(#[from] LoadError),
}

impl Setup {
    /// Reads `TABLE`, `RETENTION_DAYS`, `MAX_RECEIVE_COUNT` and where the configuration is, and loads that.
    ///
    /// # Errors
    /// A variable that is missing or wrong; a configuration that cannot be read or is not right.
    pub async fn from_environment() -> Result<Self, SetupError> {
        let sdk = aws::sdk_config()?;
        let s3 = aws::s3_client(&sdk);
        let table = aws::required_variable("TABLE")?;
        let days = aws::whole_number("RETENTION_DAYS", RETENTION_DAYS)?;
        let retention = Duration::from_secs(u64::from(days) * 24 * 3600);
        let max_receive_count = aws::max_receive_count()?;
        let config = Live::start(Location::from_environment()?.open(&sdk), max_receive_count).await?;
        let ledger = Ledger::new(aws::dynamodb_client(&sdk), table, retention);
        Ok(Self { sdk, s3, config, ledger, retention, max_receive_count })
    }
}
