//! What a million orders cost, by component. Pure.

use serde::Serialize;

use super::assumed::{ASSUMED, GB};
use super::measured::{Batch, Intake, Measured, Processor, Sink, Size};
use super::prices::Prices;

/// Orders that a bill is about.
const MILLION: f64 = 1_000_000.0;

/// Where orders are exported to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Destination {
    /// A merchant's endpoint.
    Http,
    /// A bucket, an object an order.
    S3,
    /// A bucket, this many orders in an object.
    Packed(f64),
}

impl Destination {
    fn sink(self) -> Sink {
        if self == Self::Http { Sink::Http } else { Sink::S3 }
    }
}

/// By what shops reach intake.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Door {
    /// An HTTP API, as in `template.yaml`.
    HttpApi,
    /// The function's own URL.
    FunctionUrl,
}

/// What the ledger keeps of an order that was exported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keep {
    /// Its payload, for replays: `keep_payload = "always"`.
    Always,
    /// No payload: `keep_payload = "until-exported"`.
    UntilExported,
    /// Whatever the target does: others than ordersync have no such setting.
    AsMeasured,
}

/// How orders are handled, as far as it costs.
#[derive(Debug, Clone, Copy, PartialEq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own in the template")]
pub struct Setting {
    /// Size of the orders.
    pub size: Size,
    /// Where they go.
    pub destination: Destination,
    /// How many the processor gets at once.
    pub batch: Batch,
    /// What is kept of them.
    pub keep: Keep,
    /// Whether they are in the index by number: those whose number is their id are not.
    pub by_number: bool,
    /// How they come in.
    pub door: Door,
    /// Whether functions run on arm64.
    pub arm: bool,
    /// Memory of intake, in MB.
    pub intake_mb: f64,
    /// Memory of the processor, in MB.
    pub processor_mb: f64,
    /// Whether functions log each order (`LogLevel=info`).
    pub own_logs: bool,
    /// Whether Lambda logs each invocation.
    pub platform_logs: bool,
    /// Whether the endpoint logs each request.
    pub access_logs: bool,
    /// Whether logs are in the class for those that are seldom read.
    pub infrequent_logs: bool,
    /// Whether invocations are traced.
    pub traced: bool,
    /// Months that rows and exports are kept.
    pub kept_months: f64,
    /// Whether the table has point-in-time recovery.
    pub recovery: bool,
    /// Orders a month: how many of the invocations X-Ray traces depends on it.
    pub orders_a_month: f64,
}

impl Setting {
    /// As `template.yaml` has it: orders of 10 KB to an endpoint, in batches of ten, a million a month.
    pub const DEFAULT: Self = Self {
        size: Size::Middle,
        destination: Destination::Http,
        batch: Batch::Ten,
        keep: Keep::Always,
        by_number: true,
        door: Door::HttpApi,
        arm: false,
        intake_mb: ASSUMED.intake_mb,
        processor_mb: ASSUMED.processor_mb,
        own_logs: true,
        platform_logs: true,
        access_logs: true,
        infrequent_logs: false,
        traced: false,
        kept_months: ASSUMED.kept_months,
        recovery: true,
        orders_a_month: MILLION,
    };
}

/// US dollars for a million orders, by component.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Bill {
    /// The endpoint that shops call.
    pub door: f64,
    /// Intake's invocations and their duration.
    pub intake: f64,
    /// The queue's requests.
    pub queue: f64,
    /// The processor's invocations and their duration.
    pub processor: f64,
    /// The ledger's writes and reads.
    pub ledger: f64,
    /// Objects written.
    pub puts: f64,
    /// Log lines, taken in and kept.
    pub logs: f64,
    /// Traces.
    pub traces: f64,
    /// Bytes sent to the destination.
    pub transfer: f64,
    /// Rows and exports, for as long as they are kept.
    pub storage: f64,
}

