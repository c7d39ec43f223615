//! A configuration in a bucket: a server that answers as S3 does.

use std::collections::BTreeMap;
use std::sync::PoisonError;

use super::*;
use crate::pipeline::transport::http::tests::server::{Received, Server, reply};

const DOCUMENT_TEXT: &str = include_str!("../tests/sample.toml");
const SMALLER: &str = "[[shops]]\ncode = \"a\"\nplatform = \"shopify\"\nsecrets = [\"a\"]\n[[pipelines]]\ncode = \"p\"\n\
    format = { type = \"json\" }\ntransport = { type = \"s3\", key = \"{{ order.id }}\" }\n";

/// Objects of the bucket `acme` under `eu/`, by name; their texts are their tags too.
#[derive(Clone, Default)]
struct Objects(Arc<std::sync::Mutex<BTreeMap<&'static str, &'static str>>>);

impl Objects {
    fn put(&self, name: &'static str, text: &'static str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(name, text);
    }

    fn answer(&self, request: &Received) -> (&'static str, String, String) {
        let name = request.line.strip_prefix("GET /acme/eu/").unwrap().split(' ').next().unwrap();
        let missing = "<Error><Code>NoSuchKey</Code><Message>The specified key does not exist.</Message></Error>";
        let objects = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(text) = objects.get(name) else { return ("404 Not Found", String::new(), missing.to_owned()) };
        let tag = format!("\"{:x}\"", text.len());
        let is_same = request.headers.get("if-none-match") == Some(&tag);
        if is_same { ("304 Not Modified", tag, String::new()) } else { ("200 OK", tag, (*text).to_owned()) }
    }

    fn serve(&self) -> Server {
        let objects = self.clone();
        Server::start(move |request, stream| {
            let (status, tag, body) = objects.answer(request);
            reply(stream, status, &[&format!("etag: {tag}")], &body);
        })
    }
}

async fn start(server: &Server) -> Result<Live, LoadError> {
    let sdk = Sdk::at(&format!("http://{}", server.host())).unwrap();
    Live::start(Location::from_uri(Some("s3://acme/eu"), Path::new("."))?.open(&sdk), 10).await
}

#[tokio::test]
async fn document_and_other_files_are_read_and_looked_at_again_by_etag() {
    let objects = Objects::default();
    objects.put("ordersync.toml", DOCUMENT_TEXT);
    objects.put("erp-order.json.j2", "{}");
    let server = objects.serve();
    let live = start(&server).await.unwrap();
    let first = live.current().await;
    assert_eq!(first.pipelines.len(), 2);
    live.refresh(&mut *live.state.lock().await).await;
    assert_eq!(server.requests().len(), 4, "each is looked at, none is read again");
    assert!(Arc::ptr_eq(&first, &live.current().await));
}

#[tokio::test]
async fn a_changed_configuration_is_used_unless_it_is_wrong() {
    let objects = Objects::default();
    objects.put("ordersync.toml", DOCUMENT_TEXT);
    objects.put("erp-order.json.j2", "{}");
    let server = objects.serve();
    let live = start(&server).await.unwrap();
    objects.put("ordersync.toml", "colour = 1");
    live.refresh(&mut *live.state.lock().await).await;
    assert_eq!(live.current().await.pipelines.len(), 2, "the earlier one is used on");
    objects.put("ordersync.toml", SMALLER);
    live.refresh(&mut *live.state.lock().await).await;
    assert_eq!(live.current().await.pipelines.len(), 1);
}

#[tokio::test]
async fn what_was_just_changed_is_used_where_somebody_asks_for_the_latest() {
    let objects = Objects::default();
    objects.put("ordersync.toml", DOCUMENT_TEXT);
    objects.put("erp-order.json.j2", "{}");
    let server = objects.serve();
    let live = start(&server).await.unwrap();
    objects.put("ordersync.toml", SMALLER);
    live.state.lock().await.checked_at -= FRESH_FOR_PEOPLE;
    assert_eq!(live.current().await.pipelines.len(), 2, "it was looked at less than a minute ago");
    assert_eq!(live.latest().await.pipelines.len(), 1);
}

#[tokio::test]
async fn what_is_missing_is_named() {
    let objects = Objects::default();
    let server = objects.serve();
    let error = start(&server).await.unwrap_err();
    assert_eq!(error.to_string(), "s3://acme/eu/ordersync.toml cannot be read: it is not there");
    objects.put("ordersync.toml", DOCUMENT_TEXT);
    let error = start(&server).await.unwrap_err();
    assert!(error.to_string().contains("ordersync.toml:11: pipelines[0].format.template"), "{error}");
}
