//! What happens while a run is at work: another run, a payment, a crash.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use ordersync::aws;
use ordersync::ledger::{ExportKey, Status};
use serde_json::json;

use super::{count, exported, let_time_pass, noted, placed, run, unpaid};
use crate::support::fake_shop::{FakeShop, Kind};
use crate::support::process;
use crate::support::receiver::{Receiver, Reply};
use crate::support::shop::generic;
use crate::support::stack::Stack;

/// Longer than the function waits for the shop.
const PATIENCE: Duration = Duration::from_secs(30);

fn open_order() -> Reply {
    order("open")
}

fn order(state: &str) -> Reply {
    let payment = json!({ "method": "invoice", "state": "open", "paid": false });
    Reply::ok(json!({ "state": state, "payment": payment }).to_string())
}

#[tokio::test]
async fn of_two_runs_at_once_one_cancels_an_order() {
    const SHOP: &str = "it-stale-race";
    let (stack, shop) = (Stack::get(), FakeShop::start(Kind::Generic, 19529));
    let ids: Vec<String> = (0..8).map(|n| format!("race-{n}")).collect();
    for id in &ids {
        exported(&stack, SHOP, &placed(id, 10), "stale-archive").await;
        shop.place(id, "invoice");
    }
    let (one, other) = tokio::join!(run(&stack), run(&stack));
    let canceled = count(&one, "changed", "canceled") + count(&other, "changed", "canceled");
    assert_eq!(canceled, 8, "{one} {other}");
    let cancels: Vec<String> = shop.calls().into_iter().filter(|call| call.starts_with("cancel")).collect();
    assert_eq!(cancels.len(), 8, "{cancels:?}");
    assert_eq!(cancels.iter().collect::<BTreeSet<_>>().len(), 8);
}

#[tokio::test]
async fn an_order_that_is_paid_while_a_run_is_at_work_is_not_cancelled() {
    const SHOP: &str = "it-stale-meanwhile";
    let stack = Stack::get();
    let (at_first, is_at_first) = mpsc::channel();
    let (go_on, may_go_on) = mpsc::channel::<()>();
    let may_go_on = Mutex::new(may_go_on);
    let receiver = Receiver::start(19527, move |_, request| match request.path.as_str() {
        "/orders/meanwhile-1" if request.method == "GET" && at_first.send(()).is_ok() => {
            may_go_on.lock().unwrap().recv_timeout(PATIENCE).map_or(Reply::status("500 Late"), |()| open_order())
        }
        "/orders/meanwhile-1/cancel" => Reply::ok(r#"{"ok": true}"#),
        _ => open_order(),
    });
    for (id, days) in [("meanwhile-1", 12), ("meanwhile-2", 11)] {
        noted(&stack, SHOP, &placed(id, days)).await;
    }
    let running = tokio::spawn(async { run(&Stack::get()).await });
    let wait = tokio::task::spawn_blocking(move || is_at_first.recv_timeout(PATIENCE));
    wait.await.unwrap().expect("the first order to be looked at");
    let mut paid = placed("meanwhile-2", 11);
    paid["payment"]["state"] = json!("paid");
    assert_eq!(stack.post("it-stale-meanwhile?topic=paid", &generic(&paid)).await.status(), 202);
    unpaid(&stack, &ExportKey::new(SHOP, "meanwhile-2", ExportKey::NO_PIPELINE), false).await;
    go_on.send(()).unwrap();
    let report = running.await.unwrap();
    assert_eq!(count(&report, "changed", "canceled"), 1, "{report}");
    assert!(count(&report, "skipped", "taken") > 0, "{report}");
    let asked: Vec<String> = receiver.requests().into_iter().map(|request| request.path).collect();
    assert!(asked.iter().all(|path| path.starts_with("/orders/meanwhile-1")), "{asked:?}");
}

#[tokio::test]
async fn a_run_that_dies_after_the_shop_cancelled_is_made_good_by_a_later_one() {
    const SHOP: &str = "it-stale-killed";
    let stack = Stack::get();
    let told = Receiver::start(19530, |_, _| Reply::ok(""));
    let (is_canceled, cancels) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let (books, count_of) = (Arc::clone(&is_canceled), Arc::clone(&cancels));
    let _shop = Receiver::start(19528, move |_, request| {
        if request.method == "POST" {
            books.store(true, Ordering::SeqCst);
            count_of.fetch_add(1, Ordering::SeqCst);
            assert!(process::kill("FN_CANCEL_STALE") > 0, "no function to kill");
            return Reply::ok(r#"{"ok": true}"#);
        }
        order(if books.load(Ordering::SeqCst) { "canceled" } else { "open" })
    });
    noted(&stack, SHOP, &placed("killed-1", 10)).await;
    let function = aws::variable("FN_CANCEL_STALE").unwrap();
    let died = stack.invocation(&function).body("{}").send().await.unwrap();
    assert!(died.headers().contains_key("x-amz-function-error"), "{:?}", died.text().await);
    assert!(is_canceled.load(Ordering::SeqCst));
    let key = ExportKey::new(SHOP, "killed-1", ExportKey::NO_PIPELINE);
    let held = unpaid(&stack, &key, true).await;
    assert_eq!((held.canceled_at, held.cancellation.as_ref().map(|tried| tried.tries)), (None, Some(1)));
    let report = run(&stack).await;
    assert!(count(&report, "skipped", "waits") > 0, "the hold of the dead run goes on: {report}");
    let_time_pass(&key, None).await;
    let report = run(&stack).await;
    assert_eq!(count(&report, "changed", "noted_canceled"), 1, "{report}");
    assert_eq!(cancels.load(Ordering::SeqCst), 1, "it is cancelled once");
    assert!(unpaid(&stack, &key, false).await.canceled_at.is_some());
    stack.export(SHOP, "killed-1", "stale-told", Status::Exported).await;
    assert_eq!(told.about("killed-1").len(), 1, "and told once");
}
