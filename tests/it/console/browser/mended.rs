//! The way for which there is a console: a failed export is found, understood, its template mended, and it is exported again.

use ordersync::ledger::Status;

use crate::console::PASSWORD;
use crate::support::browser::{Browser, Script, button, link, with_and_without_script};
use crate::support::editable::Editable;
use crate::support::receiver::{Receiver, Reply, Request};
use crate::support::shop::{generic, order};
use crate::support::stack::Stack;

const SHOP: &str = "it-mended";
const DOCUMENT: &str = r#"
[[shops]]
code = "it-mended"
platform = "generic"
secrets = ["it-webhook"]
signature = { header = "X-Signature", prefix = "sha256=" }

[[pipelines]]
code = "erp-script"
filter = { when = "'script' in order.id" }
format = { type = "template", template = "script.json.j2", media_type = "application/json" }
transport = { type = "http", url = "http://127.0.0.1:19590/orders", timeout = "3s" }
response = { type = "json", external_id = "/id" }

[[pipelines]]
code = "erp-plain"
filter = { when = "'plain' in order.id" }
format = { type = "template", template = "plain.json.j2", media_type = "application/json" }
transport = { type = "http", url = "http://127.0.0.1:19590/orders", timeout = "3s" }
response = { type = "json", external_id = "/id" }

[ledger]
find_by = ["number"]

[egress]
allow = ["127.0.0.1:19590"]
"#;
const WRONG: &str = "{\n  \"refrence\": {{ order.number }},\n  \"gross\": {{ order.total }}\n}\n";
const RIGHT: &str = "{\n  \"reference\": {{ order.number }},\n  \"gross\": {{ order.total }}\n}\n";

/// The back office says what it misses.
fn back_office(_: usize, request: &Request) -> Reply {
    if String::from_utf8_lossy(&request.body).contains("\"reference\"") {
        Reply::ok(r#"{"id":"SO-1"}"#)
    } else {
        Reply::Whole("422 Unprocessable Content", Vec::new(), r#"{"error":"the field reference is missing"}"#.into())
    }
}

#[tokio::test]
async fn a_failed_export_is_found_understood_mended_and_exported_again() {
    let receiver = Receiver::start(19590, back_office);
    let first = Stack::get();
    let files = [("ordersync.toml", DOCUMENT), ("script.json.j2", WRONG), ("plain.json.j2", WRONG)];
    let second = Editable::deploy(&first, "it-mended", &files).await;
    let stack = second.stack().await;
    with_and_without_script(&stack, async |browser| mend(browser, &stack, &receiver).await).await;
    second.delete().await;
}

async fn mend(browser: &Browser, stack: &Stack, receiver: &Receiver) {
    let kind = if browser.script == Script::On { "script" } else { "plain" };
    let (id, pipeline, template) = (browser.id(kind), format!("erp-{kind}"), format!("{kind}.json.j2"));
    stack.accept(SHOP, &generic(&order(&id))).await;
    stack.export(SHOP, &id, &pipeline, Status::Error).await;

    // Found by its number, and understood.
    browser.go("").await;
    browser.sign_in("ada", PASSWORD).await;
    let number = format!("N-{id}");
    browser.fill("Find an order", &number).await;
    browser.click(button("Find")).await;
    browser.sees(&format!("Order {number}")).await;
    browser.sees("the field reference is missing").await;
    assert!(browser.text().await.contains("422"), "{}", browser.text().await);

    // Mended, with a look at what it makes of this order.
    browser.click(link("Templates")).await;
    browser.click(link(&template)).await;
    browser.sees("refrence").await;
    browser.fill("Of order", &number).await;
    browser.fill("Template", RIGHT).await;
    if browser.script == Script::Off {
        browser.click(button("Preview")).await;
    }
    browser.sees(&format!("\"reference\": \"{number}\"")).await;
    browser.click(button("Save")).await;
    browser.sees("Saved.").await;

    // Exported again.
    browser.fill("Find an order", &number).await;
    browser.click(button("Find")).await;
    browser.click(button("Export now").of(&pipeline)).await;
    browser.sees(&format!("Export now of {pipeline}: exported")).await;
    browser.sees("SO-1").await;
    let row = stack.row(SHOP, &id, &pipeline).await.unwrap();
    assert_eq!((row.status, row.external_id.as_deref()), (Status::Exported, Some("SO-1")), "{row:?}");
    let sent = receiver.about(&id).pop().unwrap();
    let sent: serde_json::Value = serde_json::from_slice(&sent.body).unwrap();
    assert_eq!(sent["reference"], number);
}
