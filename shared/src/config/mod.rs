//! The configuration: one TOML document and the files beside it, validated as a whole before anything runs.

pub mod document;
mod intake;
mod ledger;
mod load;
mod parse;
mod schedules;
mod source;
pub mod value;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use toml::de::DeTable;

pub use intake::{IntakeConfig, IntakeShop};
pub use load::{Live, LoadError, Location, Source, load_directory};
pub use parse::{parse, parse_part};
pub use schedules::{Cleanup, ResetErrors, StaleRule};
pub use source::{DOCUMENT, Sources, Text};

use crate::ledger::FindBy;
use crate::pipeline::filter::Filter;
use crate::pipeline::format::Format;
use crate::pipeline::response::ResponseReader;
use crate::pipeline::result::Responses;
use crate::pipeline::transport::Transport;
use crate::pipeline::transport::egress::Egress;
use crate::shop::ShopApi;
use crate::webhook::{Event, Platform};
use document::{Problem, Table};

/// What a function works with of the document. What it does not read it does not link either.
pub trait Part: Sized {
    /// The names of the files that this part refers to.
    fn files(document: &DeTable<'_>) -> BTreeSet<String>;

    /// Reads the part from the document; what is wrong with it is among the problems of `root` then.
    /// `max_receive_count` is the queue's redrive limit.
    fn read(root: &Table<'_>, files: &Files, max_receive_count: u32) -> Self;
}

/// Everything that the merchant configured, checked.
#[derive(Debug)]
pub struct Config {
    /// Shops by code.
    pub shops: BTreeMap<String, Shop>,
    /// Pipelines in the order of the document.
    pub pipelines: Vec<Pipeline>,
    /// Who may be called besides public hosts by TLS.
    pub egress: Egress,
    /// When unpaid orders are cancelled.
    pub cancel_stale: Vec<StaleRule>,
    /// Which errors are reset, and when.
    pub reset_errors: ResetErrors,
    /// How long finished exports are kept.
    pub cleanup: Cleanup,
    /// By what orders are found in the ledger's indexes.
    pub find_by: FindBy,
}

/// A shop that sends webhooks.
#[derive(Debug)]
pub struct Shop {
    /// Its code, the last segment of its webhooks' URL.
    pub code: String,
    /// How its webhooks are verified and read.
    pub platform: Arc<dyn Platform>,
    /// How the shop is called back.
    pub api: Option<Arc<dyn ShopApi>>,
    /// The zone in which days and months of its orders' age are counted.
    pub time_zone: jiff::tz::TimeZone,
}

/// What happens to the orders that it applies to.
#[derive(Debug)]
pub struct Pipeline {
    /// Its code.
    pub code: String,
    /// Codes of the shops whose orders it takes; empty for every shop.
    pub shops: BTreeSet<String>,
    /// The events that run it.
    pub on: BTreeSet<Event>,
    /// Which orders it takes.
    pub filter: Filter,
    /// What it makes of an order.
    pub format: Box<dyn Format>,
    /// Where that goes.
    pub transport: Box<dyn Transport>,
    /// How the destination's answer is read.
    pub response: Option<Box<dyn ResponseReader>>,
    /// When stock reservations are cleared.
    pub reservation: Option<Reservation>,
    /// How failures are retried.
    pub retries: Retries,
    /// How long after its webhook an order is exported.
    pub delay: Option<Duration>,
    /// Before then nothing is exported.
    pub not_before: Option<jiff::Timestamp>,
    /// How fast the destination is called.
    pub rate: Option<Rate>,
    /// How the back office's later responses are read.
    pub responses: Option<Responses>,
    /// How long after the export the back office has to acknowledge it.
    pub acknowledge_within: Option<Duration>,
    /// How long the ledger keeps the raw order.
    pub keep_payload: KeepPayload,
}

/// How long the ledger keeps the raw order of an export.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeepPayload {
    /// As long as the row: an export that was made can be looked into, and made again.
    Always,
    /// Until the destination has it: a row that small costs a fifth to write.
    UntilExported,
}

/// How fast a destination is called, by all instances and pipelines together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rate {
    /// What shares the limit: scheme, host and port of an endpoint.
    pub destination: String,
    /// Time between two requests.
    pub interval: Duration,
}

/// How failures of a pipeline are retried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retries {
    /// Attempts in all, the first included.
    pub max_attempts: u32,
    /// The longest wait after the first failure; doubled with each further one.
    pub base: Duration,
    /// The longest wait ever.
    pub cap: Duration,
}

impl Retries {
    /// The limits where the document names none: as many attempts as the queue allows, waits from 30 s up to 1 h.
    pub fn default_for(max_receive_count: u32) -> Self {
        Self { max_attempts: max_receive_count, base: Duration::from_secs(30), cap: Duration::from_hours(1) }
    }
}

/// When the stock reservation of an exported order is cleared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reservation {
    /// After the transport, whatever its outcome.
    OnTransport,
    /// After a transport that succeeded.
    OnTransportSuccess,
    /// After a response that succeeded.
    OnResponseSuccess,
}

impl Config {
    /// Whether a pipeline puts many orders into one object.
    pub fn packs(&self) -> bool {
        self.pipelines.iter().any(|pipeline| pipeline.transport.packed().is_some())
    }
}

/// The files that the document names, by name: templates, certificates.
#[derive(Debug, Clone, Default)]
pub struct Files(BTreeMap<String, String>);

impl Files {
    /// The text of the file called `name`.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }
}

impl FromIterator<(String, String)> for Files {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(files: I) -> Self {
        Self(files.into_iter().collect())
    }
}

impl Pipeline {
    /// Whether it is for orders of the shop at all; the filter decides on the single order.
    pub fn serves(&self, shop: &str) -> bool {
        self.shops.is_empty() || self.shops.contains(shop)
    }

    /// Whether its exports go on when their order is cancelled: they tell the back office of just that, or of money that
    /// was given back.
    pub fn outlives_cancellation(&self) -> bool {
        self.on.contains(&Event::Canceled) || self.on.contains(&Event::Refunded)
    }
}

/// Every problem of a configuration, one to a line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct Invalid(pub Vec<Problem>);

impl fmt::Display for Invalid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = self.0.len();
        write!(f, "the configuration has {count} problem{}", if count == 1 { "" } else { "s" })?;
        self.0.iter().try_for_each(|problem| write!(f, "\n  {problem}"))
    }
}

#[cfg(test)]
mod tests;
