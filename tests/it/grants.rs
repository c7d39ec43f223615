//! Least privilege: each action that a function's role is granted is taken away in turn, and something that the function
//! is for does not work then. What cannot be shown here says why. The tests run alone.

mod cleanup;
mod configuration;
mod console;
mod intake;
mod processor;
mod reach;
mod reset;
mod responses;
mod role;
mod stale;
mod table;

use std::collections::BTreeMap;
use std::panic::{self, AssertUnwindSafe};
use std::pin::pin;
use std::time::{Duration, Instant};

use futures_util::FutureExt;
use futures_util::future::LocalBoxFuture;
use ordersync::clock;
use reqwest::Method;
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::support::stack::{Stack, json as body, variable};
use role::{Grant, Role};

/// How long something may take that works.
const WORKS_WITHIN: Duration = Duration::from_mins(1);
/// How long one waits for what does not work, which may be tried again and again; longer where it takes long with all grants.
const FAILS_WITHIN: Duration = Duration::from_secs(6);
/// How long one waits for the answer of a process that was ended.
const ENDS_WITHIN: Duration = Duration::from_secs(1);

/// Something that a function is for, done for an order that is told from others by its identifier. It panics where it does
/// not work.
type Work = for<'a> fn(&'a Stack, &'a str) -> LocalBoxFuture<'a, ()>;

/// Why a function needs a grant.
#[derive(Clone, Copy)]
enum Need {
    /// This does not work without it.
    Work(&'static str, Work),
    /// Lambda uses it for the function; the emulator's does not ask.
    Lambda(&'static str),
    /// Too rare to be had here; a unit test shows it.
    Unit(&'static str),
    /// This does not work without it, as S3 says of what is not there that access is denied. The emulator says so in any case.
    S3(&'static str, Work),
    /// This does not work without it on a stack with its configuration in S3, where a test of its own shows it.
    Second(&'static str),
}

/// What of a function needs a grant; nothing where that is not known.
type Needs = fn(&Grant) -> Option<Need>;

/// Names of the functions: as the template's resources begin, and as they are called.
const FUNCTIONS: [(&str, Needs); 7] = [
    ("Intake", intake::need),
    ("Processor", processor::need),
    ("ResetErrors", reset::need),
    ("CancelStale", stale::need),
    ("Cleanup", cleanup::need),
    ("Responses", responses::need),
    ("Console", console::need),
];

/// What every role has.
fn common(grant: &Grant) -> Option<Need> {
    (grant.sid == "WriteLogs").then_some(Need::Lambda("Lambda writes the function's log"))
}

fn need(function: &str, grant: &Grant) -> Option<Need> {
    let (_, need) = FUNCTIONS.iter().find(|(name, _)| *name == function)?;
    common(grant).or_else(|| need(grant))
}

/// How long something took that worked within a time.
async fn works(stack: &Stack, function: &str, work: Work, within: Duration) -> Option<Duration> {
    static COUNT: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
    let number = COUNT.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    let id = format!("{}{number:03}", clock::now().as_second());
    let (begun, mut work) = (Instant::now(), pin!(AssertUnwindSafe(work(stack, &id)).catch_unwind()));
    let done = timeout(within, &mut work).await;
    if done.is_err() {
        // What is still at it would go on beside what comes next, so its process is ended, and answers that it was.
        restart(stack, role::variable_of(function)).await;
        timeout(ENDS_WITHIN, work).await.ok();
    }
    matches!(done, Ok(Ok(()))).then(|| begun.elapsed())
}

/// How long something takes with all grants. What other tests have left under way may be in its way once or twice.
async fn takes(stack: &Stack, function: &str, what: &str, work: Work) -> Duration {
    for _ in 0..3 {
        if let Some(took) = works(stack, function, work, WORKS_WITHIN).await {
            return took;
        }
        eprintln!("{function}: {what} has not worked with all grants");
    }
    panic!("{function}: {what} does not work with all grants");
}

/// Whether something fails that took so long with all grants. It has to, so how it does is not told.
async fn fails(stack: &Stack, function: &str, work: Work, took: Duration) -> bool {
    let hook = panic::take_hook();
    panic::set_hook(Box::new(|_| ()));
    let works = works(stack, function, work, FAILS_WITHIN.max(2 * took)).await;
    panic::set_hook(hook);
    works.is_none()
}

/// Takes away each grant of a function that works show the need of; what nothing fails without is told.
async fn prove(function: &'static str) {
    let stack = Stack::get();
    let role = Role::of(&stack, function).await;
    let (mut working, mut idle) = (BTreeMap::new(), Vec::new());
    for grant in role::granted(function) {
        let Some(need) = need(function, &grant) else {
            idle.push(format!("{grant}: nothing is known that needs it"));
            continue;
        };
        let (Need::Work(what, work) | Need::S3(what, work)) = need else { continue };
        if !working.contains_key(what) {
            working.insert(what, takes(&stack, function, what, work).await);
        }
        if matches!(need, Need::S3(..)) {
            continue;
        }
        role.take_away(&stack, &grant).await;
        let is_needed = fails(&stack, function, work, working[what]).await;
        role.put_back(&stack).await;
        if !is_needed {
            idle.push(format!("{grant}: {what} works without it"));
        }
    }
    assert_eq!(idle, Vec::<String>::new(), "grants that are not needed");
}

/// Ends a function's processes, so that it reads its secrets again.
async fn restart(stack: &Stack, function: &'static str) {
    let path = format!("/2015-03-31/functions/{}/configuration", variable(function));
    let configuration = body(stack.api(Method::GET, "lambda", &path).send().await.unwrap()).await;
    let same = json!({ "Timeout": configuration["Timeout"] });
    let answer = stack.api(Method::PUT, "lambda", &path).body(same.to_string()).send().await.unwrap();
    assert!(answer.status().is_success(), "{:?}", answer.text().await);
}

/// A record of the queue as the processor gets it.
fn record(shop: &str, body: &Value, fields: &[(&str, &str)]) -> Value {
    let text = |value: &str| json!({ "stringValue": value, "dataType": "String" });
    let mut attributes = json!({ "shop": text(shop), "received_at": text("2026-03-01T00:00:00Z") });
    for (name, value) in fields {
        attributes[name] = text(value);
    }
    json!({
        "messageId": "m", "receiptHandle": "none", "body": body.to_string(), "eventSource": "aws:sqs",
        "attributes": { "ApproximateReceiveCount": "1" }, "messageAttributes": attributes,
    })
}

/// Has the processor work on one record, which has to be done then.
async fn process(stack: &Stack, record: Value) {
    let answer = stack.invoke(&variable("FN_PROCESSOR"), &json!({ "Records": [record] })).await;
    assert_eq!(answer["batchItemFailures"], json!([]), "{answer}");
}

#[tokio::test]
async fn of_intake_every_grant_is_needed() {
    prove("Intake").await;
}

#[tokio::test]
async fn of_the_processor_every_grant_is_needed() {
    prove("Processor").await;
}

#[tokio::test]
async fn of_reset_errors_every_grant_is_needed() {
    prove("ResetErrors").await;
}

#[tokio::test]
async fn of_cancel_stale_every_grant_is_needed() {
    prove("CancelStale").await;
}

#[tokio::test]
async fn of_cleanup_every_grant_is_needed() {
    prove("Cleanup").await;
}

#[tokio::test]
async fn of_responses_every_grant_is_needed() {
    prove("Responses").await;
}

#[tokio::test]
async fn of_the_console_every_grant_is_needed() {
    prove("Console").await;
}
