//! What an answer's status means: accepted, try again, or never.

use std::time::Duration;

use http::StatusCode;
use http::header::{HeaderMap, LOCATION, RETRY_AFTER};
use jiff::{SignedDuration, Timestamp};
use url::Url;

use super::client::host_of;
use crate::clock;
use crate::pipeline::transport::{BodyEnd, excerpt};
use crate::pipeline::{Failure, Retry};
use crate::webhook::Headers;

/// Longest time that a destination may have us wait: SQS keeps a message back for twelve hours at most.
pub(crate) const MOST_WAIT: Duration = Duration::from_hours(11);

/// The answer to a request.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) host: String,
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
    pub(crate) body_end: BodyEnd,
}

impl Answer {
    /// Nothing when the request was accepted, else how it failed. `url` is what was called.
    pub(crate) fn failure(&self, url: &Url) -> Option<Failure> {
        if self.status.is_success() {
            return None;
        }
        let (retry, message) = (self.retry(clock::now()), self.complaint(url));
        Some(Failure { retry, message, said: None, response: Some(excerpt(Some(self.status.as_u16()), &self.body)) })
    }

    fn retry(&self, now: Timestamp) -> Retry {
        if !is_retryable(self.status) {
            return Retry::No;
        }
        let value = self.headers.get(RETRY_AFTER).and_then(|value| value.to_str().ok());
        value.and_then(|value| retry_after(value, now)).map_or(Retry::Backoff, Retry::After)
    }

    fn complaint(&self, url: &Url) -> String {
        let said = format!("{} answered {}", self.host, self.status);
        if !self.status.is_redirection() {
            return said;
        }
        let target = self.headers.get(LOCATION).and_then(|value| url.join(value.to_str().ok()?).ok());
        let target = target.filter(Url::has_host).map(|url| format!(" to {}", host_of(&url))).unwrap_or_default();
        format!("{said}, a redirect{target}, which is not followed: name the final URL in the configuration")
    }

    /// The headers by name; bytes that are no text are replaced.
    pub(super) fn headers(&self) -> Headers {
        let field = |(name, value): (&http::header::HeaderName, &http::header::HeaderValue)| {
            (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned())
        };
        self.headers.iter().map(field).collect()
    }
}

fn is_retryable(status: StatusCode) -> bool {
    status.is_server_error() || matches!(status.as_u16(), 408 | 425 | 429)
}

/// How long `Retry-After` asks us to wait: seconds or an HTTP date. Nothing for what is neither, or no wait at all.
fn retry_after(value: &str, now: Timestamp) -> Option<Duration> {
    let value = value.trim();
    let wait = if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) {
        // More digits than fit are still a number of seconds, beyond the cap.
        Duration::from_secs(value.parse().unwrap_or(u64::MAX))
    } else {
        let until = Timestamp::try_from(httpdate::parse_http_date(value).ok()?).ok()?;
        let wait: SignedDuration = until.duration_since(now);
        Duration::try_from(wait).ok()?
    };
    if wait.is_zero() { None } else { Some(wait.min(MOST_WAIT)) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn now() -> Timestamp {
        "2026-03-01T12:00:00Z".parse().unwrap()
    }

    #[test]
    fn retry_after_is_seconds_or_a_date_and_capped() {
        let hours = |hours| Some(Duration::from_hours(hours));
        for (value, expected) in [
            ("120", Some(Duration::from_mins(2))),
            (" 7 ", Some(Duration::from_secs(7))),
            ("0", None),
            ("", None),
            ("-5", None),
            ("1.5", None),
            ("soon", None),
            ("39600", hours(11)),
            ("39601", hours(11)),
            ("99999999999999999999999999", hours(11)),
            ("Sun, 01 Mar 2026 12:00:30 GMT", Some(Duration::from_secs(30))),
            ("Sunday, 01-Mar-26 12:01:00 GMT", Some(Duration::from_mins(1))),
            ("Sun Mar  1 12:02:00 2026", Some(Duration::from_mins(2))),
            ("Sun, 01 Mar 2026 12:00:00 GMT", None),
            ("Sun, 01 Mar 2026 11:00:00 GMT", None),
            ("Sun, 01 Mar 2037 12:00:00 GMT", hours(11)),
            ("Sun, 41 Mar 2026 12:00:00 GMT", None),
        ] {
            assert_eq!(retry_after(value, now()), expected, "{value:?}");
        }
    }

    #[test]
    fn which_statuses_are_tried_again() {
        for (status, expected) in [
            (200, None),
            (201, None),
            (202, None),
            (204, None),
            (299, None),
            (300, Some(Retry::No)),
            (304, Some(Retry::No)),
            (307, Some(Retry::No)),
            (400, Some(Retry::No)),
            (401, Some(Retry::No)),
            (404, Some(Retry::No)),
            (408, Some(Retry::Backoff)),
            (409, Some(Retry::No)),
            (413, Some(Retry::No)),
            (422, Some(Retry::No)),
            (425, Some(Retry::Backoff)),
            (429, Some(Retry::Backoff)),
            (500, Some(Retry::Backoff)),
            (501, Some(Retry::Backoff)),
            (503, Some(Retry::Backoff)),
            (599, Some(Retry::Backoff)),
            (600, Some(Retry::No)),
        ] {
            let answer = answer(status, &[]);
            assert_eq!(answer.failure(&url()).map(|failure| failure.retry), expected, "{status}");
        }
    }

    #[test]
    fn retry_after_counts_only_where_another_attempt_helps() {
        let wait = Some(Retry::After(Duration::from_secs(9)));
        for (status, expected) in [(429, wait), (503, wait), (408, wait), (400, Some(Retry::No))] {
            let answer = answer(status, &[("retry-after", "9")]);
            assert_eq!(answer.failure(&url()).map(|failure| failure.retry), expected, "{status}");
        }
    }

    #[test]
    fn a_redirect_names_the_host_it_leads_to_and_nothing_more() {
        for (location, expected) in [
            ("https://user:pw@other.example.com:8443/in?token=x", " to other.example.com:8443,"),
            ("/elsewhere?token=x", " to erp.example.com,"),
            ("//evil.example/x", " to evil.example,"),
            ("http://[", "a redirect,"),
            ("data:text/plain,x", "a redirect,"),
        ] {
            let failure = answer(302, &[("location", location)]).failure(&url()).unwrap();
            assert!(failure.message.contains(expected), "{location}: {}", failure.message);
            assert!(!failure.message.contains("token") && !failure.message.contains("pw"), "{}", failure.message);
        }
    }

    fn url() -> Url {
        "https://erp.example.com/orders?key=secret".parse().unwrap()
    }

    fn answer(status: u16, headers: &[(&'static str, &str)]) -> Answer {
        Answer {
            host: "erp.example.com".into(),
            status: StatusCode::from_u16(status).unwrap(),
            headers: headers.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect(),
            body: b"hello".to_vec(),
            body_end: BodyEnd::Complete,
        }
    }

    proptest! {
        #[test]
        fn no_value_makes_the_parser_panic_or_wait_for_ever(value: String) {
            if let Some(wait) = retry_after(&value, now()) {
                prop_assert!(!wait.is_zero() && wait <= MOST_WAIT);
            }
        }

        #[test]
        fn seconds_and_the_date_they_lead_to_mean_the_same(seconds in 1_u64..40_000) {
            let date = std::time::SystemTime::from(now()) + Duration::from_secs(seconds);
            let dated = retry_after(&httpdate::fmt_http_date(date), now());
            prop_assert_eq!(dated, retry_after(&seconds.to_string(), now()));
        }
    }
}
