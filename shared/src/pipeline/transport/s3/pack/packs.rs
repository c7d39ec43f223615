//! The packs of one invocation: exports of its batch that go into one object wait for each other.
//!
//! An export takes its place before it is claimed, so that the claim can name the object, and puts its document there
//! when it has it. The object is written by whoever waits for it, so that nothing goes on when the invocation is over.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Shared};
use jiff::Timestamp;
use ring::digest;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout_at};

use super::Packed;
use super::open::Pack;
use super::work::{More, Work};
use crate::clock;
use crate::config::Pipeline;
use crate::order::Order;
use crate::pipeline::transport::{Clients, Receipt};
use crate::pipeline::{Document, Failure};
use crate::template::PackName;

/// What became of writing a pack, for all who wait for it.
type Written = Shared<BoxFuture<'static, Result<(), Failure>>>;

/// The packs of one invocation.
#[derive(Debug, Clone)]
pub struct Packs(Arc<Batch>);

#[derive(Debug)]
struct Batch {
    /// What the names of its packs have in common, and nobody else's.
    stamp: String,
    begun_at: Timestamp,
    /// When everything must be written.
    by: Instant,
    /// For records that are worked on.
    turns: Arc<Semaphore>,
    /// For exports whose object is written, so that a hundred that end at once do not open a hundred connections. Apart
    /// from the others: what is delivered is recorded first.
    ends: Arc<Semaphore>,
    floor: Mutex<Floor>,
}

#[derive(Debug)]
struct Floor {
    work: Work,
    /// By pipeline and by what their keys have in common.
    open: HashMap<(String, String), Open>,
    /// Packs begun so far.
    begun: u32,
}

#[derive(Debug, Clone)]
struct Open {
    pack: Arc<Pack>,
    written: Written,
}

impl Packs {
    /// Those of a batch of so many records, of which so many are worked on at the same time, not counting those that
    /// wait for their object. Everything must be written by `by`.
    pub fn of(invocation: &str, records: usize, at_once: usize, by: Instant) -> Self {
        let begun_at = clock::now();
        Self(Arc::new(Batch {
            stamp: stamp(invocation, begun_at),
            begun_at,
            by,
            turns: Arc::new(Semaphore::new(at_once)),
            ends: Arc::new(Semaphore::new(at_once)),
            floor: Mutex::new(Floor { work: Work::of(records), open: HashMap::new(), begun: 0 }),
        }))
    }

    /// The record of this index, from 0. Let go of it when it is over.
    pub fn record(&self, index: usize) -> Record {
        Record(Arc::new(Seat { packs: self.clone(), index }))
    }

    fn floor(&self) -> MutexGuard<'_, Floor> {
        self.0.floor.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Closes all packs when nothing more can come.
    fn note(&self, change: impl FnOnce(&mut Work) -> More) {
        let mut floor = self.floor();
        if change(&mut floor.work) == More::CannotCome {
            for (_, open) in floor.open.drain() {
                open.pack.close();
            }
        }
    }

    /// A place in the open pack of a group, or in a new one.
    fn reserve(
        &self,
        group: (String, String),
        begin: impl FnOnce(&PackName) -> Result<Open, Failure>,
    ) -> Result<Open, Failure> {
        let mut floor = self.floor();
        if let Some(open) = floor.open.get(&group) {
            if open.pack.reserve() {
                return Ok(open.clone());
            }
            open.pack.close();
        }
        floor.begun += 1;
        let open = begin(&self.name(&floor.begun.to_string()))?;
        if !open.pack.reserve() {
            return Err(Failure::retryable("there is no place in an empty pack"));
        }
        floor.open.insert(group, open.clone());
        Ok(open)
    }

    fn name(&self, number: &str) -> PackName {
        PackName { id: format!("{}-{number}", self.0.stamp), time: self.0.begun_at }
    }
}

/// A text that no other invocation has, whatever it is called.
fn stamp(invocation: &str, now: Timestamp) -> String {
    let text = format!("{invocation} {} {}", now.as_nanosecond(), fastrand::u64(..));
    let digest = digest::digest(&digest::SHA256, text.as_bytes());
    format!("{}-{}", now.strftime("%Y%m%dT%H%M%SZ"), hex::encode(&digest.as_ref()[..8]))
}

/// A record of the batch.
#[derive(Debug, Clone)]
pub struct Record(Arc<Seat>);

#[derive(Debug)]
struct Seat {
    packs: Packs,
    index: usize,
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.packs.note(|work| work.over(self.index));
    }
}

