//! What is done with one export on its order's page: its effect is in the ledger and at the destination.

use ordersync::ledger::Status;

use super::{BackOffice, PIPELINE, SHOP, begin_at, placed};
use crate::console::Visitor;
use crate::support::browser::{Browser, button, link, summary, with_and_without_script, with_script};
use crate::support::fake_shop::{self, FakeShop};
use crate::support::shop::{generic, order};
use crate::support::stack::Stack;

/// The names of the buttons that an export's part of the page has.
async fn buttons(browser: &Browser) -> Vec<String> {
    let mut shown = Vec::new();
    for name in ["Reset", "Export now", "Cancel", "Skip", "Delete"] {
        if browser.has(&button(name).of(PIPELINE)).await {
            shown.push(name.to_owned());
        }
    }
    shown
}

async fn open(browser: &Browser, id: &str) {
    browser.go(&format!("/orders/{SHOP}/{id}")).await;
    browser.sees(&format!("Order N-{id}")).await;
}

#[tokio::test]
async fn each_action_does_what_its_button_says() {
    let (stack, back_office) = (Stack::get(), BackOffice::start());
    with_and_without_script(&stack, async |browser| {
        begin_at(browser, "ada", "").await;
        exported_now(browser, &stack, &back_office).await;
        reset(browser, &stack, &back_office).await;
        stopped(browser, &stack, &back_office).await;
        deleted(browser, &stack).await;
    })
    .await;
}

async fn exported_now(browser: &Browser, stack: &Stack, back_office: &BackOffice) {
    let id = placed(stack, browser, "bad-now", Status::Error).await;
    open(browser, &id).await;
    assert_eq!(buttons(browser).await, ["Reset", "Export now", "Cancel", "Skip", "Delete"]);
    browser.click(button("Export now").of(PIPELINE)).await;
    browser.sees(&format!("Export now of {PIPELINE}: error")).await;
    assert_eq!(back_office.receiver.about(&id).len(), 2, "it was tried at once");
    back_office.mend(&id);
    browser.click(button("Export now").of(PIPELINE)).await;
    browser.sees(&format!("Export now of {PIPELINE}: exported")).await;
    browser.sees(&format!("SO-{id}")).await;
    let row = stack.row(SHOP, &id, PIPELINE).await.unwrap();
    assert_eq!((row.status, row.external_id), (Status::Exported, Some(format!("SO-{id}"))));
    let sent = back_office.receiver.about(&id);
    assert_eq!(sent.len(), 3);
    assert!(sent.iter().all(|request| request.key() == sent[0].key()), "the destination knows it again");
    // Every attempt is on the page, with what was answered.
    let text = browser.text().await;
    assert_eq!(text.matches("answered 422").count(), 2, "{text}");
    assert!(text.contains("no such sku"), "{text}");
    assert_eq!(buttons(browser).await, ["Reset", "Export now", "Delete"]);
}

async fn reset(browser: &Browser, stack: &Stack, back_office: &BackOffice) {
    let id = placed(stack, browser, "bad-reset", Status::Error).await;
    open(browser, &id).await;
    back_office.mend(&id);
    browser.click(button("Reset").of(PIPELINE)).await;
    browser.sees(&format!("Reset of {PIPELINE}: pending")).await;
    stack.export(SHOP, &id, PIPELINE, Status::Exported).await;
    assert_eq!(back_office.receiver.about(&id).len(), 2);
}

async fn stopped(browser: &Browser, stack: &Stack, back_office: &BackOffice) {
    for (action, status) in [("Cancel", Status::Canceled), ("Skip", Status::Skipped)] {
        let id = placed(stack, browser, &format!("bad-{action}"), Status::Error).await;
        open(browser, &id).await;
        back_office.mend(&id);
        browser.click(button(action).of(PIPELINE)).await;
        browser.sees(&format!("{action} of {PIPELINE}: {status}")).await;
        stack.export(SHOP, &id, PIPELINE, status).await;
        assert_eq!(buttons(browser).await, ["Reset", "Export now", "Delete"]);
        // The shop sends the order again, and it stays as it is.
        stack.accept(SHOP, &generic(&order(&id))).await;
        browser.click(summary("What cannot be done")).await;
        browser.sees("there is nothing left to stop").await;
        assert_eq!(stack.row(SHOP, &id, PIPELINE).await.map(|row| row.status), Some(status));
        assert_eq!(back_office.receiver.about(&id).len(), 1);
    }
}

