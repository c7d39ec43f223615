//! What counts as signed, platform by platform.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use proptest::prelude::*;
use ring::hmac;
use ring::signature::{Ed25519KeyPair, KeyPair};

use super::*;
use crate::webhook::Rejection;

const BODY: &[u8] = br#"{"id":1}"#;

fn platform(name: &str) -> Arc<dyn Platform> {
    let document = format!("[[shops]]\ncode = 'own'\nplatform = '{name}'\n");
    platforms_of(&document).0.remove("own").expect("a platform")
}

fn tag(key: &[u8], message: &[u8]) -> String {
    STANDARD.encode(hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), message))
}

fn standard_headers(at: i64, signature: &str) -> Headers {
    let at = at.to_string();
    [("webhook-id", "msg_1"), ("webhook-timestamp", &at), ("webhook-signature", signature)].into_iter().collect()
}

/// `signature` of the body at the usual time, under `secrets`.
fn standard(signature: &str, secrets: &[&str]) -> Result<(), Rejection> {
    let now = signed_at();
    let headers = standard_headers(now.as_second(), signature);
    let secrets: Vec<Secret> = secrets.iter().map(|secret| Secret::new(*secret)).collect();
    platform("standard-webhooks").verify(webhook(&headers, BODY), &secrets, now)
}

fn message(at: Timestamp) -> Vec<u8> {
    [format!("msg_1.{}.", at.as_second()).as_bytes(), BODY].concat()
}

#[test]
fn a_missing_signature_is_named() {
    for (name, header) in [
        ("shopify", "x-shopify-hmac-sha256"),
        ("woocommerce", "x-wc-webhook-signature"),
        ("magento", "x-magento-signature"),
        ("shopware", "shopware-shop-signature"),
        ("bigcommerce", "webhook-id"),
        ("standard-webhooks", "webhook-id"),
    ] {
        let verified = platform(name).verify(webhook(&Headers::default(), BODY), &[Secret::new("key")], signed_at());
        assert_eq!(verified, Err(Rejection::Unsigned(header.to_owned())));
    }
}

#[test]
fn any_of_several_standard_signatures_and_secrets_suffices() {
    let key = b"a shared key of 24 bytes";
    let secret = format!("whsec_{}", STANDARD.encode(key));
    let good = format!("v1,{}", tag(key, &message(signed_at())));
    let bare = STANDARD.encode(key);
    for (signature, secrets) in [
        (good.clone(), vec![secret.as_str()]),
        (format!("v1,AAAA v2,xyz {good}"), vec!["whsec_b2xk", &secret]),
        (format!("  {good}  "), vec![&secret, "whsec_%%%"]),
        (good.clone(), vec![&bare]),
    ] {
        assert_eq!(standard(&signature, &secrets), Ok(()), "{signature}");
    }
    for (signature, secrets) in [
        (good.clone(), vec!["whsec_b2xk"]),
        (good.replace("v1,", "v1a,"), vec![secret.as_str()]),
        (good.replace("v1,", "v2,"), vec![&secret]),
        (good.replace("v1,", ""), vec![&secret]),
        (good, vec!["whsec_", "", "whsec_%%%"]),
    ] {
        assert_eq!(standard(&signature, &secrets), Err(Rejection::BadSignature), "{signature}");
    }
}

#[test]
fn a_standard_secret_that_is_no_base64_is_taken_as_it_is() {
    let signature = format!("v1,{}", tag(b"not base64!", &message(signed_at())));
    assert_eq!(standard(&signature, &["not base64!\n"]), Ok(()));
}

#[test]
fn a_public_key_verifies_its_own_signatures_and_is_no_shared_secret() {
    let pair = Ed25519KeyPair::from_seed_unchecked(&[7; 32]).expect("a key");
    let public = format!("whpk_{}", STANDARD.encode(pair.public_key()));
    let signature = format!("v1a,{}", STANDARD.encode(pair.sign(&message(signed_at()))));
    assert_eq!(standard(&signature, &[&public]), Ok(()));
    assert_eq!(standard(&signature, &["whpk_AAAA", "whsec_b2xk"]), Err(Rejection::BadSignature));
    for key in [public.as_bytes(), pair.public_key().as_ref()] {
        let forged = format!("v1,{}", tag(key, &message(signed_at())));
        assert_eq!(standard(&forged, &[&public]), Err(Rejection::BadSignature));
    }
}

