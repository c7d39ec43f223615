//! The raw order, kept with the export so that reset, replay and audit need neither queue nor shop.

use std::cell::RefCell;

use aws_sdk_dynamodb::primitives::Blob;
use ring::digest;
use zstd::bulk::Compressor;

use super::{Ledger, LedgerError};
use crate::aws;
use crate::pipeline::encoded_id;

/// A compressed body up to this size is kept in the row; a larger one in S3, because every change of a row is paid
/// for by the size of all of it.
const MAX_INLINE_BYTES: usize = 32 * 1024;
/// What a compressed payload may unpack to; SQS and intake let no larger one in.
const MAX_UNPACKED_BYTES: usize = 8 * 1024 * 1024;
/// Level 3 is zstd's own default: four to five times smaller for JSON orders at some 100 MB/s.
const LEVEL: i32 = 3;

/// A raw order, compressed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Payload {
    /// In the row.
    Inline(Blob),
    /// In the bucket, under this key.
    Stored(String),
}

/// Where payloads are kept that are too large for a row.
#[derive(Debug, Clone)]
pub struct PayloadStore {
    /// S3.
    pub s3: aws_sdk_s3::Client,
    /// The stack's bucket.
    pub bucket: String,
}

impl PayloadStore {
    /// Compresses a body, and puts it in S3 where it is too large for a row. The key depends on shop, order and
    /// contents only, so that doing it again changes nothing.
    pub async fn keep(&self, shop: &str, order_id: &str, body: &[u8]) -> Result<Payload, LedgerError> {
        let packed = pack(body)?;
        if packed.len() <= MAX_INLINE_BYTES {
            return Ok(Payload::Inline(Blob::new(packed)));
        }
        self.store(shop, order_id, body, packed).await
    }

    /// The same, but puts nothing in S3, and returns nothing, for an order that was erased: no row would lead to the
    /// object. Only large orders are worth the question; what is in the row is refused with it.
    pub async fn keep_unless_erased(
        &self,
        ledger: &Ledger,
        shop: &str,
        order_id: &str,
        body: &[u8],
    ) -> Result<Option<Payload>, LedgerError> {
        let packed = pack(body)?;
        if packed.len() <= MAX_INLINE_BYTES {
            return Ok(Some(Payload::Inline(Blob::new(packed))));
        }
        if ledger.is_erased(shop, order_id).await? {
            return Ok(None);
        }
        self.store(shop, order_id, body, packed).await.map(Some)
    }

    async fn store(&self, shop: &str, order_id: &str, body: &[u8], packed: Vec<u8>) -> Result<Payload, LedgerError> {
        let key = stored_key(shop, order_id, body);
        let put = self.s3.put_object().bucket(&self.bucket).key(&key).content_type("application/zstd");
        let put = put.body(packed.into()).send().await;
        put.map_err(|failure| LedgerError::Unavailable(aws::reason(&failure)))?;
        Ok(Payload::Stored(key))
    }

    /// The body that was kept.
    pub async fn fetch(&self, payload: &Payload) -> Result<Vec<u8>, LedgerError> {
        match payload {
            Payload::Inline(packed) => unpack(packed.as_ref()),
            Payload::Stored(key) => unpack(&self.read(key).await?),
        }
    }

    /// The object under `key`, as it is.
    pub async fn read(&self, key: &str) -> Result<Vec<u8>, LedgerError> {
        let answer = self.s3.get_object().bucket(&self.bucket).key(key).send().await;
        let body = answer.map_err(|failure| LedgerError::Unavailable(aws::reason(&failure)))?.body;
        let bytes = body.collect().await.map_err(|error| LedgerError::Unavailable(error.to_string()))?;
        Ok(bytes.into_bytes().to_vec())
    }
}

thread_local! {
    /// What zstd works in is a megabyte of tables, which a context that was used before need not clear.
    static COMPRESSOR: RefCell<Option<Compressor<'static>>> = const { RefCell::new(None) };
}

fn pack(body: &[u8]) -> Result<Vec<u8>, LedgerError> {
    let packed = COMPRESSOR.with_borrow_mut(|made| match made {
        Some(compressor) => compressor.compress(body),
        None => made.insert(Compressor::new(LEVEL)?).compress(body),
    });
    packed.map_err(|error| LedgerError::Unavailable(error.to_string()))
}

fn unpack(packed: &[u8]) -> Result<Vec<u8>, LedgerError> {
    zstd::bulk::decompress(packed, MAX_UNPACKED_BYTES)
        .map_err(|_| LedgerError::BadRow { key: "payload".into(), expected: "zstd data of at most 8 MiB".into() })
}

/// What the keys of all payloads of orders begin with.
pub const STORED_PAYLOADS: &str = "payloads/orders/";

/// What the keys of all payloads of an order begin with, and of no other order.
pub fn stored_payloads(shop: &str, order_id: &str) -> String {
    format!("{STORED_PAYLOADS}{shop}/{}/", encoded_id(order_id))
}

fn stored_key(shop: &str, order_id: &str, body: &[u8]) -> String {
    let hash = hex::encode(&digest::digest(&digest::SHA256, body).as_ref()[..8]);
    format!("{}{hash}.zst", stored_payloads(shop, order_id))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_bomb_is_not_unpacked() -> std::io::Result<()> {
        for (size, is_unpacked) in [(MAX_UNPACKED_BYTES, true), (MAX_UNPACKED_BYTES + 1, false), (200_000_000, false)] {
            let bomb = zstd::bulk::compress(&vec![0; size], LEVEL)?;
            assert!(bomb.len() < 32 * 1024);
            assert_eq!(unpack(&bomb).is_ok_and(|body| body.len() == size), is_unpacked, "{size}");
        }
        Ok(())
    }

    #[test]
    fn a_hostile_order_id_cannot_leave_its_prefix() {
        let key = stored_key("acme", "../../config/x", b"{}");
        assert!(key.starts_with("payloads/orders/acme/%2E%2E%2F%2E%2E%2Fconfig%2Fx/"), "{key}");
    }

    proptest! {
        #[test]
        fn a_payload_comes_back_as_it_was(body in proptest::collection::vec(any::<u8>(), 0..4096)) {
            let packed = pack(&body).map_err(|e| TestCaseError::fail(e.to_string()))?;
            // What was compressed before leaves no trace.
            prop_assert_eq!(Ok(packed.clone()), pack(&body));
            prop_assert_eq!(unpack(&packed), Ok(body));
        }
    }
}
