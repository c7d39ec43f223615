//! The ledger, the workers at it, and how a step is taken.

use jiff::{SignedDuration, Timestamp};

use super::expected::{Expected, Turn, state_of, wait_until};
use super::invariants::Invariants;
use super::rules::{self, is_removable, told_at};
use super::said::{facts, kept, said, summary};
use super::steps::{For, Into, LEASE, Step, W, WORKERS, Word};
use crate::fake::{FakeTable, Log};
use crate::ledger::keys::{due_key, paused_key, shard};
use crate::ledger::{
    Claim, Completion, Due, ExportKey, Facts, Fault, FindBy, Imported, Keep, Lease, Ledger, NextStep, Recorded, Reset,
    Row, Status, Wait, Waiting, Why,
};

/// What a worker knows; it may be long out of date.
#[derive(Debug, Default)]
struct Worker {
    seen: Option<Row>,
    lease: Option<Lease>,
    /// A lease that was given back, for a write that is repeated.
    ended: Option<Lease>,
    released_at: Option<Timestamp>,
}

/// One export and all who work on it.
pub(super) struct World {
    pub(super) table: FakeTable,
    pub(super) ledger: Ledger,
    pub(super) key: ExportKey,
    log: Log,
    now: Timestamp,
    workers: [Worker; WORKERS],
    /// Steps so far, which name the holders.
    steps: usize,
    invariants: Invariants,
}

impl World {
    pub(super) fn new() -> Self {
        let log = Log::default();
        let table = FakeTable::new(log.clone());
        Self {
            ledger: table.ledger(),
            table,
            key: ExportKey::new("acme", "1001", "erp"),
            log,
            now: Timestamp::from_second(1_800_000_000).unwrap(),
            workers: Default::default(),
            steps: 0,
            invariants: Invariants::default(),
        }
    }

    /// The row as it is.
    pub(super) fn row(&self) -> Option<Row> {
        self.table.row(&self.key)
    }

    /// Takes a step, and looks whether all is as it must be then.
    pub(super) async fn take(&mut self, step: Step) {
        self.steps += 1;
        self.now += SignedDuration::from_millis(1);
        let owner = format!("{}", self.steps);
        let before = self.row();
        let expected = {
            let worker = step.worker().map(|w| &self.workers[w]);
            let turn = Turn {
                now: self.now,
                seen: worker.and_then(|worker| worker.seen.as_ref()),
                lease: worker.and_then(|worker| worker.lease.as_ref()),
                released_at: worker.and_then(|worker| worker.released_at),
                owner: &owner,
            };
            let fits = |seen: &Row| seen.due.as_ref().is_some_and(|due| due.key.starts_with("ack#"));
            let is_idle = match step {
                // What nobody would do: these are of what stands in an index, or in a state.
                Step::Release(_) => turn.seen.is_none_or(fits),
                Step::GiveUpWaiting(_) | Step::DropDeadline(_) => !turn.seen.is_some_and(fits),
                _ => false,
            };
            let before = before.as_ref().map(Expected::of);
            if is_idle { before } else { rules::after(step, before, &turn, &|why| self.place(why)) }
        };
        self.log.take();
        let granted = self.act(step, &owner).await;
        let row = self.row();
        let found = row.as_ref().map(Expected::of);
        assert_eq!(found, expected, "after {step:?}, at {}, before it {before:?}", self.now);
        let writes = self.log.take().iter().filter(|line| line.starts_with("write")).count();
        let item = self.table.item("acme#1001", "erp");
        self.invariants.hold(step, before.as_ref(), row.as_ref(), item.as_ref(), self.now);
        self.invariants.count(step, writes, granted.as_ref(), before.as_ref(), row.as_ref());
    }

    /// Where in the index an export is that waits for this.
    fn place(&self, why: For) -> Due {
        match why {
            For::Resume => Due { key: paused_key(&self.key.pipeline, shard(&self.key)), at: self.now },
            For::Delay | For::Slot => Due { key: due_key(&self.key), at: wait_until(self.now) },
        }
    }

    fn wait(&self, why: For) -> Wait {
        let until = wait_until(self.now);
        match why {
            For::Resume => Wait::ForResume,
            For::Delay => Wait::Until { why: Why::Delay, at: until, hand_out_at: until },
            For::Slot => Wait::Until { why: Why::Slot, at: until, hand_out_at: until },
        }
    }

