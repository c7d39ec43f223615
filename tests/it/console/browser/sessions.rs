//! Signing in and out, and sessions that are over.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use ordersync::clock;
use ring::{digest, hmac};
use serde_json::{Value, json};
use thirtyfour::Cookie;

use super::begin_at;
use crate::console::PASSWORD;
use crate::support::browser::{Browser, Script, button, field, link, with_and_without_script};
use crate::support::stack::Stack;

#[tokio::test]
async fn whoever_signs_in_comes_back_to_the_page_that_was_asked_for() {
    with_and_without_script(&Stack::get(), async |browser| {
        browser.go("/exports?status=error&pipeline=browser-erp").await;
        assert!(browser.place().await.starts_with("/sign-in"), "{}", browser.place().await);
        browser.sign_in("ada", "not this one").await;
        browser.sees("The name or the password is wrong.").await;
        assert_eq!(browser.find(&field("Name")).await.value().await.unwrap().as_deref(), Some("ada"));
        browser.sign_in("ada", PASSWORD).await;
        browser.sees("Sign out").await;
        assert_eq!(browser.place().await, "/exports?status=error&pipeline=browser-erp");

        browser.click(button("Sign out")).await;
        browser.find(&button("Sign in")).await;
        for path in ["", "/exports", "/audit"] {
            browser.go(path).await;
            browser.find(&button("Sign in")).await;
            assert!(!browser.has(&link("Exports")).await, "{path}");
        }
        browser.driver().back().await.unwrap();
        browser.find(&button("Sign in")).await;
    })
    .await;
}

#[tokio::test]
async fn who_tries_too_often_is_locked_out_and_told_so() {
    with_and_without_script(&Stack::get(), async |browser| {
        // Tries are counted by address too, and all tests have the same.
        if browser.script == Script::On {
            return;
        }
        let name = browser.id("nobody");
        browser.go("").await;
        for _ in 0..5 {
            browser.sign_in(&name, "wrong").await;
            browser.sees("is wrong").await;
            browser.go("").await;
        }
        browser.sign_in(&name, PASSWORD).await;
        browser.sees("That was tried too often.").await;
        browser.sign_in("ada", PASSWORD).await;
        browser.sees("Sign out").await;
    })
    .await;
}

/// A session of ada's that began and ends so many minutes from now, signed with the key of the tests.
fn session(begins: i64, ends: i64) -> String {
    let secrets: Value = serde_json::from_str(include_str!("../../../config/secrets.json")).unwrap();
    let console = &secrets["ordersync/console"];
    let (ada, key) = (&console["users"][0], console["signing_keys"][0].as_str().unwrap());
    let hash = digest::digest(&digest::SHA256, ada["password"].as_str().unwrap().as_bytes());
    let at = |minutes: i64| clock::now().as_second() + minutes * 60;
    let said =
        json!({ "u": ada["name"], "g": hex::encode(&hash.as_ref()[..8]), "n": "00", "s": at(begins), "e": at(ends) });
    let said = BASE64.encode(said.to_string());
    let key = hmac::Key::new(hmac::HMAC_SHA256, key.as_bytes());
    let tag = hmac::sign(&key, format!("ordersync session {said}").as_bytes());
    format!("{said}.{}", BASE64.encode(tag))
}

async fn have(browser: &Browser, session: String) {
    let cookie = browser.driver().get_named_cookie("ordersync").await.unwrap();
    browser.driver().add_cookie(Cookie { value: session, ..cookie }).await.unwrap();
}

#[tokio::test]
async fn a_session_that_has_ended_is_asked_to_sign_in_again_and_nothing_was_done() {
    with_and_without_script(&Stack::get(), async |browser| {
        begin_at(browser, "ada", "/configuration").await;
        // One that is to last shows that it is the end that counts.
        have(browser, session(-10, 20)).await;
        browser.go("/configuration").await;
        browser.sees("Sign out").await;
        have(browser, session(-40, -10)).await;
        browser.click(button("Pause").of_line("browser-paused")).await;
        browser.find(&button("Sign in")).await;
        browser.sign_in("ada", PASSWORD).await;
        browser.sees("Sign out").await;
        browser.go("/configuration").await;
        browser.find(&button("Pause").of_line("browser-paused")).await;
    })
    .await;
}
