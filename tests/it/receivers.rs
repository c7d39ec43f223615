//! Receivers that fail in every way.

use std::time::Duration;

use ordersync::ledger::{Outcome, Row, Status};

use crate::support::receiver::{Receiver, Reply};
use crate::support::shop::{generic, order};
use crate::support::stack::Stack;

fn outcomes(row: &Row) -> Vec<Outcome> {
    row.history.iter().map(|attempt| attempt.outcome).collect()
}

#[tokio::test]
async fn a_500_is_tried_again_with_the_same_key() {
    let stack = Stack::get();
    let receiver = Receiver::start(19403, |n, _| if n == 1 { Reply::status("500 Oops") } else { Reply::ok("") });
    stack.accept("it-flaky", &generic(&order("flaky-1"))).await;
    let row = stack.export("it-flaky", "flaky-1", "flaky", Status::Exported).await;
    assert_eq!((row.attempts, outcomes(&row)), (2, vec![Outcome::Retry, Outcome::Exported]));
    assert_eq!(row.last_error, None);
    let keys: Vec<_> = receiver.requests().iter().map(|request| request.key().to_owned()).collect();
    assert_eq!(keys, ["it-flaky:flaky-1:flaky"; 2]);
}

#[tokio::test]
async fn what_stays_broken_is_an_error_and_a_dead_letter_after_exactly_the_attempts_there_are() {
    let stack = Stack::get();
    let receiver = Receiver::start(19404, |_, _| Reply::Whole("503 Busy", Vec::new(), "come back never".into()));
    stack.accept("it-broken", &generic(&order("broken-1"))).await;
    let row = stack.export("it-broken", "broken-1", "broken", Status::Error).await;
    assert_eq!((row.attempts, outcomes(&row)), (3, vec![Outcome::Retry, Outcome::Retry, Outcome::Error]));
    assert!(row.last_error.as_deref().unwrap().contains("503"), "{:?}", row.last_error);
    assert!(row.history[2].response.as_deref().unwrap().contains("come back never"));
    let (body, attributes) = stack.dead_letter("broken-1").await;
    assert!(body.contains("N-broken-1"));
    assert_eq!(attributes["shop"], "it-broken");
    assert_eq!(receiver.requests().len(), 3, "redrive after exactly maxReceiveCount");
}

#[tokio::test]
async fn fewer_attempts_than_the_queue_makes_end_in_error_without_a_dead_letter() {
    let stack = Stack::get();
    let receiver = Receiver::start(19421, |_, _| Reply::status("500 Oops"));
    stack.accept("it-lower", &generic(&order("lower-1"))).await;
    let row = stack.export("it-lower", "lower-1", "lower", Status::Error).await;
    assert_eq!((row.attempts, receiver.requests().len()), (2, 2));
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert_eq!(stack.find_dead_letter("lower-1").await, None);
    assert_eq!(receiver.requests().len(), 2);
}

#[tokio::test]
async fn retry_after_is_honoured() {
    let stack = Stack::get();
    let busy = || Reply::Whole("429 Too Many Requests", vec!["retry-after: 4"], String::new());
    let receiver = Receiver::start(19405, move |n, _| if n == 1 { busy() } else { Reply::ok("") });
    stack.accept("it-busy", &generic(&order("busy-1"))).await;
    let row = stack.export("it-busy", "busy-1", "busy", Status::Exported).await;
    assert_eq!(outcomes(&row), [Outcome::Retry, Outcome::Exported]);
    let requests = receiver.requests();
    let waited = requests[1].at.duration_since(requests[0].at);
    assert!(waited >= Duration::from_secs(4), "{waited:?}, longer than any back-off of this pipeline");
}

#[tokio::test]
async fn a_400_is_an_error_at_once() {
    let stack = Stack::get();
    let receiver = Receiver::start(19406, |_, _| Reply::Whole("400 Bad Request", Vec::new(), "no such SKU".into()));
    stack.accept("it-refused", &generic(&order("refused-1"))).await;
    let row = stack.export("it-refused", "refused-1", "refused", Status::Error).await;
    assert_eq!((row.attempts, outcomes(&row)), (1, vec![Outcome::Error]));
    assert!(row.history[0].response.as_deref().unwrap().contains("no such SKU"));
    assert_eq!(receiver.requests().len(), 1);
}

