//! What cancel-stale is for.

use std::sync::LazyLock;

use ordersync::ledger::Status;

use super::role::Grant;
use super::{Need, process, record, restart};
use crate::stale::{count, placed, run};
use crate::support::fake_shop::{FakeShop, Kind};
use crate::support::receiver::{Receiver, Reply};
use crate::support::stack::Stack;

const SHOP: &str = "it-stale";

pub(super) fn need(grant: &Grant) -> Option<Need> {
    Some(match grant.sid.as_str() {
        "FindUnpaidOrders" | "RecordCancellations" => {
            Need::Work("an unpaid order is cancelled", |stack, id| Box::pin(cancels(stack, id)))
        }
        "QueueCancellations" => {
            Need::Work("a cancellation is told to a back office", |stack, id| Box::pin(tells(stack, id)))
        }
        "ReadShopSecrets" => {
            Need::Work("a new instance cancels an unpaid order", |stack, id| Box::pin(new_instance(stack, id)))
        }
        _ => return None,
    })
}

async fn cancels(stack: &Stack, id: &str) {
    static SHOPS: LazyLock<FakeShop> = LazyLock::new(|| FakeShop::start(Kind::Generic, 19520));
    let shop = &*SHOPS;
    process(stack, record(SHOP, &placed(id, 40), &[])).await;
    shop.place(id, "invoice");
    let report = run(stack).await;
    assert!(count(&report, "changed", "canceled") >= 1 && shop.is_canceled(id), "{report}");
    assert_eq!(count_failed(&report), 0, "{report}");
}

fn count_failed(report: &serde_json::Value) -> u64 {
    report["failed"].as_u64().unwrap()
}

async fn tells(stack: &Stack, id: &str) {
    static BACK_OFFICE: LazyLock<Receiver> = LazyLock::new(|| Receiver::start(19530, |_, _| Reply::ok("")));
    LazyLock::force(&BACK_OFFICE);
    cancels(stack, id).await;
    stack.export(SHOP, id, "stale-told", Status::Exported).await;
}

async fn new_instance(stack: &Stack, id: &str) {
    restart(stack, "FN_CANCEL_STALE").await;
    cancels(stack, id).await;
}
