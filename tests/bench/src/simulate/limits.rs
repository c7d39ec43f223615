//! What limits at a number of orders a second: the arithmetic of `docs/scaling.md`. Pure.

use ordersync::ledger::Ledger;
use serde::Serialize;

use super::mapping::MOST_IN_FLIGHT;
use super::scenario::real;

/// Orders a second that the page is about.
pub(crate) const RATES: [f64; 3] = [10.0, 1_000.0, 10_000.0];

/// What the arithmetic begins with.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub(crate) struct Needs {
    /// Milliseconds of intake.
    pub(crate) intake_ms: f64,
    /// Milliseconds of a batch of ten to an endpoint.
    pub(crate) batch_ms: f64,
    /// Those of them that are the processor's own work, and no call.
    pub(crate) own_ms: f64,
    /// Write units of an order.
    pub(crate) write_units: f64,
    /// Bytes logged an order, by the functions and by Lambda.
    pub(crate) log_bytes: f64,
}

/// Something that there is only so much of.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Limit {
    /// What it is.
    what: &'static str,
    /// How the need is computed.
    how: String,
    /// How much there is.
    there_is: &'static str,
    /// What is needed at each rate.
    needs: Vec<Need>,
    /// What to change where it is not enough.
    change: &'static str,
}

/// How much is needed, and whether there is as much.
#[derive(Debug, Clone, PartialEq, Serialize)]
struct Need {
    text: String,
    is_enough: bool,
}

/// `MaximumConcurrency` of the template.
const TEMPLATE_BATCHES: f64 = 50.0;
/// Most batches of a standard mapping. <https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html>
const STANDARD_BATCHES: f64 = 1_250.0;
/// What a partition of a table or index takes.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/warm-throughput-scenarios.html>
const PARTITION_WRITES: f64 = 1_000.0;
/// What a new table takes at once.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/on-demand-capacity-mode.html>
const NEW_TABLE_WRITES: f64 = 4_000.0;
/// Orders of a batch.
const BATCH: f64 = 10.0;

fn limit(
    what: &'static str,
    how: String,
    there_is: &'static str,
    change: &'static str,
    need: impl Fn(f64) -> (String, bool),
) -> Limit {
    let needs = RATES.iter().map(|&rate| need(rate)).map(|(text, is_enough)| Need { text, is_enough }).collect();
    Limit { what, how, there_is, needs, change }
}

/// A number with no more places than it needs.
fn short(value: f64) -> String {
    if value >= 100.0 { crate::cost::form::grouped(value) } else { format!("{value:.1}") }
}

fn time(seconds: f64) -> String {
    if seconds <= 120.0 { format!("{seconds:.0} s") } else { format!("{:.0} min", seconds / 60.0) }
}

/// Everything that limits.
pub(crate) fn limits(needs: &Needs) -> Vec<Limit> {
    [functions(needs), ledger(needs), others(needs)].concat()
}

fn functions(needs: &Needs) -> Vec<Limit> {
    let intake = move |rate: f64| rate * needs.intake_ms / 1000.0;
    let batches = move |rate: f64| rate / BATCH * needs.batch_ms / 1000.0;
    // From the five that a mapping begins with.
    let grows = move |rate: f64, a_minute: f64| (batches(rate) - 5.0).max(0.0) / a_minute * 60.0;
    vec![
        limit(
            "Endpoint",
            "a request an order".into(),
            "200 a second in the template, with bursts of 400; 10,000 an account and region",
            "`ThrottlingRate`, `ThrottlingBurst`; then the quota of API Gateway, or function URLs",
            |rate| (short(rate), rate <= 200.0),
        ),
        limit(
            "Intake at once",
            format!("rate × {:.1} ms", needs.intake_ms),
            "1,000 executions an account, all functions together; 1,000 more in 10 s; 10 requests a second for each",
            "the quota of concurrent executions, asked for before the sale; reserved concurrency, so that neither function takes the other's",
            |rate| (short(intake(rate)), rate <= 10_000.0 * 0.8 && intake(rate) + batches(rate) <= 1_000.0),
        ),
        limit(
            "Batches at once",
            format!("rate ÷ 10 × {:.0} ms", needs.batch_ms),
            "50 in the template (`MaximumConcurrency`), 1,250 a mapping, 20,000 in provisioned mode",
            "`MaximumConcurrency`, as far as the destination bears it; provisioned mode",
            |rate| (short(batches(rate)), batches(rate) <= TEMPLATE_BATCHES),
        ),
        limit(
            "Until there are as many",
            "from 5, 300 more a minute".into(),
            "what comes meanwhile waits in the queue, and nothing else happens to it",
            "provisioned mode: its pollers are there before, and 1,000 more a minute",
            |rate| (time(grows(rate, 300.0)), batches(rate) <= STANDARD_BATCHES && grows(rate, 300.0) <= 60.0),
        ),
        limit(
            "Pollers, in provisioned mode",
            "batches at once ÷ 10".into(),
            "2 to 2,000",
            "the least that a sale begins with; they are paid for by the hour",
            |rate| (short((batches(rate) / 10.0).max(2.0)), true),
        ),
    ]
}