#[tokio::test]
async fn a_slow_answer_is_waited_for() {
    let stack = Stack::get();
    let slow = Reply::After(Duration::from_secs(1), Box::new(Reply::ok("")));
    let receiver = Receiver::start(19407, move |_, _| slow.clone());
    stack.accept("it-slow", &generic(&order("slow-1"))).await;
    let row = stack.export("it-slow", "slow-1", "slow", Status::Exported).await;
    assert_eq!((row.attempts, receiver.requests().len()), (1, 1));
}

#[tokio::test]
async fn an_answer_that_never_comes_is_tried_again() {
    let stack = Stack::get();
    let receiver = Receiver::start(19413, |n, _| if n == 1 { Reply::Never } else { Reply::ok("") });
    stack.accept("it-never", &generic(&order("never-1"))).await;
    let row = stack.export("it-never", "never-1", "never", Status::Exported).await;
    assert_eq!(outcomes(&row), [Outcome::Retry, Outcome::Exported]);
    assert_eq!(receiver.requests().len(), 2);
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let stack = Stack::get();
    let away = || Reply::Whole("302 Found", vec!["location: http://127.0.0.1:19408/elsewhere"], String::new());
    let receiver = Receiver::start(19408, move |_, _| away());
    stack.accept("it-redirect", &generic(&order("redirect-1"))).await;
    let row = stack.export("it-redirect", "redirect-1", "redirect", Status::Error).await;
    assert!(row.last_error.as_deref().unwrap().contains("302"), "{:?}", row.last_error);
    let paths: Vec<_> = receiver.requests().into_iter().map(|request| request.path).collect();
    assert_eq!(paths, ["/orders"]);
}

#[tokio::test]
async fn a_name_that_leads_to_the_inside_is_not_connected_to() {
    let stack = Stack::get();
    let receiver = Receiver::start(19449, |_, _| Reply::ok(""));
    stack.accept("it-inside", &generic(&order("inside-1"))).await;
    let row = stack.export("it-inside", "inside-1", "inside", Status::Error).await;
    let error = row.last_error.as_deref().unwrap();
    assert!(error.starts_with("\"localhost\" resolves to no public address"), "{error}");
    assert_eq!((row.attempts, receiver.requests().len()), (1, 0));
}

#[tokio::test]
async fn an_endless_answer_is_cut_off() {
    let stack = Stack::get();
    let receiver = Receiver::start(19409, |_, _| Reply::Gigabyte);
    stack.accept("it-huge", &generic(&order("huge-1"))).await;
    let row = stack.export("it-huge", "huge-1", "huge", Status::Exported).await;
    assert_eq!((row.attempts, receiver.requests().len()), (1, 1));
}

#[tokio::test]
async fn a_success_whose_body_denies_it_is_an_error() {
    let stack = Stack::get();
    let denial = r#"{"status": "failed", "message": "period closed"}"#;
    let receiver = Receiver::start(19414, move |_, _| Reply::ok(denial));
    stack.accept("it-denied", &generic(&order("denied-1"))).await;
    let row = stack.export("it-denied", "denied-1", "denied", Status::Error).await;
    assert!(row.last_error.as_deref().unwrap().contains("period closed"), "{:?}", row.last_error);
    assert_eq!(receiver.requests().len(), 1);
}

#[tokio::test]
async fn a_name_that_leads_to_a_private_address_is_not_called() {
    let stack = Stack::get();
    let receiver = Receiver::start(19450, |_, _| Reply::ok(""));
    stack.accept("it-private", &generic(&order("private-1"))).await;
    let row = stack.export("it-private", "private-1", "private", Status::Error).await;
    assert!(row.last_error.as_deref().unwrap().contains("public address"), "{:?}", row.last_error);
    assert_eq!(receiver.requests().len(), 0);
}
