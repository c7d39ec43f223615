//! From the platform's own webhook to its own way of cancelling.

use std::time::Duration;

use ordersync::clock;
use ordersync::ledger::{Claim, ExportKey, Facts, FindBy, Kept, NextStep, Origin, Status, Told};
use ordersync::queue::Fields;
use ordersync::webhook::Event;
use serde_json::{Value, json};

use super::{count, days_ago, let_time_pass, outcome, row, run};
use crate::support::fake_shop::{FakeShop, Kind};
use crate::support::receiver::{Receiver, Reply};
use crate::support::shop::{Signed, example, sign};
use crate::support::stack::Stack;

/// The platform's example webhook, changed and signed again.
fn webhook(platform: &str, id: &str, change: impl FnOnce(&mut Value)) -> Signed {
    let mut body: Value = serde_json::from_slice(&example(platform, id).body).unwrap();
    change(&mut body);
    sign(platform, body.to_string().into_bytes())
}

#[tokio::test]
async fn magento_cancels_what_waits_for_a_bank_transfer() {
    const SHOP: &str = "it-stale-magento";
    let (stack, shop) = (Stack::get(), FakeShop::start(Kind::Magento, 19521));
    let receiver = Receiver::start(19530, |_, _| Reply::ok(""));
    for id in ["880001", "880002"] {
        let old = days_ago(1).strftime("%Y-%m-%d %H:%M:%S").to_string();
        stack.accept(SHOP, &webhook("magento", id, |order| order["created_at"] = json!(old))).await;
        stack.export(SHOP, id, "stale-stuck", Status::Pending).await;
        shop.place(id, "banktransfer");
    }
    shop.refuse("880002", "");
    let report = run(&stack).await;
    let changed = (count(&report, "changed", "canceled"), count(&report, "changed", "refused"));
    assert_eq!((changed, shop.is_canceled("880001"), shop.is_canceled("880002")), ((1, 1), true, false), "{report}");
    let ended = row(&stack, SHOP, "880001", "stale-stuck").await;
    assert_eq!((ended.status, ended.order_state.as_deref()), (Status::Canceled, Some("canceled")));
    stack.export(SHOP, "880001", "stale-told", Status::Exported).await;
    assert_eq!(receiver.about("880001").len(), 1);
    let said = outcome(&stack, SHOP, "880002", "stale-stuck").await;
    assert_eq!(said.as_deref(), Some("the shop refuses: false; the order is pending"));
    assert_eq!(row(&stack, SHOP, "880002", "stale-stuck").await.status, Status::Pending, "it goes on");
}

#[tokio::test]
async fn a_cancellation_is_told_when_the_attempt_is_over_that_alone_has_the_order() {
    const SHOP: &str = "it-stale-magento";
    let (stack, shop) = (Stack::get(), FakeShop::start(Kind::Magento, 19521));
    let receiver = Receiver::start(19530, |_, _| Reply::ok(""));
    let (key, now) = (ExportKey::new(SHOP, "880003", "stale-stuck"), clock::now());
    let envelope = Fields::from([("shop".into(), SHOP.into()), ("received_at".into(), now.to_string())]);
    let facts = Facts {
        number: "N-880003".into(),
        placed_at: Some(days_ago(1)),
        order_state: Some("pending".into()),
        payment_state: None,
        payment_method: Some("banktransfer".into()),
        is_unpaid: true,
        told: Told::by(&[Event::Placed], days_ago(1)),
        customer: None,
        origin: Origin::of(&envelope),
        kept: None,
        find_by: FindBy::default(),
    };
    let claim = stack.ledger.claim(&key, &facts, "it", now, now + Duration::from_mins(10)).await.unwrap();
    let Claim::Granted(lease) = claim else { panic!("{claim:?}") };
    shop.place("880003", "banktransfer");
    let report = run(&stack).await;
    assert!(count(&report, "changed", "canceled") == 1 && shop.is_canceled("880003"), "{report}");
    assert!(stack.row(SHOP, "880003", "stale-told").await.is_none());
    let waits = row(&stack, SHOP, "880003", "stale-stuck").await;
    assert_eq!((waits.status, waits.is_unpaid, waits.canceled_at), (Status::Processing, true, None));

    let body = example("magento", "880003").body;
    let kept = Kept { payload: stack.payloads.keep(SHOP, "880003", &body).await.unwrap(), envelope };
    let next = NextStep::Retry { not_before: now + Duration::from_hours(1) };
    stack.ledger.fail(&lease, "HTTP 503", None, next, Some(&kept), clock::now()).await.unwrap();
    let_time_pass(&key, None).await;
    let report = run(&stack).await;
    assert_eq!(count(&report, "changed", "noted_canceled"), 1, "{report}");
    stack.export(SHOP, "880003", "stale-told", Status::Exported).await;
    assert_eq!(receiver.about("880003").len(), 1);
    assert_eq!(row(&stack, SHOP, "880003", "stale-stuck").await.status, Status::Canceled);
}

#[tokio::test]
async fn shopify_cancels_what_nobody_paid_into_the_bank() {
    const SHOP: &str = "it-stale-shopify";
    let (stack, shop) = (Stack::get(), FakeShop::start(Kind::Shopify, 19522));
    let unpaid = |order: &mut Value| {
        order["created_at"] = json!(days_ago(11).to_string());
        order["financial_status"] = json!("pending");
        order["payment_gateway_names"] = json!(["Bank Deposit"]);
    };
    // Beyond 2^53: no digit may get lost on the way to the shop.
    let (id, paid_at_last) = ("9131072415678934511", "9131072415678934513");
    for id in [id, paid_at_last] {
        stack.accept(SHOP, &webhook("shopify", id, unpaid)).await;
        stack.export(SHOP, id, "stale-archive", Status::Exported).await;
        shop.place(id, "Bank Deposit");
    }
    shop.pay(paid_at_last);
    let report = run(&stack).await;
    let changed = (count(&report, "changed", "canceled"), count(&report, "changed", "noted_paid"));
    assert_eq!((changed, shop.is_canceled(id), shop.is_canceled(paid_at_last)), ((1, 1), true, false), "{report}");
    stack.export(SHOP, id, "stale-told-s3", Status::Exported).await;
    let (told, ..) = stack.object(&format!("stale-told/{SHOP}/{id}.json")).await;
    let told: Value = serde_json::from_slice(&told).unwrap();
    assert_eq!((&told["canceled"], &told["state"]), (&true.into(), &"cancelled".into()), "in Shopify's own words");
    assert!(stack.row(SHOP, paid_at_last, "stale-told-s3").await.is_none());
}
