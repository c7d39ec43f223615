//! What was called: calls and bytes by service and operation, and, where it is asked for, the requests themselves.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use http::HeaderMap;

use super::server::{Answer, Request};

/// Calls of one operation, and bytes of its messages in HTTP/1.1, before TLS.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Count {
    /// How often it was called.
    pub calls: u64,
    /// Bytes of the requests.
    pub sent: u64,
    /// Bytes of the answers.
    pub received: u64,
}

/// Counts by `Service.Operation`.
pub type Counts = BTreeMap<String, Count>;

/// A request as it was made.
#[derive(Debug, Clone)]
pub struct Kept {
    /// `Service.Operation`.
    pub operation: String,
    /// Path and query.
    pub target: String,
    /// Headers.
    pub headers: HeaderMap,
    /// Body.
    pub body: Bytes,
}

/// Counts what all stand-ins are asked.
#[derive(Debug, Default)]
pub struct Tally(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    counts: Counts,
    is_keeping: bool,
    kept: Vec<Kept>,
    complaints: Vec<String>,
}

impl Tally {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts a call that is answered.
    pub(super) fn add(&self, operation: &str, sent: u64, received: u64) {
        let mut state = self.state();
        if !state.counts.contains_key(operation) {
            state.counts.insert(operation.to_owned(), Count::default());
        }
        if let Some(count) = state.counts.get_mut(operation) {
            count.calls += 1;
            count.sent += sent;
            count.received += received;
        }
    }

    /// Keeps a request, where requests are kept.
    pub(super) fn keep(&self, operation: &str, request: &Request) {
        let mut state = self.state();
        if state.is_keeping {
            let target = request.uri().path_and_query().map(ToString::to_string).unwrap_or_default();
            let (headers, body) = (request.headers().clone(), request.body().clone());
            state.kept.push(Kept { operation: operation.to_owned(), target, headers, body });
        }
    }

    /// Notes that a request was not right.
    pub(super) fn complain(&self, what: String) {
        self.state().complaints.push(what);
    }

    /// What was counted until now.
    pub fn counts(&self) -> Counts {
        self.state().counts.clone()
    }

    /// Whether requests are kept from now on; what was kept before is dropped.
    pub fn keep_requests(&self, keep: bool) {
        let mut state = self.state();
        state.is_keeping = keep;
        state.kept.clear();
    }

    /// The requests kept since the last time that this was asked.
    pub fn take_kept(&self) -> Vec<Kept> {
        std::mem::take(&mut self.state().kept)
    }

    /// What was wrong with requests since the last time that this was asked.
    pub fn take_complaints(&self) -> Vec<String> {
        std::mem::take(&mut self.state().complaints)
    }
}

/// What was counted between two moments.
pub fn since(before: &Counts, after: &Counts) -> Counts {
    let rest = |(operation, count): (&String, &Count)| {
        let base = before.get(operation).copied().unwrap_or_default();
        let difference = Count {
            calls: count.calls - base.calls,
            sent: count.sent - base.sent,
            received: count.received - base.received,
        };
        (difference.calls > 0).then(|| (operation.clone(), difference))
    };
    after.iter().filter_map(rest).collect()
}

/// Bytes of a request in HTTP/1.1.
pub(super) fn request_bytes(request: &Request) -> u64 {
    let line = request.method().as_str().len() + request.uri().path_and_query().map_or(1, |path| path.as_str().len());
    length(line + " HTTP/1.1\r\n".len() + 1 + headers_bytes(request.headers()) + request.body().len())
}

/// Bytes of an answer in HTTP/1.1. The server adds the date and the length.
pub(super) fn answer_bytes(answer: &Answer) -> u64 {
    let added = "date: Thu, 01 Jan 1970 00:00:00 GMT\r\ncontent-length: 100\r\n".len();
    let line = "HTTP/1.1 200 OK\r\n".len();
    length(line + added + headers_bytes(answer.headers()) + answer.body().len())
}

fn headers_bytes(headers: &HeaderMap) -> usize {
    headers.iter().map(|(name, value)| name.as_str().len() + value.len() + ": \r\n".len()).sum::<usize>() + 2
}

fn length(bytes: usize) -> u64 {
    u64::try_from(bytes).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_counted_before_is_not_counted_again() {
        let tally = Tally::default();
        tally.add("SQS.SendMessage", 10, 1);
        let before = tally.counts();
        tally.add("SQS.SendMessage", 20, 2);
        tally.add("S3.PutObject", 5, 5);
        let counts = since(&before, &tally.counts());
        assert_eq!(counts["SQS.SendMessage"], Count { calls: 1, sent: 20, received: 2 });
        assert_eq!(counts["S3.PutObject"], Count { calls: 1, sent: 5, received: 5 });
        assert!(since(&before, &before).is_empty());
    }
}
