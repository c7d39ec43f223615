//! The editor: what is wrong is told with its line, nothing wrong is saved, and what was saved is taken back.

use ordersync::ledger::Status;

use super::begin_at;
use crate::support::browser::{Browser, Script, button, link, with_and_without_script};
use crate::support::editable::Editable;
use crate::support::shop::{generic, order};
use crate::support::stack::Stack;

const SHOP: &str = "it-edited";
const DOCUMENT: &str = r#"
[[shops]]
code = "it-edited"
platform = "generic"
secrets = ["it-webhook"]
signature = { header = "X-Signature", prefix = "sha256=" }

[[pipelines]]
code = "erp"
format = { type = "template", template = "erp.json.j2", media_type = "application/json" }
transport = { type = "s3", key = "{{ order.id }}.json" }

[ledger]
find_by = ["number"]
"#;
const FIRST: &str = "{\n  \"reference\": {{ order.number }},\n  \"mail\": {{ order.customer.email }}\n}\n";
/// It does not compile.
const OPEN: &str = "{\n  \"reference\": {{ order.number }},\n  \"mail\": {{ order.customer.email \n}\n";
/// It compiles, and fails with any order.
const MISSPELT: &str = "{\n  \"reference\": {{ order.nunber }}\n}\n";
/// What it makes is no JSON.
const NO_JSON: &str = "{\n  \"reference\": {{ order.number }},\n}\n";

#[tokio::test]
async fn a_template_is_saved_only_when_it_is_right_and_taken_back() {
    let first = Stack::get();
    let files = [("ordersync.toml", DOCUMENT), ("erp.json.j2", FIRST)];
    let second = Editable::deploy(&first, "it-edited", &files).await;
    let stack = second.stack().await;
    with_and_without_script(&stack, async |browser| edit(browser, &stack).await).await;
    second.delete().await;
}

/// Types a template, and has its preview made where no script does.
async fn write(browser: &Browser, text: &str) {
    browser.fill("Template", text).await;
    if browser.script == Script::Off {
        browser.click(button("Preview")).await;
    }
}

async fn edit(browser: &Browser, stack: &Stack) {
    let id = browser.id("tpl");
    stack.accept(SHOP, &generic(&order(&id))).await;
    stack.export(SHOP, &id, "erp", Status::Exported).await;
    begin_at(browser, "ada", "/templates").await;
    browser.click(link("erp.json.j2")).await;
    browser.fill("Of order", &format!("N-{id}")).await;

    for (text, told) in [(OPEN, "Line 4"), (MISSPELT, "Line 2"), (NO_JSON, "JSON")] {
        write(browser, text).await;
        browser.sees(told).await;
        browser.click(button("Save")).await;
        browser.sees("Not saved.").await;
        browser.sees(told).await;
        // What was written is there still, to be mended.
        let kept =
            browser.find(&crate::support::browser::field("Template")).await.prop("value").await.unwrap().unwrap();
        assert_eq!(kept, text);
    }

    let note = browser.id("note");
    let right = FIRST.replace("\"mail\"", &format!("\"{note}\""));
    write(browser, &right).await;
    browser.sees(&format!("\"reference\": \"N-{id}\"")).await;
    let text = browser.text().await;
    assert!(!text.contains("it@example.com"), "personal data is hidden: {text}");
    assert!(
        text.contains(&format!("+\"{note}\"")) || text.contains(&format!("\"{note}\": {{{{ order.customer.email")),
        "{text}"
    );
    assert!(text.contains("\"mail\": {{ order.customer.email }}"), "the diff has the line that goes: {text}");
    browser.click(button("Save")).await;
    browser.sees("Saved.").await;
    browser.sees("They are the same.").await;

    // Back to the version before, which is the second of the list.
    browser.click(link("Look at it")).await;
    browser.find(&button("Roll back to it")).await;
    browser.fill("Of order", &format!("N-{id}")).await;
    browser.click(button("Roll back to it")).await;
    browser.sees("Rolled back to version").await;
    let live = browser.find(&crate::support::browser::field("Template")).await.prop("value").await.unwrap().unwrap();
    assert_eq!(live, FIRST);
    browser.click(link("Audit log")).await;
    for action in ["save-template", "roll-back-template"] {
        browser.sees(&format!("ada {action} erp.json.j2")).await;
    }
}
