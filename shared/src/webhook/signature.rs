//! Signatures: decoding the header and verifying, in constant time, against every live secret.

use base64::Engine;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use ring::hmac;

use super::{Headers, Rejection};
use crate::secrets::Secret;

/// Base64 as everyone writes it, with or without the padding.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// How a signature is written in its header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Encoding {
    /// Hexadecimal, in either case.
    Hex,
    /// Base64, with or without the padding.
    Base64,
}

impl Encoding {
    /// The bytes of the signature; nothing when the text is not written so.
    pub(super) fn decode(self, text: &str) -> Option<Vec<u8>> {
        match self {
            Self::Hex => hex::decode(text).ok(),
            Self::Base64 => base64(text),
        }
    }
}

#[cfg(feature = "sign")]
impl Encoding {
    /// The signature as text.
    pub(super) fn encode(self, tag: &[u8]) -> String {
        match self {
            Self::Hex => hex::encode(tag),
            Self::Base64 => BASE64.encode(tag),
        }
    }
}

/// The bytes of a base64 text.
pub(super) fn base64(text: &str) -> Option<Vec<u8>> {
    BASE64.decode(text).ok()
}

/// The header with the signature.
pub(super) fn header<'h>(headers: &'h Headers, name: &str) -> Result<&'h str, Rejection> {
    let value = headers.get(name).map(str::trim).filter(|value| !value.is_empty());
    value.ok_or_else(|| Rejection::Unsigned(name.to_owned()))
}

/// Verifies an HMAC over `message` whose text is `text`.
pub(super) fn verify(
    algorithm: hmac::Algorithm,
    encoding: Encoding,
    text: &str,
    message: &[u8],
    secrets: &[Secret],
) -> Result<(), Rejection> {
    let tag = encoding.decode(text).ok_or(Rejection::BadSignature)?;
    let keys = secrets.iter().map(key_bytes).filter(|key| !key.is_empty());
    any(keys.map(|key| hmac::verify(&hmac::Key::new(algorithm, key), message, &tag).is_ok()))
}

/// Signs `message` as [`verify`] wants it.
#[cfg(feature = "sign")]
pub(super) fn sign(
    algorithm: hmac::Algorithm,
    encoding: Encoding,
    secret: &Secret,
    message: &[u8],
) -> Result<String, super::Unsignable> {
    let key = key_bytes(secret);
    if key.is_empty() {
        return Err(super::Unsignable::Secret);
    }
    let tag = hmac::sign(&hmac::Key::new(algorithm, key), message);
    Ok(encoding.encode(tag.as_ref()))
}

/// Whether one of the checks succeeded. All of them are made, whichever it was.
pub(super) fn any(checks: impl Iterator<Item = bool>) -> Result<(), Rejection> {
    if checks.fold(false, |any, fits| any | fits) { Ok(()) } else { Err(Rejection::BadSignature) }
}

/// The secret without the line break that is often pasted with it. An empty one is no secret: anyone could sign with
/// it, so callers leave it out.
pub(super) fn key_bytes(secret: &Secret) -> &[u8] {
    secret.expose().as_bytes().trim_ascii()
}

#[cfg(test)]
mod tests {
    use super::*;

    const MESSAGE: &[u8] = b"{\"id\":1}";

    fn sign(secret: &str) -> Vec<u8> {
        hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes()), MESSAGE).as_ref().to_vec()
    }

    fn check(encoding: Encoding, text: &str, secrets: &[&str]) -> Result<(), Rejection> {
        let secrets: Vec<Secret> = secrets.iter().map(|secret| Secret::new(*secret)).collect();
        verify(hmac::HMAC_SHA256, encoding, text, MESSAGE, &secrets)
    }

    #[test]
    fn every_live_secret_counts_and_stray_whitespace_does_not() {
        let text = hex::encode(sign("new"));
        for secrets in [&["new"][..], &["old", "new"], &["new", "old"], &["new\n"], &[" new\r\n"]] {
            assert_eq!(check(Encoding::Hex, &text, secrets), Ok(()), "{secrets:?}");
        }
        for secrets in [&[][..], &["old"], &["old", "older"], &["NEW"]] {
            assert_eq!(check(Encoding::Hex, &text, secrets), Err(Rejection::BadSignature), "{secrets:?}");
        }
    }

    #[test]
    fn an_empty_secret_accepts_nothing() {
        assert_eq!(check(Encoding::Hex, &hex::encode(sign("")), &["", "\n"]), Err(Rejection::BadSignature));
    }

    #[test]
    fn signatures_are_read_in_either_case_and_with_or_without_padding() {
        let text = hex::encode(sign("key"));
        assert_eq!(check(Encoding::Hex, &text.to_uppercase(), &["key"]), Ok(()));
        let padded = BASE64.encode(sign("key"));
        for text in [padded.as_str(), padded.trim_end_matches('=')] {
            assert_eq!(check(Encoding::Base64, text, &["key"]), Ok(()), "{text}");
        }
    }

    #[test]
    fn what_is_no_signature_is_a_bad_one() {
        for (encoding, text) in [
            (Encoding::Hex, "zz"),
            (Encoding::Hex, "abc"),
            (Encoding::Hex, "00"),
            (Encoding::Base64, "%%%"),
            (Encoding::Base64, "AAAA"),
            (Encoding::Base64, "é"),
        ] {
            assert_eq!(check(encoding, text, &["key"]), Err(Rejection::BadSignature), "{text}");
        }
    }
}
