//! Shops that say no, say nothing, or say not now.

use ordersync::ledger::{ExportKey, Status};
use serde_json::{Value, json};

use super::{count, exported, let_time_pass, noted, outcome, placed, row, run, unpaid};
use crate::support::fake_shop::{FakeShop, Kind};
use crate::support::shop::generic;
use crate::support::stack::Stack;

const SHOP: &str = "it-stale";
const PIPELINE: &str = "stale-archive";
const NONE: &str = ExportKey::NO_PIPELINE;

#[tokio::test]
async fn a_refusal_is_recorded_and_not_repeated_until_the_shop_says_something_new() {
    let (stack, shop) = (Stack::get(), FakeShop::start(Kind::Generic, 19520));
    exported(&stack, SHOP, &placed("refused-1", 40), PIPELINE).await;
    exported(&stack, SHOP, &placed("refused-unknown", 40), PIPELINE).await;
    shop.place("refused-1", "invoice");
    shop.refuse("refused-1", "a shipment is on its way");
    let report = run(&stack).await;
    assert_eq!(count(&report, "changed", "refused"), 2, "{report}");
    let said = outcome(&stack, SHOP, "refused-1", PIPELINE).await;
    assert_eq!(said.as_deref(), Some("the shop refuses: a shipment is on its way"));
    let said = outcome(&stack, SHOP, "refused-unknown", PIPELINE).await;
    assert_eq!(said.as_deref(), Some("the shop knows no such order"));
    let refused = row(&stack, SHOP, "refused-1", PIPELINE).await;
    assert_eq!((refused.is_unpaid, refused.status, refused.canceled_at), (false, Status::Exported, None));
    let asked = shop.calls();
    let key = ExportKey::new(SHOP, "refused-1", PIPELINE);
    let_time_pass(&key, None).await;
    run(&stack).await;
    assert_eq!(shop.calls(), asked, "it is not asked again");
    // The shop says that it is as unpaid as before: the order is back, and its tries begin anew.
    let answer = stack.post("it-stale?topic=updated", &generic(&placed("refused-1", 40))).await;
    assert_eq!(answer.status(), 202);
    assert_eq!(unpaid(&stack, &key, true).await.cancellation.unwrap().tries, 0);
    shop.place("refused-1", "invoice");
    let report = run(&stack).await;
    assert_eq!((count(&report, "changed", "canceled"), shop.is_canceled("refused-1")), (1, true), "{report}");
}

#[tokio::test]
async fn a_shop_that_has_us_wait_is_left_alone_and_no_try_is_counted() {
    const SHOP: &str = "it-stale-busy";
    let (stack, shop) = (Stack::get(), FakeShop::start(Kind::Generic, 19524));
    let ids = ["busy-1", "busy-2", "busy-3"];
    for (id, days) in ids.into_iter().zip([12, 11, 10]) {
        noted(&stack, SHOP, &placed(id, days)).await;
        shop.place(id, "invoice");
    }
    shop.throttle(1);
    let report = run(&stack).await;
    assert_eq!(shop.calls(), ["state busy-1"], "the oldest first, and then none");
    assert!(count(&report, "skipped", "throttled") >= 3, "{report}");
    let waiting = row(&stack, SHOP, "busy-1", NONE).await.cancellation.unwrap();
    assert_eq!((waiting.tries, waiting.outcome.as_deref()), (0, Some("the shop has us wait for 2 s")));
    assert_eq!(row(&stack, SHOP, "busy-2", NONE).await.cancellation, None);
    crate::support::eventually("every order to be cancelled when the shop takes calls again", async || {
        run(&stack).await;
        ids.iter().all(|id| shop.is_canceled(id)).then_some(())
    })
    .await;
    let cancels = shop.calls().iter().filter(|call| call.starts_with("cancel")).count();
    assert_eq!(cancels, 3);
}

#[tokio::test]
async fn credentials_that_are_refused_are_nobodys_fault_but_ours() {
    const SHOP: &str = "it-stale-denied";
    let (stack, shop) = (Stack::get(), FakeShop::start(Kind::Generic, 19525));
    noted(&stack, SHOP, &placed("denied-1", 10)).await;
    shop.place("denied-1", "invoice");
    let key = ExportKey::new(SHOP, "denied-1", NONE);
    for tries in [None, Some(40)] {
        let_time_pass(&key, tries).await;
        let report = run(&stack).await;
        assert!(report["failed"].as_u64().unwrap() > 0, "{report}");
    }
    let waiting = row(&stack, SHOP, "denied-1", NONE).await;
    let tried = waiting.cancellation.unwrap();
    assert!(waiting.is_unpaid, "it is tried again, however often it was");
    assert!(tried.outcome.unwrap().contains("the credentials are wrong or lack a permission"));
    assert_eq!(tried.tries, 6);
    let report = run(&stack).await;
    assert!(count(&report, "skipped", "waits") > 0, "not before its time: {report}");
}

#[tokio::test]
async fn a_shop_that_cannot_be_reached_is_tried_ten_times() {
    const SHOP: &str = "it-stale-down";
    let stack = Stack::get();
    noted(&stack, SHOP, &placed("down-1", 10)).await;
    let key = ExportKey::new(SHOP, "down-1", NONE);
    let report = run(&stack).await;
    assert!(count(&report, "skipped", "unavailable") > 0, "{report}");
    let waiting = unpaid(&stack, &key, true).await.cancellation.unwrap();
    assert_eq!(waiting.tries, 1);
    let report = run(&stack).await;
    assert!(count(&report, "skipped", "waits") > 0, "{report}");
    let_time_pass(&key, Some(9)).await;
    run(&stack).await;
    let given_up = unpaid(&stack, &key, false).await.cancellation.unwrap().outcome.unwrap();
    assert!(given_up.starts_with("given up after 10 tries: "), "{given_up}");
}

#[tokio::test]
async fn what_the_shop_says_instead_is_recorded_and_the_order_let_go() {
    let (stack, shop) = (Stack::get(), FakeShop::start(Kind::Generic, 19520));
    for id in ["says-paid", "says-packed", "says-card"] {
        exported(&stack, SHOP, &placed(id, 40), PIPELINE).await;
        shop.place(id, "invoice");
    }
    shop.pay("says-paid");
    let document = |state: &str, method: &str| -> Value {
        json!({ "state": state, "payment": { "method": method, "state": "open", "paid": false } })
    };
    shop.put("says-packed", document("packed", "invoice"));
    shop.put("says-card", document("open", "card"));
    let report = run(&stack).await;
    let changed = (count(&report, "changed", "noted_paid"), count(&report, "changed", "let_go"));
    assert_eq!((changed, count(&report, "changed", "canceled")), ((1, 2), 0), "{report}");
    let paid = row(&stack, SHOP, "says-paid", PIPELINE).await;
    assert_eq!((paid.is_unpaid, paid.payment_state.as_deref(), paid.canceled_at), (false, Some("paid"), None));
    let packed = row(&stack, SHOP, "says-packed", PIPELINE).await;
    assert_eq!((packed.is_unpaid, packed.order_state.as_deref(), packed.cancellation), (true, Some("packed"), None));
    let card = row(&stack, SHOP, "says-card", PIPELINE).await;
    assert_eq!((card.is_unpaid, card.payment_method.as_deref(), card.cancellation), (true, Some("card"), None));
    let asked = shop.calls();
    assert!(asked.iter().all(|call| call.starts_with("state")), "{asked:?}");
    run(&stack).await;
    assert_eq!(shop.calls(), asked, "nothing is left to ask");
}
