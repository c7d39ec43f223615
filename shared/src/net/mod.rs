//! HTTP/1.1 over TLS. One client, for AWS and for the merchant's hosts, so that each function links one.

pub(crate) mod aws;
mod connect;
pub(crate) mod tls;

use std::error::Error;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;

use aws_smithy_types::body::SdkBody;
use hyper_util::client::legacy;
use hyper_util::rt::TokioExecutor;

pub(crate) use self::connect::{Connector, Limits};

/// Whatever may go wrong between us and a host.
pub(crate) type BoxError = Box<dyn Error + Send + Sync>;
/// Something that is awaited.
pub(crate) type Awaited<T> = Pin<Box<dyn Future<Output = T> + Send>>;
/// From a name to its addresses.
pub(crate) type Lookup = Arc<dyn Fn(String) -> Awaited<Result<Vec<SocketAddr>, BoxError>> + Send + Sync>;
/// A client and the connections that it keeps.
pub(crate) type Client = legacy::Client<Connector, SdkBody>;

/// A client whose connections `connector` makes.
pub(crate) fn client(connector: Connector) -> Client {
    let idle_for = connector.limits().idle_for;
    legacy::Client::builder(TokioExecutor::new()).pool_idle_timeout(idle_for).build(connector)
}

/// The system's resolver.
pub(crate) fn system_lookup() -> Lookup {
    Arc::new(|name| Box::pin(async move { Ok(tokio::net::lookup_host((name.as_str(), 0)).await?.collect()) }))
}

/// An error and what caused it, the outermost first. What an [`io::Error`] carries is its own cause, which
/// [`Error::source`] leaves out.
pub(crate) fn causes<'e>(error: &'e (dyn Error + 'static)) -> impl Iterator<Item = &'e (dyn Error + 'static)> {
    std::iter::successors(Some(error), |error| match error.downcast_ref::<io::Error>().map(io::Error::get_ref) {
        Some(carried) => carried.map(|carried| carried as &(dyn Error + 'static)),
        None => (*error).source(),
    })
}
