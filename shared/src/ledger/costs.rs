//! What exports cost in write units: counted from the writes as they are made, the items as they then are, and the
//! template's indexes. The table of `docs/adr/0010-every-resting-state-is-listed.md` says the same.

use std::time::Duration;

use jiff::Timestamp;

use super::*;
use crate::config::{Files, parse};
use crate::fake::{FakeTable, Log};
use crate::queue::Fields;
use crate::webhook::Event;

const SHOP: &str = r#"
    [[shops]]
    code = "acme-eu"
    platform = "shopify"
    secrets = ["s"]

    [[pipelines]]
    code = "erp"
    format = { type = "json" }
    transport = { type = "http", url = "https://erp.example.com/orders" }
"#;

fn at(second: i64) -> Timestamp {
    Timestamp::from_millisecond(1_800_000_000_123 + second * 1000).unwrap()
}

/// A ledger, and what a webhook of Shopify says, as it comes through the queue.
struct Case {
    table: FakeTable,
    ledger: Ledger,
    key: ExportKey,
    facts: Facts,
    kept: Kept,
}

impl Case {
    /// An order of ten kilobytes that is paid, and whose number is its identifier if it `has_no_number`.
    fn new(has_no_number: bool) -> Self {
        let config = parse("ordersync.toml", SHOP, &Files::default(), 10).unwrap();
        let raw = include_str!("../../../events/webhooks/shopify.json");
        let mut order = config.shops["acme-eu"].platform.read("acme-eu", raw.as_bytes()).unwrap();
        order.payment.paid = true;
        if has_no_number {
            order.number.clone_from(&order.id);
        }
        let envelope = Fields::from([
            ("shop".into(), "acme-eu".into()),
            ("topic".into(), "orders/create".into()),
            ("delivery_id".into(), "b54557e4-bdd9-4b37-8a5f-bf7d70bcd043".into()),
            ("received_at".into(), at(0).to_string()),
            ("headers".into(), format!("{{\"x-shopify-hmac-sha256\":\"{}=\"}}", "a".repeat(43))),
        ]);
        // A raw order of ten kilobytes, compressed: JSON shrinks to less than a third.
        let kept = Kept { payload: Payload::Inline(vec![7; 2800].into()), envelope };
        let told = Told::by(&[Event::Placed, Event::Paid], at(0));
        let facts = Facts::of(&order, false, told, Origin::of(&kept.envelope), FindBy::default());
        let table = FakeTable::new(Log::default());
        Self { ledger: table.ledger(), table, key: ExportKey::new("acme-eu", &order.id, "erp"), facts, kept }
    }

    async fn claimed(&self, second: i64) -> Lease {
        let owner = "8f507cfc-xmpl-4697-b07a-ac58fc914c95/2d6e2b3a9f01/1";
        match self.ledger.claim(&self.key, &self.facts, owner, at(second), at(second + 30)).await.unwrap() {
            Claim::Granted(lease) => lease,
            refused => panic!("{refused:?}"),
        }
    }

    async fn completed(&self, lease: &Lease, keep: Keep<'_>, second: i64) {
        self.completed_as(lease, None, keep, second).await;
    }

    async fn completed_as(&self, lease: &Lease, external_id: Option<&str>, keep: Keep<'_>, second: i64) {
        let destination = "https://erp.example.com/api/v2/tenants/acme/sales-orders";
        let external_id = external_id.map(ToOwned::to_owned);
        let done = Completion { destination: destination.into(), external_id, acknowledge_by: None };
        self.ledger.complete(lease, &done, keep, at(second)).await.unwrap();
    }

    async fn failed(&self, lease: &Lease, is_last: bool, second: i64) {
        let error = "the destination answered with 503 Service Unavailable";
        let (next, kept) = if is_last {
            (NextStep::GiveUp(Fault::Exhausted), Some(&self.kept))
        } else {
            (NextStep::Retry { not_before: at(second + 30) }, None)
        };
        self.ledger.fail(lease, error, Some("503 <html>busy</html>"), next, kept, at(second)).await.unwrap();
    }

    /// Units of table and indexes since the last time.
    fn units(&self) -> (u64, u64) {
        let units = self.table.take_units();
        (units.table, units.indexes)
    }

    fn bytes(&self) -> u64 {
        size::item_bytes(&self.table.item(&format!("{}#{}", self.key.shop, self.key.order_id), "erp").unwrap())
    }
}

#[tokio::test]
async fn an_export_that_succeeds_first_time_costs_two_units_and_one_for_each_index_that_it_is_in() {
    // By status; by the back office's identifier; by a number of its own.
    for (has_no_number, external_id, indexes) in
        [(true, None, 1), (true, Some("SO-2026-0001042"), 2), (false, None, 2), (false, Some("SO-2026-0001042"), 3)]
    {
        let case = Case::new(has_no_number);
        let lease = case.claimed(0).await;
        let claimed = case.bytes();
        case.completed_as(&lease, external_id, Keep::No, 1).await;
        assert_eq!(case.units(), (2, indexes), "{has_no_number} {external_id:?}");
        assert!(claimed.max(case.bytes()) <= 768, "far from a second unit: {claimed} and {} bytes", case.bytes());
    }
}

