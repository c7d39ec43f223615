//! The table of exports: filtered, paged, searched, as CSV, and many of them acted on at once.

use futures_util::future::join_all;
use ordersync::ledger::Status;

use super::{BackOffice, PIPELINE, SHOP, begin_at, leave, placed};
use crate::console::Visitor;
use crate::support::browser::{Browser, Script, button, field, link, with_and_without_script};
use crate::support::eventually;
use crate::support::shop::{generic, order};
use crate::support::stack::Stack;

const MANY: &str = "it-browser-many";
/// More than a page has.
const ORDERS: usize = 62;

/// Places many orders of this run.
async fn place_many(stack: &Stack, browser: &Browser) -> Vec<String> {
    let ids: Vec<String> = (0..ORDERS).map(|number| browser.id(&format!("many-{number:02}"))).collect();
    for some in ids.chunks(8) {
        join_all(some.iter().map(async |id| stack.accept(MANY, &generic(&order(id))).await)).await;
    }
    for id in &ids {
        stack.export(MANY, id, "browser-many", Status::Exported).await;
    }
    ids
}

/// The orders of this run that a page of the list has.
async fn listed(browser: &Browser, ids: &[String]) -> Vec<String> {
    let text = browser.text().await;
    ids.iter().filter(|id| text.contains(&format!("N-{id}"))).cloned().collect()
}

#[tokio::test]
async fn exports_are_filtered_paged_and_written_as_csv() {
    let stack = Stack::get();
    with_and_without_script(&stack, async |browser| {
        let ids = place_many(&stack, browser).await;
        begin_at(browser, "bob", "/exports").await;
        browser.click(field("exported")).await;
        browser.fill("Shop", MANY).await;
        browser.fill("Pipeline", "browser-many").await;
        browser.click(button("Filter")).await;
        browser.find(&link("Older")).await;
        let first = listed(browser, &ids).await;
        browser.click(link("Older")).await;
        browser.sees(&format!("N-{}", ids[0])).await;
        let second = listed(browser, &ids).await;
        assert!(first.len() > second.len() && second.iter().all(|id| !first.contains(id)), "{first:?} {second:?}");
        assert_eq!(first.len() + second.len(), ORDERS, "{first:?} {second:?}");

        // The same as CSV is all of it.
        let address = browser.find(&link("As CSV")).await.prop("href").await.unwrap().unwrap();
        let path = address.split_once("/console").unwrap().1.to_owned();
        let csv = Visitor::signed_in("bob").await.page(&path).await;
        let lines: Vec<&str> = csv.lines().filter(|line| line.contains(MANY)).collect();
        assert!(
            ids.iter().all(|id| lines.iter().filter(|line| line.contains(&format!("N-{id}"))).count() == 1),
            "{csv}"
        );

        browser.go("/exports").await;
        browser.click(field("error")).await;
        browser.fill("Shop", MANY).await;
        browser.click(button("Filter")).await;
        browser.sees("No export is like that.").await;
        browser.click(link("All")).await;
        // Whichever these are: other tests have orders come in meanwhile.
        eventually("all exports", async || (browser.place().await == "/exports").then_some(())).await;
        browser.find(&link("As CSV")).await;
        assert!(!browser.text().await.contains("No export is like that."));
    })
    .await;
}

#[tokio::test]
async fn an_order_is_found_by_number_identifier_and_external_id() {
    let (stack, _back_office) = (Stack::get(), BackOffice::start());
    with_and_without_script(&stack, async |browser| {
        let id = placed(&stack, browser, "good-found", Status::Exported).await;
        begin_at(browser, "bob", "").await;
        for text in [format!("N-{id}"), id.clone(), format!("SO-{id}"), format!("  {SHOP}:{id}:{PIPELINE} ")] {
            browser.go("/audit").await;
            browser.fill("Find an order", &text).await;
            browser.click(button("Find")).await;
            browser.sees(&format!("Order N-{id} of {SHOP}")).await;
        }
        // One number in two shops is for the reader to choose from.
        stack.accept(MANY, &generic(&order(&id))).await;
        stack.export(MANY, &id, "browser-many", Status::Exported).await;
        browser.fill("Find an order", &format!("N-{id}")).await;
        browser.click(button("Find")).await;
        browser.sees(&format!("Orders called “N-{id}”")).await;
        browser.click(link(&format!("N-{id}")).of_line(&format!("N-{id}"))).await;
        browser.sees(&format!("Order N-{id} of it-browser")).await;
        browser.fill("Find an order", "N-nobody-has-this").await;
        browser.click(button("Find")).await;
        browser.sees("There is none with this number").await;
    })
    .await;
}

#[tokio::test]
async fn many_are_acted_on_after_a_look_at_what_would_be_done() {
    let (stack, back_office) = (Stack::get(), BackOffice::start());
    with_and_without_script(&stack, async |browser| {
        let one = placed(&stack, browser, "bad-many-1", Status::Error).await;
        let two = placed(&stack, browser, "bad-many-2", Status::Error).await;
        let good = placed(&stack, browser, "good-many", Status::Exported).await;
        begin_at(browser, "ada", &format!("/exports?shop={SHOP}&pipeline={PIPELINE}")).await;

        // Nothing is selected.
        browser.click(button("Cancel")).await;
        browser.sees("no export is selected").await;
        browser.driver().back().await.unwrap();

        for id in [&one, &good] {
            browser.click(field(&format!("Select N-{id} to {PIPELINE}"))).await;
        }
        browser.click(button("Cancel")).await;
        browser.sees("Cancel: what would be done").await;
        browser.sees("1\nwould be done").await;
        browser.sees("1\nnot possible").await;
        browser.sees("there is nothing left to stop").await;
        assert_eq!(stack.row(SHOP, &one, PIPELINE).await.unwrap().status, Status::Error, "nothing was done yet");
        browser.click(link("Back to the list")).await;
        browser.find(&field(&format!("Select N-{one} to {PIPELINE}"))).await;
        assert_eq!(stack.row(SHOP, &one, PIPELINE).await.unwrap().status, Status::Error);

        // All that the filter takes, confirmed, with a word on each.
        back_office.mend(&one);
        back_office.mend(&two);
        browser.go(&format!("/exports?shop={SHOP}&pipeline={PIPELINE}&status=error")).await;
        let all = browser.shown(&field("Select N-bad-many")).await.len();
        assert!(all >= 2, "{all}");
        browser.click(field("All that the filter takes")).await;
        browser.click(button("Reset")).await;
        browser.sees("Reset: what would be done").await;
        browser.click(button(&format!("Reset: {all} exports"))).await;
        browser.sees("Reset: what was done").await;
        for id in [&one, &two] {
            assert!(browser.text().await.contains(id.as_str()));
            stack.export(SHOP, id, PIPELINE, Status::Exported).await;
            assert_eq!(back_office.receiver.about(id).len(), 2);
        }

        // With the script there is one box for all of a page.
        browser.go(&format!("/exports?shop={SHOP}&pipeline={PIPELINE}")).await;
        let every = field("Select all on this page");
        assert_eq!(browser.has(&every).await, browser.script == Script::On);
        if browser.script == Script::On {
            browser.click(every).await;
            let boxes = browser.shown(&field("Select N-")).await;
            for one in boxes {
                assert!(one.is_selected().await.unwrap());
            }
        }
        leave(browser).await;
        begin_at(browser, "bob", &format!("/exports?pipeline={PIPELINE}")).await;
        browser.sees(PIPELINE).await;
        assert!(
            !browser.has(&button("Reset")).await && !browser.has(&field("Select N-")).await,
            "a viewer has no buttons"
        );
    })
    .await;
}
