//! Whoever cannot see, or has no mouse, gets by: axe-core finds nothing on any page, and everything is reached by the keyboard.

use std::path::Path;

use ordersync::ledger::Status;
use serde_json::json;

use super::{BackOffice, PIPELINE, SHOP, begin_at, placed};
use crate::support::browser::{Browser, button, field, link, with_script};
use crate::support::stack::Stack;

/// What is wrong with the page by axe-core: the rule, and the elements.
async fn violations(browser: &Browser, axe: &str) -> Vec<String> {
    let script = format!("{axe}; const done = arguments[arguments.length - 1];
        axe.run(document, {{ resultTypes: ['violations'] }}).then((result) => done(result.violations.map((found) =>
          found.id + ': ' + found.help + ': ' + found.nodes.map((node) => node.html + ' ' + node.failureSummary).join(' | '))));");
    let found = browser.run_async(&script, Vec::new()).await;
    found.as_array().unwrap().iter().map(|one| one.as_str().unwrap().to_owned()).collect()
}

fn axe() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../.local/axe/node_modules/axe-core/axe.min.js");
    std::fs::read_to_string(&path)
        .unwrap_or_else(|error| panic!("{}: {error}; `make browser` fetches it", path.display()))
}

/// The page as it is, light and dark, wide and as on a phone.
async fn look(browser: &Browser, axe: &str, found: &mut Vec<String>) {
    for (scheme, width) in [("light", 1280), ("dark", 1280), ("light", 390)] {
        browser.prefer(scheme).await;
        browser.resize(width, 1000).await;
        let place = browser.place().await;
        found.extend(violations(browser, axe).await.into_iter().map(|one| format!("{place} {scheme} {width}: {one}")));
    }
    browser.resize(1280, 1000).await;
}

#[tokio::test]
async fn nothing_on_any_page_is_wrong_by_axe() {
    let (stack, _back_office, axe) = (Stack::get(), BackOffice::start(), axe());
    with_script(&stack, async |browser| {
        let mut found = Vec::new();
        let bad = placed(&stack, browser, "bad-axe", Status::Error).await;
        let good = placed(&stack, browser, "good-axe", Status::Exported).await;
        browser.go("/exports").await;
        look(browser, &axe, &mut found).await;
        browser.sign_in("ada", "wrong").await;
        browser.sees("is wrong").await;
        look(browser, &axe, &mut found).await;
        begin_at(browser, "ada", "").await;
        look(browser, &axe, &mut found).await;
        for path in [
            "/exports",
            "/exports?shop=nobody",
            &format!("/orders/{SHOP}/{bad}"),
            &format!("/orders/{SHOP}/{bad}/{PIPELINE}/payload"),
            &format!("/orders/{SHOP}/{good}/{PIPELINE}/artefact"),
            "/orders/nobody/nothing",
            "/search?q=nobody",
            "/templates",
            "/template?name=erp-order.json.j2",
            "/configuration",
            "/audit",
        ] {
            browser.go(path).await;
            look(browser, &axe, &mut found).await;
        }
        // What is there only after something was done.
        browser.go(&format!("/orders/{SHOP}/{bad}/{PIPELINE}/payload")).await;
        browser.click(button("Show personal data")).await;
        browser.sees("Personal data is shown").await;
        look(browser, &axe, &mut found).await;
        browser.go(&format!("/orders/{SHOP}/{bad}")).await;
        browser.click(button("Delete")).await;
        browser.sees("Its row goes").await;
        look(browser, &axe, &mut found).await;
        browser.go(&format!("/exports?shop={SHOP}")).await;
        browser.click(field(&format!("Select N-{good} to {PIPELINE}"))).await;
        browser.click(field(&format!("Select N-{bad} to {PIPELINE}"))).await;
        browser.click(button("Cancel")).await;
        browser.sees("what would be done").await;
        look(browser, &axe, &mut found).await;
        browser.click(button("Cancel: 1 export")).await;
        browser.sees("what was done").await;
        look(browser, &axe, &mut found).await;
        browser.go("/template?name=erp-order.json.j2").await;
        browser.fill("Of order", "nobody").await;
        browser.click(button("Preview")).await;
        browser.sees("There is no order").await;
        look(browser, &axe, &mut found).await;
        browser.click(link("ordersync")).await;
        assert_eq!(found, Vec::<String>::new());
    })
    .await;
}

