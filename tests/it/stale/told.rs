//! Cancellations that are told to the back offices which ask for them.

use std::time::Duration;

use ordersync::ledger::{ExportKey, Status};
use ordersync::queue::Envelope;
use ordersync::webhook::Event;
use serde_json::Value;

use super::{count, exported, placed, row, run};
use crate::support::eventually;
use crate::support::fake_shop::{FakeShop, Kind};
use crate::support::receiver::{Receiver, Reply};
use crate::support::shop::generic;
use crate::support::stack::Stack;

const SHOP: &str = "it-stale";
const PIPELINE: &str = "stale-archive";

#[tokio::test]
async fn a_cancellation_is_exported_once_whoever_cancelled_and_whoever_tells() {
    let (stack, shop) = (Stack::get(), FakeShop::start(Kind::Generic, 19520));
    let receiver = Receiver::start(19530, |_, _| Reply::ok(""));
    for id in ["told-by-us", "told-by-shop"] {
        exported(&stack, SHOP, &placed(id, 40), PIPELINE).await;
        shop.place(id, "invoice");
    }
    shop.cancel("told-by-shop");
    let report = run(&stack).await;
    let changed = (count(&report, "changed", "canceled"), count(&report, "changed", "noted_canceled"));
    assert_eq!(changed, (1, 1), "{report}");
    for id in ["told-by-us", "told-by-shop"] {
        let told = stack.export(SHOP, id, "stale-told", Status::Exported).await;
        assert_eq!((told.attempts, told.is_unpaid, told.due), (1, false, None), "its message is noted as sent");
        assert_eq!(Envelope::from_fields(&told.envelope).unwrap().event, Some(Event::Canceled));
        let sent: Value = serde_json::from_slice(&receiver.about(id)[0].body).unwrap();
        assert_eq!((&sent["canceled"], &sent["state"]), (&true.into(), &"canceled".into()), "{sent}");
        assert_eq!(sent["items"][0]["sku"], "SKU-1", "the order as it was placed");
        let picky = stack.export(SHOP, id, "stale-picky", Status::Skipped).await;
        assert!(picky.last_error.unwrap().starts_with("when is false"), "the filter is asked");
    }
    // Now the shop's own webhook about it comes as well, and another run.
    let answer = stack.post("it-stale?topic=canceled", &generic(&placed("told-by-us", 40))).await;
    assert_eq!(answer.status(), 202);
    let key = ExportKey::new(SHOP, "told-by-us", PIPELINE);
    let known = stack.ledger.export(&key).await.unwrap().unwrap().observed;
    eventually("the webhook to be noted", async || {
        (stack.ledger.export(&key).await.unwrap().unwrap().observed > known).then_some(())
    })
    .await;
    run(&stack).await;
    // Whatever they might have begun has come by then.
    tokio::time::sleep(Duration::from_secs(3)).await;
    for id in ["told-by-us", "told-by-shop"] {
        assert_eq!(receiver.about(id).len(), 1, "{id}");
        assert_eq!(row(&stack, SHOP, id, "stale-told").await.attempts, 1);
    }
}
