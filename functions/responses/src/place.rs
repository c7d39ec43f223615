//! From what results say to the exports that they are about.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use futures_util::{StreamExt, stream};
use ordersync::clock;
use ordersync::ledger::{Answered, ExportKey, Fault, Ledger, LedgerError, Row, Status};
use ordersync::pipeline::result::{About, BadResult, By, Said, Word};
use tokio::time::{Instant, sleep, timeout_at};

use crate::tally::{Failed, Tally};

/// Orders whose results are recorded at the same time.
const AT_ONCE: usize = 32;
/// Exports of one number that are looked at to tell which one is meant.
const MOST_CANDIDATES: usize = 20;
/// Rounds in which an order is asked for again that is not known: the index by number lags behind the table.
const ROUNDS_OF_UNKNOWN: usize = 2;

/// Records results for one pipeline.
#[derive(Debug, Clone)]
pub(crate) struct Placer<'a> {
    pub(crate) ledger: &'a Ledger,
    /// Code of the pipeline.
    pub(crate) pipeline: &'a str,
    /// What results name their order by.
    pub(crate) by: By,
    /// Shops whose orders the pipeline takes.
    pub(crate) shops: Vec<&'a str>,
    /// Waits between two rounds for exports that are still being tried: the back office may be faster than the record.
    pub(crate) waits: &'a [Duration],
}

/// Why not all results were placed; those that were are on record, and may be placed again.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Stopped {
    /// The ledger does not answer.
    #[error(transparent)]
    Unavailable(#[from] LedgerError),
    /// There was no time left.
    #[error("there was not enough time for all results")]
    OutOfTime,
}

/// A result and its place in the document.
#[derive(Debug)]
struct Item {
    index: usize,
    said: Said,
}

/// The results about one order, in the order of the document: what is said last is what counts in the end.
type Group = VecDeque<Item>;

/// Why a result does not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unplaced {
    Unknown,
    Ambiguous,
    /// Somebody works on the export, or will.
    Early,
    OtherPipeline,
    NotGiven(&'static str),
    Unreadable,
}

impl Unplaced {
    fn reason(self) -> &'static str {
        match self {
            Self::Unknown => "this pipeline has no export of this order",
            Self::Ambiguous => "several orders are called so: expected the shop as well",
            Self::Early => "its export is still being tried",
            Self::OtherPipeline => "expected the idempotency key of an export by this pipeline",
            Self::NotGiven(why) => why,
            Self::Unreadable => "its export is not as this version of ordersync writes it",
        }
    }

    fn may_pass(self, round: usize) -> bool {
        self == Self::Early || self == Self::Unknown && round < ROUNDS_OF_UNKNOWN
    }
}

