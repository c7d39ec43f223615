//! The program that drives Chromium.

use std::io::{BufRead as _, BufReader, ErrorKind};
use std::process::{Child, Command, Stdio};

use serde_json::json;
use thirtyfour::common::capabilities::chromium::ChromiumLikeCapabilities as _;
use thirtyfour::{ChromeCapabilities, DesiredCapabilities, LoggingPrefsLogLevel, WebDriver};

use super::{PAGE_WITHIN, Script};

const MISSING: &str = "is missing, which the tests of the console in a browser need. On Debian or Ubuntu: apt-get install chromium chromium-driver";

/// How often it is started.
const TRIES: u32 = 5;

/// A chromedriver on a port of its own.
pub(super) struct Driver {
    process: Child,
    url: String,
}

impl Driver {
    /// Starts it, and waits until it says where it listens. The port that it chooses may be gone before it has it.
    pub(super) fn start() -> Self {
        let _installed = rustls::crypto::ring::default_provider().install_default();
        (0..TRIES).find_map(|_| Self::begin()).expect("chromedriver to say its port")
    }

    fn begin() -> Option<Self> {
        let started = Command::new("chromedriver").arg("--port=0").stdout(Stdio::piped()).stderr(Stdio::null()).spawn();
        let mut process = started.unwrap_or_else(|error| match error.kind() {
            ErrorKind::NotFound => panic!("chromedriver {MISSING}"),
            _ => panic!("chromedriver does not start: {error}"),
        });
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let mut driver = Self { process, url: String::new() };
        let port = lines
            .by_ref()
            .map_while(Result::ok)
            .find_map(|line| Some(line.split_once("successfully on port ")?.1.trim_end_matches('.').to_owned()))?;
        // It would stop at a pipe that nobody reads.
        std::thread::spawn(move || lines.for_each(drop));
        driver.url = format!("http://127.0.0.1:{port}");
        Some(driver)
    }

    /// A browser with a profile of its own.
    pub(super) async fn session(&self, script: Script, width: u32) -> WebDriver {
        let client = reqwest::Client::builder().no_proxy().timeout(PAGE_WITHIN * 2).build().unwrap();
        let begun = WebDriver::builder(self.url.as_str(), capabilities(script, width)).client(client).connect().await;
        let driver = begun.unwrap_or_else(|error| panic!("Chromium does not start, or {MISSING}: {error}"));
        driver.set_page_load_timeout(PAGE_WITHIN).await.unwrap();
        driver.set_script_timeout(PAGE_WITHIN).await.unwrap();
        driver
    }
}

fn capabilities(script: Script, width: u32) -> ChromeCapabilities {
    let mut wanted = DesiredCapabilities::chrome();
    for argument in [
        "--headless=new",
        // Its pages are our own, and there is no sandbox in a container.
        "--no-sandbox",
        "--disable-dev-shm-usage",
        "--disable-gpu",
        "--no-proxy-server",
        "--disable-background-networking",
        "--lang=en",
        // What scrolls slowly is not where it is clicked at.
        "--force-prefers-reduced-motion",
        &format!("--window-size={width},1000"),
    ] {
        wanted.add_arg(argument).unwrap();
    }
    if script == Script::Off {
        // 2 is to block.
        let block = json!({ "profile.managed_default_content_settings.javascript": 2 });
        wanted.add_experimental_option("prefs", block).unwrap();
    }
    wanted.set_browser_log_level(LoggingPrefsLogLevel::Warning).unwrap();
    wanted
}

impl Drop for Driver {
    fn drop(&mut self) {
        let _gone = self.process.kill();
        let _reaped = self.process.wait();
    }
}
