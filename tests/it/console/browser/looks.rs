//! What is looked at: the overview, the configuration with its pauses, payloads and artefacts, the audit log; and what a
//! viewer sees of it.

use ordersync::ledger::Status;

use super::{BackOffice, PIPELINE, SHOP, begin_at, leave, placed};
use crate::support::browser::{button, field, link, with_and_without_script};
use crate::support::stack::Stack;

const PAUSED: &str = "browser-paused";

#[tokio::test]
async fn personal_data_is_hidden_until_an_operator_asks_for_it_which_is_in_the_audit_log() {
    let (stack, _back_office) = (Stack::get(), BackOffice::start());
    with_and_without_script(&stack, async |browser| {
        let id = placed(&stack, browser, "good-shown", Status::Exported).await;
        let page = format!("/orders/{SHOP}/{id}");
        for (name, kind) in [("Payload", "payload"), ("Artefact", "artefact")] {
            begin_at(browser, "bob", &page).await;
            browser.click(link(name).of(PIPELINE)).await;
            browser.sees("Personal data is hidden; an operator can show it.").await;
            let text = browser.text().await;
            assert!(text.contains("129.90") && !text.contains("it@example.com"), "{text}");
            assert!(!browser.has(&button("Show personal data")).await);
            leave(browser).await;

            begin_at(browser, "ada", &page).await;
            browser.click(link(name).of(PIPELINE)).await;
            browser.sees("Personal data is hidden.").await;
            assert!(!browser.text().await.contains("it@example.com"));
            browser.click(button("Show personal data")).await;
            browser.sees("Personal data is shown, and that is in the audit log.").await;
            browser.sees("it@example.com").await;
            browser.click(link("Audit log")).await;
            let what = format!("ada reveal-{kind} {SHOP}:{id}:{PIPELINE}");
            browser.sees(&what).await;
            assert_eq!(browser.text().await.matches(&what).count(), 1, "to look at what is hidden is not noted");
            leave(browser).await;
        }
    })
    .await;
}

#[tokio::test]
async fn a_pipeline_is_paused_with_a_reason_seen_everywhere_and_resumed() {
    let stack = Stack::get();
    with_and_without_script(&stack, async |browser| {
        begin_at(browser, "ada", "/configuration").await;
        browser.sees("It is right").await;
        browser.sees("ordersync.toml:").await;
        let why = browser.id("moving");
        browser.fill(&format!("Why {PAUSED} is paused"), &why).await;
        browser.click(button("Pause").of_line(PAUSED)).await;
        browser.sees(&format!("{PAUSED} is paused.")).await;
        browser.find(&button("Resume").of_line(PAUSED)).await;
        browser.click(link("Overview")).await;
        browser.sees("To be looked at").await;
        browser.sees(&why).await;
        browser.click(link("Configuration")).await;
        browser.click(button("Resume").of_line(PAUSED)).await;
        browser.sees(&format!("{PAUSED} goes on")).await;
        browser.find(&button("Pause").of_line(PAUSED)).await;
        browser.click(link("Audit log")).await;
        for action in ["pause", "resume"] {
            browser.sees(&format!("ada {action} {PAUSED}")).await;
        }
    })
    .await;
    stack.forget_pause(PAUSED).await;
}

#[tokio::test]
async fn the_overview_counts_by_pipeline_and_state_and_leads_there() {
    let (stack, _back_office) = (Stack::get(), BackOffice::start());
    with_and_without_script(&stack, async |browser| {
        let bad = placed(&stack, browser, "bad-counted", Status::Error).await;
        placed(&stack, browser, "good-counted", Status::Exported).await;
        begin_at(browser, "bob", "").await;
        for words in [
            "Overview",
            "waiting in the queue",
            "dead letters",
            "By the hour",
            "Last day",
            "Last week",
            "Scheduled functions",
        ] {
            browser.sees(words).await;
        }
        let charts = browser.driver().find_all(thirtyfour::By::Css("figure svg")).await.unwrap();
        assert_eq!(charts.len(), 2);
        for chart in charts {
            let size = chart.rect().await.unwrap();
            assert!(size.width > 300.0 && size.height > 50.0, "{size:?}");
        }
        browser.click(link(PIPELINE).of("Exports")).await;
        browser.sees(&format!("N-{bad}")).await;
        assert_eq!(browser.place().await, format!("/exports?pipeline={PIPELINE}"));
        assert_eq!(browser.find(&field("Pipeline")).await.value().await.unwrap().as_deref(), Some(PIPELINE));
    })
    .await;
}

#[tokio::test]
async fn a_viewer_sees_everything_and_no_button_that_changes_something() {
    let (stack, _back_office) = (Stack::get(), BackOffice::start());
    with_and_without_script(&stack, async |browser| {
        let id = placed(&stack, browser, "bad-viewed", Status::Error).await;
        begin_at(browser, "bob", "").await;
        for (path, words) in [
            (format!("/exports?pipeline={PIPELINE}"), PIPELINE),
            (format!("/orders/{SHOP}/{id}"), "no such sku"),
            (format!("/orders/{SHOP}/{id}/{PIPELINE}/payload"), "129.90"),
            ("/templates".to_owned(), "erp-order.json.j2"),
            ("/template?name=erp-order.json.j2".to_owned(), "Preview"),
            ("/configuration".to_owned(), PAUSED),
            ("/audit".to_owned(), "Outcome"),
        ] {
            browser.go(&path).await;
            browser.sees(words).await;
            let buttons = browser.driver().find_all(thirtyfour::By::Tag("button")).await.unwrap();
            for button in buttons {
                let words = button.text().await.unwrap();
                assert!(["Find", "Sign out", "Filter", "Preview"].contains(&words.as_str()), "{path}: {words}");
            }
        }
    })
    .await;
}
