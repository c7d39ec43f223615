//! Whom we may connect to: public addresses over TLS, and what `[egress] allow` names by host and port.
//!
//! A name is judged by the addresses that it resolves to at the moment of connecting, see [`resolver`]; an address
//! in the URL is judged here. So neither a name that changes its address nor an unusual spelling gets through.

mod address;
pub(super) mod resolver;

use std::collections::BTreeSet;
use std::net::IpAddr;

use rustls::pki_types::TrustAnchor;
use toml::de::DeValue;
use url::{Host, Url};

use crate::config::document::Node;
use crate::config::{Files, value};
use crate::net::tls;

/// The rules of the configuration.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Egress {
    allow: BTreeSet<Authority>,
    roots: Vec<TrustAnchor<'static>>,
}

/// A host and port as URLs have them after normalisation.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Authority {
    host: Host<String>,
    port: u16,
}

/// How a URL may be reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Route {
    /// As it is: it is named in `[egress] allow`.
    Named,
    /// Over TLS, at a public address.
    Public,
}

/// Why a URL may not be called.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// No TLS.
    #[error("http:// without TLS is only for a host and port named in [egress] allow, here {0:?}; use https://")]
    Insecure(String),
    /// An address that is not public.
    #[error("{0:?} is not at a public address; name it in [egress] allow if it is meant")]
    NotPublic(String),
}

/// Reads the table `egress`; without one nothing is allowed beyond the public internet over TLS.
pub fn read(node: Option<&Node<'_>>, files: &Files) -> Egress {
    let Some(table) = node.and_then(Node::table) else { return Egress::default() };
    let allow = table.list("allow", authority).into_iter().collect();
    let roots = table.get("ca").and_then(|node| read_roots(&node, files)).unwrap_or_default();
    table.finish();
    Egress { allow, roots }
}

/// The root certificates in the file that `ca` names.
fn read_roots(node: &Node<'_>, files: &Files) -> Option<Vec<TrustAnchor<'static>>> {
    let name = node.parse(value::text)?;
    let Some(pem) = files.get(&name) else {
        node.problem(format!("the file {name:?} is not beside the configuration"));
        return None;
    };
    let roots = tls::roots(pem.as_bytes());
    if roots.is_none() {
        node.problem(format!("{name}: expected root certificates in PEM (-----BEGIN CERTIFICATE-----)"));
    }
    roots
}

fn authority(value: &DeValue<'_>) -> Result<Authority, String> {
    let expected = "a host and port such as \"127.0.0.1:9000\", \"erp.internal:8443\" or \"[::1]:9000\"";
    value.as_str().and_then(Authority::parse).ok_or_else(|| expected.into())
}

impl Authority {
    fn parse(text: &str) -> Option<Self> {
        let (host, port) = text.rsplit_once(':')?;
        let port = port.parse().ok().filter(|number| *number != 0 && port.bytes().all(|b| b.is_ascii_digit()))?;
        // Percent-encoding is read by the parser of hosts, but nobody means it; a wildcard would match nothing.
        let host = Host::parse(host).ok().filter(|_| !host.contains(['%', '*']))?;
        Some(Self { host: without_final_dot(host), port })
    }

    fn of(url: &Url) -> Option<Self> {
        let host = without_final_dot(url.host()?.to_owned());
        Some(Self { host, port: url.port_or_known_default()? })
    }
}

/// `erp.internal.` is `erp.internal`.
fn without_final_dot(host: Host<String>) -> Host<String> {
    match host {
        Host::Domain(mut name) => {
            if name.ends_with('.') {
                name.pop();
            }
            Host::Domain(name)
        }
        address => address,
    }
}

impl Egress {
    /// Public hosts, and the host and port of `url` wherever they are: for programs whose caller names them.
    pub fn naming(url: &Url) -> Self {
        Self { allow: Authority::of(url).into_iter().collect(), roots: Vec::new() }
    }

    /// Whether `url` may be called, as far as can be told before its name is resolved.
    pub fn check(&self, url: &Url) -> Result<(), Refused> {
        self.route(url).map(|_| ())
    }

    /// Whether the host and port of `url` are named in `[egress] allow`.
    pub fn names(&self, url: &Url) -> bool {
        matches!(self.route(url), Ok(Route::Named))
    }

    /// Roots that hosts are trusted by, besides the public ones.
    pub(super) fn roots(&self) -> &[TrustAnchor<'static>] {
        &self.roots
    }

    pub(super) fn route(&self, url: &Url) -> Result<Route, Refused> {
        if Authority::of(url).is_some_and(|authority| self.allow.contains(&authority)) {
            return Ok(Route::Named);
        }
        if url.scheme() != "https" {
            return Err(Refused::Insecure(host_and_port(url)));
        }
        let literal = match url.host() {
            Some(Host::Ipv4(address)) => Some(IpAddr::V4(address)),
            Some(Host::Ipv6(address)) => Some(IpAddr::V6(address)),
            Some(Host::Domain(_)) | None => None,
        };
        if literal.is_some_and(|address| !address::is_public(address)) {
            return Err(Refused::NotPublic(host_and_port(url)));
        }
        Ok(Route::Public)
    }
}

/// `host:port` of a URL, which is how `[egress] allow` names it.
fn host_and_port(url: &Url) -> String {
    format!("{}:{}", url.host_str().unwrap_or_default(), url.port_or_known_default().unwrap_or_default())
}

#[cfg(test)]
mod tests;
