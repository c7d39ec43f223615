//! What a webhook and its export cost in computing alone, without a network: verify, read, each format, the ledger's
//! item, compression. Beside each size stands `serde_json` reading the same bytes into its `Value`.
//!
//! `cargo bench --package bench`; with a filter behind `--`, such as `formats/10k`.

#![allow(missing_docs, reason = "criterion's macros make public items")]
#![expect(clippy::expect_used, reason = "a benchmark that cannot be set up has nothing to measure")]

use std::hint::black_box;
use std::time::Duration;

use aws_smithy_http_client::test_util::infallible_client_fn;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use bench::sample::{self, Sample};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use ordersync::clock;
use ordersync::config::{self, Config, Files};
use ordersync::ledger::{Claim, Completion, ExportKey, Facts, FindBy, Keep, Kept, Ledger, Origin, Payload, Told};
use ordersync::order::Order;
use ordersync::pipeline::{Export, idempotency_key};
use ordersync::secrets::Secret;
use ordersync::webhook::{Event, Headers, Webhook};
use serde_json::Value;

const SIZES: [(&str, usize); 3] = [("2k", 2_000), ("10k", 10_000), ("100k", 100_000)];
const SECRET: &str = "a-secret-of-benchmarks";

const DOCUMENT: &str = r#"
[[shops]]
code = "shopify"
platform = "shopify"
secrets = ["webhook"]

[[shops]]
code = "standard-webhooks"
platform = "standard-webhooks"
secrets = ["webhook"]

[[pipelines]]
code = "json"
format = { type = "json" }
transport = { type = "s3", key = "json/{{ order.number }}" }

[[pipelines]]
code = "csv"
format = { type = "csv" }
transport = { type = "s3", key = "csv/{{ order.number }}" }

[[pipelines]]
code = "template"
format = { type = "template", template = "erp-order.json.j2", media_type = "application/json" }
transport = { type = "s3", key = "template/{{ order.number }}" }

[[pipelines]]
code = "xml"
format = { type = "xml" }
transport = { type = "s3", key = "xml/{{ order.number }}" }

[[pipelines]]
code = "raw"
format = { type = "raw" }
transport = { type = "s3", key = "raw/{{ order.number }}" }
"#;

fn configuration() -> Config {
    let template = include_str!("../../config/erp-order.json.j2");
    let files = Files::from_iter([("erp-order.json.j2".to_owned(), template.to_owned())]);
    config::parse("ordersync.toml", DOCUMENT, &files, 10).expect("a configuration without problems")
}

fn read(config: &Config, sample: &Sample) -> Order {
    let shop = &config.shops[sample.platform];
    shop.platform.read(&shop.code, &sample.body).expect("an order that can be read")
}

/// The signature over the raw body, against one secret.
fn verify(criterion: &mut Criterion) {
    let config = configuration();
    let secrets = [Secret::new(SECRET)];
    let mut group = criterion.benchmark_group("verify");
    for (size, bytes) in SIZES {
        let body = sample::order("shopify", bytes).body;
        let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, SECRET.as_bytes());
        let signature = BASE64.encode(ring::hmac::sign(&key, &body));
        let headers = Headers::from_iter([("x-shopify-hmac-sha256", signature)]);
        group.throughput(Throughput::Bytes(body.len() as u64)).bench_function(size, |bencher| {
            let webhook = Webhook { headers: &headers, topic: None, body: &body };
            let platform = &config.shops["shopify"].platform;
            bencher.iter(|| platform.verify(black_box(webhook), &secrets, clock::now()).expect("a good signature"));
        });
    }
}

/// From the raw body to the order.
fn parse(criterion: &mut Criterion) {
    let config = configuration();
    for platform in ["shopify", "standard-webhooks"] {
        let mut group = criterion.benchmark_group(format!("read/{platform}"));
        for (size, bytes) in SIZES {
            let sample = sample::order(platform, bytes);
            group.throughput(Throughput::Bytes(sample.body.len() as u64));
            group.bench_with_input(BenchmarkId::new("order", size), &sample, |bencher, sample| {
                bencher.iter(|| read(&config, black_box(sample)));
            });
            group.bench_with_input(BenchmarkId::new("serde_json", size), &sample, |bencher, sample| {
                bencher.iter(|| serde_json::from_slice::<Value>(black_box(&sample.body)).expect("JSON"));
            });
        }
    }
}

