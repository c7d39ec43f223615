use super::super::measured::tests::measured;
use super::super::prices::tests::prices;
use super::*;
use crate::results::Target;

fn bill(setting: Setting) -> Bill {
    let (measured, prices) = (measured(Target::Ordersync), prices());
    Biller { measured: &measured, prices: &prices }.bill(&setting).unwrap()
}

fn near(value: f64, expected: f64) {
    assert!((value - expected).abs() < 0.0005, "{value} is not {expected}");
}

#[test]
fn calls_are_priced_one_by_one() {
    let bill = bill(Setting { keep: Keep::UntilExported, by_number: false, ..Setting::DEFAULT });
    near(bill.door, 1.0);
    // 280 us at 256 of 1769 MB are 1.93 ms; with the send 11.93, billed as 12; 1 % of 3.5 ms of init.
    near(bill.intake, 0.2 + 16.6667 * 0.012_035 / 4.0);
    // One send; ten messages of 11 KB are two chunks to receive, one request to delete.
    near(bill.queue, 0.4 * 1.3);
    // 66 ms, 3 ms of CPU 2.455 times longer, 130 ms more for the destination, 30 less for the
    // ledger: 174 ms for ten orders.
    near(bill.processor, 0.02 + 16.6667 * 0.1 * 0.174_045 / 2.0);
    near(bill.ledger, 2.0 * 0.625);
    near(bill.puts, 0.0);
    near(bill.calls(), bill.door + bill.intake + bill.queue + bill.processor + bill.ledger);
}

#[test]
fn a_pack_shares_its_object() {
    let of = |destination| bill(Setting { destination, ..Setting::DEFAULT }).puts;
    near(of(Destination::S3), 5.0);
    near(of(Destination::Packed(10.0)), 0.5);
    near(of(Destination::Packed(100.0)), 0.05);
}

#[test]
fn an_order_alone_pays_its_own_receive_delete_and_invocation() {
    let bill = bill(Setting { batch: Batch::One, ..Setting::DEFAULT });
    near(bill.queue, 0.4 * 3.0);
    assert!(bill.processor > 0.2, "{}", bill.processor);
}

#[test]
fn large_messages_are_several_requests() {
    let bill = bill(Setting { size: Size::Large, ..Setting::DEFAULT });
    // 101 KB are two chunks, ten of them 16.
    near(bill.queue, 0.4 * (2.0 + 1.7));
}

#[test]
fn rows_are_stored_with_what_their_last_write_weighed() {
    let bill = bill(Setting { keep: Keep::UntilExported, kept_months: 1.0, ..Setting::DEFAULT });
    near(bill.storage, 1_000_000.0 * (1124.0 + 300.0) / GB * 0.45);
    let kept = self::bill(Setting { kept_months: 1.0, recovery: false, ..Setting::DEFAULT });
    near(kept.storage, 1_000_000.0 * (3.0 * 1024.0 + 100.0 + 300.0) / GB * 0.25);
}

#[test]
fn a_quiet_function_is_traced_whole_and_a_busy_one_in_part() {
    near(traced_share(0.0001), 1.0);
    near(traced_share(1000.0), 0.05 + 0.95 / 1000.0);
    near(bill(Setting { traced: false, ..Setting::DEFAULT }).traces, 0.0);
}

#[test]
fn what_is_switched_off_is_not_paid() {
    let base = bill(Setting::DEFAULT);
    let quiet = Setting { own_logs: false, platform_logs: false, access_logs: false, ..Setting::DEFAULT };
    near(bill(quiet).logs, 0.0);
    near(
        bill(Setting { infrequent_logs: true, ..Setting::DEFAULT }).logs / base.logs,
        (0.25 + 0.0045) / (0.5 + 0.0045),
    );
    let url = bill(Setting { door: Door::FunctionUrl, ..Setting::DEFAULT });
    near(base.calls() - url.calls(), 1.0);
    assert!(url.logs < base.logs);
    let arm = bill(Setting { arm: true, ..Setting::DEFAULT });
    near((base.intake - 0.2) * 0.8, arm.intake - 0.2);
}
