//! Connections: the name's addresses, TCP, TLS, all within a time limit. One may be made before it is needed.

use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use http::Uri;
use http::uri::{Authority, Scheme};
use hyper_rustls::{HttpsConnector, MaybeHttpsStream};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::dns::Name;
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use tokio::net::TcpStream;
use tokio::time::Instant;
use tower_service::Service;

use super::{Awaited, BoxError, Lookup};

type Stream = MaybeHttpsStream<TokioIo<TcpStream>>;

/// How long things may take.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// Looking up the name, connecting, and agreeing on keys, all together.
    pub(crate) connect_within: Duration,
    /// How long a connection that nobody uses is used again.
    pub(crate) idle_for: Duration,
}

/// A host that took no connection in time.
#[derive(Debug, thiserror::Error)]
#[error("no connection within {0:?}")]
pub(crate) struct ConnectTimeout(Duration);

/// Makes connections. Clones share the ones made ahead.
#[derive(Clone)]
pub(crate) struct Connector {
    https: HttpsConnector<HttpConnector<Names>>,
    limits: Limits,
    ahead: Arc<Mutex<Vec<Ahead>>>,
}

/// A connection that was made before it is needed.
struct Ahead {
    to: (Scheme, Authority),
    made_at: Instant,
    stream: Stream,
}

impl std::fmt::Debug for Connector {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Connector").field("limits", &self.limits).finish_non_exhaustive()
    }
}

impl Connector {
    /// Connects to the addresses that `lookup` knows.
    pub(crate) fn new(lookup: Lookup, tls: ClientConfig, limits: Limits) -> Self {
        let mut tcp = HttpConnector::new_with_resolver(Names(lookup));
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        Self { https: HttpsConnector::from((tcp, tls)), limits, ahead: Arc::default() }
    }

    pub(super) fn limits(&self) -> Limits {
        self.limits
    }

    /// Makes a connection to the host of `uri`; the next one that is asked for is this one.
    pub(crate) async fn connect_ahead(&self, uri: &Uri) -> Result<(), BoxError> {
        let stream = self.connect(uri.clone()).await?;
        if let Some(to) = host(uri) {
            let ahead = Ahead { to, made_at: Instant::now(), stream };
            self.ahead.lock().unwrap_or_else(PoisonError::into_inner).push(ahead);
        }
        Ok(())
    }

    /// The connection that was made ahead to the host of `uri`. One that has waited for long counts as closed by now.
    fn take_ahead(&self, uri: &Uri) -> Option<Stream> {
        let mut ahead = self.ahead.lock().unwrap_or_else(PoisonError::into_inner);
        ahead.retain(|ahead| ahead.made_at.elapsed() < self.limits.idle_for);
        if ahead.is_empty() {
            return None;
        }
        let to = host(uri)?;
        let position = ahead.iter().position(|ahead| ahead.to == to)?;
        Some(ahead.swap_remove(position).stream)
    }

    async fn connect(&self, uri: Uri) -> Result<Stream, BoxError> {
        let within = self.limits.connect_within;
        let connecting = self.https.clone().call(uri);
        tokio::time::timeout(within, connecting).await.map_err(|_| ConnectTimeout(within))?
    }
}

fn host(uri: &Uri) -> Option<(Scheme, Authority)> {
    Some((uri.scheme()?.clone(), uri.authority()?.clone()))
}

impl Service<Uri> for Connector {
    type Response = Stream;
    type Error = BoxError;
    type Future = Awaited<Result<Stream, BoxError>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.https.poll_ready(context)
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let connector = self.clone();
        Box::pin(async move {
            match connector.take_ahead(&uri) {
                Some(stream) => Ok(stream),
                None => connector.connect(uri).await,
            }
        })
    }
}

/// A resolver as hyper wants it.
#[derive(Clone)]
struct Names(Lookup);

impl Service<Name> for Names {
    type Response = std::vec::IntoIter<std::net::SocketAddr>;
    type Error = BoxError;
    type Future = Awaited<Result<Self::Response, BoxError>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, name: Name) -> Self::Future {
        let looked_up = (self.0)(name.as_str().to_owned());
        Box::pin(async move { Ok(looked_up.await?.into_iter()) })
    }
}

