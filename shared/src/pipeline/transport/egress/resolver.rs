//! Resolves names for the HTTP client and keeps only public addresses. What is judged here is what is connected
//! to, so that a name which resolves to something else a moment later gains nothing.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use super::address::is_public;

/// From a name to its addresses.
pub(in crate::pipeline::transport) type Lookup =
    Arc<dyn Fn(String) -> BoxFuture<'static, io::Result<Vec<SocketAddr>>> + Send + Sync>;

/// A resolver that knows public addresses only.
pub(in crate::pipeline::transport) struct PublicOnly {
    lookup: Lookup,
}

/// A name that is known, but not at a public address.
#[derive(Debug, thiserror::Error)]
#[error("{0:?} resolves to no public address; name its host and port in [egress] allow if it is meant")]
pub(in crate::pipeline::transport) struct NoPublicAddress(String);

impl PublicOnly {
    pub(in crate::pipeline::transport) fn new(lookup: Lookup) -> Self {
        Self { lookup }
    }
}

/// The system's resolver.
pub(in crate::pipeline::transport) fn system() -> Lookup {
    Arc::new(|name| Box::pin(async move { Ok(tokio::net::lookup_host((name.as_str(), 0)).await?.collect()) }))
}

impl Resolve for PublicOnly {
    fn resolve(&self, name: Name) -> Resolving {
        let name = name.as_str().to_owned();
        let looked_up = (self.lookup)(name.clone());
        Box::pin(async move {
            let mut addresses = looked_up.await?;
            addresses.retain(|address| is_public(address.ip()));
            if addresses.is_empty() {
                return Err(NoPublicAddress(name).into());
            }
            Ok(Box::new(addresses.into_iter()) as Addrs)
        })
    }
}

impl fmt::Debug for PublicOnly {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PublicOnly")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answering(addresses: &'static [&'static str]) -> PublicOnly {
        let addresses: Vec<SocketAddr> = addresses.iter().map(|text| text.parse().unwrap()).collect();
        PublicOnly::new(Arc::new(move |_| {
            let addresses = addresses.clone();
            Box::pin(async move { Ok(addresses) })
        }))
    }

    async fn resolve(resolver: &PublicOnly) -> Result<Vec<SocketAddr>, String> {
        let addresses = resolver.resolve("erp.example.com".parse().unwrap()).await;
        addresses.map(Iterator::collect).map_err(|error| error.to_string())
    }

    #[tokio::test]
    async fn only_public_addresses_are_left() {
        let resolver = answering(&["10.0.0.1:0", "8.8.8.8:0", "[::1]:0", "[::ffff:169.254.169.254]:0"]);
        assert_eq!(resolve(&resolver).await, Ok(vec!["8.8.8.8:0".parse().unwrap()]));
    }

    #[tokio::test]
    async fn a_name_without_a_public_address_is_refused() {
        let resolver = answering(&["10.0.0.1:0", "[fd00:ec2::254]:0"]);
        let refused = resolve(&resolver).await.unwrap_err();
        assert!(refused.contains("\"erp.example.com\" resolves to no public address"), "{refused}");
        assert!(resolve(&answering(&[])).await.is_err());
    }

    #[tokio::test]
    async fn the_name_of_this_machine_is_refused() {
        let resolver = PublicOnly::new(system());
        assert!(resolver.resolve("localhost".parse().unwrap()).await.is_err());
    }
}
