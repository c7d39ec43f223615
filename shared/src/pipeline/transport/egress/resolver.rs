//! Resolves names for the HTTP client and keeps only public addresses. What is judged here is what is connected
//! to, so that a name which resolves to something else a moment later gains nothing.

use std::sync::Arc;

use super::address::is_public;
use crate::net::Lookup;

/// A name that is known, but not at a public address.
#[derive(Debug, thiserror::Error)]
#[error("{0:?} resolves to no public address; name its host and port in [egress] allow if it is meant")]
pub(in crate::pipeline::transport) struct NoPublicAddress(String);

/// What `lookup` finds, if it is public.
pub(in crate::pipeline::transport) fn public_only(lookup: Lookup) -> Lookup {
    Arc::new(move |name| {
        let looked_up = lookup(name.clone());
        Box::pin(async move {
            let mut addresses = looked_up.await?;
            addresses.retain(|address| is_public(address.ip()));
            if addresses.is_empty() { Err(NoPublicAddress(name).into()) } else { Ok(addresses) }
        })
    })
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use super::*;
    use crate::net::system_lookup;

    fn answering(addresses: &'static [&'static str]) -> Lookup {
        let addresses: Vec<SocketAddr> = addresses.iter().map(|text| text.parse().unwrap()).collect();
        public_only(Arc::new(move |_| {
            let addresses = addresses.clone();
            Box::pin(async move { Ok(addresses) })
        }))
    }

    async fn resolve(lookup: &Lookup) -> Result<Vec<SocketAddr>, String> {
        lookup("erp.example.com".into()).await.map_err(|error| error.to_string())
    }

    #[tokio::test]
    async fn only_public_addresses_are_left() {
        let lookup = answering(&["10.0.0.1:0", "8.8.8.8:0", "[::1]:0", "[::ffff:169.254.169.254]:0"]);
        assert_eq!(resolve(&lookup).await, Ok(vec!["8.8.8.8:0".parse().unwrap()]));
    }

    #[tokio::test]
    async fn a_name_without_a_public_address_is_refused() {
        let lookup = answering(&["10.0.0.1:0", "[fd00:ec2::254]:0"]);
        let refused = resolve(&lookup).await.unwrap_err();
        assert!(refused.contains("\"erp.example.com\" resolves to no public address"), "{refused}");
        assert!(resolve(&answering(&[])).await.is_err());
    }

    #[tokio::test]
    async fn the_name_of_this_machine_is_refused() {
        assert!(public_only(system_lookup())("localhost".into()).await.is_err());
    }
}
