//! Keys that age, and servers that publish them in every way.

use toml::de::DeTable;

use super::*;
use crate::config::document::{Problems, Table};
use crate::pipeline::transport::egress;
use crate::pipeline::transport::http::tests::server::{Server, reply};

const PEM: &str = include_str!("../../../../events/adobe-keys-for-tests-only/public-key-for-tests-only.pem");

fn at(time: &str) -> Timestamp {
    format!("2026-08-01T{time}Z").parse().unwrap()
}

fn url(path: &str) -> Url {
    Url::parse("https://keys.example.com/").and_then(|url| url.join(path)).unwrap()
}

/// Whether a key is fresh (`Some(true)`), old or not known.
fn known(kept: &Kept, path: &str, now: &str) -> Option<bool> {
    match kept.key(&url(path), at(now)) {
        Known::Fresh(_) => Some(true),
        Known::Old(_) => Some(false),
        Known::No => None,
    }
}

#[test]
fn a_key_is_used_for_hours_and_never_longer_than_a_day() {
    let mut kept = Kept::default();
    kept.keep(&url("a"), &Secret::new("key"), "2026-07-31T06:00:00Z".parse().unwrap());
    kept.keep(&url("b"), &Secret::new("key"), at("00:00:00"));
    for (path, now, expected) in [
        ("a", "05:59:59", Some(false)),
        ("a", "06:00:00", None),
        ("b", "05:59:59", Some(true)),
        ("b", "06:00:00", Some(false)),
        ("c", "00:00:00", None),
    ] {
        assert_eq!(known(&kept, path, now), expected, "{path} {now}");
    }
}

#[test]
fn the_oldest_key_makes_room() {
    let mut kept = Kept::default();
    for minute in 0..=MOST_KEYS {
        let (path, now) = (format!("{minute}"), at(&format!("00:{minute:02}:00")));
        kept.keep(&url(&path), &Secret::new("key"), now);
    }
    assert_eq!(kept.keys.len(), MOST_KEYS);
    assert_eq!((known(&kept, "0", "01:00:00"), known(&kept, "1", "01:00:00")), (None, Some(true)));
    kept.keep(&url("1"), &Secret::new("renewed"), at("01:00:00"));
    assert_eq!(known(&kept, "2", "01:00:00"), Some(true), "a key that is known needs no room");
}

#[test]
fn whoever_names_keys_that_are_not_there_cannot_have_us_ask_for_ever() {
    let mut kept = Kept::default();
    for _ in 0..MOST_FAILURES {
        assert!(kept.may_fetch(at("00:00:10")));
        kept.failed(at("00:00:10"));
    }
    assert!(!kept.may_fetch(at("00:01:09")));
    assert!(kept.may_fetch(at("00:01:10")));
    kept.failed(at("00:01:10"));
    assert!(kept.may_fetch(at("00:01:10")));
}

/// What is allowed to go to this server.
fn egress_to(server: &Server) -> Egress {
    let text = format!("egress = {{ allow = [{:?}] }}", server.host());
    let document = DeTable::parse(&text).unwrap();
    let problems = Problems::new("ordersync.toml", &text);
    egress::read(Table::root(document.get_ref(), &problems).get("egress").as_ref(), &crate::config::Files::default())
}

fn key_at(server: &Server) -> Url {
    Url::parse(&format!("http://{}/prod/keys/a.pem", server.host())).unwrap()
}

#[tokio::test]
async fn a_key_is_fetched_once() {
    let server = Server::answering("200 OK", &[], PEM);
    let (keys, egress) = (PublicKeys::default(), egress_to(&server));
    for _ in 0..3 {
        let fetched = keys.get(&egress, &[key_at(&server)]).await;
        assert_eq!(fetched.keys.iter().map(Secret::expose).collect::<Vec<_>>(), [PEM]);
        assert_eq!(fetched.failures, Vec::<String>::new());
    }
    assert_eq!(server.only_request().line, "GET /prod/keys/a.pem HTTP/1.1");
}

#[tokio::test]
async fn what_is_no_key_is_a_failure_and_not_kept() {
    let long = Box::leak(format!("{PEM}{}", " ".repeat(MOST_BODY)).into_boxed_str());
    for (status, body, expected) in [
        ("404 Not Found", PEM, "answered 404 Not Found"),
        ("503 Service Unavailable", "", "answered 503 Service Unavailable"),
        ("302 Found", PEM, "a redirect"),
        ("200 OK", "", "no public key in PEM"),
        ("200 OK", "<html>", "no public key in PEM"),
        ("200 OK", "-----BEGIN PUBLIC KEY-----\n%%%\n-----END PUBLIC KEY-----\n", "no public key in PEM"),
        ("200 OK", long, "no public key in PEM"),
    ] {
        let server = Server::answering(status, &[], body);
        let (keys, egress) = (PublicKeys::default(), egress_to(&server));
        for _ in 0..2 {
            let fetched = keys.get(&egress, &[key_at(&server)]).await;
            assert!(fetched.keys.is_empty());
            assert!(fetched.failures[0].contains(expected), "{expected}: {:?}", fetched.failures);
        }
        assert_eq!(server.requests().len(), 2, "{status}");
    }
}

#[tokio::test]
async fn one_key_is_there_without_the_other_and_failures_have_an_end() {
    let server = Server::start(|request, stream| {
        if request.line.contains("a.pem") {
            reply(stream, "200 OK", &[], PEM);
        } else {
            reply(stream, "404 Not Found", &[], "");
        }
    });
    let (keys, egress) = (PublicKeys::default(), egress_to(&server));
    let good = key_at(&server);
    for _ in 0..2 * MOST_FAILURES {
        let fetched = keys.get(&egress, &[good.clone(), good.join("b.pem").unwrap()]).await;
        assert_eq!((fetched.keys.len(), fetched.failures.len()), (1, 1));
    }
    let asked = u32::try_from(server.requests().len()).unwrap();
    assert_eq!(asked, 1 + MOST_FAILURES);
}

#[tokio::test]
async fn a_host_that_is_not_allowed_is_not_asked() {
    let server = Server::answering("200 OK", &[], PEM);
    let fetched = PublicKeys::default().get(&Egress::default(), &[key_at(&server)]).await;
    assert!(fetched.failures[0].contains("without TLS"), "{:?}", fetched.failures);
    assert_eq!(server.requests().len(), 0);
}
