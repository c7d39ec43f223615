//! A rate limit that two pipelines share.

use std::time::Instant;

use super::*;
use crate::support::receiver::Reply;

/// Five a second.
const RATE: usize = 5;
/// What a slot may be used late: so many more requests may meet in any time.
const LATE: usize = 2;

#[tokio::test]
async fn a_destination_is_not_called_faster_than_its_limit_by_all_pipelines_together() {
    let stack = Stack::get();
    let receiver = Receiver::start(19575, |_, _| Reply::ok(""));
    let ids = accept_all(&stack, "it-paced", "paced", 15).await;
    for pipeline in ["paced-a", "paced-b"] {
        let exported = rows(&stack, "it-paced", &ids, pipeline, |row| row.status == Status::Exported).await;
        for row in exported {
            assert_eq!(
                (row.attempts, row.last_error, row.history.len()),
                (1, None, 1),
                "{}",
                row.key.idempotency_key()
            );
        }
    }
    let mut times: Vec<Instant> = receiver.requests().iter().map(|request| request.at).collect();
    times.sort();
    assert_eq!(times.len(), 30, "each once");
    for seconds in [1, 2, 3] {
        let in_window = |first: &Instant| {
            times.iter().filter(|at| *at >= first && at.duration_since(*first) < Duration::from_secs(seconds)).count()
        };
        let most = times.iter().map(in_window).max().unwrap_or(0);
        let allowed = RATE * (usize::try_from(seconds).unwrap() + LATE) + 1;
        assert!(most <= allowed, "{most} requests within {seconds} s, where {allowed} are allowed");
    }
    let all = times[29].duration_since(times[0]);
    assert!(all >= Duration::from_millis(29 * 200 - 2000), "thirty requests at five a second within {all:?}");
}
