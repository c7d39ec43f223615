//! The schedules of the template, which the test stack has switched off: each runs its function.

use std::collections::BTreeMap;

use futures_util::future::join_all;
use ordersync::clock;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::eventually;
use crate::support::stack::{Stack, json};

/// Has a copy of a schedule run its target once, now and dry, and returns the name of its function.
async fn run_dry(stack: &Stack, name: &str, copy: &str) -> String {
    let path = format!("/schedules/{name}");
    let mut schedule = json(stack.api(Method::GET, "scheduler", &path).send().await.unwrap()).await;
    assert_eq!(schedule["State"], "DISABLED", "{schedule}");
    let own = schedule["Target"]["Input"].as_str().unwrap_or("{}");
    let mut input: Value = serde_json::from_str(own).unwrap();
    input["dry_run"] = json!(true);
    schedule["Target"]["Input"] = json!(input.to_string());
    schedule["State"] = json!("ENABLED");
    schedule["ScheduleExpression"] = json!("at(2026-01-01T00:00:00)");
    schedule["ActionAfterCompletion"] = json!("DELETE");
    let path = format!("/schedules/{copy}");
    let answer = stack.api(Method::POST, "scheduler", &path).body(schedule.to_string()).send().await.unwrap();
    assert!(answer.status().is_success(), "{:?}", answer.text().await);
    let target = schedule["Target"]["Arn"].as_str().unwrap();
    target.rsplit(':').next().unwrap().to_owned()
}

/// What a function has logged since then, in milliseconds since 1970, that begins so.
async fn lines(stack: &Stack, function: &str, since: i64, beginning: &str) -> usize {
    let path = format!("/2015-03-31/functions/{function}/configuration");
    let configuration = json(stack.api(Method::GET, "lambda", &path).send().await.unwrap()).await;
    let group = &configuration["LoggingConfig"]["LogGroup"];
    let query = json!({ "logGroupName": group, "startTime": since });
    let request = stack.api(Method::POST, "logs", "/").header("x-amz-target", "Logs_20140328.FilterLogEvents");
    let request = request.header("content-type", "application/x-amz-json-1.1").body(query.to_string());
    let events = json(request.send().await.unwrap()).await["events"].as_array().cloned().unwrap_or_default();
    let said = |event: &Value| -> Option<String> {
        let line: Value = serde_json::from_str(event["message"].as_str()?).ok()?;
        Some(line["message"].as_str()?.to_owned())
    };
    events.iter().filter_map(said).filter(|message| message.starts_with(beginning)).count()
}

/// Has a function's processes answer once more, by an input that it refuses. The emulator takes what they write when they
/// answer, and what comes a little later with their next answer.
async fn nudge(stack: &Stack, function: &str) {
    let refused = json!({ "no such field": true }).to_string();
    let invoke = |_| stack.invocation(function).body(refused.clone()).send();
    for answer in join_all((0..4).map(invoke)).await {
        assert!(answer.unwrap().headers().contains_key("x-amz-function-error"), "it was not refused");
    }
}

#[tokio::test]
async fn every_schedule_runs_its_function() {
    let stack = Stack::get();
    let since = clock::now().as_millisecond();
    let listed = stack.api(Method::GET, "scheduler", "/schedules?NamePrefix=ordersync-").send().await.unwrap();
    let listed = json(listed).await;
    let mut runs: BTreeMap<String, usize> = BTreeMap::new();
    for (number, schedule) in listed["Schedules"].as_array().unwrap().iter().enumerate() {
        let function = run_dry(&stack, schedule["Name"].as_str().unwrap(), &format!("dry-{since}-{number}")).await;
        *runs.entry(function).or_default() += 1;
    }
    let expected =
        [("FN_CANCEL_STALE", "cancel-stale", 1), ("FN_CLEANUP", "cleanup", 1), ("FN_RESET_ERRORS", "reset-errors", 2)];
    assert_eq!(runs.len(), expected.len(), "{runs:?}");
    for (variable, name, count) in expected {
        let function = ordersync::aws::variable(variable).unwrap();
        assert_eq!(runs.get(&function), Some(&count), "{runs:?}");
        let what = format!("{count} runs of {name} by its schedules");
        eventually(&what, async || {
            let said = lines(&stack, &function, since, &format!("{name}: dry run")).await;
            if said < count {
                nudge(&stack, &function).await;
            }
            (said >= count).then_some(())
        })
        .await;
    }
}
