//! What becomes of a destination's answer, or of none.

use std::io::Write as _;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};

use super::server::{Server, reply, send, wait_for_the_end};
use super::*;
use crate::pipeline::Retry;
use crate::pipeline::transport::BodyEnd;

#[tokio::test]
async fn a_refusal_says_who_answered_what_and_whether_to_try_again() {
    let seconds = |seconds| Retry::After(Duration::from_secs(seconds));
    for (status, headers, expected) in [
        ("500 Internal Server Error", &[][..], Retry::Backoff),
        ("503 Service Unavailable", &["retry-after: 30"], seconds(30)),
        ("429 Too Many Requests", &["Retry-After: 90000"], seconds(39_600)),
        ("429 Too Many Requests", &["retry-after: Fri, 01 Jan 2100 00:00:00 GMT"], seconds(39_600)),
        ("429 Too Many Requests", &["retry-after: Sat, 01 Jan 2000 00:00:00 GMT"], Retry::Backoff),
        ("408 Request Timeout", &[], Retry::Backoff),
        ("400 Bad Request", &["retry-after: 30"], Retry::No),
        ("401 Unauthorized", &[], Retry::No),
        ("404 Not Found", &[], Retry::No),
    ] {
        let server = Server::answering(status, headers, "no such customer");
        let failure = Bench::to(&server, "").refused().await;
        assert_eq!(failure.retry, expected, "{status}");
        assert_eq!(failure.message, format!("{} answered {status}", server.host()));
        assert_eq!(failure.response, Some(format!("HTTP {}\nno such customer", &status[..3])));
    }
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let elsewhere = Server::answering("200 OK", &[], "");
    let location = format!("location: http://user:pw@{}/in?token=x", elsewhere.host());
    for status in ["301 Moved Permanently", "302 Found", "303 See Other", "307 Temporary Redirect", "308 Permanent"] {
        let location = location.clone();
        let server = Server::start(move |_, stream| reply(stream, status, &[&location], ""));
        let failure = Bench::to(&server, "").refused().await;
        assert_eq!(failure.retry, Retry::No);
        assert!(failure.message.contains(&format!("a redirect to {}, which", elsewhere.host())), "{}", failure.message);
    }
    assert!(elsewhere.requests().is_empty());
}

#[tokio::test]
async fn a_redirect_to_the_inside_is_not_followed_either() {
    for target in
        ["http://169.254.169.254/latest/meta-data/", "//[fd00:ec2::254]/", "file:///etc/passwd", "/\\127.0.0.1/"]
    {
        let location = format!("location: {target}");
        let server = Server::start(move |_, stream| reply(stream, "307 Temporary Redirect", &[&location], "inside"));
        let failure = Bench::to(&server, "").refused().await;
        assert_eq!(failure.retry, Retry::No, "{target}");
        assert!(failure.message.contains("which is not followed"), "{}", failure.message);
        assert_eq!(server.requests().len(), 1, "{target}");
    }
}

#[tokio::test]
async fn no_answer_in_time_is_tried_again() {
    let server = Server::start(|_, stream| wait_for_the_end(stream));
    let mut bench = Bench::to(&server, "timeout = \"1s\"");
    let expected = Failure::retryable(format!("{} did not answer in time", server.host()));
    assert_eq!(bench.refused().await, expected);
    bench = Bench::to(&server, "timeout = \"60s\"");
    bench.limit = Duration::from_millis(200);
    assert_eq!(bench.refused().await, expected);
}

#[tokio::test]
async fn a_connection_that_breaks_before_the_answer_is_tried_again() {
    for beginning in ["", "HTTP/1.1 200 OK\r\ncontent-", "not HTTP\r\n\r\n"] {
        let server = Server::start(move |_, stream| send(stream, beginning));
        let failure = Bench::to(&server, "").refused().await;
        assert_eq!(failure.retry, Retry::Backoff);
        assert!(failure.message.starts_with(&format!("{} did not answer: ", server.host())), "{}", failure.message);
    }
}

#[tokio::test]
async fn a_closed_port_and_a_server_without_tls_are_tried_again() {
    let server = Server::answering("200 OK", &[], "");
    let plain = Bench::with(&format!("url = \"https://{}/\"", server.host()), &server).refused().await;
    assert_eq!(plain.retry, Retry::Backoff);
    assert!(plain.message.contains("cannot be reached"), "{}", plain.message);
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let (transport, egress, problems) =
        load(&format!("type = \"http\", url = \"http://{closed}/\""), &[closed.to_string()]);
    assert_eq!(problems, []);
    let bench = Bench { transport: transport.unwrap(), clients: clients(egress), ..Bench::to(&server, "") };
    let failure = bench.refused().await;
    assert_eq!(failure.retry, Retry::Backoff);
    assert!(failure.message.starts_with(&format!("{closed} cannot be reached: ")), "{}", failure.message);
}

