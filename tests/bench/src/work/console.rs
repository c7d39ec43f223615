//! A look at a page of the console, by somebody whom the endpoint's authorizer knows.

use bytes::Bytes;
use serde_json::{Value, json};

use super::MATCHES;

/// Number of the first order of a ledger that is made for a run.
pub const FIRST_MADE: u64 = 80_000_000;
/// The claim that names who looks.
pub const NAME_CLAIM: &str = "email";
/// The claim with the role.
pub const ROLE_CLAIM: &str = "role";

/// What is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Page {
    /// The state of everything.
    Overview,
    /// The newest exports of all states.
    Exports,
    /// An order by its number.
    Search,
}

/// A request for a page, and what its answer must have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Visit {
    page: Page,
    rows: usize,
}

impl Page {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Overview, Self::Exports, Self::Search];

    /// Its name in results.
    pub fn name(self) -> &'static str {
        match self {
            Self::Overview => "overview",
            Self::Exports => "exports",
            Self::Search => "search",
        }
    }
}

impl Visit {
    /// Of a page, with so many rows in the ledger.
    pub fn new(page: Page, rows: usize) -> Self {
        Self { page, rows }
    }

    /// The number of the last order, which is in error.
    fn last(self) -> String {
        format!("{:08}", FIRST_MADE + u64::try_from(self.rows).unwrap_or(u64::MAX) - 1)
    }

    /// What the endpoint invokes the console with.
    pub(super) fn event(self) -> Bytes {
        let (path, query) = match self.page {
            Page::Overview => ("/console", String::new()),
            Page::Exports => ("/console/exports", String::new()),
            Page::Search => ("/console/search", format!("q=2026-{}", self.last())),
        };
        let claims = json!({ NAME_CLAIM: "ada@acme.example", ROLE_CLAIM: "operator" });
        let event = json!({
            "version": "2.0",
            "routeKey": "ANY /console/{proxy+}",
            "rawPath": path,
            "rawQueryString": query,
            "headers": { "host": "orders.example", "accept": "text/html" },
            "requestContext": {
                "accountId": "123456789012",
                "apiId": "bench",
                "authorizer": { "jwt": { "claims": claims, "scopes": null } },
                "domainName": "orders.example",
                "http": { "method": "GET", "path": path, "protocol": "HTTP/1.1", "sourceIp": "192.0.2.1", "userAgent": "bench" },
                "requestId": "JKJaXmPLvHcESHA=",
                "routeKey": "ANY /console/{proxy+}",
                "stage": "$default",
                "timeEpoch": 0,
            },
            "isBase64Encoded": false,
        });
        Bytes::from(event.to_string())
    }

    /// Whether an answer is the page, with what it has to show.
    pub(super) fn check(self, answer: &Value) -> Result<(), String> {
        let body = answer["body"].as_str().unwrap_or_default();
        let shows = |text: &str| {
            let is_shown = answer["statusCode"] == 200 && body.contains(text);
            is_shown.then_some(()).ok_or_else(|| format!("expected a page with {text}, not {answer}"))
        };
        match self.page {
            Page::Overview => {
                let (exported, failed) = (self.rows - MATCHES, MATCHES);
                shows(&format!(">{exported}<")).and_then(|()| shows(&format!(">{failed}<")))
            }
            // The last two digits are those of any order that is in error.
            Page::Exports => shows(&format!("2026-{}", &self.last()[..6])),
            Page::Search => {
                let location = answer["headers"]["location"].as_str().unwrap_or_default();
                let is_found = answer["statusCode"] == 303 && location.ends_with(&self.last());
                is_found.then_some(()).ok_or_else(|| format!("expected to be led to the order's page, not {answer}"))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_has_to_show_what_is_in_the_ledger() {
        let page = |body: &str| json!({ "statusCode": 200, "body": body });
        let overview = Visit::new(Page::Overview, 1000);
        assert!(overview.check(&page("<td>900</td><td>100</td>")).is_ok());
        assert!(overview.check(&page("<td>899</td><td>100</td>")).is_err());
        assert!(Visit::new(Page::Exports, 1000).check(&page("<td>2026-80000917</td>")).is_ok());
        assert!(Visit::new(Page::Exports, 1000).check(&page("<td>2026-80000017</td>")).is_err());
        let led = |to: &str| json!({ "statusCode": 303, "headers": { "location": to } });
        let search = Visit::new(Page::Search, 1000);
        assert!(search.check(&led("orders/bench/ord_01K1FICTIONAL80000999")).is_ok());
        assert!(search.check(&led("sign-in")).is_err());
    }
}
