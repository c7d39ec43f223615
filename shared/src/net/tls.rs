//! Whose certificates are trusted.

use std::sync::Arc;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, TrustAnchor};
use rustls::{ClientConfig, RootCertStore};

/// The root certificates in `pem`; nothing where one of them is none, or where there are none.
pub(crate) fn roots(pem: &[u8]) -> Option<Vec<TrustAnchor<'static>>> {
    let mut store = RootCertStore::empty();
    let are_good = CertificateDer::pem_slice_iter(pem).all(|read| read.is_ok_and(|root| store.add(root).is_ok()));
    (are_good && !store.is_empty()).then_some(store.roots)
}

/// TLS 1.2 and 1.3 with whoever has a certificate under one of `roots`.
pub(crate) fn trusting(roots: Vec<TrustAnchor<'static>>) -> Result<ClientConfig, rustls::Error> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    Ok(config.with_root_certificates(RootCertStore { roots }).with_no_client_auth())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_certificate_is_not_trusted() {
        let good = include_bytes!("../aws/roots.pem").as_slice();
        let broken = b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n".as_slice();
        let cut = b"-----BEGIN CERTIFICATE-----\nAAAA\n".as_slice();
        assert!(roots(good).is_some_and(|roots| roots.len() > 1));
        for pem in [b"", broken, cut, &[good, broken].concat()] {
            assert!(roots(pem).is_none());
        }
    }
}
