//! Which records of a batch may still add to a pack. Pure.
//!
//! A record is at rest when none of its exports does anything but wait for the object that it is put into. When every
//! record is at rest or over, nothing more can come, and the objects are written.

use tokio::sync::OwnedSemaphorePermit;

/// The records of a batch.
#[derive(Debug)]
pub(super) struct Work {
    records: Vec<Standing>,
    /// Records that are not over and not at rest, those that were not begun included.
    busy: usize,
}

/// How a record stands.
#[derive(Debug, Default)]
struct Standing {
    /// Exports that are worked on.
    active: usize,
    /// Exports that have waited for their object.
    waiting: usize,
    is_at_rest: bool,
    is_over: bool,
    /// The right to be one of those that are worked on at the same time.
    permit: Option<OwnedSemaphorePermit>,
}

/// Whether something more may come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub(super) enum More {
    MayCome,
    CannotCome,
}

impl Work {
    /// So many records, none of them begun.
    pub(super) fn of(records: usize) -> Self {
        Self { records: (0..records).map(|_| Standing::default()).collect(), busy: records }
    }

    /// A record may be worked on.
    pub(super) fn permit(&mut self, record: usize, permit: OwnedSemaphorePermit) {
        if let Some(standing) = self.records.get_mut(record) {
            standing.permit = Some(permit);
        }
    }

    /// An export of a record is worked on.
    pub(super) fn begin(&mut self, record: usize) {
        let Some(standing) = self.records.get_mut(record) else { return };
        standing.active += 1;
        if standing.is_at_rest {
            standing.is_at_rest = false;
            self.busy += 1;
        }
    }

    /// An export is over that waited for no object.
    pub(super) fn end(&mut self, record: usize) -> More {
        if let Some(standing) = self.records.get_mut(record) {
            standing.active = standing.active.saturating_sub(1);
        }
        self.rest(record)
    }

    /// An export waits for its object. It joins no other.
    pub(super) fn wait(&mut self, record: usize) -> More {
        if let Some(standing) = self.records.get_mut(record) {
            standing.active = standing.active.saturating_sub(1);
            standing.waiting += 1;
        }
        self.rest(record)
    }

    /// A record is over, however it ended.
    pub(super) fn over(&mut self, record: usize) -> More {
        let Some(standing) = self.records.get_mut(record).filter(|standing| !standing.is_over) else {
            return self.more();
        };
        let was_busy = !standing.is_at_rest;
        *standing = Standing { is_over: true, is_at_rest: true, ..Standing::default() };
        self.busy -= usize::from(was_busy);
        self.more()
    }

    fn rest(&mut self, record: usize) -> More {
        if let Some(standing) = self.records.get_mut(record)
            && standing.active == 0
            && standing.waiting > 0
            && !standing.is_at_rest
        {
            standing.is_at_rest = true;
            standing.permit = None;
            self.busy -= 1;
        }
        self.more()
    }

    fn more(&self) -> More {
        if self.busy == 0 { More::CannotCome } else { More::MayCome }
    }
}

#[cfg(test)]
mod tests {
    use super::More::{CannotCome, MayCome};
    use super::*;

    #[test]
    fn nothing_more_can_come_when_every_record_waits_or_is_over() {
        let mut work = Work::of(3);
        work.begin(0);
        assert_eq!(work.wait(0), MayCome);
        assert_eq!(work.over(1), MayCome, "the third was not even begun");
        work.begin(2);
        work.begin(2);
        assert_eq!(work.wait(2), MayCome, "another pipeline of it may join");
        assert_eq!(work.end(2), CannotCome);
        assert_eq!((work.over(0), work.over(2), work.over(2)), (CannotCome, CannotCome, CannotCome));
    }

    #[test]
    fn a_record_that_begins_another_export_is_not_at_rest_any_more() {
        let mut work = Work::of(1);
        work.begin(0);
        assert_eq!(work.wait(0), CannotCome);
        work.begin(0);
        assert_eq!(work.wait(0), CannotCome);
        work.begin(0);
        assert_eq!(work.end(0), CannotCome);
    }

    #[tokio::test]
    async fn who_rests_leaves_its_turn_to_another() {
        let permits = std::sync::Arc::new(tokio::sync::Semaphore::new(1));
        let mut work = Work::of(2);
        work.permit(0, std::sync::Arc::clone(&permits).try_acquire_owned().unwrap());
        work.begin(0);
        assert_eq!(permits.available_permits(), 0);
        assert_eq!((work.wait(0), permits.available_permits()), (MayCome, 1));
        work.permit(0, std::sync::Arc::clone(&permits).try_acquire_owned().unwrap());
        assert_eq!((work.over(0), permits.available_permits()), (MayCome, 1));
    }
}