    /// Does what a step says. A lease that was taken is returned.
    async fn act(&mut self, step: Step, owner: &str) -> Option<Lease> {
        match step {
            Step::Time(seconds) => self.now += SignedDuration::from_secs(seconds),
            Step::Look(w) => self.workers[w].seen = self.ledger.export(&self.key).await.unwrap(),
            Step::Fall(w) => self.workers[w] = Worker::default(),
            Step::Claim(w, told) => return self.claim(w, owner, told).await,
            Step::ClaimSeen(w) => return self.claim_seen(w, owner).await,
            Step::Complete(..) | Step::CompleteAgain(_) | Step::Retry(..) | Step::GiveUp(..) => self.end(step).await,
            Step::Observe(_, word, told, ends) => {
                let kept: &[&str] = if ends { &[] } else { &["erp"] };
                self.ledger.observe("acme", "1001", &said(word, told), kept, self.now).await.unwrap();
            }
            Step::Foresee(_, word, told) => {
                let facts = Facts {
                    told: told_at(word, told),
                    order_state: Some(state_of(word).into()),
                    is_unpaid: word == Word::Open,
                    ..facts(0, None)
                };
                self.ledger.foresee(&self.key, &facts, &said(word, told), self.now).await.unwrap();
            }
            Step::Bar(_) => {
                self.ledger.bar(&self.key, self.now).await.unwrap();
            }
            Step::Import(_) => {
                let imported = Imported { origin: "before".into(), ..Imported::default() };
                self.ledger.import(&self.key, &imported, FindBy::default(), self.now).await.unwrap();
            }
            Step::Keep(_, into) => {
                if let Some(kept) = kept(into) {
                    // Refused where there is no row: the message is not let go of.
                    let recorded = self.ledger.keep(&self.key, &kept).await;
                    assert_eq!(recorded.is_err(), self.row().is_none());
                }
            }
            Step::Skip(_, told, into) => {
                self.ledger.skip(&self.key, &facts(told, kept(into)), "declined", self.now).await.unwrap();
            }
            Step::Reject(_, told, into) => {
                let facts = facts(told, kept(into));
                let fault =
                    if self.row().is_none_or(|row| row.is_untried()) { Fault::Permanent } else { Fault::Orphaned };
                self.ledger.reject(&self.key, &facts, "unreadable", fault, self.now).await.unwrap();
            }
            Step::Park(_, told, why, into) => {
                self.ledger.park(&self.key, &facts(told, kept(into)), self.wait(why), self.now).await.unwrap();
            }
            Step::Announce(_, told) => {
                self.ledger.announce(&self.key, &facts(told, kept(Into::Row)), self.now).await.unwrap();
            }
            step => self.act_on_seen(step).await,
        }
        None
    }

    async fn claim(&mut self, w: W, owner: &str, told: i64) -> Option<Lease> {
        let claim = self.ledger.claim(&self.key, &facts(told, None), owner, self.now, self.lease_end()).await;
        self.granted(w, claim.unwrap())
    }

    async fn claim_seen(&mut self, w: W, owner: &str) -> Option<Lease> {
        let seen = self.workers[w].seen.clone()?;
        let claim = self.ledger.claim_again(&seen, owner, self.now, self.lease_end()).await;
        // What was removed since is looked at again later.
        assert!(claim.is_ok() || self.row().is_none(), "{claim:?}");
        self.granted(w, claim.ok()?)
    }

    fn lease_end(&self) -> Timestamp {
        self.now + SignedDuration::from_secs(LEASE)
    }

    fn granted(&mut self, w: W, claim: Claim<Lease>) -> Option<Lease> {
        let Claim::Granted(lease) = claim else { return None };
        self.workers[w].lease = Some(lease.clone());
        Some(lease)
    }

    /// How an attempt ends. The answer is lease lost where it is.
    async fn end(&mut self, step: Step) {
        let (Step::Complete(w, ..) | Step::CompleteAgain(w) | Step::Retry(w, _) | Step::GiveUp(w, _)) = step else {
            return;
        };
        let is_again = matches!(step, Step::CompleteAgain(_));
        let worker = &mut self.workers[w];
        let lease = if is_again { worker.ended.clone() } else { worker.lease.take() };
        let Some(lease) = lease else { return };
        let was_held = self.table.row(&self.key).is_some_and(|row| row.is_held_by(&lease.owner));
        let is_on_record = self.table.row(&self.key).is_some_and(|row| row.was_ended_by(&lease));
        let is_done = match step {
            Step::Retry(_, into) => {
                let next = NextStep::Retry { not_before: wait_until(self.now) };
                self.ledger.fail(&lease, "no", None, next, kept(into).as_ref(), self.now).await.is_ok()
            }
            Step::GiveUp(_, into) => {
                let next = NextStep::GiveUp(Fault::Exhausted);
                self.ledger.fail(&lease, "no", None, next, kept(into).as_ref(), self.now).await.is_ok()
            }
            _ => {
                let (into, ack) =
                    if let Step::Complete(_, into, ack) = step { (into, ack) } else { (Into::Nowhere, false) };
                let acknowledge_by = ack.then(|| wait_until(self.now));
                let done = Completion { destination: "d".into(), external_id: None, acknowledge_by };
                let kept = kept(into);
                let keep = kept.as_ref().map_or(Keep::No, Keep::Put);
                self.ledger.complete(&lease, &done, keep, self.now).await.is_ok()
            }
        };
        assert_eq!(is_done, was_held || is_on_record, "{step:?}: who holds the lease may end, and nobody else");
        self.workers[w].ended = Some(lease);
    }