impl Bill {
    /// What the goals are about: the calls and the computing of an order that is exported at the first attempt.
    pub fn calls(&self) -> f64 {
        self.door + self.intake + self.queue + self.processor + self.ledger + self.puts
    }

    /// Everything.
    pub fn total(&self) -> f64 {
        self.calls() + self.logs + self.traces + self.transfer + self.storage
    }
}

/// What a target's million orders cost.
#[derive(Debug, Clone, Copy)]
pub struct Biller<'a> {
    /// What it needs.
    pub measured: &'a Measured,
    /// What that costs.
    pub prices: &'a Prices,
}

impl Biller<'_> {
    /// The bill of a million orders; none where orders were not measured so.
    pub fn bill(&self, setting: &Setting) -> Option<Bill> {
        let intake = self.measured.intake.get(&setting.size)?;
        let processor = self.measured.processor.get(&(setting.destination.sink(), setting.batch, setting.size))?;
        let write_units = self.write_units(setting, processor)?;
        let prices = self.prices;
        Some(Bill {
            door: match setting.door {
                Door::HttpApi => prices.http_api.of(MILLION),
                Door::FunctionUrl => prices.function_url.of(MILLION),
            },
            intake: self.invocations(setting, MILLION, intake_ms(intake, setting), setting.intake_mb),
            queue: prices.sqs_request.of(MILLION * queue_requests(intake, setting)),
            processor: self.invocations(
                setting,
                MILLION / setting.batch.orders(),
                processor_ms(processor, setting),
                setting.processor_mb,
            ),
            ledger: prices.dynamodb_write.of(MILLION * write_units)
                + prices.dynamodb_read.of(MILLION * processor.read_units),
            puts: prices.s3_put.of(MILLION * puts(processor, setting)),
            logs: self.logs(setting, intake, processor),
            traces: prices.trace.of(if setting.traced { traces(setting) } else { 0.0 }),
            transfer: match setting.destination {
                Destination::Http => prices.transfer_out.of(MILLION * setting.size.bytes() / GB),
                Destination::S3 | Destination::Packed(_) => 0.0,
            },
            storage: self.storage(setting, write_units),
        })
    }

    fn write_units(&self, setting: &Setting, processor: &Processor) -> Option<f64> {
        let units = match setting.keep {
            Keep::UntilExported => *self.measured.unkept_write_units.get(&setting.size)?,
            Keep::Always | Keep::AsMeasured => processor.write_units,
        };
        Some(if setting.by_number { units } else { units - self.measured.number_units })
    }

    fn invocations(&self, setting: &Setting, count: f64, milliseconds: f64, mb: f64) -> f64 {
        let second = if setting.arm { &self.prices.lambda_arm } else { &self.prices.lambda_x86 };
        self.prices.lambda_request.of(count) + second.of(count * milliseconds / 1000.0 * mb / 1024.0)
    }

    fn logs(&self, setting: &Setting, intake: &Intake, processor: &Processor) -> f64 {
        let when = |is_on: bool, bytes: f64| if is_on { bytes } else { 0.0 };
        let own = when(setting.own_logs, intake.log_bytes + processor.log_bytes);
        let platform = when(setting.platform_logs, ASSUMED.platform_log_bytes * (1.0 + 1.0 / setting.batch.orders()));
        // A function URL has no access log.
        let access = when(setting.access_logs && setting.door == Door::HttpApi, ASSUMED.access_log_bytes);
        let gigabytes = MILLION * (own + platform + access) / GB;
        let taken_in = if setting.infrequent_logs { &self.prices.logs_infrequent } else { &self.prices.logs };
        taken_in.of(gigabytes) + self.prices.logs_storage.of(gigabytes * ASSUMED.log_compression * ASSUMED.log_months)
    }

    fn storage(&self, setting: &Setting, write_units: f64) -> f64 {
        let entries = if setting.by_number { self.measured.number_units } else { 0.0 };
        let rows = MILLION * row_bytes(write_units, entries) / GB * setting.kept_months;
        let recovery = if setting.recovery { self.prices.dynamodb_recovery.of(rows) } else { 0.0 };
        let objects = match setting.destination {
            Destination::Http => 0.0,
            Destination::S3 | Destination::Packed(_) => MILLION * setting.size.bytes() / GB * setting.kept_months,
        };
        self.prices.dynamodb_storage.of(rows) + recovery + self.prices.s3_storage.of(objects)
    }
}