/// More than two fields for a time have parts.
const PARTS: u64 = 20;
/// What can be operated, in the order of the page, and what the keyboard comes by.
const OPERATED: &str = "
    const shown = (element) => element.checkVisibility({ checkVisibilityCSS: true }) && !element.disabled && element.tabIndex >= 0;
    const all = [...document.querySelectorAll('a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex=\"0\"]')].filter(shown);
    all.forEach((element, index) => { element.dataset.number = index; });
    return all.length;";
const IS_AT: &str = "
    const at = document.activeElement;
    const outline = getComputedStyle(at);
    return [at.dataset.number ?? null, outline.outlineStyle !== 'none' && parseFloat(outline.outlineWidth) > 0, at.outerHTML.slice(0, 200)];";

#[tokio::test]
async fn everything_is_reached_by_the_keyboard_and_seen_to_be() {
    let (stack, _back_office) = (Stack::get(), BackOffice::start());
    with_script(&stack, async |browser| {
        let bad = placed(&stack, browser, "bad-keys", Status::Error).await;
        browser.go("/exports").await;
        // Both fields and the button, by the keyboard alone: the first has the focus at once.
        browser.press("ada").await;
        browser.tab().await;
        browser.press(super::PASSWORD).await;
        browser.enter().await;
        browser.sees("Sign out").await;
        for path in ["", "/exports", &format!("/orders/{SHOP}/{bad}"), "/templates", "/configuration", "/audit"] {
            browser.go(path).await;
            goes_through(browser, path).await;
        }
        operated_by_keys(browser, &stack, &bad).await;
    })
    .await;
}

async fn goes_through(browser: &Browser, path: &str) {
    let all = browser.run(OPERATED, Vec::new()).await.as_u64().unwrap();
    let (mut missed, mut unseen): (Vec<u64>, Vec<String>) = ((0..all).collect(), Vec::new());
    // A field for a time is passed in its parts.
    for _ in 0..2 * all + PARTS {
        if missed.is_empty() {
            break;
        }
        browser.tab().await;
        let at = browser.run(IS_AT, Vec::new()).await;
        let number = at[0].as_str().and_then(|number| number.parse::<u64>().ok());
        missed.retain(|one| Some(*one) != number);
        if number.is_some() && at[1] == json!(false) {
            unseen.push(at[2].to_string());
        }
    }
    assert_eq!((missed, unseen), (Vec::new(), Vec::new()), "{path}: not reached, or without an outline, of {all}");
}

/// An order is found, its export cancelled and its row deleted without a mouse.
async fn operated_by_keys(browser: &Browser, stack: &Stack, id: &str) {
    browser.go("").await;
    browser.to(&link("To the content")).await;
    browser.to(&field("Find an order")).await;
    browser.press(format!("{SHOP}:{id}:{PIPELINE}")).await;
    browser.enter().await;
    browser.sees(&format!("Order N-{id}")).await;
    browser.to(&button("Cancel").of(PIPELINE)).await;
    browser.enter().await;
    browser.sees(&format!("Cancel of {PIPELINE}: canceled")).await;
    stack.export(SHOP, id, PIPELINE, Status::Canceled).await;
    browser.to(&button("Delete").of(PIPELINE)).await;
    browser.enter().await;
    browser.sees("Its row goes").await;
    browser.to(&button("Yes, delete it")).await;
    browser.enter().await;
    browser.sees(&format!("Delete of {PIPELINE}: its row is gone")).await;
    assert_eq!(stack.row(SHOP, id, PIPELINE).await, None);
}
