//! What an operator of ordersync can see and do: one typed API, for the console and for the command line. It knows
//! nothing of HTTP and of terminals. Clients are passed in; what comes out serializes, and describes itself
//! (`schemars::JsonSchema`).
//!
//! Everything is a method of [`Admin`]:
//!
//! | Method | What for |
//! |---|---|
//! | [`Admin::list`] | exports, newest first, by [`Filter`], page by [`Page`]; index queries only |
//! | [`Admin::search`] | orders by number, identifier, the back office's identifier, `shop:order:pipeline` |
//! | [`Admin::order`] | an order and all its exports with their attempts, and what may be done with each |
//! | [`Admin::payload`], [`Admin::artefact`] | what came from the shop, what went to the destination; masked unless revealed |
//! | [`Admin::act`] | reset, export now, cancel, skip, delete one export |
//! | [`Admin::cancel_at_shop`] | cancel an order at its shop, which is asked first |
//! | [`Admin::bulk`] | the same for many, by keys or by filter, also as a dry run |
//! | [`Admin::pauses`], [`Admin::pause`], [`Admin::resume`] | pauses of pipelines |
//! | [`Admin::audited`] | who did what, newest first |
//! | [`Admin::overview`] | counts, series, queue, pauses, destinations, scheduled functions |
//! | [`Admin::configuration`] | the configuration as a tree, where each value is from, what is wrong with it |
//! | [`Admin::templates`], [`Admin::template`], [`Admin::check_template`], [`Admin::save_template`], … | templates |
//!
//! [`allowed`] is the one place that says where an action is to be had. An action is one conditional write of the ledger:
//! what changed since it was looked at is not acted on, but refused as a [`Kind::Conflict`].

mod act;
mod allowed;
mod artefact;
mod at_shop;
mod audit;
mod bulk;
mod configuration;
mod cursor;
mod error;
mod inline;
mod list;
mod mask;
mod merge;
mod order;
mod overview;
mod part;
mod pause;
mod payload;
mod rows;
mod search;
mod tally;
mod templates;

use ordersync::config::Source;
use ordersync::ledger::{Ledger, PayloadStore};
use ordersync::queue::Requeue;

pub use act::{Actor, Done};
pub use allowed::{Action, Refusal, allowed};
pub use artefact::{Artefact, From as ArtefactFrom};
pub use at_shop::{AtShop, may_cancel_at_shop};
pub use audit::{Audited, Entry};
pub use bulk::{Bulk, BulkReport, Outcome, Selection, Single};
pub use configuration::{ConfigurationView, Origin, ProblemView, Setting};
pub use error::{AdminError, Kind};
pub use inline::Processor;
pub use list::{Filter, Listing, Page};
pub use mask::mask;
pub use order::{AttemptView, ExportView, OrderFacts, OrderView};
pub use overview::{Overview, QueueView, RunView, Throttled};
pub use part::limit;
pub use pause::PauseView;
pub use payload::{PayloadView, Text};
pub use rows::{ExportRow, Key, OrderKey};
pub use search::Found;
pub use tally::{Count, Failing, Hour};
pub use templates::{Sample, Saved, TemplateCheck, TemplateProblem, TemplateText, TemplateView, VersionView};

/// What an operator works with. Made once; every method takes what else it needs.
#[derive(Debug, Clone)]
pub struct Admin {
    /// The ledger.
    pub ledger: Ledger,
    /// Where raw orders are kept, with the stack's bucket.
    pub payloads: PayloadStore,
    /// The queue.
    pub requeue: Requeue,
    /// URL of the dead-letter queue, where the overview is to count it.
    pub dead_letters: Option<String>,
    /// The processor, for exports that are tried at once. Without it they are queued.
    pub processor: Option<Processor>,
    /// Where the configuration is, where it can be read from here.
    pub source: Option<Source>,
    /// The queue's redrive limit, against which the configuration is checked.
    pub max_receive_count: u32,
}
