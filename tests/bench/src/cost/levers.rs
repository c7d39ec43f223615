//! What to change to pay less, and what each change is worth. Pure.

use serde::Serialize;

use super::assumed::ASSUMED;
use super::measured::{Batch, Measured, Size};
use super::order::{Biller, Destination, Door, Keep, Setting};
use super::prices::Prices;

/// A change, and what it saves of a million orders.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Lever {
    /// What is changed.
    pub what: &'static str,
    /// By which setting.
    pub by: &'static str,
    /// US dollars less; below zero, more.
    pub saves: f64,
    /// What is given up for it.
    pub gives_up: &'static str,
}

type Change = fn(&mut Setting);

/// What, by which setting, what is given up, and the change itself.
type Known = (&'static str, &'static str, &'static str, Change);

const KNOWN: [Known; 14] = [
    ("Traces", "`Tracing=Active`", "nothing; pictures of single invocations in X-Ray are had for it", |setting| {
        setting.traced = true;
    }),
    ("Rows and exports kept 90 days", "`LedgerRetentionDays=90`", "looking up what is older", |setting| {
        setting.kept_months = 3.0;
    }),
    (
        "No payload of what was exported",
        "`keep_payload = \"until-exported\"`",
        "replays of exported orders from the ledger",
        |setting| setting.keep = Keep::UntilExported,
    ),
    (
        "Batches of ten",
        "`BatchWindow`, see below",
        "the time that an order waits for others; none where orders come fast",
        |setting| setting.batch = Batch::Ten,
    ),
    (
        "No index by number",
        "`find_by` without `\"number\"`; nothing to do where a shop's numbers are its ids",
        "finding an order by a number that is not its id",
        |setting| setting.by_number = false,
    ),
    (
        "No point-in-time recovery of the table",
        "`PointInTimeRecoveryEnabled: false` in `template.yaml`",
        "restoring the ledger as it was at any second of the last 35 days",
        |setting| setting.recovery = false,
    ),
    (
        "Function URL in place of the HTTP API",
        "`FunctionUrlConfig` in `template.yaml`",
        "the endpoint's throttle and access log, and routes of one host; reserved concurrency takes the throttle's place",
        |setting| setting.door = Door::FunctionUrl,
    ),
    (
        "No lines by Lambda",
        "`LogFormat: JSON`, `SystemLogLevel: WARN`",
        "durations in the log; metrics have them",
        |setting| {
            setting.platform_logs = false;
        },
    ),
    ("No line for each order", "`LogLevel=warn`", "finding an order in the logs; the ledger has it", |setting| {
        setting.own_logs = false;
    }),
    ("No access log", "without `AccessLogSettings`", "requests that never reached intake", |setting| {
        setting.access_logs = false;
    }),
    (
        "Logs that are seldom read",
        "`LogGroupClass: INFREQUENT_ACCESS`",
        "metrics from logs, so those of the scheduled functions too; live tail",
        |setting| setting.infrequent_logs = true,
    ),
    ("arm64", "`Architecture=arm64`", "nothing, where it is as fast", |setting| setting.arm = true),
    ("Intake with 128 MB", "`MemorySize` of intake", "milliseconds of the shop's time", |setting| {
        setting.intake_mb = 128.0;
    }),
    (
        "Processor with 256 MB",
        "`MemorySize` of the processor",
        "speed; check its memory with large batches",
        |setting| {
            setting.processor_mb = 256.0;
        },
    ),
];

/// What each change saves by itself of `base`, the greatest first.
pub fn levers(biller: &Biller<'_>, base: &Setting) -> Vec<Lever> {
    let total = |setting: &Setting| biller.bill(setting).map(|bill| bill.total());
    let mut levers: Vec<_> = KNOWN
        .iter()
        .filter_map(|&(what, by, gives_up, change)| {
            let mut changed = *base;
            change(&mut changed);
            Some(Lever { what, by, saves: total(base)? - total(&changed)?, gives_up })
        })
        .collect();
    levers.sort_by(|one, other| other.saves.total_cmp(&one.saves));
    levers
}

/// `base` with those changes that give up little: what a shop that pays attention to it would set.
pub fn tuned(base: &Setting) -> Setting {
    Setting { traced: false, keep: Keep::UntilExported, kept_months: 3.0, platform_logs: false, arm: true, ..*base }
}

/// What the design saves already, of a million orders.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Saved {
    /// What it is.
    pub what: &'static str,
    /// US dollars that it would cost more without.
    pub saves: f64,
}

