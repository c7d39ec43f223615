//! A browser, as somebody sits before it: what is seen is found by the words on it, not by how the page is made.

mod driver;
mod words;

use std::panic::{AssertUnwindSafe, resume_unwind};
use std::time::Duration;

use futures_util::FutureExt;
use ordersync::clock;
use serde_json::{Value, json};
use thirtyfour::error::WebDriverResult;
use thirtyfour::{By, Key, TypingData, WebDriver, WebElement};

use super::eventually;
use super::stack::Stack;
use driver::Driver;
pub(crate) use words::{Named, button, field, link, summary};

/// Whether the browser runs the console's script.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Script {
    On,
    Off,
}

/// Somebody before a browser.
pub(crate) struct Browser {
    driver: WebDriver,
    console: String,
    pub(crate) script: Script,
    /// In identifiers of this run alone.
    run: String,
}

/// A rectangle's width of a laptop, on which nothing is to be scrolled sideways.
const WIDTH: u32 = 1280;

/// Does something in a browser with the script, and once more in one without it.
pub(crate) async fn with_and_without_script(stack: &Stack, test: impl AsyncFn(&Browser)) {
    let driver = Driver::start();
    for script in [Script::On, Script::Off] {
        sit_before(&driver, stack, script, &test).await;
    }
}

/// Does something in a browser with the script.
pub(crate) async fn with_script(stack: &Stack, test: impl AsyncFn(&Browser)) {
    sit_before(&Driver::start(), stack, Script::On, &test).await;
}

/// A browser of its own, which is ended however the test ends; a picture is kept of one that failed.
async fn sit_before(driver: &Driver, stack: &Stack, script: Script, test: &impl AsyncFn(&Browser)) {
    let browser = Browser::open(driver, stack, script).await;
    let done = AssertUnwindSafe(Box::pin(test(&browser))).catch_unwind().await;
    if done.is_err() {
        browser.tell_what_is_seen().await;
    }
    let told = if done.is_ok() { browser.complaints().await } else { Vec::new() };
    browser.driver.quit().await.unwrap();
    if let Err(panic) = done {
        resume_unwind(panic);
    }
    assert_eq!(told, Vec::<String>::new(), "the browser complains");
}

impl Browser {
    async fn open(driver: &Driver, stack: &Stack, script: Script) -> Self {
        let session = driver.session(script, WIDTH).await;
        let run =
            format!("{}{}", clock::now().as_millisecond() % 100_000_000, if script == Script::On { "s" } else { "n" });
        Self { driver: session, console: format!("{}/console", stack.api_url), script, run }
    }

    /// An identifier that no other run of a test has.
    pub(crate) fn id(&self, name: &str) -> String {
        format!("{name}-{}", self.run)
    }

    /// Goes to a page of the console: `/exports`.
    pub(crate) async fn go(&self, path: &str) {
        self.driver.goto(format!("{}{path}", self.console)).await.unwrap();
    }

    /// The address of the page, from the console's own on.
    pub(crate) async fn place(&self) -> String {
        let url = self.driver.current_url().await.unwrap();
        let url = url.as_str();
        let plain = self.console.replace("%24", "$");
        url.replace("%24", "$").strip_prefix(&plain).unwrap_or(url).to_owned()
    }

    /// What a person can read.
    pub(crate) async fn text(&self) -> String {
        let text = async || -> WebDriverResult<String> { self.driver.find(By::Tag("body")).await?.text().await };
        eventually("a page", async || text().await.ok()).await
    }

    /// Waits until something can be read.
    pub(crate) async fn sees(&self, text: &str) {
        eventually(&format!("the page to say {text:?}"), async || self.text().await.contains(text).then_some(())).await;
    }

    /// Something that is found by its words, as soon as it is there to be seen.
    pub(crate) async fn find(&self, what: &Named) -> WebElement {
        eventually(&format!("{what}"), async || self.shown(what).await.into_iter().next()).await
    }

    /// All that is found so, as the page is now.
    pub(crate) async fn shown(&self, what: &Named) -> Vec<WebElement> {
        let mut shown = Vec::new();
        for element in self.driver.find_all(what.by()).await.unwrap_or_default() {
            if element.is_displayed().await.unwrap_or(false) {
                shown.push(element);
            }
        }
        shown
    }

