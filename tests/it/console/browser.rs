//! The console in a browser, with its script and without.

mod accessible;
mod actions;
mod editor;
mod exports;
mod hostile;
mod looks;
mod mended;
mod sessions;

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use ordersync::ledger::Status;

use super::PASSWORD;
use crate::support::browser::{Browser, button};
use crate::support::receiver::{Receiver, Reply};
use crate::support::shop::{generic, order};
use crate::support::stack::Stack;

const SHOP: &str = "it-browser";
const PIPELINE: &str = "browser-erp";
const PORT: u16 = 19591;

/// A back office that refuses what has `bad` in its identifier until that is mended, and has no time for what is `busy`.
struct BackOffice {
    receiver: Receiver,
    mended: Arc<Mutex<BTreeSet<String>>>,
}

impl BackOffice {
    fn start() -> Self {
        let mended: Arc<Mutex<BTreeSet<String>>> = Arc::default();
        let known = Arc::clone(&mended);
        let receiver = Receiver::start(PORT, move |_, request| {
            let order = request.key().split(':').nth(1).unwrap_or_default();
            if order.starts_with("busy") {
                return Reply::status("503 Service Unavailable");
            }
            if order.starts_with("bad") && !known.lock().unwrap().contains(order) {
                return Reply::Whole("422 Unprocessable Content", Vec::new(), r#"{"error":"no such sku"}"#.into());
            }
            Reply::ok(format!(r#"{{"id":"SO-{order}"}}"#))
        });
        Self { receiver, mended }
    }

    /// From now on it takes an order.
    fn mend(&self, order: &str) {
        self.mended.lock().unwrap().insert(order.to_owned());
    }
}

/// Places an order whose export is to end so, and returns its identifier.
async fn placed(stack: &Stack, browser: &Browser, name: &str, status: Status) -> String {
    let id = browser.id(name);
    stack.accept(SHOP, &generic(&order(&id))).await;
    stack.export(SHOP, &id, PIPELINE, status).await;
    id
}

/// Begins at a page as somebody who signs in.
async fn begin_at(browser: &Browser, name: &str, path: &str) {
    browser.go(path).await;
    browser.sign_in(name, PASSWORD).await;
    browser.sees("Sign out").await;
}

/// Signs out, and waits until that is done.
async fn leave(browser: &Browser) {
    browser.click(button("Sign out")).await;
    browser.find(&button("Sign in")).await;
}
