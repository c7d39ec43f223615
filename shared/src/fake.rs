//! A table, a queue and a bucket in memory, for tests of what is written and sent, in which order, and what becomes of it when
//! something falls between two steps. They understand as much of the services' language as is spoken here; that the
//! services understand the same is shown end to end.

mod bucket;
mod expression;
mod queue;
mod table;
mod units;

use std::sync::{Arc, Mutex};

pub(crate) use bucket::{FakeBucket, Fault};
pub(crate) use queue::FakeQueue;
pub(crate) use table::{FakeTable, attribute};

/// What was done, in its order; shared by all that keep a record of it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Log(Arc<Mutex<Vec<String>>>);

impl Log {
    /// Adds a line, and says how many there are.
    pub(crate) fn add(&self, line: impl Into<String>) -> usize {
        let mut lines = self.0.lock().unwrap();
        lines.push(line.into());
        lines.len()
    }

    /// What was done since the last time that this was asked.
    pub(crate) fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}
