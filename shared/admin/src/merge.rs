//! Many lists, each newest first, as one.

use std::collections::VecDeque;

use ordersync::ledger::{LedgerError, Pages, Summary};

use crate::Key;
use crate::cursor::Place;

/// One partition of the index, as far as it was read.
#[derive(Debug)]
pub(crate) struct Stream {
    pages: Pages,
    /// Read, in order, and complete but for what is older than the last of them.
    ready: VecDeque<Summary>,
    /// Read, and of the same time as what may come next: others of that time may sort before them.
    held: Vec<Summary>,
    /// Nothing at or before it is wanted: the last page ended there.
    after: Option<Place>,
}

pub(crate) fn place(row: &Summary) -> Place {
    Place { at: row.updated_at, key: Key::from(&row.key) }
}

impl Stream {
    pub(crate) fn new(pages: Pages, after: Option<Place>) -> Self {
        Self { pages, ready: VecDeque::new(), held: Vec::new(), after }
    }

    /// Reads until the next one is known, or that there is none. `DynamoDB` does not say in which order rows come that
    /// changed within the same millisecond, so that they are sorted once all of them are there.
    pub(crate) async fn fill(&mut self) -> Result<(), LedgerError> {
        while self.ready.is_empty() {
            match self.pages.summaries().await? {
                Some(page) => self.take(page),
                None if self.held.is_empty() => return Ok(()),
                None => self.release(),
            }
        }
        Ok(())
    }

    /// Takes in a page.
    fn take(&mut self, page: Vec<Summary>) {
        let wanted = |row: &Summary| self.after.as_ref().is_none_or(|after| place(row) > *after);
        let rows: Vec<_> = page.into_iter().filter(wanted).collect();
        for row in rows {
            if self.held.last().is_some_and(|held| held.updated_at != row.updated_at) {
                self.release();
            }
            self.held.push(row);
        }
        if self.pages.is_over() {
            self.release();
        }
    }

    fn release(&mut self) {
        self.held.sort_by_key(place);
        self.ready.extend(self.held.drain(..));
    }

    /// Whether nothing is left of it.
    pub(crate) fn is_over(&self) -> bool {
        self.ready.is_empty() && self.held.is_empty() && self.pages.is_over()
    }

    fn next_place(&self) -> Option<Place> {
        self.ready.front().map(place)
    }
}

/// The next of all lists; nothing when all are over. Every one of them has to be filled before.
pub(crate) fn next(streams: &mut [Stream]) -> Option<(usize, Summary)> {
    let first = streams.iter().enumerate().filter_map(|(at, stream)| Some((stream.next_place()?, at))).min()?.1;
    let row = streams[first].ready.pop_front()?;
    Some((first, row))
}

/// Whether a list has to be filled before the next can be told.
pub(crate) fn wants_more(stream: &Stream) -> bool {
    stream.ready.is_empty() && !stream.is_over()
}
