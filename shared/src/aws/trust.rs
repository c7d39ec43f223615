//! Which roots AWS endpoints are trusted by.

use std::path::Path;

use super::EnvironmentError;
use crate::tls;

/// Root certificates that AWS endpoints chain to (Amazon Trust Services): a handful instead of a scan of the
/// system's store, which would cost most of a cold start.
const AMAZON_ROOTS: &[u8] = include_bytes!("roots.pem");

/// The roots in the file at `bundle`, as PEM, instead of Amazon's; Amazon's where none is named.
pub(super) fn roots(bundle: Option<&Path>) -> Result<Vec<u8>, EnvironmentError> {
    let Some(bundle) = bundle else { return Ok(AMAZON_ROOTS.to_vec()) };
    let unusable = |expected| EnvironmentError { name: "AWS_CA_BUNDLE", expected };
    let pem = std::fs::read(bundle).map_err(|_| unusable("the path of a file that can be read"))?;
    // The SDK does not ask whether they are good, but panics.
    tls::roots(&pem).map(|_| pem).ok_or_else(|| unusable("a file of root certificates in PEM"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amazons_roots_are_certificates() {
        assert!(tls::roots(&roots(None).unwrap()).is_some());
    }

    #[test]
    fn a_bundle_takes_their_place() {
        let bundle = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/aws/roots.pem");
        assert_eq!(roots(Some(&bundle)).unwrap(), AMAZON_ROOTS);
    }

    #[test]
    fn a_bundle_that_cannot_be_used_is_named() {
        let here = Path::new(env!("CARGO_MANIFEST_DIR"));
        let missing = roots(Some(&here.join("no-such.pem"))).unwrap_err();
        let no_pem = roots(Some(&here.join("Cargo.toml"))).unwrap_err();
        assert_eq!(missing.to_string(), "environment variable AWS_CA_BUNDLE: the path of a file that can be read");
        assert_eq!(no_pem.to_string(), "environment variable AWS_CA_BUNDLE: a file of root certificates in PEM");
    }
}
