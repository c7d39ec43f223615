//! Which orders are cancelled, and which are not.

use ordersync::ledger::{Claim, Completion, ExportKey, Facts, FindBy, Keep, Origin, Status, Told};
use ordersync::webhook::Event;
use serde_json::json;

use super::{count, days_ago, exported, invoke, noted, outcome, placed, row, run};
use crate::support::fake_shop::{FakeShop, Kind};
use crate::support::shop::generic;
use crate::support::stack::Stack;

const SHOP: &str = "it-stale";
const PIPELINE: &str = "stale-archive";

#[tokio::test]
async fn an_order_is_cancelled_when_all_conditions_hold_and_no_other_is_touched() {
    let (stack, shop) = (Stack::get(), FakeShop::start(Kind::Generic, 19520));
    let mut by_card = placed("rules-method", 40);
    by_card["payment"]["method"] = json!("card");
    let mut packed = placed("rules-state", 40);
    packed["state"] = json!("packed");
    let mut declined = placed("rules-export", 40);
    declined["total"] = json!("0.50");
    for order in [placed("rules-stale", 40), by_card, packed, placed("rules-young", 20)] {
        exported(&stack, SHOP, &order, PIPELINE).await;
    }
    stack.accept(SHOP, &generic(&declined)).await;
    stack.export(SHOP, "rules-export", PIPELINE, Status::Skipped).await;
    let others = ["rules-method", "rules-state", "rules-young", "rules-export"];
    for id in ["rules-stale"].into_iter().chain(others) {
        shop.place(id, "invoice");
    }
    let dry = invoke(&stack, &json!({ "dry_run": true })).await;
    assert!(count(&dry, "skipped", "would_cancel") > 0 && dry["dry_run"] == true, "{dry}");
    assert!(shop.calls().is_empty(), "a dry run asks no shop: {:?}", shop.calls());
    assert_eq!(row(&stack, SHOP, "rules-stale", PIPELINE).await.cancellation, None, "nor does it write");
    let report = run(&stack).await;
    assert_eq!(count(&report, "changed", "canceled"), 1, "{report}");
    for reason in ["other_method", "other_state", "not_exported"] {
        assert!(count(&report, "skipped", reason) > 0, "{reason}: {report}");
    }
    assert_eq!(shop.calls(), ["state rules-stale", "cancel rules-stale", "state rules-stale"]);
    assert!(shop.is_canceled("rules-stale") && !others.iter().any(|id| shop.is_canceled(id)));
    let canceled = row(&stack, SHOP, "rules-stale", PIPELINE).await;
    assert_eq!((canceled.status, canceled.is_unpaid), (Status::Exported, false), "what was exported stays so");
    assert!(canceled.canceled_at.is_some());
    assert_eq!(canceled.order_state.as_deref(), Some("canceled"));
    assert_eq!(outcome(&stack, SHOP, "rules-stale", PIPELINE).await.as_deref(), Some("canceled"));
    for id in others {
        let untouched = row(&stack, SHOP, id, PIPELINE).await;
        assert!(untouched.is_unpaid && untouched.cancellation.is_none(), "{id}");
    }
}

#[tokio::test]
async fn a_rule_that_reports_asks_nobody_and_stands_before_those_after_it() {
    const SHOP: &str = "it-stale-report";
    let (stack, shop) = (Stack::get(), FakeShop::start(Kind::Generic, 19523));
    noted(&stack, SHOP, &placed("report-1", 10)).await;
    shop.place("report-1", "invoice");
    let report = run(&stack).await;
    assert!(count(&report, "skipped", "would_cancel") > 0, "{report}");
    assert!(shop.calls().is_empty());
    let untouched = row(&stack, SHOP, "report-1", ExportKey::NO_PIPELINE).await;
    assert!(untouched.is_unpaid && untouched.cancellation.is_none());
}

#[tokio::test]
async fn a_row_that_is_behind_the_others_of_its_order_cancels_nothing() {
    let (stack, shop) = (Stack::get(), FakeShop::start(Kind::Generic, 19520));
    let facts = |is_unpaid, event, days| Facts {
        number: "N-behind-1".into(),
        placed_at: Some(days_ago(40)),
        order_state: Some("open".into()),
        payment_state: None,
        payment_method: Some("invoice".into()),
        is_unpaid,
        told: Told::by(&[event], days_ago(days)),
        customer: None,
        origin: Origin::default(),
        kept: None,
        find_by: FindBy::default(),
    };
    let ahead = ExportKey::new(SHOP, "behind-1", "a");
    let behind = ExportKey::new(SHOP, "behind-1", PIPELINE);
    for (key, facts) in [(&ahead, facts(false, Event::Paid, 1)), (&behind, facts(true, Event::Placed, 40))] {
        let lease = match stack.ledger.claim(key, &facts, "it", days_ago(1), days_ago(0)).await.unwrap() {
            Claim::Granted(lease) => lease,
            refused => panic!("{refused:?}"),
        };
        stack.ledger.complete(&lease, &Completion::default(), Keep::AsItIs, days_ago(1)).await.unwrap();
    }
    shop.place("behind-1", "invoice");
    assert!(stack.ledger.export(&behind).await.unwrap().unwrap().is_unpaid);
    let report = run(&stack).await;
    assert_eq!(count(&report, "changed", "caught_up"), 1, "{report}");
    assert!(shop.calls().is_empty());
    let row = stack.ledger.export(&behind).await.unwrap().unwrap();
    assert_eq!((row.is_unpaid, row.observed), (false, stack.ledger.export(&ahead).await.unwrap().unwrap().observed));
}

#[tokio::test]
async fn an_input_that_the_function_does_not_know_is_refused() {
    let stack = Stack::get();
    let function = ordersync::aws::variable("FN_CANCEL_STALE").unwrap();
    let request = stack.invocation(&function).body(json!({ "dryrun": true }).to_string());
    let answer = request.send().await.unwrap();
    assert!(answer.headers().contains_key("x-amz-function-error"));
    assert!(answer.text().await.unwrap().contains("dry_run"));
}
