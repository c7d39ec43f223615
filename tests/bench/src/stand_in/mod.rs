//! What a target talks with, in place of AWS and the merchant: it answers correctly and at once, and counts.

pub mod aws;
pub mod ca;
pub mod destination;
pub mod dynamodb;
pub mod runtime;
mod s3;
mod secrets;
mod server;
pub mod signature;
mod sqs;
pub mod tally;

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use self::aws::Aws;
use self::ca::{Authority, CertificateError};
use self::destination::Destination;
use self::dynamodb::{DynamoDb, Schema};
use self::runtime::Runtime;
use self::server::Server;
use self::tally::Tally;

/// How the stand-ins answer: at once and kindly, unless they are told otherwise.
#[derive(Debug, Default)]
pub struct Manners {
    delay: AtomicU64,
    refuses: AtomicBool,
}

impl Manners {
    /// Every call takes this long from now on, beside its own work.
    pub fn delay(&self, delay: Duration) {
        self.delay.store(u64::try_from(delay.as_millis()).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    /// Whether the destination refuses every order from now on.
    pub fn refuse(&self, refuses: bool) {
        self.refuses.store(refuses, Ordering::Relaxed);
    }

    fn refuses(&self) -> bool {
        self.refuses.load(Ordering::Relaxed)
    }

    async fn wait(&self) {
        let milliseconds = self.delay.load(Ordering::Relaxed);
        if milliseconds > 0 {
            tokio::time::sleep(Duration::from_millis(milliseconds)).await;
        }
    }
}

/// All stand-ins of a run.
#[derive(Debug)]
pub struct StandIns {
    /// The services.
    pub aws: Arc<Aws>,
    /// What they counted.
    pub tally: Arc<Tally>,
    /// How they answer.
    pub manners: Arc<Manners>,
    /// Where the authority's certificate is.
    pub ca: PathBuf,
    aws_server: Server,
    destination_server: Server,
}

/// The stand-ins cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// No certificate.
    #[error(transparent)]
    Certificate(#[from] CertificateError),
    /// No port, or no file.
    #[error("the stand-ins cannot start: {0}")]
    Io(#[from] io::Error),
}

impl StandIns {
    /// Starts them on free ports, with the table as `schema` has it; the authority's certificate is put in `directory`.
    ///
    /// # Errors
    /// No certificate, no port, or no file.
    pub async fn start(schema: Schema, directory: &Path) -> Result<Self, StartError> {
        let authority = Authority::new()?;
        let ca = directory.join("ca.pem");
        std::fs::write(&ca, authority.pem())?;
        let (tally, manners) = (Arc::new(Tally::default()), Arc::new(Manners::default()));
        let aws = Arc::new(Aws::new(Arc::clone(&tally), Arc::clone(&manners), DynamoDb::new(schema)));
        let destination = Arc::new(Destination { tally: Arc::clone(&tally), manners: Arc::clone(&manners) });
        let aws_server = Server::start(Some(authority.server()), Arc::clone(&aws)).await?;
        let destination_server = Server::start(Some(authority.server()), destination).await?;
        Ok(Self { aws, tally, manners, ca, aws_server, destination_server })
    }

    /// Where AWS is.
    pub fn aws_address(&self) -> SocketAddr {
        self.aws_server.address
    }

    /// Where the merchant is.
    pub fn destination_address(&self) -> SocketAddr {
        self.destination_server.address
    }

    /// A Runtime API for one process.
    ///
    /// # Errors
    /// No port is free.
    pub async fn runtime(&self) -> io::Result<Runtime> {
        Runtime::start().await
    }
}
