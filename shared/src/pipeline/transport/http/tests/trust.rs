//! Whose certificates are taken.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::{ServerConfig, ServerConnection, Stream};

use super::*;
use crate::pipeline::Retry;

/// A company's own CA.
fn company() -> CertifiedIssuer<'static, KeyPair> {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

/// A server for `localhost` with a certificate of `ca`, which takes whatever it is sent. Its host and port.
fn serve(ca: &CertifiedIssuer<'static, KeyPair>) -> String {
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(["localhost".to_owned()]).unwrap().signed_by(&key, ca).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let key = PrivatePkcs8KeyDer::from(key.serialize_der()).into();
    let config = config.with_no_client_auth().with_single_cert(vec![certificate.der().clone()], key).unwrap();
    let config = Arc::new(config);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let host = format!("localhost:{}", listener.local_addr().unwrap().port());
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut connection = ServerConnection::new(Arc::clone(&config)).unwrap();
            let mut tls = Stream::new(&mut connection, &mut stream);
            // A client that does not trust the certificate hangs up.
            let Ok(_read) = tls.read(&mut [0; 4096]) else { continue };
            let _hung_up = tls.write_all(b"HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n");
        }
    });
    host
}

/// What a delivery to `host` comes to when `pem` is the `ca` of the configuration.
async fn deliver(host: &str, pem: Option<String>) -> Result<Receipt, Failure> {
    let ca = if pem.is_some() { "ca = \"company.pem\", " } else { "" };
    let egress = format!("{ca}allow = [{host:?}]");
    let files = pem.map(|pem| ("company.pem".to_owned(), pem)).into_iter().collect();
    let settings = format!("type = \"http\", url = \"https://{host}/\"");
    let (transport, egress, problems) = load_with(&settings, &egress, &files);
    assert_eq!(problems, []);
    let document = Document { body: b"{}".to_vec(), media_type: "application/json".into(), headers: vec![] };
    Bench { transport: transport.unwrap(), clients: clients(egress), document, limit: AMPLE }.deliver().await
}

#[tokio::test]
async fn a_companys_own_certificates_are_trusted_when_its_ca_is_named() {
    let ca = company();
    let host = serve(&ca);
    assert_eq!(deliver(&host, Some(ca.pem())).await.unwrap().status, Some(204));
    for other in [None, Some(company().pem())] {
        let failure = deliver(&host, other).await.unwrap_err();
        assert!(failure.message.contains("cannot be reached: invalid peer certificate"), "{}", failure.message);
        assert_ne!(failure.retry, Retry::No, "it may be renewed or replaced");
    }
}