/// From the order to the document, and from the raw body to the document.
fn formats(criterion: &mut Criterion) {
    let config = configuration();
    for (size, bytes) in SIZES {
        let mut group = criterion.benchmark_group(format!("formats/{size}"));
        let sample = sample::order("standard-webhooks", bytes);
        let headers = Headers::default();
        let order = read(&config, &sample);
        let key = idempotency_key(&order.shop, &order.id, "bench");
        for pipeline in &config.pipelines {
            let render = |order: &Order| {
                let (pipeline_code, raw) = (pipeline.code.as_str(), sample.body.as_slice());
                let export = Export { pipeline: pipeline_code, order, raw, headers: &headers, idempotency_key: &key };
                pipeline.format.render(black_box(export)).expect("a document")
            };
            group.bench_function(BenchmarkId::new("render", &pipeline.code), |bencher| {
                bencher.iter(|| render(black_box(&order)));
            });
            group.bench_function(BenchmarkId::new("read and render", &pipeline.code), |bencher| {
                bencher.iter(|| render(&read(&config, black_box(&sample))));
            });
        }
        group.bench_function("serde_json", |bencher| {
            bencher.iter(|| serde_json::from_slice::<Value>(black_box(&sample.body)).expect("JSON"));
        });
    }
}

/// A table that takes every write at once: what remains is to make the items and the requests.
fn ledger() -> Ledger {
    let taken = infallible_client_fn(|_| http::Response::new("{}"));
    let config = aws_sdk_dynamodb::Config::builder()
        .behavior_version(aws_sdk_dynamodb::config::BehaviorVersion::latest())
        .region(aws_sdk_dynamodb::config::Region::new("us-east-1"))
        .credentials_provider(aws_sdk_dynamodb::config::Credentials::new("id", "secret", None, None, "bench"))
        .http_client(taken)
        .build();
    Ledger::new(aws_sdk_dynamodb::Client::from_conf(config), "ledger".into(), Duration::from_hours(24))
}

/// The two writes of an export that succeeds first time, up to the connection.
fn writes(criterion: &mut Criterion) {
    let config = configuration();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
    let ledger = ledger();
    let sample = sample::order("shopify", 10_000);
    let order = read(&config, &sample);
    let now = clock::now();
    let payload = Payload::Inline(zstd::bulk::compress(&sample.body, 3).expect("compressed").into());
    let kept = Kept { payload, envelope: [("shop".to_owned(), order.shop.clone())].into() };
    let told = Told::by(&[Event::Placed], now);
    let facts = Facts::of(&order, false, told, Origin::of(&kept.envelope), FindBy::default());
    let key = ExportKey::new(&order.shop, &order.id, "erp");
    let completion = Completion { destination: "s3://bucket/key".into(), ..Completion::default() };
    criterion.bench_function("ledger/claim and complete", |bencher| {
        bencher.to_async(&runtime).iter(async || {
            let until = now + jiff::SignedDuration::from_secs(30);
            let claim = ledger.claim(&key, &facts, "owner", now, until).await.expect("a claim");
            let Claim::Granted(lease) = claim else { unreachable!("nobody else claims it") };
            ledger.complete(&lease, &completion, Keep::Put(&kept), now).await.expect("a completion");
        });
    });
}

/// What keeps a payload small.
fn compression(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("compress");
    for (size, bytes) in SIZES {
        let body = sample::order("shopify", bytes).body;
        group.throughput(Throughput::Bytes(body.len() as u64)).bench_function(size, |bencher| {
            bencher.iter(|| zstd::bulk::compress(black_box(&body), 3).expect("compressed"));
        });
    }
}

criterion_group! {
    name = orders;
    config = Criterion::default().warm_up_time(Duration::from_millis(500)).measurement_time(Duration::from_secs(2));
    targets = verify, parse, formats, writes, compression
}
criterion_main!(orders);
