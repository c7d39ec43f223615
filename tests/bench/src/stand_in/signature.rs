//! AWS Signature Version 4, computed again from a request as it came.
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html>

use http::HeaderMap;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use ring::{digest, hmac};

use super::server::Request;

/// What every target is given.
pub const ACCESS_KEY: &str = "AKIDBENCHEXAMPLE";
/// The secret that belongs to it.
pub const SECRET_KEY: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
/// The token of a function's role.
pub const SESSION_TOKEN: &str = "IQoJb3JpZ2luX2VjEXAMPLEtoken/of+a/role==";
/// The region that every target works in.
pub const REGION: &str = "us-east-1";

const ALGORITHM: &str = "AWS4-HMAC-SHA256";
const HASH: &str = "x-amz-content-sha256";
/// All but the unreserved characters of RFC 3986.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// What is wrong with a request's signature.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum BadSignature {
    /// A part is missing.
    #[error("expected {0}")]
    Expected(&'static str),
    /// It is another's, or of something else.
    #[error("the signature does not fit the request:\n{0}")]
    Differs(String),
}

/// The parts of an `Authorization` header.
struct Authorization<'a> {
    date: &'a str,
    region: &'a str,
    service: &'a str,
    signed: &'a str,
    signature: &'a str,
}

/// What a request is signed with.
struct Credentials<'a> {
    access_key: &'a str,
    secret_key: &'a str,
    session_token: Option<&'a str>,
}

/// Checks a request that a target signed for a service.
pub(super) fn check(request: &Request, service: &str) -> Result<(), BadSignature> {
    let credentials =
        Credentials { access_key: ACCESS_KEY, secret_key: SECRET_KEY, session_token: Some(SESSION_TOKEN) };
    check_with(request, service, &credentials)
}

fn check_with(request: &Request, service: &str, credentials: &Credentials<'_>) -> Result<(), BadSignature> {
    let headers = request.headers();
    let authorization = authorization(text(headers, "authorization"), credentials.access_key)?;
    let time = text(headers, "x-amz-date").ok_or(BadSignature::Expected("x-amz-date"))?;
    if authorization.service != service || authorization.region != REGION || !time.starts_with(authorization.date) {
        return Err(BadSignature::Expected("the scope of this service, region and day"));
    }
    if text(headers, "x-amz-security-token") != credentials.session_token {
        return Err(BadSignature::Expected("x-amz-security-token with the role's token"));
    }
    for needed in ["host", "x-amz-date"] {
        if !authorization.signed.split(';').any(|name| name == needed) {
            return Err(BadSignature::Expected("host and x-amz-date among the signed headers"));
        }
    }
    let canonical = canonical(request, &authorization, service == "s3")?;
    let scope = format!("{}/{REGION}/{service}/aws4_request", authorization.date);
    let to_sign = format!("{ALGORITHM}\n{time}\n{scope}\n{}", sha256(canonical.as_bytes()));
    let key = [authorization.date, REGION, service, "aws4_request"]
        .iter()
        .fold(format!("AWS4{}", credentials.secret_key).into_bytes(), |key, part| mac(&key, part.as_bytes()));
    let fits = hex::encode(mac(&key, to_sign.as_bytes())) == authorization.signature;
    if fits { Ok(()) } else { Err(BadSignature::Differs(canonical)) }
}

fn authorization<'a>(header: Option<&'a str>, access_key: &str) -> Result<Authorization<'a>, BadSignature> {
    let parts = header.and_then(|header| header.strip_prefix(ALGORITHM));
    let parts = parts.ok_or(BadSignature::Expected("Authorization: AWS4-HMAC-SHA256"))?;
    let part = |name: &str| parts.split(',').find_map(|part| part.trim().strip_prefix(name)?.strip_prefix('='));
    let credential = part("Credential").ok_or(BadSignature::Expected("a Credential"))?;
    let mut scope = credential.split('/');
    if scope.next() != Some(access_key) {
        return Err(BadSignature::Expected("the access key that the target was given"));
    }
    let mut next = || scope.next().ok_or(BadSignature::Expected("a whole scope"));
    Ok(Authorization {
        date: next()?,
        region: next()?,
        service: next()?,
        signed: part("SignedHeaders").ok_or(BadSignature::Expected("SignedHeaders"))?,
        signature: part("Signature").ok_or(BadSignature::Expected("a Signature"))?,
    })
}

