//! Which roots AWS endpoints are trusted by.

use std::path::Path;

use rustls::pki_types::TrustAnchor;

use super::EnvironmentError;
use crate::net::tls;

/// Root certificates that AWS endpoints chain to (Amazon Trust Services): a handful instead of a scan of the
/// system's store, which would cost most of a cold start.
const AMAZON_ROOTS: &[u8] = include_bytes!("roots.pem");

/// The roots in the PEM file at `bundle` instead of Amazon's; Amazon's where none is named.
pub(super) fn roots(bundle: Option<&Path>) -> Result<Vec<TrustAnchor<'static>>, EnvironmentError> {
    let unusable = |expected| EnvironmentError { name: "AWS_CA_BUNDLE", expected };
    let Some(bundle) = bundle else {
        return tls::roots(AMAZON_ROOTS).ok_or_else(|| unusable("roots of your own, as those of Amazon are unusable"));
    };
    let pem = std::fs::read(bundle).map_err(|_| unusable("the path of a file that can be read"))?;
    tls::roots(&pem).ok_or_else(|| unusable("a file of root certificates in PEM"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bundle_takes_the_place_of_amazons_roots() {
        let one = std::env::temp_dir().join(format!("ordersync-roots-{}.pem", std::process::id()));
        let end = b"-----END CERTIFICATE-----\n";
        let length = AMAZON_ROOTS.windows(end.len()).position(|window| window == end).unwrap() + end.len();
        std::fs::write(&one, &AMAZON_ROOTS[..length]).unwrap();
        let (all, first) = (roots(None).unwrap(), roots(Some(&one)).unwrap());
        std::fs::remove_file(one).unwrap();
        assert!(all.len() > 1);
        assert_eq!(first, all[..1]);
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