/// What the ledger's layout and the transports save already, at 10 KB.
pub fn saved(biller: &Biller<'_>, measured: &Measured, prices: &Prices) -> Vec<Saved> {
    let units = |units: f64| prices.dynamodb_write.of(units * 1_000_000.0);
    let kept = measured.processor.get(&(super::measured::Sink::Http, Batch::Ten, Size::Middle));
    // A claim of one unit, and a completion with the order as it came.
    let plain = 1.0 + ((Size::Middle.bytes() + 1024.0) / 1024.0).ceil();
    let put = |destination| biller.bill(&Setting { destination, ..Setting::DEFAULT }).map_or(0.0, |bill| bill.puts);
    vec![
        Saved {
            what: "Payloads are compressed (`keep_payload = \"always\"`)",
            saves: units(plain - kept.map_or(plain, |kept| kept.write_units - measured.number_units)),
        },
        Saved { what: "First attempts are in no index by status: no entry written and moved", saves: units(2.0) },
        Saved {
            what: "The index by number leaves out orders whose number is their id",
            saves: units(measured.number_units),
        },
        Saved {
            what: "Packs of ten orders in place of an object each",
            saves: put(Destination::S3) - put(Destination::Packed(10.0)),
        },
    ]
}

/// Seconds of `BatchWindow` in which ten orders gather, were each of the mapping's five pollers to gather its own.
pub fn window_for_ten(orders_a_month: f64) -> f64 {
    9.0 * 5.0 / (orders_a_month / (ASSUMED.hours * 3600.0))
}

#[cfg(test)]
mod tests {
    use super::super::measured::tests::measured;
    use super::super::prices::tests::prices;
    use super::*;
    use crate::results::Target;

    #[test]
    fn every_lever_is_worth_its_difference_and_the_greatest_is_first() {
        let (measured, prices) = (measured(Target::Ordersync), prices());
        let biller = Biller { measured: &measured, prices: &prices };
        let base = Setting { batch: Batch::One, ..Setting::DEFAULT };
        let levers = levers(&biller, &base);
        assert_eq!(levers.len(), KNOWN.len());
        assert!(levers.windows(2).all(|pair| pair[0].saves >= pair[1].saves));
        let of = |what: &str| levers.iter().find(|lever| lever.what == what).unwrap().saves;
        let batches = biller.bill(&base).unwrap().total() - biller.bill(&Setting::DEFAULT).unwrap().total();
        assert!((of("Batches of ten") - batches).abs() < 1e-9);
        assert!(of("Traces") < -5.0, "two traces an order, nearly all of them taken");
        let tuned = biller.bill(&tuned(&base)).unwrap();
        assert!(tuned.total() < biller.bill(&base).unwrap().total());
    }

    #[test]
    fn what_is_saved_already_is_priced_in_write_units() {
        let (measured, prices) = (measured(Target::Ordersync), prices());
        let saved = saved(&Biller { measured: &measured, prices: &prices }, &measured, &prices);
        // 11 KB and a claim are 12 units; 5 were counted, one of them for the index.
        assert!((saved[0].saves - 8.0 * 0.625).abs() < 1e-9);
        assert!((saved[3].saves - 4.5).abs() < 1e-9);
    }

    #[test]
    fn ten_orders_gather_the_sooner_the_more_there_are() {
        assert!((window_for_ten(2_628_000.0) - 45.0).abs() < 1e-9);
    }
}