#[cfg(test)]
mod tests {
    use std::net::{SocketAddr, TcpListener};
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;
    use crate::net::tls;

    const LIMITS: Limits = Limits { connect_within: Duration::from_secs(30), idle_for: Duration::from_secs(30) };

    /// A listener that takes connections, how many it has taken, and its URI.
    fn listen() -> (Arc<AtomicUsize>, Uri) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let taken = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&taken);
        std::thread::spawn(move || {
            let mut open = Vec::new();
            while let Ok((mut stream, _)) = listener.accept() {
                // A byte tells the client that it was counted.
                counter.fetch_add(1, Ordering::SeqCst);
                std::io::Write::write_all(&mut stream, b"!").unwrap();
                open.push(stream);
            }
        });
        (taken, format!("http://{address}/").parse().unwrap())
    }

    fn connector(limits: Limits) -> Connector {
        Connector::new(super::super::system_lookup(), tls::trusting(Vec::new()).unwrap(), limits)
    }

    async fn connected(connector: &Connector, uri: &Uri) {
        use tokio::io::AsyncReadExt as _;
        let MaybeHttpsStream::Http(stream) = connector.clone().call(uri.clone()).await.unwrap() else {
            panic!("no TLS")
        };
        assert_eq!(stream.into_inner().read_u8().await.unwrap(), b'!');
    }

    #[tokio::test]
    async fn a_connection_made_ahead_is_used_once_and_for_its_own_host() {
        let ((taken, uri), (other_taken, other)) = (listen(), listen());
        let connector = connector(LIMITS);
        connector.connect_ahead(&uri).await.unwrap();
        connected(&connector, &other).await;
        connected(&connector, &uri).await;
        assert_eq!((taken.load(Ordering::SeqCst), other_taken.load(Ordering::SeqCst)), (1, 1));
        connected(&connector, &uri).await;
        assert_eq!(taken.load(Ordering::SeqCst), 2);
    }

    #[tokio::test]
    async fn a_connection_that_has_waited_too_long_is_not_used() {
        let (taken, uri) = listen();
        let connector = connector(Limits { idle_for: Duration::ZERO, ..LIMITS });
        connector.connect_ahead(&uri).await.unwrap();
        connected(&connector, &uri).await;
        assert_eq!(taken.load(Ordering::SeqCst), 2);
    }

    /// A listener at another address of this machine, at the same port.
    fn beside(uri: &Uri) -> Arc<AtomicUsize> {
        let listener = TcpListener::bind(("127.0.0.2", uri.port_u16().unwrap())).unwrap();
        let taken = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&taken);
        std::thread::spawn(move || {
            while listener.accept().is_ok() {
                counter.fetch_add(1, Ordering::SeqCst);
            }
        });
        taken
    }

    #[tokio::test]
    async fn the_addresses_that_were_looked_up_are_the_ones_connected_to() {
        let (taken, uri) = listen();
        let other = beside(&uri);
        let lookups = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&lookups);
        // A name that is somewhere else the next time that it is looked up.
        let rebinding: Lookup = Arc::new(move |_| {
            let address = ["127.0.0.1:0", "127.0.0.2:0"][counter.fetch_add(1, Ordering::SeqCst).min(1)];
            Box::pin(async move { Ok(vec![address.parse::<SocketAddr>().unwrap()]) })
        });
        let connector = Connector::new(rebinding, tls::trusting(Vec::new()).unwrap(), LIMITS);
        connected(&connector, &format!("http://erp.example.com:{}/", uri.port_u16().unwrap()).parse().unwrap()).await;
        assert_eq!((taken.load(Ordering::SeqCst), other.load(Ordering::SeqCst)), (1, 0));
        assert_eq!(lookups.load(Ordering::SeqCst), 1, "one look for one connection");
    }

    #[tokio::test(start_paused = true)]
    async fn a_host_that_takes_no_connection_is_given_up() {
        let never: Lookup = Arc::new(|_| Box::pin(std::future::pending::<Result<Vec<SocketAddr>, BoxError>>()));
        let connector = Connector::new(never, tls::trusting(Vec::new()).unwrap(), LIMITS);
        let error = connector.connect_ahead(&"https://queue.example.com/".parse().unwrap()).await.unwrap_err();
        assert_eq!(error.to_string(), "no connection within 30s");
    }
}
