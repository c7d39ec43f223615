//! S3: objects by path, `/{bucket}/{key}`.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use bytes::{Bytes, BytesMut};
use http::{HeaderValue, Method, StatusCode};
use md5::{Digest, Md5};
use percent_encoding::percent_decode_str;

use super::aws::{Answered, Refusal};
use super::server::{Request, typed};

/// The objects of a run, by bucket and key.
#[derive(Debug, Default)]
pub struct S3(Mutex<BTreeMap<String, Bytes>>);

impl S3 {
    /// The objects since the last time that this was asked, by `bucket/key`.
    pub fn take(&self) -> BTreeMap<String, Bytes> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(super) fn operation(request: &Request) -> &'static str {
        match *request.method() {
            Method::PUT => "PutObject",
            Method::HEAD => "HeadObject",
            Method::DELETE => "DeleteObject",
            _ => "GetObject",
        }
    }

    pub(super) fn answer(&self, request: &Request) -> Answered {
        let path = request.uri().path().trim_start_matches('/');
        let place = percent_decode_str(path).decode_utf8_lossy().into_owned();
        let mut objects = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let missing = || Refusal {
            code: "NoSuchKey",
            message: "The specified key does not exist.".into(),
            item: None,
            is_expected: true,
        };
        let (body, tagged) = match *request.method() {
            Method::PUT => {
                let body = contents(request)?;
                objects.insert(place, body.clone());
                (Bytes::new(), body)
            }
            Method::HEAD | Method::GET => {
                let body = objects.get(&place).ok_or_else(missing)?.clone();
                (if request.method() == Method::GET { body.clone() } else { Bytes::new() }, body)
            }
            _ => return Err(Refusal::invalid(format!("S3 has no {} here", request.method()))),
        };
        let mut answer = typed(StatusCode::OK, "application/xml", body);
        let etag = HeaderValue::from_str(&format!("\"{}\"", hex::encode(Md5::digest(&tagged))));
        if let Ok(etag) = etag {
            answer.headers_mut().insert("etag", etag);
        }
        answer.headers_mut().insert("x-amz-request-id", HeaderValue::from_static("4442587FB7D0A2F9"));
        Ok(answer)
    }
}

/// The object's bytes: the body, or what its chunks carry.
fn contents(request: &Request) -> Result<Bytes, Refusal> {
    let header = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if header("content-encoding").contains("aws-chunked") || header("x-amz-content-sha256").starts_with("STREAMING-") {
        return unchunked(request.body()).ok_or_else(|| Refusal::invalid("the body is not aws-chunked"));
    }
    Ok(request.body().clone())
}

/// `size[;extensions]\r\n` and as many bytes, until a size of nought; checksums may follow.
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming-trailers.html>
fn unchunked(mut body: &[u8]) -> Option<Bytes> {
    let mut contents = BytesMut::new();
    loop {
        let end = body.windows(2).position(|pair| pair == b"\r\n")?;
        let line = std::str::from_utf8(body.get(..end)?).ok()?;
        let size = usize::from_str_radix(line.split(';').next()?, 16).ok()?;
        if size == 0 {
            return Some(contents.freeze());
        }
        let start = end + 2;
        contents.extend_from_slice(body.get(start..start + size)?);
        body = body.get(start + size + 2..)?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_are_put_together() {
        let body = b"5\r\nhello\r\n7;chunk-signature=0\r\n, world\r\n0\r\nx-amz-checksum-crc32:AAAAAA==\r\n\r\n";
        assert_eq!(unchunked(body).unwrap(), "hello, world");
        assert_eq!(unchunked(b"5\r\nhel"), None);
        assert_eq!(unchunked(b"no chunks"), None);
    }
}
