//! An HTTP server for a stand-in: plain or over TLS, connections kept alive, all on the harness's own thread.

use std::convert::Infallible;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use rustls::ServerConfig;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

/// A request with its whole body.
pub(super) type Request = http::Request<Bytes>;
/// An answer with its whole body.
pub(super) type Answer = http::Response<Bytes>;

/// What answers requests.
pub(super) trait Service: Send + Sync + 'static {
    /// Answers one.
    fn answer(&self, request: Request) -> impl Future<Output = Answer> + Send;
}

/// A server that ends when it is dropped.
#[derive(Debug)]
pub(super) struct Server {
    pub(super) address: SocketAddr,
    accepting: JoinHandle<()>,
}

impl Server {
    /// Starts to listen on a free port of this machine.
    pub(super) async fn start<S: Service>(tls: Option<Arc<ServerConfig>>, service: Arc<S>) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let acceptor = tls.map(TlsAcceptor::from);
        let accepting = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(connection(stream, acceptor.clone(), Arc::clone(&service)));
            }
        });
        Ok(Self { address, accepting })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn connection<S: Service>(stream: TcpStream, acceptor: Option<TlsAcceptor>, service: Arc<S>) {
    // Without it an answer in two parts waits for the other side's delayed acknowledgement.
    if stream.set_nodelay(true).is_err() {
        return;
    }
    match acceptor {
        None => serve(stream, service).await,
        // A target that does not trust the certificate says so itself.
        Some(acceptor) => {
            if let Ok(stream) = acceptor.accept(stream).await {
                serve(stream, service).await;
            }
        }
    }
}

async fn serve<S: Service>(stream: impl AsyncRead + AsyncWrite + Unpin, service: Arc<S>) {
    let answer = service_fn(|request: http::Request<Incoming>| {
        let service = Arc::clone(&service);
        async move {
            let (head, body) = request.into_parts();
            let answer = match body.collect().await {
                Ok(body) => service.answer(Request::from_parts(head, body.to_bytes())).await,
                Err(_) => plain(http::StatusCode::BAD_REQUEST, "the body did not arrive"),
            };
            Ok::<_, Infallible>(answer.map(Full::new))
        }
    });
    // A connection that its client breaks off is none of ours: what the target makes of it is looked at.
    drop(http1::Builder::new().timer(TokioTimer::new()).serve_connection(TokioIo::new(stream), answer).await);
}

/// A short answer in words.
pub(super) fn plain(status: http::StatusCode, text: impl Into<String>) -> Answer {
    let mut answer = Answer::new(Bytes::from(text.into()));
    *answer.status_mut() = status;
    answer
}

/// An answer of a content type.
pub(super) fn typed(status: http::StatusCode, media_type: &'static str, body: impl Into<Bytes>) -> Answer {
    let mut answer = Answer::new(body.into());
    *answer.status_mut() = status;
    answer.headers_mut().insert(http::header::CONTENT_TYPE, http::HeaderValue::from_static(media_type));
    answer
}
