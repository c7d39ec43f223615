//! What the ledger keeps of an order, compressed: whatever is in the row, it unpacks to no more than it may.

use std::sync::LazyLock;

use aws_sdk_s3::primitives::Blob;
use futures_util::FutureExt as _;
use ordersync::ledger::{Payload, PayloadStore};

use crate::samples::body;

/// What a payload may unpack to.
const MOST_BYTES: usize = 8 * 1024 * 1024;

/// Nothing is asked of S3 for what is in the row.
static STORE: LazyLock<PayloadStore> = LazyLock::new(|| {
    let config = aws_sdk_s3::Config::builder().behavior_version(aws_sdk_s3::config::BehaviorVersion::latest());
    PayloadStore { s3: aws_sdk_s3::Client::from_conf(config.build()), bucket: "bucket".into() }
});

/// One payload of a row.
pub fn run(input: &[u8]) {
    let payload = Payload::Inline(Blob::new(input));
    if let Ok(body) = STORE.fetch(&payload).now_or_never().expect("no call") {
        assert!(body.len() <= MOST_BYTES);
    }
}

/// An order as it is kept, one that was cut off, and two bombs.
pub fn seeds() -> Vec<Vec<u8>> {
    let packed = |bytes: &[u8]| zstd::bulk::compress(bytes, 3).expect("memory");
    let order = packed(&body("generic"));
    let bomb = vec![0; MOST_BYTES + 1];
    vec![order[..order.len() / 2].to_vec(), order, packed(&bomb), packed(&bomb[1..]), Vec::new()]
}
