//! Standard Webhooks: how a receiver knows that a delivery is ours, and when it was sent.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::{HeaderMap, HeaderName, HeaderValue};
use jiff::Timestamp;
use ring::hmac;
use zeroize::Zeroizing;

use crate::pipeline::Failure;
use crate::secrets::Secret;

pub(super) const ID: HeaderName = HeaderName::from_static("webhook-id");
pub(super) const TIMESTAMP: HeaderName = HeaderName::from_static("webhook-timestamp");
pub(super) const SIGNATURE: HeaderName = HeaderName::from_static("webhook-signature");

/// Sets the three headers. `body` is what goes over the wire; `secrets` are the live ones with their names, each
/// giving one signature, so that a receiver may hold either during a rotation.
pub(super) fn set(
    headers: &mut HeaderMap,
    secrets: &[(&str, Secret)],
    id: &str,
    now: Timestamp,
    body: &[u8],
) -> Result<(), Failure> {
    if secrets.is_empty() {
        return Ok(());
    }
    let time = now.as_second();
    let signatures: Vec<String> =
        secrets.iter().map(|(name, secret)| sign(name, secret, id, time, body)).collect::<Result<_, _>>()?;
    for (name, text) in [(ID, id), (TIMESTAMP, &time.to_string()), (SIGNATURE, &signatures.join(" "))] {
        let value = HeaderValue::from_str(text);
        let value = value.map_err(|_| Failure::permanent(format!("the value of {name} does not fit in a header")))?;
        headers.insert(name, value);
    }
    Ok(())
}

fn sign(name: &str, secret: &Secret, id: &str, time: i64, body: &[u8]) -> Result<String, Failure> {
    let text = secret.expose().trim();
    let key = STANDARD.decode(text.strip_prefix("whsec_").unwrap_or(text)).ok().filter(|key| !key.is_empty());
    let key = key.map(Zeroizing::new);
    let expected = || Failure::retryable(format!("secret {name:?}: expected \"whsec_\" and a key in base64"));
    let key = hmac::Key::new(hmac::HMAC_SHA256, &key.ok_or_else(expected)?);
    let mut context = hmac::Context::with_key(&key);
    context.update(format!("{id}.{time}.").as_bytes());
    context.update(body);
    Ok(format!("v1,{}", STANDARD.encode(context.sign())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signed(secrets: &[&str]) -> Result<HeaderMap, Failure> {
        let secrets: Vec<_> = secrets.iter().map(|value| ("erp-signing", Secret::new(*value))).collect();
        let mut headers = HeaderMap::new();
        let now = Timestamp::from_second(1_614_265_330).unwrap();
        set(&mut headers, &secrets, "msg_p5jXN8AQM9LWM0D4loKWxJek", now, br#"{"test": 2432232314}"#)?;
        Ok(headers)
    }

    /// The example of the specification's reference libraries.
    #[test]
    fn the_published_example_gives_the_published_signature() {
        for secret in ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n"] {
            let headers = signed(&[secret]).unwrap();
            assert_eq!(headers[SIGNATURE], "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
            assert_eq!(headers[TIMESTAMP], "1614265330");
            assert_eq!(headers[ID], "msg_p5jXN8AQM9LWM0D4loKWxJek");
        }
    }

    #[test]
    fn every_live_secret_signs() {
        let headers = signed(&["whsec_bmV3", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"]).unwrap();
        let signatures = headers[SIGNATURE].to_str().unwrap();
        assert_eq!(signatures.split(' ').count(), 2);
        assert!(signatures.ends_with(" v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="));
    }

    #[test]
    fn a_secret_that_is_no_key_is_named_and_not_shown() {
        for secret in ["", "whsec_", "whsec_hunter2!", "hunter2 hunter2"] {
            let failure = signed(&[secret]).unwrap_err();
            assert_eq!(failure, Failure::retryable("secret \"erp-signing\": expected \"whsec_\" and a key in base64"));
        }
    }
}
