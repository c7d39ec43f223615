//! HTTP/1.1 to one host, plain or over TLS, over connections that are kept.

use std::cell::RefCell;
use std::sync::Arc;

use bytes::Bytes;
use http::uri::Scheme;
use http::{Request, Response, Uri};
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::Error;

type Sender = http1::SendRequest<Full<Bytes>>;

/// A host, and the connections to it that nobody uses now.
pub(crate) struct Host {
    /// What `Host` says.
    pub(crate) authority: String,
    name: String,
    port: u16,
    tls: Option<(TlsConnector, ServerName<'static>)>,
    idle: RefCell<Vec<Sender>>,
}

/// Trusts the roots in the file that `AWS_CA_BUNDLE` names, else those given.
pub(crate) fn tls(bundle: Option<&str>, roots: impl FnOnce() -> RootCertStore) -> Result<Arc<ClientConfig>, Error> {
    let roots = match bundle {
        Some(file) => from_pem(&std::fs::read(file).map_err(Error::of("AWS_CA_BUNDLE"))?)?,
        None => roots(),
    };
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let config = config.map_err(Error::of("TLS"))?;
    Ok(Arc::new(config.with_root_certificates(roots).with_no_client_auth()))
}

/// The certificates of a text in PEM.
pub(crate) fn from_pem(pem: &[u8]) -> Result<RootCertStore, Error> {
    let mut store = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem) {
        let added = certificate.map(|certificate| store.add(certificate)).map_err(Error::of("root certificates"))?;
        added.map_err(Error::of("root certificates"))?;
    }
    Ok(store)
}

impl Host {
    /// The host of a URL.
    pub(crate) fn of(url: &str, tls: &Arc<ClientConfig>) -> Result<Self, Error> {
        let uri: Uri = url.parse().map_err(Error::of("URL"))?;
        let authority = uri.authority().ok_or_else(|| Error::new("URL", "expected a host"))?;
        let is_plain = uri.scheme() == Some(&Scheme::HTTP);
        let name = authority.host().to_owned();
        let server = ServerName::try_from(name.clone()).map_err(Error::of("URL"))?;
        Ok(Self {
            authority: authority.to_string(),
            port: authority.port_u16().unwrap_or(if is_plain { 80 } else { 443 }),
            name,
            tls: (!is_plain).then(|| (TlsConnector::from(Arc::clone(tls)), server)),
            idle: RefCell::default(),
        })
    }

    /// Opens a connection ahead of the first request.
    pub(crate) async fn connect(&self) -> Result<(), Error> {
        let sender = self.open().await?;
        self.idle.borrow_mut().push(sender);
        Ok(())
    }

    /// Sends a request and reads the whole answer. A kept connection may have been closed by the other side, so that
    /// another try is made over a new one.
    pub(crate) async fn send(&self, request: Request<Full<Bytes>>) -> Result<Response<Bytes>, Error> {
        let kept = self.idle.borrow_mut().pop();
        if let Some(mut sender) = kept
            && sender.ready().await.is_ok()
            && let Ok(answer) = self.exchange(sender, request.clone()).await
        {
            return Ok(answer);
        }
        let sender = self.open().await?;
        self.exchange(sender, request).await.map_err(Error::of("HTTP"))
    }

    async fn exchange(&self, mut sender: Sender, request: Request<Full<Bytes>>) -> hyper::Result<Response<Bytes>> {
        let (head, body) = sender.send_request(request).await?.into_parts();
        let body = body.collect().await?.to_bytes();
        self.idle.borrow_mut().push(sender);
        Ok(Response::from_parts(head, body))
    }

    async fn open(&self) -> Result<Sender, Error> {
        let stream = TcpStream::connect((self.name.as_str(), self.port)).await.map_err(Error::of("connection"))?;
        stream.set_nodelay(true).map_err(Error::of("connection"))?;
        let Some((connector, name)) = &self.tls else { return handshake(stream).await };
        handshake(connector.connect(name.clone(), stream).await.map_err(Error::of("TLS"))?).await
    }
}

async fn handshake(stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static) -> Result<Sender, Error> {
    let (sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(Error::of("HTTP"))?;
    // What breaks it off is told to whoever waits for an answer.
    tokio::spawn(async move { drop(connection.await) });
    Ok(sender)
}