#[test]
fn a_signed_time_must_be_near() {
    let key = b"key";
    for (seconds, expected) in [
        (0, Ok(())),
        (300, Ok(())),
        (-300, Ok(())),
        (301, Err(Rejection::Stale(300))),
        (-301, Err(Rejection::Stale(300))),
    ] {
        let at = signed_at() + jiff::SignedDuration::from_secs(seconds);
        let headers = standard_headers(at.as_second(), &format!("v1,{}", tag(key, &message(at))));
        let secrets = [Secret::new(format!("whsec_{}", STANDARD.encode(key)))];
        let verified = platform("standard-webhooks").verify(webhook(&headers, BODY), &secrets, signed_at());
        assert_eq!(verified, expected, "{seconds}");
    }
}

#[test]
fn shopware_signs_its_time_in_the_body() {
    let malformed = Err(Rejection::Malformed("timestamp: expected seconds since 1970".into()));
    for (timestamp, expected) in [
        (r#","timestamp":1785585600"#, Ok(())),
        (r#","timestamp":"1785585600""#, Ok(())),
        (r#","timestamp":1785585600123"#, Ok(())),
        (r#","timestamp":"2026-08-01T14:00:10+02:00""#, Ok(())),
        (r#","timestamp":null"#, Ok(())),
        ("", Ok(())),
        (r#","timestamp":1785585299"#, Err(Rejection::Stale(300))),
        (r#","timestamp":1785585901"#, Err(Rejection::Stale(300))),
        (r#","timestamp":true"#, malformed.clone()),
        (r#","timestamp":[]"#, malformed),
    ] {
        let body = format!(r#"{{"data":{{}}{timestamp}}}"#);
        let key = hmac::Key::new(hmac::HMAC_SHA256, b"key");
        let signature = hex::encode(hmac::sign(&key, body.as_bytes()));
        let headers: Headers = [("shopware-shop-signature", signature)].into_iter().collect();
        let verified =
            platform("shopware").verify(webhook(&headers, body.as_bytes()), &[Secret::new("key")], signed_at());
        assert_eq!(verified, expected, "{timestamp}");
    }
}

#[test]
fn a_generic_signature_is_written_as_configured() {
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA512, b"key"), BODY);
    let settings = "{ header = 'X-Sig', algorithm = 'sha512', encoding = 'base64', prefix = 'v0=' }";
    let document = format!("[[shops]]\ncode = 'own'\nplatform = 'generic'\nsignature = {settings}\n");
    let (platforms, problems) = platforms_of(&document);
    assert_eq!(problems, []);
    for (signature, expected) in [
        (format!("v0={}", STANDARD.encode(tag)), Ok(())),
        (STANDARD.encode(tag), Err(Rejection::BadSignature)),
        (format!("v0={}", hex::encode(tag)), Err(Rejection::BadSignature)),
        (String::new(), Err(Rejection::Unsigned("x-sig".into()))),
    ] {
        let headers: Headers = [("X-Sig", signature)].into_iter().collect();
        assert_eq!(platforms["own"].verify(webhook(&headers, BODY), &[Secret::new("key")], signed_at()), expected);
    }
}

proptest! {
    #[test]
    fn a_signature_of_any_live_secret_passes_and_of_no_other(
        secrets in prop::collection::btree_set("[a-zA-Z0-9!-/]{8,40}", 2..6), body in prop::collection::vec(any::<u8>(), 0..200),
    ) {
        let secrets: Vec<String> = secrets.into_iter().collect();
        let live: Vec<Secret> = secrets[1..].iter().map(|secret| Secret::new(secret.clone())).collect();
        for (index, secret) in secrets.iter().enumerate() {
            let headers: Headers = [("x-shopify-hmac-sha256", tag(secret.as_bytes(), &body))].into_iter().collect();
            let verified = platform("shopify").verify(webhook(&headers, &body), &live, signed_at());
            prop_assert_eq!(verified.is_ok(), index > 0);
        }
    }
}