fn ledger(needs: &Needs) -> Vec<Limit> {
    let shards = real(Ledger::SHARDS);
    vec![
        limit(
            "Writes of the table",
            format!("rate × {:.0} units, spread over all orders", needs.write_units),
            "4,000 a second for a new table at once, then twice its last peak within half an hour; 40,000 a table by default",
            "warm throughput (`WarmThroughput`) before the first sale; the quota of the table",
            |rate| (short(rate * needs.write_units), rate * needs.write_units <= NEW_TABLE_WRITES),
        ),
        limit(
            "Index by status, when all goes well",
            format!("rate ÷ {shards} shards: an entry is written when an export is made"),
            "1,000 units a second a shard; the table's own writes wait for it",
            "more shards (`SHARDS` in `shared/src/ledger/keys.rs`)",
            |rate| (short(rate / shards), rate / shards <= PARTITION_WRITES),
        ),
        limit(
            "Index by status, when everything fails",
            format!("rate × 4 units ÷ {shards} shards: an attempt moves an entry twice"),
            "1,000 units a second a shard",
            "a [pause](pausing.md) in a long outage; more shards (`SHARDS` in `shared/src/ledger/keys.rs`)",
            |rate| (short(rate * 4.0 / shards), rate * 4.0 / shards <= PARTITION_WRITES),
        ),
        limit(
            "Index of what waits, when everything waits",
            format!("rate ÷ {shards} shards: an entry is written, and removed later"),
            "1,000 units a second a shard; rows that go through are not in it",
            "more shards",
            |rate| (short(rate / shards), rate / shards <= PARTITION_WRITES),
        ),
        limit(
            "Slots of a rate limit",
            "two writes of one row a slot, while slots are taken in advance".into(),
            "500 slots a second, as a row lies in one partition; below that, what comes faster waits",
            "a limit below 500 a second, or the destination's own 429",
            |rate| (short(rate.min(1_000.0) * 2.0), rate * 2.0 <= PARTITION_WRITES),
        ),
    ]
}

fn others(needs: &Needs) -> Vec<Limit> {
    let batches = move |rate: f64| rate / BATCH * needs.batch_ms / 1000.0;
    let fills = |rate: f64| real(MOST_IN_FLIGHT) / rate;
    vec![
        limit(
            "In flight, when everything fails",
            "120,000 ÷ rate: what waits for its back-off is in flight".into(),
            "120,000 messages; at that number nothing is received until some come back",
            "a [pause](pausing.md) or a [rate limit](pausing.md#rate-limits): what waits for them is in the ledger, not in flight; the quota of the queue",
            |rate| (format!("full after {}", time(fills(rate))), fills(rate) >= 3600.0),
        ),
        limit(
            "Objects",
            "an object an order".into(),
            "3,500 PUTs a second a partitioned prefix; S3 splits prefixes by itself, in minutes, and answers 503 until then",
            "[packs](transports.md); a shop or an hour early in the key, so that there is something to split by",
            |rate| (short(rate), rate <= 3_500.0),
        ),
        limit(
            "Secrets",
            "two in each environment, when it begins and every five minutes".into(),
            "10,000 reads a second",
            "–",
            |rate| (short((rate * needs.intake_ms / 1000.0 + batches(rate)) * 2.0 / 300.0), true),
        ),
        limit(
            "Logs",
            format!("rate × {:.0} bytes", needs.log_bytes),
            "each environment has a stream of its own; no limit, but a price",
            "[`LogLevel=warn`](cost.md#what-to-change)",
            |rate| (format!("{} kB/s", short(rate * needs.log_bytes / 1000.0)), true),
        ),
        limit(
            "Destination",
            "batches at once × 10 deliveries".into(),
            "what it bears: nobody but you knows",
            "[`rate_limit`](pausing.md#rate-limits), `MaximumConcurrency`",
            |rate| (format!("{} at once", short(batches(rate) * BATCH)), rate <= 10.0),
        ),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    const NEEDS: Needs = Needs { intake_ms: 12.0, batch_ms: 200.0, own_ms: 10.0, write_units: 2.0, log_bytes: 1_000.0 };

    fn of(what: &str) -> Limit {
        limits(&NEEDS).into_iter().find(|limit| limit.what == what).unwrap()
    }

    fn texts(what: &str) -> Vec<String> {
        of(what).needs.into_iter().map(|need| need.text).collect()
    }

    #[test]
    fn needs_are_rate_times_duration() {
        assert_eq!(texts("Intake at once"), ["0.1", "12.0", "120"]);
        assert_eq!(texts("Batches at once"), ["0.2", "20.0", "200"]);
        assert_eq!(texts("Until there are as many"), ["0 s", "3 s", "39 s"]);
        assert_eq!(texts("Writes of the table"), ["20.0", "2,000", "20,000"]);
        assert_eq!(texts("Index by status, when all goes well"), ["1.2", "125", "1,250"]);
        assert_eq!(texts("Index by status, when everything fails"), ["5.0", "500", "5,000"]);
        assert_eq!(
            texts("In flight, when everything fails"),
            ["full after 200 min", "full after 120 s", "full after 12 s"]
        );
    }

    #[test]
    fn what_is_not_enough_is_told() {
        for (what, expected) in [
            ("Endpoint", [true, false, false]),
            ("Batches at once", [true, true, false]),
            ("Writes of the table", [true, true, false]),
            ("Index by status, when all goes well", [true, true, false]),
            ("Index by status, when everything fails", [true, true, false]),
            ("In flight, when everything fails", [true, false, false]),
            ("Objects", [true, true, false]),
        ] {
            let enough: Vec<_> = of(what).needs.iter().map(|need| need.is_enough).collect();
            assert_eq!(enough, expected, "{what}");
        }
    }
}