#[tokio::test]
async fn an_order_that_is_kept_is_paid_for_once() {
    let case = Case::new(true);
    let lease = case.claimed(0).await;
    assert_eq!(case.units(), (1, 0), "not with the claim");
    case.completed(&lease, Keep::Put(&case.kept), 1).await;
    assert_eq!(case.units(), (4, 1));
}

#[tokio::test]
async fn an_unpaid_order_costs_its_entry_and_no_more() {
    let mut case = Case::new(true);
    case.facts.is_unpaid = true;
    let lease = case.claimed(0).await;
    case.completed(&lease, Keep::No, 1).await;
    assert_eq!(case.units(), (2, 2));
}

#[tokio::test]
async fn what_finds_more_costs_more() {
    let mut case = Case::new(false);
    case.facts.find_by = FindBy { number: true, customer: true };
    let lease = case.claimed(0).await;
    case.completed(&lease, Keep::No, 1).await;
    assert_eq!(case.units(), (2, 3));
    case.facts.find_by = FindBy { number: false, customer: false };
    case.key.pipeline = "wms".into();
    let lease = case.claimed(0).await;
    case.completed(&lease, Keep::No, 1).await;
    assert_eq!(case.units(), (2, 1));
}

#[tokio::test]
async fn a_failure_pays_for_the_index_that_it_is_looked_up_in() {
    let case = Case::new(true);
    let lease = case.claimed(0).await;
    case.failed(&lease, false, 1).await;
    assert_eq!(case.units(), (2, 1), "it waits, and is in the index");
    let lease = case.claimed(31).await;
    assert_eq!(case.units().1, 2, "from one key of the index to another");
    case.completed(&lease, Keep::No, 32).await;
    assert_eq!(case.units(), (1, 2), "from one key to another once more");

    let case = Case::new(true);
    let lease = case.claimed(0).await;
    case.failed(&lease, true, 1).await;
    assert_eq!(case.units(), (1 + 4, 1), "with the order, which is to be had for a reset");
}

#[tokio::test]
async fn each_failure_after_the_first_pays_for_two_moves_in_the_index() {
    let case = Case::new(true);
    let lease = case.claimed(0).await;
    case.failed(&lease, false, 1).await;
    case.units();
    let lease = case.claimed(31).await;
    case.failed(&lease, false, 32).await;
    assert_eq!(case.units(), (2, 4));
}

#[tokio::test]
async fn an_export_that_waits_pays_for_its_order_with_every_write() {
    let mut case = Case::new(true);
    case.facts.kept = Some(case.kept.clone());
    let wait = Wait::Until { why: Why::Slot, at: at(600), hand_out_at: at(660) };
    let parked = case.ledger.park(&case.key, &case.facts, wait, at(0)).await.unwrap();
    assert_eq!((parked, case.units()), (Parked::Waiting, (4, 2)), "to be looked up by its status and its time");
    let lease = case.claimed(600).await;
    assert_eq!(case.units(), (4, 3), "from one key of the index to another, and no longer due");
    case.completed(&lease, Keep::No, 601).await;
    assert_eq!(case.units(), (4, 2));
}

#[tokio::test]
async fn handing_out_an_export_pays_for_its_order_twice() {
    let mut case = Case::new(true);
    case.facts.kept = Some(case.kept.clone());
    let wait = Wait::Until { why: Why::Slot, at: at(7200), hand_out_at: at(7000) };
    case.ledger.park(&case.key, &case.facts, wait, at(0)).await.unwrap();
    case.units();
    let due = case.ledger.export(&case.key).await.unwrap().unwrap().due.unwrap();
    let waiting = Waiting { key: case.key.clone(), due };
    case.ledger.release(&waiting, at(7001)).await.unwrap();
    case.ledger.settle(&case.key, at(7001)).await.unwrap();
    assert_eq!(case.units(), (8, 3));
}

#[tokio::test]
async fn the_attempt_of_an_export_that_succeeded_first_time_is_read_from_the_other_attributes() {
    let case = Case::new(true);
    let lease = case.claimed(0).await;
    case.completed(&lease, Keep::No, 7).await;
    let item = case.table.item(&format!("acme-eu#{}", case.key.order_id), "erp").unwrap();
    assert!(!item.contains_key("history"));
    let row = case.ledger.export(&case.key).await.unwrap().unwrap();
    let took = Duration::from_secs(7);
    let attempt = Attempt { at: at(0), outcome: Outcome::Exported, took, error: None, response: None };
    assert_eq!(row.history, [attempt]);
    // The answer to the write was lost, and it was repeated.
    case.completed(&lease, Keep::No, 9).await;
    assert_eq!(case.ledger.export(&case.key).await.unwrap().unwrap(), row);
}

#[tokio::test]
async fn a_word_of_the_back_office_pays_for_a_move_in_the_index() {
    let case = Case::new(true);
    let lease = case.claimed(0).await;
    case.completed(&lease, Keep::No, 1).await;
    case.units();
    let row = case.ledger.export(&case.key).await.unwrap().unwrap();
    case.ledger.acknowledge(&row, Some("SO-2026-0001042"), at(60)).await.unwrap();
    assert_eq!(case.units(), (1, 3), "from one key to another, and its identifier");
}
