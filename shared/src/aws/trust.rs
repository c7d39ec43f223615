//! Which roots AWS endpoints are trusted by.

use std::path::Path;

use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;

use super::EnvironmentError;

/// Root certificates that AWS endpoints chain to (Amazon Trust Services): a handful instead of a scan of the
/// system's store, which would cost most of a cold start.
const AMAZON_ROOTS: &[u8] = include_bytes!("roots.pem");

/// The roots in the file at `bundle`, as PEM, instead of Amazon's; Amazon's where none is named.
pub(super) fn roots(bundle: Option<&Path>) -> Result<Vec<u8>, EnvironmentError> {
    let Some(bundle) = bundle else { return Ok(AMAZON_ROOTS.to_vec()) };
    let unusable = |expected| EnvironmentError { name: "AWS_CA_BUNDLE", expected };
    let pem = std::fs::read(bundle).map_err(|_| unusable("the path of a file that can be read"))?;
    if is_of_certificates(&pem) { Ok(pem) } else { Err(unusable("a file of root certificates in PEM")) }
}

/// Whether it is one certificate or more that can be trusted. The SDK does not ask but panics.
fn is_of_certificates(pem: &[u8]) -> bool {
    let mut store = RootCertStore::empty();
    let is_good = CertificateDer::pem_slice_iter(pem).all(|read| read.is_ok_and(|root| store.add(root).is_ok()));
    is_good && !store.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amazons_roots_are_certificates() {
        assert!(is_of_certificates(&roots(None).unwrap()));
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

    #[test]
    fn what_is_no_certificate_is_not_trusted() {
        let broken: &[u8] = b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        let cut: &[u8] = b"-----BEGIN CERTIFICATE-----\nAAAA\n";
        for pem in [b"", broken, cut, &[AMAZON_ROOTS, broken].concat()] {
            assert!(!is_of_certificates(pem));
        }
    }
}
