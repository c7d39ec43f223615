//! Orders of somebody who means harm: whatever they have in their fields, it is text on every page.

use ordersync::ledger::Status;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

use super::begin_at;
use crate::support::browser::{Browser, Script, button, button_that_begins, field, link, with_and_without_script};
use crate::support::receiver::{Receiver, Reply};
use crate::support::shop::{generic, order};
use crate::support::stack::Stack;

const SHOP: &str = "it-browser-hostile";
const PIPELINE: &str = "browser-hostile";
/// In HTML, in an attribute, in a script, as an address; turned round, and longer than any line.
const HARM: [&str; 6] = [
    "<script>window.ran=1</script>",
    "\"><img src=x onerror=window.ran=2>",
    "'-(window.ran=3)-'</textarea></pre><b onmouseover=window.ran=4>",
    "javascript:window.ran=5",
    "\u{202e}{{ 7*7 }} %3Cscript%3E &lt;b&gt; ${7*7}\u{2066}",
    "Wwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwww",
];
/// What of a page is not as it was written: elements and attributes that only an order can have brought, links to scripts.
const FOUND: &str = "
    const made = [...document.querySelectorAll('main img, main script, main iframe, main b[onmouseover], [onerror], [onload]')];
    const links = [...document.links].filter((link) => !link.protocol.startsWith('http'));
    const wide = document.documentElement.scrollWidth > document.documentElement.clientWidth;
    return [window.ran ?? null, [...made, ...links].map((element) => element.outerHTML), wide];";

/// An order with harm in each of its texts.
fn hostile(id: &str, harm: &str) -> Value {
    let mut order = order(id);
    order["number"] = json!(format!("{harm}-{id}"));
    for (part, name) in [("payment", "method"), ("payment", "state"), ("customer", "email"), ("customer", "name")] {
        order[part][name] = json!(harm);
    }
    order["state"] = json!(harm);
    (order["items"][0]["sku"], order["items"][0]["name"]) = (json!(harm), json!(harm));
    order["delivery"] = json!({ "name": harm, "street": harm, "city": harm });
    order
}

/// A back office that is no better: it refuses one order, and takes the other under a name of its own.
fn back_office(request: &crate::support::receiver::Request) -> Reply {
    let harm = HARM.concat();
    if String::from_utf8_lossy(&request.body).contains("refused") {
        return Reply::Whole("422 Unprocessable Content", Vec::new(), harm);
    }
    Reply::ok(json!({ "id": harm.chars().take(200).collect::<String>() }).to_string())
}

/// Nothing has run, nothing is on the page but text, and nothing sticks out of it.
async fn is_text(browser: &Browser) {
    for width in [1280, 390] {
        browser.resize(width, 1000).await;
        let found = browser.run(FOUND, Vec::new()).await;
        assert_eq!(found, json!([null, [], false]), "{} at {width}", browser.place().await);
    }
    browser.resize(1280, 1000).await;
}

#[tokio::test]
async fn whatever_an_order_has_in_its_fields_it_is_text() {
    let stack = Stack::get();
    let _receiver = Receiver::start(19593, |_, request| back_office(request));
    with_and_without_script(&stack, async |browser| {
        begin_at(browser, "ada", "").await;
        for (number, harm) in HARM.iter().enumerate() {
            let run = browser.id(&format!("{number}"));
            // API Gateway hands addresses on decoded: one with these is another page's.
            let id = format!("{}-{run}", harm.replace(['/', '?'], "").chars().take(180).collect::<String>());
            // Each comes as both, once with the script and once without.
            if number.is_multiple_of(2) == (browser.script == Script::On) {
                shown(browser, &stack, &id, harm, Status::Exported).await;
            } else {
                shown(browser, &stack, &format!("refused-{id}"), harm, Status::Error).await;
            }
        }
        listed(browser).await;
        echoed(browser).await;
    })
    .await;
}

/// All pages about one order.
async fn shown(browser: &Browser, stack: &Stack, id: &str, harm: &str, status: Status) {
    stack.accept(SHOP, &generic(&hostile(id, harm))).await;
    stack.export(SHOP, id, PIPELINE, status).await;
    let page = format!("/orders/{SHOP}/{}", utf8_percent_encode(id, NON_ALPHANUMERIC));
    browser.go(&page).await;
    browser.find(&button("Delete")).await;
    is_text(browser).await;
    for (kind, seen) in [("payload", "129.90"), ("artefact", "129.90")] {
        browser.go(&format!("{page}/{PIPELINE}/{kind}")).await;
        browser.sees(seen).await;
        is_text(browser).await;
        browser.click(button("Show personal data")).await;
        browser.sees("Personal data is shown").await;
        is_text(browser).await;
    }
    browser.fill("Find an order", id).await;
    browser.click(button("Find")).await;
    browser.click(button("Delete")).await;
    browser.sees("Its row goes").await;
    is_text(browser).await;
    browser.click(link("No")).await;
    let sample = utf8_percent_encode(id, NON_ALPHANUMERIC);
    browser.go(&format!("/template?name=erp-order.json.j2&sample={sample}")).await;
    browser.find(&button("Preview")).await;
    is_text(browser).await;
}

/// The pages that have all of them.
async fn listed(browser: &Browser) {
    for path in ["", "/audit", &format!("/exports?shop={SHOP}")] {
        browser.go(path).await;
        is_text(browser).await;
    }
    for chosen in browser.shown(&field("Select ")).await {
        if !chosen.is_selected().await.unwrap() {
            // By the keyboard: the bar with the actions may lie over it.
            chosen.send_keys(" ").await.unwrap();
        }
    }
    browser.click(button("Skip")).await;
    browser.sees("Skip: what would be done").await;
    is_text(browser).await;
    browser.click(button_that_begins("Skip: ")).await;
    browser.sees("Skip: what was done").await;
    is_text(browser).await;
}

/// Pages that say what was asked for.
async fn echoed(browser: &Browser) {
    for harm in HARM {
        // As in identifiers: these would make another address of it.
        let part = utf8_percent_encode(&harm.replace(['/', '?'], ""), NON_ALPHANUMERIC).to_string();
        let harm = utf8_percent_encode(harm, NON_ALPHANUMERIC).to_string();
        for path in [
            format!("/exports?shop={harm}&pipeline={harm}&error={harm}&since={harm}"),
            format!("/exports?error={harm}"),
            format!("/search?q={harm}"),
            format!("/orders/{part}/{part}"),
            format!("/template?name={harm}"),
            format!("/sign-in?next={harm}"),
            format!("/{part}"),
        ] {
            browser.go(&path).await;
            let title = browser.driver().title().await.unwrap();
            assert!(title.ends_with("ordersync"), "{path}: {title}");
            is_text(browser).await;
        }
    }
    // What was to be the next page is none of another's, with a script or without.
    browser.go("/sign-in?next=javascript%3Awindow.ran%3D6").await;
    browser.sign_in("ada", crate::console::PASSWORD).await;
    browser.sees("Sign out").await;
    assert_eq!(browser.place().await, "");
}
