//! A URL of the configuration or of a webhook: where it may lead.

use std::net::IpAddr;
use std::sync::LazyLock;

use ordersync::config::{Files, IntakeConfig, parse_part};
use ordersync::pipeline::transport::egress::Egress;
use url::{Host, Url};

use crate::samples::text;

/// The rules without exceptions, and with one.
static EGRESS: LazyLock<[Egress; 2]> = LazyLock::new(|| {
    ["[]", "[\"127.0.0.1:9000\"]"].map(|allow| {
        let document = format!("[egress]\nallow = {allow}\n{}", text("events/shops.toml"));
        parse_part::<IntakeConfig>("ordersync.toml", &document, &Files::default(), 10).expect("a document").egress
    })
});

/// One URL.
pub fn run(input: &[u8]) {
    let Ok(text) = str::from_utf8(input) else { return };
    let Ok(url) = Url::parse(text) else { return };
    let [strict, lax] = &*EGRESS;
    let literal = match url.host() {
        Some(Host::Ipv4(address)) => Some(IpAddr::V4(address)),
        Some(Host::Ipv6(address)) => Some(IpAddr::V6(address)),
        // Of other schemes than these, hosts are read as they are, and none of them is called.
        Some(Host::Domain(name)) if matches!(url.scheme(), "http" | "https") => {
            assert!(
                name.trim_end_matches('.').parse::<IpAddr>().is_err(),
                "an address that is taken for a name: {name}"
            );
            None
        }
        Some(Host::Domain(_)) | None => None,
    };
    if strict.check(&url).is_ok() {
        assert_eq!(url.scheme(), "https");
        assert!(literal.is_none_or(|address| !is_special(address)), "{url} is not public");
    }
    if lax.check(&url).is_ok() && strict.check(&url).is_err() {
        assert_eq!((url.host_str(), url.port()), (Some("127.0.0.1"), Some(9000)), "{url} is not what was allowed");
    }
}

/// What the standard library knows to be no address of the internet.
fn is_special(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => {
            v4.is_private()
                || v4.is_loopback()
                || v4.is_link_local()
                || v4.is_multicast()
                || v4.is_broadcast()
                || v4.is_documentation()
                || v4.is_unspecified()
                || (v4.octets()[0] == 100 && v4.octets()[1] & 0xc0 == 64)
        }
        IpAddr::V6(v6) => {
            v6.is_unique_local()
                || v6.is_unicast_link_local()
                || v6.is_multicast()
                || v6.is_loopback()
                || v6.is_unspecified()
                || v6.to_ipv4_mapped().is_some_and(|v4| is_special(v4.into()))
        }
    }
}

/// Spellings of what must not be reached, and of what may.
pub fn seeds() -> Vec<Vec<u8>> {
    [
        "https://erp.example.com/orders?x=1",
        "https://user:pass@127.0.0.1:9000@evil.example/",
        "http://127.0.0.1:9000/orders",
        "http://0x7f.1:9000/",
        "https://2130706433/",
        "https://017700000001/",
        "https://[::ffff:169.254.169.254]/latest",
        "https://[64:ff9b::a9fe:a9fe]/",
        "https://[fd00:ec2::254]./",
        "https://１２７.0.0.1./",
        "https://169.254.169.254\\@example.com/",
        "http://127.0.0.1.:9000/",
    ]
    .map(|text| text.as_bytes().to_vec())
    .into()
}
