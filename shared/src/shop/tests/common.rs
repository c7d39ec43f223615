//! What means the same on every platform.

use super::*;
use crate::pipeline::transport::http::tests::server::{send, wait_for_the_end};

/// A platform with settings, a secret and an order's identifier of its kind.
#[derive(Clone, Copy)]
struct Sample(&'static str, &'static str, &'static str, &'static str);

const MAPPED: &str = r#"state = { path = "/orders/{{ order.id }}", paid = "response.paid" },
    cancel = { path = "/orders/{{ order.id }}/cancel", success = "response.ok" }"#;

const SAMPLES: [Sample; 8] = [
    Sample("adobe-io-events", "", "token-of-the-shop", "5501"),
    Sample("bigcommerce", "", "token-of-the-shop", "5501"),
    Sample("generic", MAPPED, "user:password-of-the-shop", "5501"),
    Sample("magento", "", "token-of-the-shop", "5501"),
    Sample("shopify", "", "token-of-the-shop", "5501"),
    Sample("shopware", "", "client:secret-of-the-shop", "0190f6a1b2c3d4e5f60718293a4b5c6d"),
    Sample("standard-webhooks", MAPPED, "token-of-the-shop", "5501"),
    Sample("woocommerce", "", "key:secret-of-the-shop", "5501"),
];

impl Sample {
    fn at(self, server: &Server) -> Bench {
        let Self(platform, settings, secret, id) = self;
        Bench::to(platform, server, &settings.replace('\n', " ")).knowing(secret).about(id)
    }

    /// What state and cancellation come to.
    async fn failures(self, server: &Server) -> [ShopFailure; 2] {
        let bench = self.at(server);
        [bench.state().await.unwrap_err(), bench.cancel().await.unwrap_err()]
    }
}