#[tokio::test]
async fn an_accepted_delivery_stays_accepted_when_its_body_breaks_off_or_never_ends() {
    let head = "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{\"id\":";
    let broken = Server::start(move |_, stream| send(stream, head));
    let silent = Server::start(move |_, stream| {
        send(stream, head);
        wait_for_the_end(stream);
    });
    for server in [broken, silent] {
        let receipt = Bench::to(&server, "timeout = \"1s\"").deliver().await.unwrap();
        assert_eq!((receipt.status, receipt.body_end), (Some(200), BodyEnd::Broken));
        assert_eq!(receipt.body, b"{\"id\":");
    }
}

#[tokio::test]
async fn an_accepted_delivery_is_reported_before_the_caller_gives_up() {
    let server = Server::start(|_, stream| {
        send(stream, "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n");
        wait_for_the_end(stream);
    });
    let mut bench = Bench::to(&server, "timeout = \"60s\"");
    bench.limit = Duration::from_secs(1);
    let receipt = tokio::time::timeout(bench.limit, bench.deliver()).await.unwrap().unwrap();
    assert_eq!(receipt.body_end, BodyEnd::Broken);
}

#[tokio::test]
async fn a_refusal_whose_body_breaks_off_is_a_refusal() {
    let server = Server::start(|_, stream| send(stream, "HTTP/1.1 422 No\r\ncontent-length: 100\r\n\r\nbecause"));
    let failure = Bench::to(&server, "").refused().await;
    assert_eq!((failure.retry, failure.response.as_deref()), (Retry::No, Some("HTTP 422\nbecause")));
}

#[tokio::test]
async fn an_answer_of_a_gigabyte_is_read_to_the_cap_only() {
    let (written, report) = mpsc::channel();
    let server = Server::start(move |_, stream| {
        send(stream, "HTTP/1.1 200 OK\r\ncontent-length: 1073741824\r\n\r\n");
        let piece = vec![b'x'; 65536];
        let pieces = (0..16384).take_while(|_| stream.write_all(&piece).is_ok()).count();
        written.send(pieces * piece.len()).unwrap();
    });
    let receipt = Bench::to(&server, "").deliver().await.unwrap();
    assert_eq!((receipt.body.len(), receipt.body_end), (64 * 1024, BodyEnd::Capped));
    // What the buffers between us hold is written all the same, but not the gigabyte.
    let written = tokio::task::spawn_blocking(move || report.recv_timeout(AMPLE)).await.unwrap().unwrap();
    assert!(written < 256 << 20, "{written} bytes were taken from the server");
}

#[tokio::test]
async fn an_answer_as_long_as_the_cap_is_complete() {
    let body: &'static str = "x".repeat(64 * 1024).leak();
    let server = Server::answering("200 OK", &[], body);
    let receipt = Bench::to(&server, "").deliver().await.unwrap();
    assert_eq!((receipt.body.len(), receipt.body_end), (64 * 1024, BodyEnd::Complete));
}

#[tokio::test]
async fn what_a_destination_repeats_of_a_secret_is_not_kept() {
    let server = Server::start(|request, stream| {
        let sent = request.headers.get("authorization").cloned().unwrap_or_default();
        reply(stream, "403 Forbidden", &[], &format!("not for {sent}"));
    });
    for auth in ["\"erp-token\"", "{ type = \"basic\", secret = \"erp-basic\" }"] {
        let failure = Bench::to(&server, &format!("auth = {auth}")).refused().await;
        let response = failure.response.unwrap();
        assert!(response.ends_with("[secret]"), "{response}");
    }
}

#[tokio::test]
async fn every_attempt_carries_the_same_key() {
    let attempts = Arc::new(AtomicUsize::new(0));
    let server = Server::start(move |_, stream| match attempts.fetch_add(1, Ordering::SeqCst) {
        0 => reply(stream, "503 Service Unavailable", &[], ""),
        _ => reply(stream, "200 OK", &[], ""),
    });
    let bench = Bench::to(&server, "");
    assert_eq!(bench.refused().await.retry, Retry::Backoff);
    bench.deliver().await.unwrap();
    let keys: Vec<_> = server.requests().iter().map(|request| request.headers["idempotency-key"].clone()).collect();
    assert_eq!(keys, ["acme-eu:5501:erp", "acme-eu:5501:erp"]);
}