/// What is stored of an order. The claim is one unit, the index by number its `entries`; what is left of the units is the
/// row as it stays, in whole KB.
pub fn row_bytes(write_units: f64, entries: f64) -> f64 {
    let row = (write_units - entries - 1.0).max(1.0) * 1024.0 + ASSUMED.item_overhead_bytes;
    row + entries * (ASSUMED.entry_bytes + ASSUMED.item_overhead_bytes)
}

/// CPU at a function's share of a core, and the call to the queue; a new environment now and then.
pub fn intake_ms(intake: &Intake, setting: &Setting) -> f64 {
    let cpu = intake.cpu_us / 1000.0 * slowdown(setting.intake_mb);
    (cpu + intake.sends * ASSUMED.send_ms).ceil() + ASSUMED.cold_share * intake.init_ms
}

/// A batch as it was measured, its CPU at the function's share of a core, ledger and destination as fast as they are.
pub fn processor_ms(processor: &Processor, setting: &Setting) -> f64 {
    let cpu = processor.cpu_us / 1000.0 * (slowdown(setting.processor_mb) - 1.0);
    let ledger = processor.ledger_calls * (ASSUMED.ledger_ms - ASSUMED.call_ms);
    let destination = match setting.destination {
        Destination::Http => ASSUMED.destination_ms - ASSUMED.call_ms,
        Destination::S3 | Destination::Packed(_) => 0.0,
    };
    (processor.wall_us / 1000.0 + cpu + ledger + destination).ceil() + ASSUMED.cold_share * processor.init_ms
}

/// How much longer CPU takes than on a whole core, were it throttled from the first microsecond: never less than real.
fn slowdown(mb: f64) -> f64 {
    (ASSUMED.vcpu_mb / mb).max(1.0)
}

/// A send; a receive and a deletion that a batch shares. Each 64 KB of payload is a request.
fn queue_requests(intake: &Intake, setting: &Setting) -> f64 {
    let message = setting.size.bytes() + ASSUMED.attribute_bytes;
    let chunks = |messages: f64| (messages * message / ASSUMED.chunk_bytes).ceil();
    let orders = setting.batch.orders();
    intake.sends * chunks(1.0) + (chunks(orders) + 1.0) / orders
}

/// A pack's object is one for all its orders; what else was written stays an object an order.
fn puts(processor: &Processor, setting: &Setting) -> f64 {
    match setting.destination {
        Destination::Packed(orders) => (processor.puts - 1.0).max(0.0) + 1.0 / orders,
        Destination::Http | Destination::S3 => processor.puts,
    }
}

/// Traces of both functions a million orders, spread evenly over the month.
fn traces(setting: &Setting) -> f64 {
    let orders_a_second = setting.orders_a_month / (ASSUMED.hours * 3600.0);
    let batch = setting.batch.orders();
    MILLION * traced_share(orders_a_second) + MILLION / batch * traced_share(orders_a_second / batch)
}

/// How many of a function's invocations are traced: the first of each second, and one in twenty of the others. Lambda
/// has it so, and it cannot be changed. <https://docs.aws.amazon.com/lambda/latest/dg/services-xray.html>
pub fn traced_share(a_second: f64) -> f64 {
    let first = (1.0 - (-a_second).exp()) / a_second;
    first + 0.05 * (1.0 - first)
}

#[cfg(test)]
mod tests;