fn canonical(request: &Request, authorization: &Authorization<'_>, is_s3: bool) -> Result<String, BadSignature> {
    let path = request.uri().path();
    // S3 alone takes the path as it was sent; the others encode it once more.
    let path = if is_s3 { path.to_owned() } else { path.split('/').map(encoded).collect::<Vec<_>>().join("/") };
    let line = |name: &str| {
        let values = request.headers().get_all(name).iter().map(|value| trimmed(value.to_str().unwrap_or_default()));
        format!("{name}:{}\n", values.collect::<Vec<_>>().join(","))
    };
    let lines: String = authorization.signed.split(';').map(line).collect();
    let hash = payload_hash(request)?;
    let query = query(request.uri().query().unwrap_or_default());
    Ok(format!("{}\n{path}\n{query}\n{lines}\n{}\n{hash}", request.method(), authorization.signed))
}

/// The digest that was signed, which must be the body's unless the header says that it was left out.
fn payload_hash(request: &Request) -> Result<String, BadSignature> {
    let actual = || sha256(request.body());
    match text(request.headers(), HASH) {
        None => Ok(actual()),
        Some(hash) if hash == "UNSIGNED-PAYLOAD" || hash.starts_with("STREAMING-") => Ok(hash.to_owned()),
        Some(hash) if hash == actual() => Ok(hash.to_owned()),
        Some(_) => Err(BadSignature::Expected("the body's digest in x-amz-content-sha256")),
    }
}

fn query(query: &str) -> String {
    let pair = |pair: &str| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        (decoded_and_encoded(name), decoded_and_encoded(value))
    };
    let mut pairs: Vec<_> = query.split('&').filter(|pair| !pair.is_empty()).map(pair).collect();
    pairs.sort();
    pairs.into_iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&")
}

fn decoded_and_encoded(text: &str) -> String {
    encoded(&percent_decode_str(text).decode_utf8_lossy())
}

fn encoded(text: &str) -> String {
    utf8_percent_encode(text, ENCODED).to_string()
}

fn trimmed(value: &str) -> String {
    value.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

fn mac(key: &[u8], data: &[u8]) -> Vec<u8> {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), data).as_ref().to_vec()
}

fn sha256(bytes: &[u8]) -> String {
    hex::encode(digest::digest(&digest::SHA256, bytes).as_ref())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the documentation, for IAM.
    fn example() -> Request {
        http::Request::get("https://iam.amazonaws.com/?Action=ListUsers&Version=2010-05-08")
            .header("content-type", "application/x-www-form-urlencoded; charset=utf-8")
            .header("host", "iam.amazonaws.com")
            .header("x-amz-date", "20150830T123600Z")
            .header(
                "authorization",
                "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/iam/aws4_request, \
                 SignedHeaders=content-type;host;x-amz-date, \
                 Signature=5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7",
            )
            .body(bytes::Bytes::new())
            .unwrap()
    }

    fn checked(request: &Request) -> Result<(), BadSignature> {
        let secret_key = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
        check_with(request, "iam", &Credentials { access_key: "AKIDEXAMPLE", secret_key, session_token: None })
    }

    #[test]
    fn the_example_of_the_documentation_fits() {
        assert_eq!(checked(&example()), Ok(()));
    }

    #[test]
    fn another_body_path_or_header_does_not_fit() {
        let mut other = example();
        *other.body_mut() = bytes::Bytes::from_static(b"x");
        assert!(matches!(checked(&other), Err(BadSignature::Differs(_))));
        let mut other = example();
        *other.uri_mut() = "https://iam.amazonaws.com/x?Action=ListUsers&Version=2010-05-08".parse().unwrap();
        assert!(matches!(checked(&other), Err(BadSignature::Differs(_))));
        let mut other = example();
        other.headers_mut().insert("host", http::HeaderValue::from_static("example.com"));
        assert!(matches!(checked(&other), Err(BadSignature::Differs(_))));
        assert!(matches!(check(&example(), "iam"), Err(BadSignature::Expected(_))));
    }
}