/// Gives tokens, and answers everything else the same way.
fn answering(status: &'static str, headers: &'static [&'static str], body: &'static str) -> Server {
    Server::start(move |request, stream| {
        if request.line.contains("/oauth/token") {
            return reply(stream, "200 OK", &[], r#"{"access_token": "a-token-of-the-shop", "expires_in": 600}"#);
        }
        reply(stream, status, headers, body);
    })
}

#[tokio::test]
async fn a_shop_that_is_asked_too_often_says_how_long_to_wait() {
    for (status, headers, seconds) in [
        ("429 Too Many Requests", &["retry-after: 7"][..], 7),
        ("429 Too Many Requests", &["retry-after: soon"], 30),
        ("429 Too Many Requests", &[], 30),
        ("503 Service Unavailable", &["retry-after: 120"], 120),
    ] {
        let server = answering(status, headers, "");
        for sample in SAMPLES {
            let expected = ShopFailure::Throttled { after: Duration::from_secs(seconds) };
            assert_eq!(sample.failures(&server).await, [expected.clone(), expected], "{} {status}", sample.0);
        }
    }
}

#[tokio::test]
async fn statuses_that_may_pass_are_told_from_those_that_stay() {
    for (status, headers, message, may_pass) in [
        ("503 Service Unavailable", &[][..], "answered 503 Service Unavailable", true),
        ("500 Internal Server Error", &[], "answered 500 Internal Server Error", true),
        ("408 Request Timeout", &[], "answered 408 Request Timeout", true),
        ("401 Unauthorized", &[], "answered 401 Unauthorized: the credentials are wrong or lack a permission", false),
        ("403 Forbidden", &[], "answered 403 Forbidden: the credentials are wrong or lack a permission", false),
        ("302 Found", &["location: https://elsewhere.example/"], "a redirect to elsewhere.example", false),
        ("405 Method Not Allowed", &[], "answered 405 Method Not Allowed", false),
    ] {
        let server = answering(status, headers, "<html>kaethe@example.com</html>");
        for sample in SAMPLES {
            for failure in sample.failures(&server).await {
                let said = failure.to_string();
                assert!(said.contains(message) && !said.contains("kaethe"), "{} {status}: {said}", sample.0);
                assert_eq!(matches!(failure, ShopFailure::Unavailable(_)), may_pass, "{} {status}", sample.0);
            }
        }
    }
}

#[tokio::test]
async fn a_page_for_humans_is_no_answer() {
    let (found, missing) = (answering("200 OK", &[], "<html>"), answering("404 Not Found", &[], "<html>"));
    for sample in SAMPLES {
        // A merchant's own shop says by its status alone that there is no such order, or that it is cancelled.
        let has_words = !matches!(sample.0, "generic" | "standard-webhooks");
        for failure in sample.failures(&missing).await {
            let expected = format!("{} answered 404 Not Found: look at the url of the shop's api", missing.host());
            assert_eq!(failure, if has_words { refused(expected) } else { ShopFailure::NotFound }, "{}", sample.0);
        }
        let failure = sample.at(&found).state().await.unwrap_err();
        assert!(failure.to_string().contains("answered something else than"), "{}: {failure}", sample.0);
        assert!(matches!(failure, ShopFailure::Refused(_)), "{}", sample.0);
    }
}

#[tokio::test]
async fn a_shop_that_does_not_answer_is_not_available() {
    let server = Server::start(|_, stream| wait_for_the_end(stream));
    for sample in SAMPLES {
        let mut bench = sample.at(&server);
        bench.limit = Duration::from_millis(100);
        for outcome in [bench.state().await.map(|_| ()), bench.cancel().await.map(|_| ())] {
            let failure = outcome.unwrap_err();
            let late = failure.to_string().contains("in time");
            assert!(late && matches!(failure, ShopFailure::Unavailable(_)), "{}: {failure}", sample.0);
        }
    }
}

#[tokio::test]
async fn the_time_for_a_call_is_a_setting() {
    let server = Server::start(|_, stream| wait_for_the_end(stream));
    let bench = Bench::to("magento", &server, "timeout = \"1s\"");
    assert_eq!(bench.state().await, Err(unavailable(format!("{} did not answer in time", server.host()))));
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_none() {
    let server = Server::start(|request, stream| {
        if request.line.contains("/oauth/token") {
            return reply(stream, "200 OK", &[], r#"{"access_token": "a-token-of-the-shop"}"#);
        }
        send(stream, "HTTP/1.1 200 OK\r\ncontent-length: 400\r\n\r\n{\"status\": ");
    });
    for sample in SAMPLES {
        let expected = unavailable(format!("{} broke off its answer", server.host()));
        assert_eq!(sample.failures(&server).await, [expected.clone(), expected], "{}", sample.0);
    }
}

#[tokio::test]
async fn an_answer_longer_than_the_cap_is_refused() {
    let server = Server::start(|_, stream| reply(stream, "200 OK", &[], &" ".repeat(4 * 1024 * 1024 + 1)));
    let failure = Bench::to("magento", &server, "").state().await.unwrap_err();
    assert_eq!(failure, refused(format!("{} answered with more than 4194304 bytes", server.host())));
}

#[tokio::test]
async fn what_the_egress_rules_forbid_is_not_called() {
    let server = answering("200 OK", &[], "{}");
    for sample in SAMPLES {
        let mut bench = sample.at(&server);
        bench.clients = clients(Egress::default(), sample.2);
        let failure = bench.state().await.unwrap_err();
        assert!(matches!(&failure, ShopFailure::Refused(message) if message.contains("[egress] allow")), "{failure}");
    }
    assert!(server.requests().is_empty());
}

#[tokio::test]
async fn a_secret_that_is_missing_is_named() {
    let server = answering("200 OK", &[], "{}");
    for sample in SAMPLES {
        let mut bench = sample.at(&server);
        bench.clients.secrets = Secrets::fixed([("another", Secret::new("x"))]);
        assert_eq!(bench.state().await, Err(unavailable("secret \"shop-secret\" cannot be read: no such secret")));
    }
    assert!(server.requests().is_empty());
}

#[tokio::test]
async fn identifiers_that_the_platform_does_not_have_are_not_asked_for() {
    let server = answering("200 OK", &[], "{}");
    for sample in SAMPLES.into_iter().filter(|sample| sample.1.is_empty()) {
        for id in ["", "..", "5501/cancel", "5501?x", "-1", "1e3", "５", "123456789012345678901", "0190F6A1-b2c3"] {
            let failure = sample.at(&server).about(id).state().await.unwrap_err().to_string();
            assert!(failure.starts_with("the order's identifier: expected "), "{} {id}: {failure}", sample.0);
            let failure = sample.at(&server).about(id).cancel().await.unwrap_err().to_string();
            assert!(failure.starts_with("the order's identifier: expected "), "{} {id}: {failure}", sample.0);
        }
    }
    assert!(server.requests().is_empty());
}

#[tokio::test]
async fn platforms_whose_webhooks_carry_the_order_fetch_none() {
    let server = answering("200 OK", &[], "{}");
    for sample in SAMPLES.into_iter().filter(|sample| sample.0 != "bigcommerce") {
        let bench = sample.at(&server);
        let fetched = bench.api.fetch(&bench.clients, sample.3, Instant::now() + AMPLE).await;
        assert_eq!(fetched, Err(refused("webhooks of this platform carry the order themselves")));
    }
    assert!(server.requests().is_empty());
}