async fn deleted(browser: &Browser, stack: &Stack) {
    let id = placed(stack, browser, "good-gone", Status::Exported).await;
    open(browser, &id).await;
    browser.click(button("Delete").of(PIPELINE)).await;
    browser.sees("Its row goes").await;
    browser.click(link("No")).await;
    browser.find(&button("Delete").of(PIPELINE)).await;
    assert!(stack.row(SHOP, &id, PIPELINE).await.is_some(), "nothing was confirmed");
    browser.click(button("Delete").of(PIPELINE)).await;
    browser.click(button("Yes, delete it")).await;
    browser.sees(&format!("Delete of {PIPELINE}: its row is gone")).await;
    assert!(stack.row(SHOP, &id, PIPELINE).await.is_none());
}

#[tokio::test]
async fn an_order_whose_only_export_is_deleted_is_gone() {
    let stack = Stack::get();
    with_and_without_script(&stack, async |browser| {
        let id = browser.id("only");
        stack.accept("it-browser-many", &generic(&order(&id))).await;
        stack.export("it-browser-many", &id, "browser-many", Status::Exported).await;
        begin_at(browser, "ada", &format!("/orders/it-browser-many/{id}")).await;
        browser.click(button("Delete")).await;
        browser.click(button("Yes, delete it")).await;
        browser.sees("Delete of browser-many: its row is gone").await;
        assert!(stack.row("it-browser-many", &id, "browser-many").await.is_none());
        browser.go(&format!("/orders/it-browser-many/{id}")).await;
        browser.sees(&format!("there is no order {id} of it-browser-many")).await;
    })
    .await;
}

#[tokio::test]
async fn an_order_is_cancelled_at_its_shop_when_that_is_confirmed() {
    let stack = Stack::get();
    let shop = FakeShop::start(fake_shop::Kind::Generic, 19592);
    with_and_without_script(&stack, async |browser| {
        let [id, paid] = ["shop", "shop-paid"].map(|name| browser.id(name));
        for id in [&id, &paid] {
            shop.place(id, "invoice");
            stack.accept("it-browser-shop", &generic(&order(id))).await;
            stack.export("it-browser-shop", id, "browser-shop", Status::Exported).await;
        }
        begin_at(browser, "ada", &format!("/orders/it-browser-shop/{id}")).await;
        browser.click(button("Cancel at the shop")).await;
        browser.sees("That cannot be taken back here.").await;
        browser.click(link("No")).await;
        browser.find(&button("Cancel at the shop")).await;
        assert!(!shop.is_canceled(&id), "nothing was confirmed");
        browser.click(button("Cancel at the shop")).await;
        browser.click(button("Yes, cancel it at the shop")).await;
        browser.sees("The shop has cancelled the order.").await;
        assert!(shop.is_canceled(&id));
        let row = stack.row("it-browser-shop", &id, "browser-shop").await.unwrap();
        assert!(row.canceled_at.is_some(), "{row:?}");
        assert!(!browser.has(&button("Cancel at the shop")).await);

        shop.pay(&paid);
        browser.go(&format!("/orders/it-browser-shop/{paid}")).await;
        browser.click(button("Cancel at the shop")).await;
        browser.click(button("Yes, cancel it at the shop")).await;
        browser.sees("Not cancelled at the shop").await;
        assert!(!shop.is_canceled(&paid));
    })
    .await;
}

#[tokio::test]
async fn what_the_state_does_not_allow_is_not_shown_and_refused_when_it_is_sent_all_the_same() {
    let (stack, back_office) = (Stack::get(), BackOffice::start());
    with_script(&stack, async |browser| {
        let id = placed(&stack, browser, "good-late", Status::Exported).await;
        begin_at(browser, "ada", &format!("/orders/{SHOP}/{id}")).await;
        assert_eq!(buttons(browser).await, ["Reset", "Export now", "Delete"]);
        // The page was made before somebody else did something: its button is for what is no longer so.
        let bad = placed(&stack, browser, "bad-late", Status::Error).await;
        open(browser, &bad).await;
        back_office.mend(&bad);
        let other = Visitor::signed_in("ada").await;
        let csrf = other.csrf().await;
        let form = [("csrf", csrf.as_str()), ("pipeline", PIPELINE), ("action", "export-now")];
        let done = other.post(&format!("/orders/{SHOP}/{bad}/act"), &form).await.text().await.unwrap();
        assert!(done.contains("exported"), "{done}");
        browser.click(button("Skip").of(PIPELINE)).await;
        browser.sees(&format!("Skip of {PIPELINE}: it is exported, and there is nothing left to stop")).await;
        assert_eq!(stack.row(SHOP, &bad, PIPELINE).await.unwrap().status, Status::Exported);
        for action in ["cancel", "skip"] {
            let form = [("csrf", csrf.as_str()), ("pipeline", PIPELINE), ("action", action)];
            let said = other.post(&format!("/orders/{SHOP}/{id}/act"), &form).await.text().await.unwrap();
            assert!(said.contains("there is nothing left to stop"), "{said}");
            assert_eq!(stack.row(SHOP, &id, PIPELINE).await.unwrap().status, Status::Exported);
        }
    })
    .await;
}