impl Placer<'_> {
    /// Records every result, or says why it does not count.
    pub(crate) async fn place(
        &self,
        results: Vec<Result<Said, BadResult>>,
        deadline: Instant,
    ) -> Result<Tally, Stopped> {
        let mut tally = Tally::default();
        let groups = groups(results, &mut tally);
        timeout_at(deadline, self.rounds(groups, &mut tally)).await.map_err(|_| Stopped::OutOfTime)??;
        Ok(tally)
    }

    async fn rounds(&self, mut groups: Vec<Group>, tally: &mut Tally) -> Result<(), LedgerError> {
        let waits = self.waits.iter().map(Some).chain([None]);
        for (round, wait) in waits.enumerate() {
            groups = self.round(groups, wait.map(|_| round), tally).await?;
            match wait {
                Some(wait) if !groups.is_empty() => sleep(*wait).await,
                _ => break,
            }
        }
        Ok(())
    }

    /// Goes through all groups, and returns what is left of those for which it is too early. The last round, which has
    /// no number, leaves nothing.
    async fn round(
        &self,
        groups: Vec<Group>,
        round: Option<usize>,
        tally: &mut Tally,
    ) -> Result<Vec<Group>, LedgerError> {
        let work = stream::iter(groups).map(|group| self.group(group, round)).buffer_unordered(AT_ONCE);
        let mut work = std::pin::pin!(work);
        let mut left = Vec::new();
        while let Some(done) = work.next().await {
            let (placed, rest) = done?;
            for (item, outcome) in placed {
                count(tally, item, outcome);
            }
            left.extend(Some(rest).filter(|rest| !rest.is_empty()));
        }
        Ok(left)
    }

    async fn group(
        &self,
        mut group: Group,
        round: Option<usize>,
    ) -> Result<(Vec<(Item, Result<(), Unplaced>)>, Group), LedgerError> {
        let mut placed = Vec::new();
        while let Some(item) = group.pop_front() {
            let outcome = match self.one(&item.said).await {
                Err(LedgerError::BadRow { key, expected }) => {
                    tracing::error!(key, expected, "a row of the ledger cannot be read: expected {expected}");
                    Err(Unplaced::Unreadable)
                }
                outcome => outcome?,
            };
            if let (Err(unplaced), Some(round)) = (outcome, round)
                && unplaced.may_pass(round)
            {
                group.push_front(item);
                break;
            }
            placed.push((item, outcome));
        }
        Ok((placed, group))
    }

    async fn one(&self, said: &Said) -> Result<Result<(), Unplaced>, LedgerError> {
        let row = match self.find(&said.about).await? {
            Ok(row) => row,
            Err(unplaced) => return Ok(Err(unplaced)),
        };
        if is_on_record(&row, said) {
            return Ok(Ok(()));
        }
        let (id, now) = (said.external_id.as_deref(), clock::now());
        let answered = match &said.word {
            Word::Taken => self.ledger.acknowledge(&row, id, now).await?,
            Word::Refused(message) => self.ledger.deny(&row, id, &record(message.as_deref()), now).await?,
        };
        Ok(match answered {
            Answered::Recorded => Ok(()),
            Answered::NotGiven(row) => Err(row.map_or(Unplaced::Unknown, |row| not_given(&row))),
        })
    }

    /// The one export that a result can be about.
    async fn find(&self, about: &About) -> Result<Result<Row, Unplaced>, LedgerError> {
        let candidates = match self.candidates(about).await? {
            Ok(candidates) => candidates,
            Err(unplaced) => return Ok(Err(unplaced)),
        };
        let mut rows = Vec::new();
        for key in candidates {
            // One may have for its identifier what is another's number.
            let is_meant = |row: &Row| self.by != By::Number || row.number == about.order;
            rows.extend(self.ledger.export(&key).await?.filter(is_meant));
        }
        if rows.len() > 1 {
            // The back office has never heard of what was skipped.
            rows.retain(|row| row.status != Status::Skipped);
        }
        let row = rows.pop();
        Ok(if rows.is_empty() { row.ok_or(Unplaced::Unknown) } else { Err(Unplaced::Ambiguous) })
    }

    /// The exports of orders with this identifier.
    fn by_id(&self, about: &About) -> Vec<ExportKey> {
        let shops = about.shop.as_deref().map_or_else(|| self.shops.clone(), |shop| vec![shop]);
        shops.into_iter().map(|shop| ExportKey::new(shop, &about.order, self.pipeline)).collect()
    }

    async fn candidates(&self, about: &About) -> Result<Result<Vec<ExportKey>, Unplaced>, LedgerError> {
        let is_its_shop = |shop: &str| about.shop.as_deref().is_none_or(|wanted| wanted == shop);
        match self.by {
            By::Number => {
                let mut keys = self.ledger.by_number(&about.order).await?;
                keys.retain(|key| key.pipeline == self.pipeline && is_its_shop(&key.shop));
                if keys.len() > MOST_CANDIDATES {
                    return Ok(Err(Unplaced::Ambiguous));
                }
                // An order whose number is its identifier is in no index.
                let mut by_id = self.by_id(about);
                by_id.retain(|key| !keys.contains(key));
                Ok(Ok([keys, by_id].concat()))
            }
            By::Id => Ok(Ok(self.by_id(about))),
            By::IdempotencyKey => {
                let key = ExportKey::from_idempotency_key(&about.order).filter(|key| key.pipeline == self.pipeline);
                Ok(key.map(|key| vec![key]).ok_or(Unplaced::OtherPipeline))
            }
        }
    }
}

/// Gathers the results by order, whether or not they name its shop; bad ones are counted at once.
fn groups(results: Vec<Result<Said, BadResult>>, tally: &mut Tally) -> Vec<Group> {
    let mut groups: BTreeMap<String, Group> = BTreeMap::new();
    for (index, result) in results.into_iter().enumerate() {
        match result {
            Ok(said) => groups.entry(said.about.order.clone()).or_default().push_back(Item { index, said }),
            Err(BadResult { order, path, reason }) => {
                let path = Some(path).filter(|path| !path.is_empty());
                tally.fail(index, Failed { order, path, reason, is_early: false });
            }
        }
    }
    groups.into_values().collect()
}

fn count(tally: &mut Tally, Item { index, said }: Item, outcome: Result<(), Unplaced>) {
    match (outcome, &said.word) {
        (Ok(()), Word::Taken) => tally.acknowledge(),
        (Ok(()), Word::Refused(_)) => tally.refuse(),
        (Err(unplaced), _) => {
            let (order, reason) = (Some(said.about.order), unplaced.reason().into());
            tally.fail(index, Failed { order, path: None, reason, is_early: unplaced == Unplaced::Early });
        }
    }
}

/// Whether the row says already what the result says, so that a repeated one changes nothing.
fn is_on_record(row: &Row, said: &Said) -> bool {
    let is_same_id = said.external_id.is_none() || said.external_id == row.external_id;
    let is_same_word = match &said.word {
        Word::Taken => row.status == Status::Acknowledged,
        Word::Refused(message) => {
            row.status == Status::Error
                && row.fault == Some(Fault::Rejected)
                && row.last_error.as_deref() == Some(&record(message.as_deref()))
        }
    };
    is_same_id && is_same_word
}

/// A refusal as the ledger keeps it.
fn record(message: Option<&str>) -> String {
    match message {
        Some(message) => format!("the back office refused it: {message}"),
        None => "the back office refused it and did not say why".into(),
    }
}

/// Why an export in this state can be neither acknowledged nor refused.
fn not_given(row: &Row) -> Unplaced {
    match row.status {
        // Exported: it was recorded after the write that was refused.
        Status::Pending | Status::Processing | Status::Exported | Status::Acknowledged => Unplaced::Early,
        Status::Skipped => Unplaced::NotGiven("this pipeline has skipped the order"),
        Status::Canceled => Unplaced::NotGiven("the order was canceled before it was exported"),
        Status::Error => Unplaced::NotGiven("its export is in error, and no attempt was made to deliver it"),
    }
}

#[cfg(test)]
mod tests;
