//! What means the same on every platform.

use super::*;
use crate::pipeline::transport::http::tests::server::{send, wait_for_the_end};

const PLATFORMS: [&str; 4] = ["adobe-io-events", "magento", "shopify", "woocommerce"];

/// A Shopify secret with a colon is a client, whose token is fetched first.
fn secret(platform: &str) -> &'static str {
    if platform == "woocommerce" { "key:secret-of-the-shop" } else { "token-of-the-shop" }
}

#[tokio::test]
async fn statuses_mean_the_same_on_every_platform() {
    let seconds = |seconds| ShopFailure::Throttled { after: Duration::from_secs(seconds) };
    for (status, headers, expected) in [
        ("429 Too Many Requests", &["retry-after: 7"][..], Ok(seconds(7))),
        ("429 Too Many Requests", &[], Ok(seconds(30))),
        ("503 Service Unavailable", &["retry-after: 120"], Ok(seconds(120))),
        ("503 Service Unavailable", &[], Err(("answered 503 Service Unavailable", true))),
        ("500 Internal Server Error", &[], Err(("answered 500 Internal Server Error", true))),
        ("408 Request Timeout", &[], Err(("answered 408 Request Timeout", true))),
        ("401 Unauthorized", &[], Err(("answered 401 Unauthorized: the credentials are wrong or lack", false))),
        ("403 Forbidden", &[], Err(("answered 403 Forbidden: the credentials are wrong or lack", false))),
        ("302 Found", &["location: https://elsewhere.example/"], Err(("a redirect to elsewhere.example", false))),
        ("404 Not Found", &[], Err(("answered 404 Not Found: look at the url", false))),
        ("405 Method Not Allowed", &[], Err(("answered 405 Method Not Allowed", false))),
        ("200 OK", &[], Err(("answered something else than", false))),
    ] {
        let server = Server::answering(status, headers, "<html>kaethe@example.com</html>");
        for platform in PLATFORMS {
            let bench = Bench::to(platform, &server, "").knowing(secret(platform));
            for failure in [bench.state().await.unwrap_err(), bench.cancel().await.unwrap_err()] {
                match &expected {
                    Ok(throttled) => assert_eq!(&failure, throttled, "{platform} {status}"),
                    Err((message, is_temporary)) => {
                        assert!(failure.to_string().contains(message), "{platform} {status}: {failure}");
                        assert!(!failure.to_string().contains("kaethe"), "{failure}");
                        let temporary = matches!(failure, ShopFailure::Unavailable(_));
                        assert_eq!(temporary, *is_temporary, "{platform} {status}: {failure}");
                    }
                }
            }
        }
    }
}

#[tokio::test]
async fn a_shop_that_does_not_answer_is_not_available() {
    let server = Server::start(|_, stream| wait_for_the_end(stream));
    for platform in PLATFORMS {
        let mut bench = Bench::to(platform, &server, "").knowing(secret(platform));
        bench.limit = Duration::from_millis(100);
        let expected = unavailable(format!("{} did not answer in time", server.host()));
        assert_eq!((bench.state().await, bench.cancel().await), (Err(expected.clone()), Err(expected)));
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
    let server = Server::start(|_, stream| send(stream, "HTTP/1.1 200 OK\r\ncontent-length: 400\r\n\r\n{\"status\": "));
    for platform in PLATFORMS {
        let bench = Bench::to(platform, &server, "").knowing(secret(platform));
        let expected = unavailable(format!("{} broke off its answer", server.host()));
        assert_eq!((bench.state().await, bench.cancel().await), (Err(expected.clone()), Err(expected)));
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
    let server = Server::answering("200 OK", &[], "{}");
    for platform in PLATFORMS {
        let mut bench = Bench::to(platform, &server, "").knowing(secret(platform));
        bench.clients = clients(Egress::default(), secret(platform));
        let failure = bench.state().await.unwrap_err();
        assert!(matches!(&failure, ShopFailure::Refused(message) if message.contains("[egress] allow")), "{failure}");
    }
    assert!(server.requests().is_empty());
}

#[tokio::test]
async fn a_secret_that_is_missing_is_named() {
    let server = Server::answering("200 OK", &[], "{}");
    let mut bench = Bench::to("magento", &server, "");
    bench.clients.secrets = Secrets::fixed([("another", Secret::new("x"))]);
    assert_eq!(bench.state().await, Err(unavailable("secret \"shop-secret\" cannot be read: no such secret")));
    assert!(server.requests().is_empty());
}

#[tokio::test]
async fn identifiers_that_the_platform_does_not_have_are_not_asked_for() {
    let server = Server::answering("200 OK", &[], "{}");
    for platform in PLATFORMS {
        for id in ["", "..", "5501/cancel", "5501?x", "-1", "1e3", "５", "123456789012345678901"] {
            let bench = Bench::to(platform, &server, "").knowing(secret(platform)).about(id);
            for failure in [bench.state().await.unwrap_err(), bench.cancel().await.unwrap_err()] {
                assert_eq!(failure, refused("the order's identifier: expected a whole number, as the platform has"));
            }
        }
    }
    assert!(server.requests().is_empty());
}

#[tokio::test]
async fn platforms_whose_webhooks_carry_the_order_fetch_none() {
    let server = Server::answering("200 OK", &[], "{}");
    for platform in PLATFORMS {
        let bench = Bench::to(platform, &server, "");
        let fetched = bench.api.fetch(&bench.clients, "5501", Instant::now() + AMPLE).await;
        assert_eq!(fetched, Err(refused("webhooks of this platform carry the order themselves")));
    }
    assert!(server.requests().is_empty());
}
