//! What a month costs in which nothing is ordered. Pure.

use serde::Serialize;

use super::assumed::{ASSUMED, GB};
use super::prices::Prices;

/// A part of it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Standing {
    /// What it is.
    pub what: &'static str,
    /// How it comes about.
    pub how: String,
    /// US dollars a month.
    pub dollars: f64,
}

/// Metrics that the scheduled functions always have: five each of reset-errors, cancel-stale and cleanup, and the number
/// of exports that are no longer reset.
const METRICS: f64 = 16.0;
/// The alarms, of which the parameters' defaults leave out none. Two watch a metric of each pipeline, the others one.
const ALARMS: &str = include_str!("../../../../infra/alarms.yaml");
/// A webhook's secret and a destination's.
const SECRETS: f64 = 2.0;
/// How often an hour a function reads a secret again.
const SECRET_READS_AN_HOUR: f64 = 12.0;
/// Pollers that a queue's mapping has at least when its concurrency is limited.
/// <https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html>
const POLLERS: f64 = 5.0;
/// Long polls of a poller an hour, each of 20 s.
const POLLS_AN_HOUR: f64 = 180.0;
/// Runs an hour: release and cancel-stale every minute, reset-errors once. Cleanup comes once a week.
const RUNS_AN_HOUR: f64 = 121.0;
/// Queries an hour, each of next to nothing: eight shards and the pauses a release; eight shards a cancel-stale; of a full
/// run what is due, unacknowledged, leased, in error.
const QUERIES_AN_HOUR: f64 = 60.0 * 9.0 + 60.0 * 8.0 + 33.0;
/// Read units of a query that finds nothing, eventually consistent.
const QUERY_UNITS: f64 = 0.5;
/// Billed milliseconds of a run that finds nothing: some calls one after another.
const RUN_MS: f64 = 60.0;
/// Memory of the scheduled functions, in MB.
const RUN_MB: f64 = 256.0;
/// Bytes of a run's report: its line and that of its metrics.
const REPORT_BYTES: f64 = 700.0;

/// What the template costs a month by being there.
pub fn standing(prices: &Prices) -> Vec<Standing> {
    let runs = RUNS_AN_HOUR * ASSUMED.hours;
    let polls = POLLERS * POLLS_AN_HOUR * ASSUMED.hours;
    let queries = QUERIES_AN_HOUR * ASSUMED.hours;
    let reads = SECRETS * SECRET_READS_AN_HOUR * ASSUMED.hours;
    let log_gb = runs * (ASSUMED.platform_log_bytes + REPORT_BYTES) / GB;
    let alarms = ALARMS.matches("Type: AWS::CloudWatch::Alarm").fold(0.0, |alarms, _| alarms + 1.0);
    let compute = prices.lambda_x86.of(runs * RUN_MS / 1000.0 * RUN_MB / 1024.0);
    vec![
        Standing {
            what: "metrics",
            how: format!("{METRICS} custom metrics of the scheduled functions"),
            dollars: prices.custom_metric.of(METRICS),
        },
        Standing { what: "the dashboard", how: "one".into(), dollars: prices.dashboard.of(1.0) },
        Standing {
            what: "alarms",
            how: format!("{alarms}, with one pipeline; two of them watch each"),
            dollars: prices.alarm.of(alarms),
        },
        Standing {
            what: "secrets",
            how: format!("{SECRETS} secrets, each read every five minutes by one busy function: {reads:.0} reads"),
            dollars: prices.secret.of(SECRETS) + prices.secret_call.of(reads),
        },
        Standing {
            what: "polling of the queue",
            how: format!("{POLLERS} pollers, a request of 20 s each: {polls:.0} requests"),
            dollars: prices.sqs_request.of(polls),
        },
        Standing {
            what: "runs of the schedules",
            how: format!("the same runs: the scheduler, {RUN_MS} ms at {RUN_MB} MB"),
            dollars: prices.schedule.of(runs) + prices.lambda_request.of(runs) + compute,
        },
        Standing {
            what: "queries of the schedules",
            how: format!("{queries:.0} queries of half a read unit"),
            dollars: prices.dynamodb_read.of(queries * QUERY_UNITS),
        },
        Standing {
            what: "logs of the schedules",
            how: format!("{:.0} MB: what Lambda logs, a report, its metrics", log_gb * 1024.0),
            dollars: prices.logs.of(log_gb),
        },
    ]
}

/// Their sum.
pub fn total(standing: &[Standing]) -> f64 {
    standing.iter().map(|part| part.dollars).sum()
}

#[cfg(test)]
mod tests {
    use super::super::prices::tests::prices;
    use super::*;

    #[test]
    fn nothing_ordered_costs_something() {
        let parts = standing(&prices());
        let of = |what: &str| parts.iter().find(|part| part.what == what).unwrap().dollars;
        assert!((of("metrics") - 4.8).abs() < 1e-9);
        assert!((of("alarms") - 2.9).abs() < 1e-9);
        assert!((of("polling of the queue") - 0.2628).abs() < 1e-9);
        assert!((total(&parts) - parts.iter().map(|part| part.dollars).sum::<f64>()).abs() < 1e-9);
    }
}