impl Record {
    /// A record by itself.
    pub fn alone(by: Instant) -> Self {
        Packs::of("", 1, 1, by).record(0)
    }

    /// Waits until the record may be worked on.
    pub async fn turn(&self) {
        let packs = &self.0.packs;
        // It is never closed.
        if let Ok(permit) = Arc::clone(&packs.0.turns).acquire_owned().await {
            packs.floor().work.permit(self.0.index, permit);
        }
    }

    /// One export of the record, from now until it is let go of.
    pub(crate) fn begin(&self) -> Going {
        self.0.packs.floor().work.begin(self.0.index);
        Going { record: self.clone(), has_waited: AtomicBool::new(false), end: Mutex::new(None) }
    }
}

/// An export that is worked on.
#[derive(Debug)]
pub(crate) struct Going {
    record: Record,
    has_waited: AtomicBool,
    /// The right to be one of those that end at the same time.
    end: Mutex<Option<OwnedSemaphorePermit>>,
}

impl Drop for Going {
    fn drop(&mut self) {
        if !self.has_waited.load(Ordering::Relaxed) {
            let Seat { packs, index } = &*self.record.0;
            packs.note(|work| work.end(*index));
        }
    }
}

impl Going {
    /// A place in the object that the order goes into with others; nothing where it has one of its own.
    pub(crate) fn place(
        &self,
        clients: &Clients,
        pipeline: &Pipeline,
        order: &Order,
    ) -> Option<Result<Place<'_>, Failure>> {
        let packed = pipeline.transport.packed()?;
        Some(self.reserve(packed, clients, pipeline, order))
    }

    fn reserve(
        &self,
        packed: &Packed,
        clients: &Clients,
        pipeline: &Pipeline,
        order: &Order,
    ) -> Result<Place<'_>, Failure> {
        let packs = &self.record.0.packs;
        let packing = pipeline.format.packing().map_err(Failure::permanent)?;
        let code = pipeline.code.as_str();
        // What keys have in common shows when all packs have the same name.
        let group = packed.group(order, code, &packs.name("0"))?;
        let open = packs.reserve((code.to_owned(), group), |name| {
            let target = packed.target(clients, order, code, name)?;
            let pack = Arc::new(Pack::new(target.place(), packing, packed.limits, packs.0.by));
            Ok(Open { written: written(Arc::clone(&pack), target, packs.0.by), pack })
        })?;
        Ok(Place { going: self, open, is_taken: false })
    }

    /// The export waits until the object is written. Its record leaves its turn to others when it does nothing else.
    async fn wait(&self, written: Written) -> Result<(), Failure> {
        let Seat { packs, index } = &*self.record.0;
        self.has_waited.store(true, Ordering::Relaxed);
        packs.note(|work| work.wait(*index));
        let written = written.await;
        *self.end.lock().unwrap_or_else(PoisonError::into_inner) = Arc::clone(&packs.0.ends).acquire_owned().await.ok();
        written
    }
}

/// Writes a pack when it is to be written.
fn written(pack: Arc<Pack>, target: super::Target, by: Instant) -> Written {
    let writing = async move {
        let contents = pack.contents().await;
        let (orders, bytes) = (contents.members.len(), contents.body.len());
        let put = timeout_at(by, target.put(contents)).await;
        put.map_err(|_| Failure::retryable(format!("bucket {:?} did not answer in time", target.bucket)))??;
        tracing::info!(object = pack.place, orders, bytes, "{orders} orders are in {}", pack.place);
        Ok(())
    };
    writing.boxed().shared()
}

/// An export's place in a pack, from before it is claimed.
#[derive(Debug)]
pub(crate) struct Place<'g> {
    going: &'g Going,
    open: Open,
    /// Whether its document is in the pack.
    is_taken: bool,
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        if !self.is_taken {
            self.open.pack.leave();
        }
    }
}

impl Place<'_> {
    /// The object that it is in: `s3://bucket/key`.
    pub(crate) fn pack(&self) -> &str {
        &self.open.pack.place
    }

    /// Puts the document there and waits until the object is written. `held` is what the export holds in memory
    /// meanwhile, in bytes.
    pub(crate) async fn deliver(mut self, export: &str, document: Document, held: usize) -> Result<Receipt, Failure> {
        self.open.pack.join(export, document, held)?;
        self.is_taken = true;
        self.going.wait(self.open.written.clone()).await?;
        Ok(Receipt { destination: self.pack().to_owned(), ..Receipt::default() })
    }
}