    /// Whether there is something.
    pub(crate) async fn has(&self, what: &Named) -> bool {
        !self.shown(what).await.is_empty()
    }

    /// Presses a button, follows a link, ticks a box.
    pub(crate) async fn click(&self, what: Named) {
        let element = self.find(&what).await;
        element.click().await.unwrap();
    }

    /// Types into a field, in place of what it has.
    pub(crate) async fn fill(&self, label: &str, text: &str) {
        let field = self.find(&field(label)).await;
        field.clear().await.unwrap();
        field.send_keys(text).await.unwrap();
    }

    /// Types wherever the keyboard is.
    pub(crate) async fn press(&self, keys: impl Into<TypingData>) {
        let element = self.driver.active_element().await.unwrap();
        element.send_keys(keys).await.unwrap();
    }

    /// Moves on by the keyboard.
    pub(crate) async fn tab(&self) {
        self.press(Key::Tab + "").await;
    }

    /// Moves on by the keyboard until it is at something.
    pub(crate) async fn to(&self, what: &Named) {
        // What is shown only when the keyboard is there counts too.
        let wanted = eventually(&format!("{what}"), async || self.driver.find(what.by()).await.ok()).await;
        for _ in 0..KEYS_TO_A_PLACE {
            if self.driver.active_element().await.unwrap() == wanted {
                return;
            }
            self.tab().await;
        }
        panic!("the keyboard does not come to {what}");
    }

    /// Presses the key that sends forms and follows links.
    pub(crate) async fn enter(&self) {
        self.press(Key::Enter + "").await;
    }

    /// Signs in, and is where the form leads to.
    pub(crate) async fn sign_in(&self, name: &str, password: &str) {
        self.fill("Name", name).await;
        self.fill("Password", password).await;
        self.click(button("Sign in")).await;
    }

    /// What a script of the test comes to on the page.
    pub(crate) async fn run(&self, script: &str, args: Vec<Value>) -> Value {
        self.driver.execute(script, args).await.unwrap().json().clone()
    }

    /// The same of one that calls back.
    pub(crate) async fn run_async(&self, script: &str, args: Vec<Value>) -> Value {
        self.driver.execute_async(script, args).await.unwrap().json().clone()
    }

    /// Prefers light or dark pages.
    pub(crate) async fn prefer(&self, scheme: &str) {
        let features = json!({ "features": [{ "name": "prefers-color-scheme", "value": scheme }] });
        self.driver.cdp().send_raw("Emulation.setEmulatedMedia", features).await.unwrap();
    }

    /// Has a window of this size.
    pub(crate) async fn resize(&self, width: u32, height: u32) {
        self.driver.set_window_rect(0, 0, width, height).await.unwrap();
    }

    /// The session's cookie, to be changed.
    pub(crate) fn driver(&self) -> &WebDriver {
        &self.driver
    }

    /// What went wrong on pages so far: errors of scripts, what the content security policy refused, what was not to be had.
    pub(crate) async fn complaints(&self) -> Vec<String> {
        let log = self.driver.browser_log().await.unwrap();
        // An answer that says no is the test's business.
        let is_answer = |message: &str| message.contains("the server responded with a status of 4");
        log.into_iter()
            .filter(|entry| !is_answer(&entry.message))
            .map(|entry| format!("{}: {}", entry.level, entry.message))
            .collect()
    }

    async fn tell_what_is_seen(&self) {
        let picture = format!("{}/browser-{}.png", env!("CARGO_TARGET_TMPDIR"), self.run);
        let _unless_it_is_gone = self.driver.screenshot(picture.as_ref()).await;
        let place = self.driver.current_url().await.map(|url| url.to_string()).unwrap_or_default();
        let text = match self.driver.find(By::Tag("body")).await {
            Ok(body) => body.text().await.unwrap_or_default(),
            Err(error) => error.to_string(),
        };
        eprintln!("The browser, with the script {:?}, is at {place} ({picture}) and shows:\n{text}", self.script);
    }
}

/// How long a page may take; only a failing test waits for it.
const PAGE_WITHIN: Duration = Duration::from_mins(1);
/// More than any page has to be operated.
const KEYS_TO_A_PLACE: usize = 400;
