//! Metrics: what the functions write into their logs, and whether the alarms and the dashboard look at any of it.

use std::collections::{BTreeMap, BTreeSet};

use ordersync::clock;
use ordersync::ledger::Status;
use ordersync::telemetry::Metric;
use serde_json::{Value, json};

use crate::console::Visitor;
use crate::support::eventually;
use crate::support::shop::{SECRET, generic, generic_text, order};
use crate::support::stack::{Stack, variable};

/// A metric as `CloudWatch` knows it: its name, and its dimensions with their values. A pipeline's code is any.
type Known = (String, BTreeMap<String, String>);

const ANY_PIPELINE: &str = "*";

/// The resources of a nested template; of its functions, such as `!Ref`, the argument alone.
fn template(text: &str) -> Value {
    serde_saphyr::from_str(text).unwrap()
}

fn resources<'a>(template: &'a Value, kind: &str) -> Vec<&'a Value> {
    let all = template["Resources"].as_object().unwrap().values();
    all.filter(|resource| resource["Type"] == kind).map(|resource| &resource["Properties"]).collect()
}

/// What alarms look at in the stack's own namespace.
fn watched(template: &Value) -> BTreeSet<Known> {
    let mut watched = BTreeSet::new();
    for alarm in resources(template, "AWS::CloudWatch::Alarm") {
        let queries = alarm["Metrics"].as_array().into_iter().flatten().filter_map(|one| one["Expression"].as_str());
        watched.extend(queries.filter(|query| query.starts_with("SELECT")).map(queried));
        if alarm["Namespace"] == "Namespace" {
            let dimensions = alarm["Dimensions"].as_array().into_iter().flatten();
            let pair = |one: &Value| (one["Name"].as_str().unwrap().to_owned(), one["Value"].as_str().unwrap().into());
            watched.insert((alarm["MetricName"].as_str().unwrap().into(), dimensions.map(pair).collect()));
        }
    }
    watched
}

/// `SELECT SUM(GaveUp) FROM SCHEMA("${Namespace}", pipeline) …`.
fn queried(query: &str) -> Known {
    let (_, name) = query.split_once('(').unwrap();
    let (name, rest) = name.split_once(')').unwrap();
    let (_, dimension) = rest.split_once("SCHEMA(\"${Namespace}\", ").unwrap();
    let (dimension, _) = dimension.split_once(')').unwrap();
    (name.to_owned(), BTreeMap::from([(dimension.to_owned(), ANY_PIPELINE.to_owned())]))
}

/// What the template makes of lines of the logs.
fn filtered(template: &Value) -> BTreeSet<Known> {
    let filters = resources(template, "AWS::Logs::MetricFilter").into_iter();
    let transformations = filters.flat_map(|filter| filter["MetricTransformations"].as_array().unwrap());
    transformations.map(|one| (one["MetricName"].as_str().unwrap().to_owned(), BTreeMap::new())).collect()
}

/// The metrics of lines in the Embedded Metric Format.
fn emitted(log: &str) -> BTreeSet<Known> {
    let mut emitted = BTreeSet::new();
    for line in log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok()) {
        for directive in line["_aws"]["CloudWatchMetrics"].as_array().into_iter().flatten() {
            assert_eq!(directive["Namespace"], "ordersync/ordersync", "{line}");
            for set in directive["Dimensions"].as_array().unwrap() {
                let value = |name: &str| if name == "pipeline" { ANY_PIPELINE } else { line[name].as_str().unwrap() };
                let names = set.as_array().unwrap().iter().map(|name| name.as_str().unwrap());
                let dimensions: BTreeMap<_, _> = names.map(|name| (name.to_owned(), value(name).to_owned())).collect();
                for metric in directive["Metrics"].as_array().unwrap() {
                    emitted.insert((metric["Name"].as_str().unwrap().to_owned(), dimensions.clone()));
                }
            }
        }
    }
    emitted
}

/// Has every function that writes metrics write them.
async fn make_metrics(stack: &Stack) {
    let (shop, pipeline) = ("it-answers", "answers-xml");
    stack.accept(shop, &generic(&order("metrics-1"))).await;
    stack.export(shop, "metrics-1", pipeline, Status::Exported).await;
    // Of its two exports one fails for good, as its number is none.
    let mut odd = order("metrics-2");
    odd["number"] = json!("seven");
    stack.accept("it-pack", &generic(&odd)).await;
    stack.export("it-pack", "metrics-2", "pack-csv", Status::Error).await;
    let results = "<results><result><number>N-metrics-1</number></result></results>";
    let response = generic_text(results, SECRET).with("content-type", "application/xml");
    assert!(stack.call_back(pipeline, &response).await.status().is_success());
    for function in ["FN_RESET_ERRORS", "FN_CANCEL_STALE"] {
        stack.invoke(&variable(function), &json!({})).await;
    }
    // The sixth is refused.
    let (visitor, name) = (Visitor::new(), format!("metrics-{}", clock::now().as_nanosecond()));
    for _ in 0..6 {
        visitor.sign_in(&name, "wrong").await;
    }
}

#[tokio::test]
async fn every_metric_is_written_and_alarms_watch_no_others() {
    let stack = Stack::get();
    let since = clock::now().as_millisecond();
    make_metrics(&stack).await;
    let alarms = template(include_str!("../../infra/alarms.yaml"));
    let watched = watched(&alarms);
    assert!(watched.len() > 5, "{watched:?}");
    eventually("all metrics", async || {
        let mut known = filtered(&alarms);
        for function in ["processor", "responses", "reset-errors", "cancel-stale", "console"] {
            known.extend(emitted(&stack.logged(function, since).await));
        }
        let names: BTreeSet<&str> = known.iter().map(|(name, _)| name.as_str()).collect();
        let missing: Vec<_> = Metric::ALL.into_iter().filter(|metric| !names.contains(metric.name())).collect();
        let blind: Vec<_> = watched.difference(&known).collect();
        if !missing.is_empty() || !blind.is_empty() {
            println!("not written yet: {missing:?}; watched in vain: {blind:?}");
            return None;
        }
        Some(())
    })
    .await;
}

#[test]
fn the_dashboard_is_json_and_shows_every_metric_of_the_exports() {
    let dashboard = template(include_str!("../../infra/dashboard.yaml"));
    let body = resources(&dashboard, "AWS::CloudWatch::Dashboard")[0]["DashboardBody"][0].as_str().unwrap();
    let body: Value = serde_json::from_str(body).unwrap();
    let widgets = body["widgets"].as_array().unwrap();
    let inside = |widget: &Value| widget["x"].as_u64().unwrap() + widget["width"].as_u64().unwrap() <= 24;
    assert!(widgets.iter().all(inside), "{widgets:?}");
    let text = body.to_string();
    for metric in [Metric::Exported, Metric::AttemptsFailed, Metric::GaveUp, Metric::Lag, Metric::SignInsFailed] {
        assert!(text.contains(metric.name()), "{}", metric.name());
    }
}

#[test]
fn the_guide_says_of_every_alarm_what_to_do() {
    let guide = include_str!("../../docs/operations.md");
    let (begin, _) = guide.split_once("## Dashboard").unwrap();
    for alarm in resources(&template(include_str!("../../infra/alarms.yaml")), "AWS::CloudWatch::Alarm") {
        let name = alarm["AlarmName"].as_str().unwrap().trim_start_matches("${StackName}-");
        let is_failure = name.ends_with("-fails");
        assert!(is_failure || begin.contains(&format!("`{name}`")), "docs/operations.md does not tell of {name}");
    }
}