    /// What is done with the row as a worker saw it.
    async fn act_on_seen(&mut self, step: Step) {
        let Some(w) = step.worker() else { return };
        let released_at = self.workers[w].released_at;
        if let (Step::Settle(_), Some(at)) = (step, released_at) {
            self.ledger.settle(&self.key, at).await.unwrap();
        }
        let Some(row) = self.workers[w].seen.clone() else { return };
        let (ledger, now) = (&self.ledger, self.now);
        let waiting = row.due.clone().map(|due| Waiting { key: self.key.clone(), due });
        let (acks, dues): (Option<Waiting>, Option<Waiting>) = match waiting {
            Some(waiting) if waiting.due.key.starts_with("ack#") => (Some(waiting), None),
            waiting => (None, waiting),
        };
        match step {
            Step::Abandon(_, into) => {
                ledger.abandon(&row, "orphaned", Fault::Orphaned, kept(into).as_ref(), now).await.unwrap();
            }
            Step::ParkSeen(_, why, into) => {
                ledger.park_again(&row, self.wait(why), kept(into).as_ref(), now).await.unwrap();
            }
            Step::Release(_) => {
                if let Some(waiting) = dues {
                    let recorded = ledger.release(&waiting, now).await.unwrap();
                    if recorded == Recorded::Written {
                        self.workers[w].released_at = Some(now);
                    }
                }
            }
            Step::Expire(_, has_attempts) => {
                ledger.expire(&row, has_attempts, now).await.unwrap();
            }
            Step::Lose(_) => {
                ledger.lose(&row, now).await.unwrap();
            }
            Step::Reset(_, anew) if row.status == Status::Error => {
                let how = if anew { Reset::Anew } else { Reset::GoOn };
                ledger.reset(&summary(&row), how, now).await.unwrap();
            }
            Step::SetBack(_) => {
                ledger.set_back(&row, now).await.unwrap();
            }
            Step::CancelByHand(_) => {
                ledger.cancel_by_hand(&row, "by hand", now).await.unwrap();
            }
            Step::SkipByHand(_) => {
                ledger.skip_by_hand(&row, "by hand", now).await.unwrap();
            }
            Step::EndIfCanceled(_) => {
                ledger.end_if_canceled(&row, now).await.unwrap();
            }
            Step::Acknowledge(_) => {
                ledger.acknowledge(&row, Some("E-1"), now).await.unwrap();
            }
            Step::Deny(_) => {
                ledger.deny(&row, None, "refused", now).await.unwrap();
            }
            Step::GiveUpWaiting(_) => {
                if let Some(waiting) = acks {
                    ledger.give_up_waiting(&waiting, std::time::Duration::from_secs(1), now).await.unwrap();
                }
            }
            Step::DropDeadline(_) => {
                if let Some(waiting) = acks {
                    ledger.drop_deadline(&waiting).await.unwrap();
                }
            }
            Step::Decline(_) => {
                ledger.decline(&row, "declined", now).await.unwrap();
            }
            Step::Erase(_) => {
                ledger.erase(&row, now).await.unwrap();
            }
            Step::Remove(_) if is_removable(&row) => {
                ledger.remove(&row).await.unwrap();
            }
            _ => {}
        }
    }

    /// All faults end: time passes, messages come again, reset-errors runs. Then the export is over.
    pub(super) async fn comes_to_an_end(&mut self) {
        for _ in 0..4 {
            self.take(Step::Time(1_000)).await;
            self.take(Step::Look(0)).await;
            let Some(row) = self.row() else { return };
            if !row.is_open() {
                return;
            }
            // What the ledger has to hand out, it hands out; what it has not, a message comes for.
            self.take(Step::Release(0)).await;
            self.take(Step::Settle(0)).await;
            self.take(Step::Look(0)).await;
            self.take(Step::ClaimSeen(0)).await;
            self.take(Step::Complete(0, Into::Nowhere, false)).await;
        }
        panic!("it does not come to an end: {:#?}", self.row());
    }
}
